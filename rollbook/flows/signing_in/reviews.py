"""Sign-ins that people decide about: whose it is, or nobody's. What they decide by is kept until they have, and then forgotten."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from rollbook.engine.signing_in.claims import Claims
from rollbook.engine.signing_in.ladder import MATCHED
from rollbook.engine.sync.operations import ARCHIVED, PURGED
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.signing_in.attempts import KEPT
from rollbook.flows.signing_in.identities import link
from rollbook.refusal import Refusal
from rollbook.store.models import Identity, IdentityProvider, Member, Organization, SignInReview

LINK, DISMISS = "link", "dismiss"
MOST_OPEN = 500
"""More that wait, of one provider, are not added: what is wrong then is the provider's settings."""


class NoSuchReview(Refusal):
    """No sign-in of this number waits for a decision: perhaps somebody else has just decided."""


class NotAMemberForIt(Refusal):
    """Who is archived cannot be signed in for: restore the member first."""


def ask(
    provider: IdentityProvider,
    claims: Claims,
    code: str,
    candidates: Iterable[int],
    said: Mapping[str, Any],
    number: str,
    now: datetime,
) -> None:
    """This sign-in waits for a decision; one that waits already is only counted. `said` is what the decision is made by."""
    waiting = SignInReview.objects.filter(provider=provider, closed_at=None)
    same = waiting.filter(issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject)
    if same.update(tries=F("tries") + 1, reference=number, code=code) or waiting.count() >= MOST_OPEN:
        return
    if code == MATCHED and _is_decided(provider, claims, candidates):
        return
    SignInReview.objects.create(
        organization=provider.organization, provider=provider, issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject,
        code=code, candidates=sorted(set(candidates)), shown=json.dumps(shown_of(claims, said), ensure_ascii=False), reference=number,
        opened_at=now,
    )  # fmt: skip


def _is_decided(provider: IdentityProvider, claims: Claims, candidates: Iterable[int]) -> bool:
    """Whether somebody has looked at this already: who is in comes every day, and is not asked about every day."""
    closed = SignInReview.objects.filter(provider=provider, code=MATCHED).exclude(closed_at=None)
    same = closed.filter(issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject)
    return any(set(one.candidates) == set(candidates) for one in same)


def shown_of(claims: Claims, said: Mapping[str, Any]) -> dict[str, str]:
    """What lets a person recognise another: their name as the provider has it, and what it said of them."""
    given, family = (str(said.get(name) or "") for name in ("given_name", "family_name"))
    shown = {
        "name": f"{given} {family}".strip() or str(said.get("name") or ""),
        "email": claims.email,
        "username": claims.username,
        "identifier": claims.identifier,
        "sourced_id": claims.sourced_id,
        "role": claims.role,
        "tenant": claims.tenant,
    }
    return {name: text[:300] for name, text in shown.items() if text}


def waiting(organization: Organization) -> QuerySet[SignInReview]:
    """What waits, the oldest first."""
    found = SignInReview.objects.filter(organization=organization, closed_at=None)
    return found.select_related("provider").order_by("opened_at", "pk")


def find_review(organization: Organization, number: int) -> SignInReview:
    """Raises NoSuchReview."""
    found = waiting(organization).filter(pk=number).first()
    if found is None:
        raise NoSuchReview(str(number))
    return found


def told(review: SignInReview) -> dict[str, str]:
    """What it is decided by; nothing once it was."""
    return dict(json.loads(review.shown)) if review.shown else {}


def decide_link(review: SignInReview, member: Member, now: datetime) -> Identity:
    """From now on this sign-in is that member's; one of the same issuer that was theirs before is so no more.

    Raises NotAMemberForIt, NoSuchReview.
    """
    if member.state in (ARCHIVED, PURGED):
        raise NotAMemberForIt(str(member.id))
    with transaction.atomic():
        _close(review, LINK, member.id, now)
        made = link(
            review.provider,
            member,
            Claims(review.issuer, review.subject, review.tenant),
            "hand",
            now,
            in_place=True,
        )
        _note(review, "sign_in_review.link", {"member": member.id})
    return made


def dismiss(review: SignInReview, now: datetime) -> None:
    """It is nobody's. Should they come again, it is asked again. Raises NoSuchReview."""
    with transaction.atomic():
        _close(review, DISMISS, None, now)
        _note(review, "sign_in_review.dismiss", {})


def forget_old(now: datetime) -> int:
    """What nobody decided in 90 days is nobody's, and what was to be decided by is forgotten; how many."""
    old = SignInReview.objects.filter(closed_at=None, opened_at__lt=now - KEPT)
    return old.update(decision=DISMISS, closed_at=now, closed_by=actor().name[:254], shown="")


def _close(review: SignInReview, decision: str, member: int | None, now: datetime) -> None:
    mine = SignInReview.objects.filter(pk=review.pk, closed_at=None)
    if not mine.update(
        decision=decision, member_id=member, closed_at=now, closed_by=actor().name[:254], shown=""
    ):
        raise NoSuchReview(str(review.pk))


def _note(review: SignInReview, act: str, after: Mapping[str, Any]) -> None:
    number = f"{review.organization_id}/{review.pk}"
    audit.record(None, act, "sign-in review", number, review.provider.name, after=after)
