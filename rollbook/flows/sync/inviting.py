"""Inviting: an organization asks a district of this installation to let its product read, the district says what it may see, and the
organization connects. Both sides click before anything is read, and each has it in its audit log. Where the district lets the product read
already, the product's support may activate what was asked (`activating`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from rollbook.engine.scope import ALL, FULL, NONE, Level, Rule, Scope, basic
from rollbook.flows import audit
from rollbook.flows.applications import add_application, is_requested
from rollbook.flows.apps import enable, grant_of
from rollbook.flows.districts import NoSuchDistrict
from rollbook.flows.keys import add_key, revoke_key
from rollbook.flows.notify import tell_district_administrators
from rollbook.flows.permission_edits import edit_permissions
from rollbook.flows.sync import connections
from rollbook.refusal import Refusal
from rollbook.store.models import (
    App,
    Credential,
    District,
    Grant,
    Invitation,
    Organization,
    SyncConnection,
)

HOLDS_FOR = timedelta(days=14)
MOST_OPEN = 10
SALT = "rollbook.invitation"
SOURCE = "oneroster_rest"

Answer = Invitation.Answer

ROSTER = basic(
    Scope(ALL, ALL, unenrolled=True, elsewhere=True, demographics=False, resources=False), deleted=True
)
"""What a roster sync needs: every school with its classes and people, new ones too, and who has left; no demographics, no guardians."""


class Lets(StrEnum):
    """What the district lets the product see when it accepts: what it sees already, what a roster sync needs, all there is, or nothing yet."""

    AS_IT_IS = "keep"
    ROSTER = "roster"
    EVERYTHING = "full"
    LATER = "later"


RULES: Mapping[str, Rule] = {Lets.ROSTER: ROSTER, Lets.EVERYTHING: FULL, Lets.LATER: NONE}


class NoAppToInvite(Refusal):
    """This product stands in no catalogue of this installation yet, so no district can let it read. Whoever runs the installation says which
    app it is.
    """


class AlreadyInvited(Refusal):
    """This district was asked already: it has yet to answer, or has accepted and you can connect."""


class EnoughInvitations(Refusal):
    """Ten districts were asked and have not answered: withdraw what is not wanted any more."""


class NoSuchInvitation(Refusal):
    """There is no such invitation."""


class NotOpen(Refusal):
    """This invitation is not open any more: it was answered, withdrawn, or is older than fourteen days. The organization can ask again."""


class NotAccepted(Refusal):
    """The district has not accepted yet."""


class LetsNothing(Refusal):
    """Say what the product may see: what it sees already, what a roster sync needs (roster), everything (full), or nothing yet (later)."""


class TakenBack(Refusal):
    """The district has taken this product out, or ended its key: ask it again."""


# --- The organization asks ----------------------------------------------------------------------------------------------------------


def invite(
    organization: Organization, tenant_id: str, by: str, now: datetime | None = None, *, tells: bool = True
) -> Invitation:
    """Asks the district with this Tenant ID; its administrators are told by e-mail. One that has run out is asked anew.

    Raises NoAppToInvite, NoSuchDistrict, AlreadyInvited, EnoughInvitations.
    """
    now, app = now or timezone.now(), app_of(organization)
    district = _district(tenant_id)
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        _end_what_was_taken_back(organization, district)
        if invitations_of(organization).filter(answer="", expires_at__gt=now).count() >= MOST_OPEN:
            raise EnoughInvitations
        former = Invitation.objects.filter(
            organization=organization, district=district, answer__in=["", Answer.ACCEPTED]
        ).first()
        if former and (former.answer or former.expires_at > now):
            raise AlreadyInvited(str(district.pk))
        made = former or Invitation(organization=organization, district=district)
        made.asked_by, made.asked_at, made.expires_at = by[:254], now, now + HOLDS_FOR
        made.save()
        _note(made, "invitation.ask", by)
        if tells:
            tell_district_administrators(
                district,
                f"{app.name} asks to read your roster",
                _request(made, district, app),
            )
    return made


def _request(invitation: Invitation, district: District, app: App) -> str:
    """What the district's administrators read."""
    who = invitation.organization.name
    reads = f"{app.name} reads your roster already, and its support may connect {who} to what it sees. Decline if that is not yours."
    nothing = "Nothing is read before you accept, and you say what it may see."
    return (
        f"{who}, a customer of {app.name}, asks that it may read the roster of {district.name} (Tenant ID {district.pk}).\n\n"
        f"Look at it, and accept or decline, within 14 days: {link_of(invitation)}\n\n"
        f"{reads if is_shared(invitation) else nothing}"
    )


def link_of(invitation: Invitation) -> str:
    """An address that leads whoever manages the district's apps to this invitation. It is signed, and opens nothing to anybody else."""
    token = signing.dumps({"invitation": invitation.pk}, salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('roster-invitation-link', kwargs={'token': token})}"


def invitation_of(token: str) -> Invitation:
    """The invitation that a link leads to. Raises NoSuchInvitation."""
    try:
        number = signing.loads(token, salt=SALT)["invitation"]
    except (signing.BadSignature, KeyError, TypeError) as fault:
        raise NoSuchInvitation from fault
    return _found(Invitation.objects.all(), number)


def withdraw(invitation: Invitation, by: str) -> Invitation:
    """The organization asks no more. Raises NotOpen for one that was answered."""
    return answer(invitation, Answer.WITHDRAWN, by, timezone.now(), even_late=True)


def connect(invitation: Invitation, by: str, name: str = "") -> tuple[SyncConnection, list[str]]:
    """A key is made for the organization, and its connection reads with it: what was found, a line each. Both sides agreed: it is active.

    Done again after a test that failed, it tests the same connection. Raises NotAccepted, TakenBack, SyncNameNeeded, CannotFetch.
    """
    made = _connection(invitation, by, name)
    found = connections.test(made)
    if made.state == SyncConnection.State.WAITING:
        connections.activate(made, "The district and the organization agreed.")
    return made, found


def invitations_of(organization: Organization) -> QuerySet[Invitation]:
    """All that the organization asked, the latest first."""
    found = Invitation.objects.filter(organization=organization).select_related(*BESIDE)
    return found.order_by("-asked_at", "-pk")


def find_invitation(
    number: int, organization: Organization | None = None, district: District | None = None
) -> Invitation:
    """Raises NoSuchInvitation; where an organization or a district is given, for one of another too."""
    found = Invitation.objects.all()
    if organization is not None:
        found = found.filter(organization=organization)
    if district is not None:
        found = found.filter(district=district)
    return _found(found, number)


def is_open(invitation: Invitation, now: datetime | None = None) -> bool:
    """Whether the district can still answer."""
    return not invitation.answer and invitation.expires_at > (now or timezone.now())


def standing_of(invitation: Invitation, now: datetime | None = None) -> str:
    """waiting, expired, declined, withdrawn, accepted, taken back, or connected."""
    if not invitation.answer:
        return "waiting" if is_open(invitation, now) else "expired"
    if invitation.answer == Answer.ACCEPTED:
        if _is_taken_back(invitation):
            return "taken back"
        return "connected" if invitation.connection_id else "accepted"
    return str(invitation.answer)


BESIDE = ("organization__product__app", "district", "credential", "connection")


# --- The district answers -----------------------------------------------------------------------------------------------------------


def invitations_for(district: District) -> QuerySet[Invitation]:
    """All that asked this district, the latest first; what was withdrawn is not shown any more."""
    found = Invitation.objects.filter(district=district).exclude(answer=Answer.WITHDRAWN)
    return found.select_related(*BESIDE).order_by("-asked_at", "-pk")


def open_for(district: District, now: datetime | None = None) -> list[Invitation]:
    """Those that wait for the district's answer, the longest first."""
    waiting = invitations_for(district).filter(answer="", expires_at__gt=now or timezone.now())
    return list(waiting.order_by("asked_at", "pk"))


def accept(
    invitation: Invitation, lets: str, by: str, why: str = "", now: datetime | None = None
) -> tuple[Grant, bool]:
    """The product may see what `lets` says (`Lets`) from now on; its grant, and whether a second person has to agree first.

    Raises NotOpen, LetsNothing, NoAppToInvite.
    """
    app = app_of(invitation.organization)
    with transaction.atomic():
        answer(invitation, Answer.ACCEPTED, by, now or timezone.now(), lets=lets)
        grant, waits = _granted(invitation.district, app, lets, by, why)
    return grant, waits


def decline(invitation: Invitation, by: str, now: datetime | None = None) -> Invitation:
    """The district says no; the organization sees that it did. Raises NotOpen."""
    return answer(invitation, Answer.DECLINED, by, now or timezone.now())


def choices(invitation: Invitation) -> tuple[Lets, ...]:
    """What accepting can mean, the sensible one first."""
    app = invitation.organization.product.app
    grant = grant_of(invitation.district, app) if app else None
    return (
        (Lets.AS_IT_IS, Lets.ROSTER, Lets.EVERYTHING)
        if grant is not None and _sees(grant)
        else (Lets.ROSTER, Lets.EVERYTHING, Lets.LATER)
    )


def _sees(grant: Grant) -> bool:
    return not is_requested(grant) and Rule.parse(grant.rule).level is not Level.NONE


def is_shared(invitation: Invitation) -> bool:
    """Whether the district lets the product read already: it added the app, said what it sees, and enabled it."""
    app = invitation.organization.product.app
    grant = grant_of(invitation.district, app) if app else None
    return grant is not None and grant.enabled and _sees(grant)


def _granted(district: District, app: App, lets: str, by: str, why: str) -> tuple[Grant, bool]:
    grant, rule = grant_of(district, app), RULES.get(lets)
    if grant is None or is_requested(grant):
        if rule is None:
            raise LetsNothing(lets)
        grant, waits = add_application(district, app, rule, enabled=True, by=by, why=why)
        return grant, waits is not None
    if lets not in list(Lets):
        raise LetsNothing(lets)
    waits = None
    if rule is not None and lets != Lets.LATER:
        waits = edit_permissions(grant, rule, (grant.starts_on, grant.ends_on), by=by, why=why)
    if not grant.enabled:
        enable(grant)
    return grant, waits is not None


# --- Both -----------------------------------------------------------------------------------------------------------------------------


def _connection(invitation: Invitation, by: str, name: str) -> SyncConnection:
    """The connection of the invitation, made where there is none yet: with its key, in one transaction."""
    with transaction.atomic():
        found = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        if found.answer != Answer.ACCEPTED:
            raise NotAccepted
        organization = Organization.objects.select_related("product__app").get(pk=found.organization_id)
        grant = grant_of(found.district, app_of(organization))
        if grant is None or _is_taken_back(found):
            raise TakenBack
        if found.connection is not None:
            found.connection.organization = organization
            return found.connection
        if found.credential is not None:
            revoke_key(
                found.credential.client_id
            )  # of a connection that was dropped: nobody knows it any more
        key = add_key(grant, name=organization.name[:200])
        filled = {
            "url": settings.PUBLIC_URL,
            "token_url": f"{settings.PUBLIC_URL}/oauth2/token",
            "client_id": key.client_id,
            "client_secret": key.client_secret,
            "insecure": "no" if settings.PUBLIC_URL.startswith("https:") else "yes",
        }
        made = connections.connect(
            organization, name or connections.free_name(organization, found.district.name), SOURCE, filled
        )
        found.credential = Credential.objects.get(pk=key.credential_id)
        found.connection = made
        found.save(update_fields=["credential", "connection"])
        _note(found, "invitation.connect", by, connection=made.pk, key=key.client_id)
    invitation.credential, invitation.connection = found.credential, made
    return made


def answer(
    invitation: Invitation,
    answer: str,
    by: str,
    now: datetime,
    even_late: bool = False,
    verb: str = "",
    **about: Any,
) -> Invitation:
    with transaction.atomic():
        found = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        if not (is_open(found, now) or (even_late and not found.answer)):
            raise NotOpen
        found.answer, found.answered_by, found.answered_at = answer, by[:254], now
        found.save(update_fields=["answer", "answered_by", "answered_at"])
        _note(found, f"invitation.{verb or VERBS[answer]}", by, **about)
    invitation.answer, invitation.answered_by, invitation.answered_at = answer, found.answered_by, now
    return invitation


VERBS: Mapping[str, str] = {
    Answer.ACCEPTED: "accept",
    Answer.DECLINED: "decline",
    Answer.WITHDRAWN: "withdraw",
}


def _end_what_was_taken_back(organization: Organization, district: District) -> None:
    """An invitation whose key the district ended is over: another can be asked for."""
    for one in Invitation.objects.filter(
        organization=organization, district=district, answer=Answer.ACCEPTED
    ).select_related(*BESIDE):
        if _is_taken_back(one):
            one.answer = Answer.WITHDRAWN
            one.save(update_fields=["answer"])


def _is_taken_back(invitation: Invitation) -> bool:
    """Whether the district let it read and does not any more."""
    app = invitation.organization.product.app
    if invitation.credential is not None and invitation.credential.revoked_at is not None:
        return True
    return app is None or grant_of(invitation.district, app) is None


def app_of(organization: Organization) -> App:
    app = organization.product.app
    if app is None:
        raise NoAppToInvite(organization.product.name)
    return app


def _district(tenant_id: str) -> District:
    """By its number alone: who asks has to know it from the district."""
    text = tenant_id.strip()
    is_number = text.isascii() and text.isdecimal() and len(text) < 19
    found = District.objects.filter(pk=int(text)).first() if is_number else None
    if found is None:
        raise NoSuchDistrict(text[:40])
    return found


def _found(every: QuerySet[Invitation], number: int) -> Invitation:
    found = every.select_related(*BESIDE).filter(pk=number).first()
    if found is None:
        raise NoSuchInvitation(str(number))
    return found


def _note(invitation: Invitation, act: str, by: str, **about: Any) -> None:
    """Into the log of the district and of the installation, where the organization's acts stand."""
    organization = invitation.organization
    told = {"organization": organization.pk, "district": invitation.district_id, **about}
    for chain in (invitation.district_id, None):
        audit.record(chain, act, "invitation", invitation.pk, organization.name, after=told, by=by)
