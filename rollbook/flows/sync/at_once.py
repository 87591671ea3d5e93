"""A district of this installation connected at once: by somebody who works on both sides, or who signs in for the district right after.

It is the same invitation with the same two answers, and each side has both in its audit log; only nobody waits between them.
"""

from dataclasses import dataclass

from django.core import signing
from django.db import transaction
from django.urls import reverse

from rollbook.flows.roles import Act, reach_of
from rollbook.flows.sync import inviting
from rollbook.flows.sync.inviting import Lets
from rollbook.refusal import Refusal
from rollbook.store.models import Account, District, Invitation, Organization, SyncConnection

MOST = 20
SALT = "rollbook.invitation.now"
HOLDS_FOR = 600
"""Seconds in which somebody has to have signed in for the district."""


class NotOfThisDistrict(Refusal):
    """You do not manage the apps of this district: ask it, and one of its administrators answers."""


class LinkOver(Refusal):
    """This way into the district held for ten minutes and is over: begin again from the organization's page."""


@dataclass(frozen=True)
class Agreed:
    """What came of it: the connection and what its source has, or nothing yet where a second person of the district has to agree."""

    invitation: Invitation
    connection: SyncConnection | None = None
    found: tuple[str, ...] = ()


def may_answer(account: Account, district_id: int) -> bool:
    """Whether it may let a product read this district's roster."""
    return reach_of(account).may(Act.MANAGE_APPS, district_id)


def own_districts(account: Account) -> list[District]:
    """Those it may let a product read by a post of its own there. Installation operators name one by its Tenant ID."""
    reach = reach_of(account)
    mine = {post.district_id for post in reach.posts if post.district_id is not None}
    allowed = [one for one in mine if reach.may(Act.MANAGE_APPS, one)]
    return list(District.objects.filter(pk__in=allowed).order_by("name", "pk")[:MOST])


def lets_of(organization: Organization, district: District) -> tuple[Lets, ...]:
    """What agreeing can mean, the sensible one first."""
    return inviting.choices(Invitation(organization=organization, district=district))


def connect(organization: Organization, district: District, account: Account, lets: str, by: str) -> Agreed:
    """Both sides agree by one hand. Raises NotOfThisDistrict, and what inviting, accepting and connecting raise."""
    if not may_answer(account, district.pk):
        raise NotOfThisDistrict
    with transaction.atomic():
        invitation = _asked(organization, district, by)
        waits = False
        if not invitation.answer:
            _, waits = inviting.accept(invitation, lets, by)
    return agreed(invitation, by, waits or lets == Lets.LATER)


def agreed(invitation: Invitation, by: str, waits: bool) -> Agreed:
    """The organization's side of what the district has accepted. Raises what `inviting.connect` raises."""
    if waits:
        return Agreed(invitation)
    connection, found = inviting.connect(invitation, by)
    return Agreed(invitation, connection, tuple(found))


def way_there(invitation: Invitation, by: str) -> str:
    """The path by which somebody comes to the invitation who signs in for the district now; by it the organization has agreed already."""
    token = signing.dumps({"invitation": invitation.pk, "by": by}, salt=SALT)
    return reverse("roster-invitation-now", kwargs={"token": token})


def come_by(token: str) -> tuple[Invitation, str]:
    """The invitation, and who of the organization has agreed. Raises LinkOver, NoSuchInvitation."""
    try:
        said = signing.loads(token, salt=SALT, max_age=HOLDS_FOR)
    except signing.BadSignature as fault:
        raise LinkOver from fault
    return inviting.find_invitation(said["invitation"]), said["by"]


def _asked(organization: Organization, district: District, by: str) -> Invitation:
    """The invitation that is open or accepted, or a new one, of which nobody is told: who answers it is here."""
    try:
        return inviting.invite(organization, str(district.pk), by, tells=False)
    except inviting.AlreadyInvited:
        there = inviting.invitations_of(organization).filter(district=district)
        return there.filter(answer__in=["", inviting.Answer.ACCEPTED])[:1].get()
