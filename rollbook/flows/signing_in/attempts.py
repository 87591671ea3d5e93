"""What was tried: every attempt with the steps of the ladder, found again by a reference, a member, or what somebody is known by.

No address, name or id is kept of who was refused: only keyed hashes, so that who knows one finds the attempt, and nobody else a person.
"""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import router, transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from rollbook.engine.signing_in.claims import Claims
from rollbook.engine.signing_in.ladder import Step
from rollbook.engine.sync.operations import MEMBERS, PURGED
from rollbook.flows import members
from rollbook.flows.directory import is_number
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store.directory_rows import listed
from rollbook.store.models import IdentityProvider, Link, Member, Organization, SignInAttempt, SignInTrace

KEPT = timedelta(days=90)
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that are mistaken for one another when somebody reads a reference out."""
IN = "in"
MOST_MEMBERS = 20
SHOWN = 50
AT_ONCE = 500


class NoSuchAttempt(Refusal):
    """No attempt of the last 90 days has this reference number."""


def reference() -> str:
    """What a page tells who was refused, and they tell whom they ask."""
    letters = [secrets.choice(LETTERS) for _ in range(8)]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def keep(
    provider: IdentityProvider,
    number: str,
    outcome: str,
    now: datetime,
    *,
    rung: str = "",
    steps: Iterable[Step] = (),
    member: int | None = None,
    claims: Claims | None = None,
) -> SignInAttempt:
    """One attempt, with what finds it again: who came in is found by their number, all others by what was said of them too."""
    told = [asdict(step) for step in steps]
    numbers = {number for step in told for number in step["members"]} - {member}
    said = () if outcome == IN else _said(claims)
    marks = {mark(provider.organization_id, one) for one in said if one.strip()}
    with transaction.atomic(using=router.db_for_write(SignInAttempt)):
        kept = SignInAttempt.objects.create(
            organization_id=provider.organization_id, provider_id=provider.pk, reference=number, outcome=outcome, rung=rung,
            steps=told, member_id=member, at=now,
        )  # fmt: skip
        SignInTrace.objects.bulk_create(
            SignInTrace(attempt=kept, organization_id=provider.organization_id, mark=one)
            for one in sorted(marks | {_member_mark(number) for number in numbers})
        )
    return kept


def _said(claims: Claims | None) -> tuple[str, ...]:
    if claims is None:
        return ()
    return claims.sourced_id, claims.identifier, claims.username, claims.email, claims.subject


def mark(organization_id: int, said: str) -> str:
    """A keyed hash: without the key of the installation nobody can try names out on it."""
    return salted_hmac(
        "rollbook.sign-in.trace", f"{organization_id} {fold(said.strip())}", algorithm="sha256"
    ).hexdigest()[:32]


def _member_mark(number: int) -> str:
    return f"member:{number}"


def latest(organization: Organization, sites: frozenset[int] | None = None) -> list[SignInAttempt]:
    """The latest attempts; `sites` as in `search`."""
    every = SignInAttempt.objects.filter(organization_id=organization.pk).order_by("-at", "-id")
    return _of_sites(organization, every, sites)


def search(
    organization: Organization, text: str, sites: frozenset[int] | None = None
) -> tuple[list[Member], list[SignInAttempt]]:
    """Members whom this text may mean, and attempts of theirs, or that said it; the latest first.

    `text` is a reference number, a number, an address, a username, an id or a name. `sites`, where it is not None, are the only ones whose
    people may be looked for: then nothing is told of attempts that were nobody's.
    """
    found = _meant(organization, text, sites)
    marks = {mark(organization.pk, text), *(_member_mark(one.id) for one in found)}
    for one in found:
        marks |= {mark(organization.pk, said) for said in _known_by(one) if said.strip()}
    every = SignInAttempt.objects.filter(organization_id=organization.pk).order_by("-at", "-id")
    traced = SignInTrace.objects.filter(organization_id=organization.pk, mark__in=marks)
    theirs = Q(member_id__in=[one.id for one in found]) | Q(pk__in=traced.values("attempt_id"))
    one_of = theirs | Q(reference=text.strip().upper())
    return found, _of_sites(organization, every.filter(one_of), sites)


def find_attempt(
    organization: Organization, number: str, sites: frozenset[int] | None = None
) -> SignInAttempt:
    """The attempt of this reference number. Raises NoSuchAttempt."""
    every = SignInAttempt.objects.filter(
        organization_id=organization.pk, reference=number.strip().upper()
    ).order_by("-at")
    found = _of_sites(organization, every, sites)
    if not found:
        raise NoSuchAttempt(number[:20])
    return found[0]


def _meant(organization: Organization, text: str, sites: frozenset[int] | None) -> list[Member]:
    every = Member.objects.filter(organization=organization).exclude(state=PURGED)
    known = fold(text.strip())
    exact = Q(email_folded=known) | Q(username_folded=known) | Q(identifier=text.strip())
    linked = Link.objects.filter(
        organization=organization, kind=MEMBERS, connection__target_kind="directory", source_id=text.strip()
    )
    numbers = {int(one) for one in linked.values_list("target", flat=True)}
    if is_number(text.strip()):
        numbers.add(int(text))
    found = list(every.filter(exact | Q(id__in=numbers)).order_by("id")[:MOST_MEMBERS]) if known else []
    if not found and known:
        found = list(members.members(organization, search=text)[:MOST_MEMBERS])
        found += list(members.members(organization, state="archived", search=text)[:MOST_MEMBERS])
    return [one for one in found if sites is None or _is_at(one, sites)]


def _known_by(member: Member) -> tuple[str, ...]:
    records = [link.source_id for link in members.links_of(member)]
    return member.email, member.username, member.identifier, *records


def _of_sites(
    organization: Organization, found: QuerySet[SignInAttempt], sites: frozenset[int] | None
) -> list[SignInAttempt]:
    if sites is None:
        return list(found[:SHOWN])
    some = list(found[: SHOWN * 4])
    theirs = {
        one.id
        for one in Member.objects.filter(organization=organization, id__in=numbers_of(some))
        if _is_at(one, sites)
    }
    return [one for one in some if (numbers := numbers_of([one])) and numbers <= theirs][:SHOWN]


def numbers_of(attempts: Collection[SignInAttempt]) -> set[int]:
    """The members whom these attempts name."""
    named = {number for one in attempts for step in one.steps for number in step["members"]}
    return named | {one.member_id for one in attempts if one.member_id is not None}


def _is_at(member: Member, sites: frozenset[int]) -> bool:
    return any(int(one) in sites for one in listed(member.site_ids))


def prune(now: datetime) -> int:
    """Attempts older than 90 days go; how many."""
    gone = 0
    while old := list(SignInAttempt.objects.filter(at__lt=now - KEPT).values_list("pk", flat=True)[:AT_ONCE]):
        SignInAttempt.objects.filter(pk__in=old).delete()
        gone += len(old)
    return gone
