"""Who somebody is to a client: a member of an organization of its product, or a rostered person as its app sees them; and whether still.

What is told of a rostered person is read from what is served to the app, so that no token says more than a REST answer would.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollbook.engine.broker.telling import Person, person_served
from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows import find, members
from rollbook.flows.apps import grant_of
from rollbook.flows.directory import roles_of
from rollbook.flows.launching.standing import AT_THE_PAD, LaunchPerson, person_of
from rollbook.flows.signing_in.sessions import NotInAnyMore, member_of
from rollbook.refusal import Refusal
from rollbook.store.models import App, District, Identity, IdentityProvider, Link, Member, SignInClient, Visit
from rollbook.store.visibility import NotVisible

HINT = "launch-pad:"
MEMBER = "member"
"""Where the browser's session keeps as whom somebody is in at the members' door: {organization, identity, at}."""


ONWARD = "onward"
"""Where it keeps on which way somebody is who was sent to us by a client: {to, since, used}."""


class NotShared(Refusal):
    """Your district does not share you with this application: ask your school."""


class NobodyThere(Refusal):
    """Nobody is signed in here who could be meant."""


@dataclass(frozen=True)
class Standing:
    """Who is in at a browser, as a client would know them. `at` is when they signed in, in seconds since 1970."""

    person: Person
    at: int
    organization_id: int = 0
    member_id: int = 0
    identity_id: int = 0
    district_id: int = 0
    user_id: int = 0
    rests_on: Mapping[str, Any] | None = None


def hint_of(tenant: str) -> str:
    """What a launch pad hands to an app, by which we know later whose launch pad it was."""
    return HINT + tenant


def tenant_of(hint: str) -> str:
    """The Tenant ID in such a hint; empty where it is another."""
    return hint.removeprefix(HINT) if hint.startswith(HINT) else ""


def standing_in(session: Mapping[str, Any], client: SignInClient, organization_id: int = 0) -> Standing:
    """Who stands there now; `organization_id`, where it is not 0, is the only one that counts. Raises NobodyThere, NotShared."""
    if client.app is not None:
        return _at_the_pad(session, client, client.app)
    kept = session.get(MEMBER) or {}
    if not kept or (organization_id and kept["organization"] != organization_id):
        raise NobodyThere
    try:
        standing = _as_member(client, kept["organization"], kept["identity"], int(kept.get("at", 0)))
    except NotInAnyMore:
        raise NobodyThere from None
    return standing


def _as_member(client: SignInClient, organization_id: int, identity_id: int, at: int) -> Standing:
    """Raises NobodyThere, NotInAnyMore."""
    identity = Identity.objects.select_related("account").filter(pk=identity_id).first()
    if identity is None:
        raise NobodyThere
    member = member_of(identity.account, organization_id, identity_id)
    if member.organization.product_id != client.product_id:
        raise NobodyThere
    return Standing(
        person_of_member(member), at, organization_id=organization_id, member_id=member.id, identity_id=identity_id
    )  # fmt: skip


def person_of_member(member: Member) -> Person:
    """A member as their product may know them."""
    place = member.organization
    return Person(
        subject=f"{place.pk}.{member.id}",
        place=("organization", str(place.pk), place.name),
        member=str(member.id),
        sourced_id=_sourced_id(member),
        given_name=member.given_name,
        family_name=member.family_name,
        username=member.username,
        email=member.email,
        roles=_highest_first(member),
        sites=tuple((str(one.id), one.name) for one in members.sites_of(member)),
    )


def _highest_first(member: Member) -> tuple[str, ...]:
    """Their roles in the order of the organization's; what it does not know comes last."""
    order = roles_of(member.organization)
    held = members.roles_held(member)
    return tuple(sorted(held, key=lambda one: order.index(one) if one in order else len(order)))


def _sourced_id(member: Member) -> str:
    """Under which the roster has them now: that of their oldest connection to it that holds."""
    links = Link.objects.filter(
        organization=member.organization_id, kind=MEMBERS, target=str(member.id), ended_at=None, connection__target_kind="directory"
    )  # fmt: skip
    return str(links.order_by("connection_id", "pk").values_list("source_id", flat=True).first() or "")


def _at_the_pad(session: Mapping[str, Any], client: SignInClient, app: App) -> Standing:
    person = person_of(session)
    if person is None:
        raise NobodyThere
    seen = as_seen(app, person, _subject(client, person))
    return Standing(
        seen, person.at, district_id=person.district_id, user_id=person.user_id, rests_on=dict(session[AT_THE_PAD])
    )  # fmt: skip


def _subject(client: SignInClient, person: LaunchPerson) -> str:
    """The same at each sign-in, and of no use to another app (OpenID Connect Core §8.1)."""
    said = f"{person.district_id} {person.user_id}".encode()
    return hmac.new(str(client.subject_key).encode(), said, hashlib.sha256).hexdigest()[:40]


def as_seen(app: App, person: LaunchPerson, subject: str) -> Person:
    """A rostered person as they are served to the app. Raises NotShared."""
    district = District.objects.get(pk=person.district_id)
    grant = grant_of(district, app)
    if grant is None or not grant.enabled:
        raise NotShared
    try:
        record = find.one(grant, "users", find.shown_id(grant, "users", person.sourced_id))
    except NotVisible:
        raise NotShared from None
    names = find.names_of_orgs(grant, record)
    return person_served(subject, ("district", person.tenant, district.name), record, names)


def is_at_the_pad(standing: Standing, session: Mapping[str, Any]) -> bool:
    """Whether the member who is in is the person who stands at the launch pad now: on a shared device it may be another."""
    person = person_of(session)
    identity = Identity.objects.filter(pk=standing.identity_id).first()
    return person is not None and identity is not None and identity.subject == _at_home(person)


def _at_home(person: LaunchPerson) -> str:
    """What a launch pad calls its people."""
    return f"{person.district_id}.{person.user_id}"


def claims_at_the_pad(provider: IdentityProvider, session: Mapping[str, Any]) -> dict[str, Any]:
    """What a launch pad proves of who stands there, to an organization whose product is an app in that district: by the claims of the preset
    `launch-pad`. Raises NobodyThere, NotShared.
    """
    person = person_of(session)
    if person is None or person.tenant not in provider.tenants:
        raise NobodyThere
    app = provider.organization.product.app
    if app is None:
        raise NotShared
    seen = as_seen(app, person, _at_home(person))
    return {
        "iss": provider.issuer, "sub": seen.subject, "tenant": person.tenant, "sourcedId": seen.sourced_id, "role": "".join(seen.roles[:1]),
        "preferred_username": seen.username, "email": seen.email, "email_verified": False, "given_name": seen.given_name,
        "family_name": seen.family_name, "at": person.at,
    }  # fmt: skip


def standing_of(visit: Visit, client: SignInClient) -> Standing:
    """Who is in by this visit, as they are now. Raises NobodyThere, NotShared, NotInAnyMore."""
    at = int(visit.signed_in_at.timestamp())
    if client.app is not None:
        return _at_the_pad({AT_THE_PAD: visit.rests_on}, client, client.app)
    return _as_member(client, visit.organization_id, visit.identity_id, at)
