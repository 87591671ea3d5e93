"""Coming in: what a provider proved goes up the ladder; who is recognised gets a link, a seat and an account in one transaction.

Every end of it, in or out, is an attempt with its steps. Somebody active whose sign-in is known changes nothing in the directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from rollbook.engine.signing_in.claims import PRESETS, Claims, claims_of, masked
from rollbook.engine.signing_in.ladder import (
    LINK,
    MATCHED,
    ORGANIZATION,
    REFUSE,
    SEAT,
    YES,
    Decision,
    Step,
    climb,
)
from rollbook.engine.sync.operations import ACTIVE, INACTIVE
from rollbook.flows import members, sign_ins
from rollbook.flows.signing_in import attempts, reviews, tries
from rollbook.flows.signing_in.identities import link
from rollbook.flows.signing_in.providers import trust_of
from rollbook.flows.signing_in.recognising import known_by
from rollbook.store.models import Account, Identity, IdentityProvider, Member, Organization
from rollbook.store.seats import NoSeatFree, NotActivable

SILENT = "provider-silent"
AGAIN = 3
"""Somebody who comes by two windows at once is in the way of themselves: what lost is tried again."""


@dataclass(frozen=True)
class Entered:
    """How it ended. `identity` and `account` are there for who is in; `outcome` is in, or the code of a refusal (`ladder.OUTCOMES`)."""

    outcome: str
    reference: str
    member: Member | None = None
    identity: Identity | None = None
    account: Account | None = None

    @property
    def is_in(self) -> bool:
        return self.outcome == attempts.IN


@dataclass(frozen=True)
class Tried:
    """What coming in by these claims would do: `claims` are (what, masked), `decision` the ladder's. Nothing was done."""

    claims: tuple[tuple[str, str], ...]
    decision: Decision
    would: str


class SeatRefused(Exception):
    """Between the ladder and the door: no seat. `code` is the outcome."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def enter(provider: IdentityProvider, said: Mapping[str, Any], now: datetime, address: str = "") -> Entered:
    """Lets in whoever these proved claims are of, or says why not."""
    claims = _claims(provider, said)
    number = attempts.reference()
    for turn in range(AGAIN):
        try:
            decision, identity, member = _decide(provider, claims, now)
            break
        except IntegrityError:
            if turn + 1 == AGAIN:
                raise
    if decision.asks:
        named = {one for step in decision.steps for one in step.members}
        with transaction.atomic():
            reviews.ask(provider, claims, decision.outcome, named, said, number, now)
    outcome = attempts.IN if identity else decision.outcome
    attempts.keep(
        provider, number, outcome, now, rung=decision.rung, steps=decision.steps, member=decision.member or None, claims=claims
    )  # fmt: skip
    if identity is None:
        tries.note_refused(address)
        sign_ins.kept_out(provider.organization_id, provider.name, outcome, number, address)
        return Entered(outcome, number)
    return Entered(outcome, number, member, identity, identity.account)


def turned_away(provider: IdentityProvider, code: str, now: datetime, address: str = "") -> Entered:
    """Nobody was proved to be there at all: `code` says why."""
    number = attempts.reference()
    steps = [Step("provider", REFUSE, code, ORGANIZATION)]
    attempts.keep(provider, number, code, now, steps=steps)
    if code != SILENT:  # then it is nobody's fault there
        tries.note_refused(address)
    sign_ins.kept_out(provider.organization_id, provider.name, code, number, address)
    return Entered(code, number)


def rehearse(provider: IdentityProvider, said: Mapping[str, Any]) -> Tried:
    """What these claims come to, and what would be done; nothing is done and nothing kept."""
    claims = _claims(provider, said)
    decision = climb(claims, trust_of(provider, claims.issuer), known_by(provider, claims))
    shown = [
        (name, masked(str(getattr(claims, name))))
        for name in ("issuer", "tenant", "subject", "sourced_id", "identifier", "username", "email")
    ]
    shown[0] = ("issuer", claims.issuer)
    shown += [("email_verified", "yes" if claims.email_verified else "no"), ("role", claims.role)]
    return Tried(tuple(shown), decision, _would(provider, decision))


def _would(provider: IdentityProvider, decision: Decision) -> str:
    """In: active already; seat: would take one if one is free; else the outcome."""
    if decision.outcome != MATCHED:
        return decision.outcome
    member = Member.objects.get(organization=provider.organization, id=decision.member)
    return attempts.IN if member.state == ACTIVE else SEAT


def _claims(provider: IdentityProvider, said: Mapping[str, Any]) -> Claims:
    return claims_of(PRESETS[provider.preset], said, provider.names)


def _decide(
    provider: IdentityProvider, claims: Claims, now: datetime
) -> tuple[Decision, Identity | None, Member | None]:
    """The ladder's decision, and for who is in their identity. Raises django.db.IntegrityError where somebody else was faster."""
    decision = _climbed(provider, claims)
    if decision.outcome != MATCHED:
        return decision, None, None
    member = _member(provider, decision)
    if member.account is not None and not member.account.is_active:
        return _refused(decision, "suspended"), None, None
    if decision.rung == LINK and member.state == ACTIVE:
        return _with_seat(decision, "seat-held"), _identity(provider, claims), member
    try:
        return _admit(provider, claims, now)
    except SeatRefused as refused:
        return _refused(decision, refused.code), None, None


def _refused(decision: Decision, code: str) -> Decision:
    step = Step(SEAT, REFUSE, code, ORGANIZATION, (decision.member,))
    return replace(decision, outcome=code, steps=(*decision.steps, step))


def _climbed(provider: IdentityProvider, claims: Claims) -> Decision:
    return climb(claims, trust_of(provider, claims.issuer), known_by(provider, claims))


def _admit(
    provider: IdentityProvider, claims: Claims, now: datetime
) -> tuple[Decision, Identity | None, Member | None]:
    """Seat, link and account, all or nothing; what was decided before the lock is decided again behind it."""
    with transaction.atomic():
        Organization.objects.select_for_update().only("pk").get(pk=provider.organization_id)
        decision = _climbed(provider, claims)
        if decision.outcome != MATCHED:
            return decision, None, None
        member = _member(provider, decision)
        taken = _seat(provider, member, now)
        if decision.rung == LINK:
            identity = _identity(provider, claims)
        else:
            identity = link(provider, member, claims, decision.rung, now)
    return _with_seat(decision, "seat-taken" if taken else "seat-held"), identity, member


def _seat(provider: IdentityProvider, member: Member, now: datetime) -> bool:
    """Whether one was taken now. Raises SeatRefused."""
    if member.state == ACTIVE:
        return False
    if provider.seats == IdentityProvider.Seats.NEVER and member.state == INACTIVE:
        raise SeatRefused("other-provider")
    roster = provider.connection
    by = roster.name if roster is not None else f"sign-in {provider.pk}"
    try:
        return members.activate(member, now, by, provider.seats == IdentityProvider.Seats.ALWAYS)
    except NoSeatFree:
        raise SeatRefused("no-seat") from None
    except members.OtherProvider:
        raise SeatRefused("other-provider") from None
    except NotActivable:
        raise SeatRefused("pending") from None


def _with_seat(decision: Decision, why: str) -> Decision:
    step = Step(SEAT, YES, why, members=(decision.member,))
    return replace(decision, steps=(*decision.steps, step))


def _member(provider: IdentityProvider, decision: Decision) -> Member:
    found = Member.objects.select_related("organization__product", "account")
    return found.get(organization=provider.organization_id, id=decision.member)


def _identity(provider: IdentityProvider, claims: Claims) -> Identity:
    found = Identity.objects.select_related("account", "provider")
    return found.get(
        organization=provider.organization_id, issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject, ended_at=None
    )  # fmt: skip
