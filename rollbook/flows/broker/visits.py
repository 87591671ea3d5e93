"""Visits: who is in at which client by which browser; begun when a client is first told, ended by signing out or by what they rest on.

Clients that want to hear of an end get a notice, which leaves by `notices`. Nothing of this waits for an import: it is all beside the roster.
"""

import logging
import secrets
from collections.abc import Collection, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import router, transaction

from rollbook.engine.sync.operations import ACTIVE
from rollbook.flows.broker.subjects import NobodyThere, NotShared, Standing, standing_of
from rollbook.flows.signing_in.sessions import NotInAnyMore
from rollbook.store.models import (
    Identity,
    LogoutNotice,
    Member,
    Organization,
    SignInClient,
    SignInCode,
    Visit,
    VisitToken,
)

BROWSER = "browser"
"""Where the browser's session keeps the mark that its visits have."""
SIGNED_OUT, OVER, REVOKED, FORGOTTEN = "signed-out", "over", "revoked", "forgotten"
KEPT = timedelta(days=14)
"""A visit of which nothing was heard for so long is over; so long a refresh token holds."""
KNOWN_AFTER = timedelta(days=7)
AT_ONCE = 500
log = logging.getLogger(__name__)


def database() -> str:
    """Where visits live, for a transaction of theirs alone."""
    return router.db_for_write(Visit)


def begin(
    session: MutableMapping[str, Any], client: SignInClient, standing: Standing, now: datetime
) -> Visit:
    """The visit of this person at this client by this browser: the one they are in by, or a new one."""
    mark = session.get(BROWSER)
    if not mark:
        mark = session[BROWSER] = secrets.token_urlsafe(24)
    signed_in_at = datetime.fromtimestamp(standing.at, UTC)
    found = Visit.objects.filter(browser=mark, client_id=client.pk, ended_at=None)
    visit = found.filter(subject=standing.person.subject).order_by("-began_at").first()
    if visit is None:
        visit = Visit(client_id=client.pk, subject=standing.person.subject, browser=mark, began_at=now)
        visit.organization_id, visit.member_id = standing.organization_id, standing.member_id
        visit.district_id, visit.user_id = standing.district_id, standing.user_id
    visit.identity_id, visit.rests_on = standing.identity_id, dict(standing.rests_on or {})
    visit.signed_in_at, visit.seen_at = signed_in_at, now
    visit.save()
    return visit


def hold(visit: Visit, client: SignInClient, now: datetime) -> Standing | None:
    """Who is in by the visit, as they are now. Where nobody is any more it ends here, and None is answered."""
    if visit.ended_at is not None or visit.client_id != client.pk or client.revoked_at is not None:
        return None
    try:
        standing = standing_of(visit, client)
    except (NobodyThere, NotShared, NotInAnyMore):
        end([visit], OVER, now)
        return None
    if standing.person.subject != visit.subject:
        end([visit], OVER, now)
        return None
    Visit.objects.filter(pk=visit.pk).update(seen_at=now)
    return standing


def end(visits: Collection[Visit], why: str, now: datetime) -> int:
    """These visits are over: what was given out for them opens nothing, and who wants to hear of it will. How many had not ended."""
    if not visits:
        return 0
    clients = SignInClient.objects.filter(pk__in={one.client_id for one in visits}).exclude(logout_uri="")
    hear = set(clients.values_list("pk", flat=True))
    ended = 0
    with transaction.atomic(using=database()):
        for one in visits:
            if not Visit.objects.filter(pk=one.pk, ended_at=None).update(ended_at=now, why=why):
                continue
            ended += 1
            VisitToken.objects.filter(visit=one).delete()
            SignInCode.objects.filter(visit=one).delete()
            if one.client_id in hear:
                LogoutNotice.objects.create(visit=one, made_at=now, next_at=now)
    return ended


def leave(session: MutableMapping[str, Any], now: datetime) -> int:
    """Whoever was in by this browser has signed out, or makes room for somebody else: all its visits end; how many."""
    mark = session.pop(BROWSER, "")
    return end(list(Visit.objects.filter(browser=mark, ended_at=None)), SIGNED_OUT, now) if mark else 0


def make_room(session: Mapping[str, Any], identity: Identity, now: datetime) -> int:
    """Another member of the same product comes in by this browser: who was in it before is out; how many visits ended."""
    places = Organization.objects.filter(product=identity.organization.product_id)
    found = Visit.objects.filter(browser=session.get(BROWSER, ""), ended_at=None)
    found = found.filter(organization_id__in=list(places.values_list("pk", flat=True)))
    same = {"organization_id": identity.organization_id, "member_id": identity.member_id}
    return end(list(found.exclude(**same)), SIGNED_OUT, now) if session.get(BROWSER) else 0


def visit_of(number: str) -> Visit | None:
    """The visit of this `sid`."""
    try:
        return Visit.objects.filter(pk=UUID(number)).first()
    except ValueError:
        return None


# --- What a worker looks after ------------------------------------------------------------------------------------------------------


def end_what_is_over(now: datetime) -> int:
    """Ends visits that rest on nothing any more, of clients that want to hear of it; all others are asked at each of their steps."""
    every = SignInClient.objects.select_related("app", "product")
    wanting = {one.pk: one for one in every.exclude(logout_uri="")}
    ended, after = 0, UUID(int=0)
    while wanting:
        found = Visit.objects.filter(ended_at=None, client_id__in=wanting, pk__gt=after).order_by("pk")
        page = list(found[:AT_ONCE])
        if not page:
            break
        ended += end(_over(page, wanting), OVER, now)
        after = page[-1].pk
    return ended


def _over(page: Collection[Visit], clients: dict[int, SignInClient]) -> list[Visit]:
    members = _in_as_members([one.identity_id for one in page if one.identity_id])
    over = []
    for visit in page:
        client = clients[visit.client_id]
        if client.revoked_at is not None:
            over.append(visit)
        elif client.app is None:
            if members.get(visit.identity_id) != (visit.organization_id, visit.member_id):
                over.append(visit)
        elif not _holds(visit, client):
            over.append(visit)
    return over


def _in_as_members(identities: Collection[int]) -> dict[int, tuple[int, int]]:
    """{identity: (organization, member)} of those who still may be in: two queries, however many they are."""
    found = Identity.objects.filter(
        pk__in=identities, ended_at=None, provider__is_active=True, account__is_active=True
    ).values_list("pk", "organization_id", "member_id", "account_id")  # fmt: skip
    rows = list(found)
    active = set(
        Member.objects.filter(id__in={row[2] for row in rows}, state=ACTIVE, organization__in={row[1] for row in rows})
        .values_list("organization_id", "id", "account_id")
    )  # fmt: skip
    return {pk: (place, member) for pk, place, member, account in rows if (place, member, account) in active}


def _holds(visit: Visit, client: SignInClient) -> bool:
    try:
        return bool(standing_of(visit, client).person.subject == visit.subject)
    except (NobodyThere, NotShared, NotInAnyMore):
        return False


def forget_old(now: datetime) -> int:
    """Visits of which nothing was heard for long, and what was given out for them; how many."""
    Visit.objects.filter(ended_at=None, seen_at__lt=now - KEPT).update(ended_at=now, why=FORGOTTEN)
    SignInCode.objects.filter(expires_at__lt=now - KNOWN_AFTER).delete()
    VisitToken.objects.filter(expires_at__lt=now).delete()
    old = Visit.objects.filter(ended_at__lt=now - KNOWN_AFTER)
    return old.delete()[0]
