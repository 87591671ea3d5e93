"""The claims about a person: what is known of them, cut to what the client may be told and has asked for.

Sources: OpenID Connect Core 1.0 §5.1 (standard claims) and §5.4 (scopes). What is not known is left out, never sent empty.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OPENID, PROFILE, EMAIL, OFFLINE = "openid", "profile", "email", "offline_access"
SCOPES = (OPENID, PROFILE, EMAIL, OFFLINE)

NAME, ADDRESS, USERNAME, ROLES, SITES, SOURCED_ID = (
    "name",
    "email",
    "username",
    "roles",
    "sites",
    "sourced-id",
)
TELLS = (NAME, ADDRESS, USERNAME, ROLES, SITES, SOURCED_ID)
"""What a client can be allowed, beside who somebody is and where they belong."""
USUAL = (NAME, ROLES, SITES)

NEEDS: Mapping[str, str] = {NAME: PROFILE, USERNAME: PROFILE, ADDRESS: EMAIL}
"""What is told only where the client asks for this scope too."""


@dataclass(frozen=True)
class Person:
    """Somebody as a client may know them at all. `place` says where they belong: (claim, id, name); `sites` are (id, name)."""

    subject: str
    place: tuple[str, str, str]
    member: str = ""
    sourced_id: str = ""
    given_name: str = ""
    family_name: str = ""
    username: str = ""
    email: str = ""
    roles: Sequence[str] = ()
    sites: Sequence[tuple[str, str]] = ()


def claims_about(person: Person, tells: Collection[str], scopes: Collection[str]) -> dict[str, Any]:
    """What the client is told of the person."""
    kind, number, name = person.place
    told: dict[str, Any] = {"sub": person.subject, kind: {"id": number, "name": name}}
    if person.member:
        told["member_id"] = person.member
    for what in TELLS:
        if what in tells and NEEDS.get(what, OPENID) in scopes:
            told |= {claim: value for claim, value in _of(person, what).items() if value}
    return told


def _of(person: Person, what: str) -> dict[str, Any]:
    if what == NAME:
        return {
            "name": f"{person.given_name} {person.family_name}".strip(),
            "given_name": person.given_name,
            "family_name": person.family_name,
        }
    if what == ROLES:
        return {"role": person.roles[0] if person.roles else "", "roles": list(person.roles)}
    if what == SITES:
        return {"sites": [_site(*one) for one in person.sites]}
    return {
        ADDRESS: {"email": person.email},
        USERNAME: {"preferred_username": person.username},
        SOURCED_ID: {"sourcedId": person.sourced_id},
    }[what]


def _site(number: str, name: str) -> dict[str, str]:
    return {"id": number, "name": name} if name else {"id": number}


def person_served(
    subject: str, place: tuple[str, str, str], record: Mapping[str, Any], orgs: Mapping[str, str]
) -> Person:
    """A rostered person, from the record as it is served to the app (OneRoster 1.2, `user`); `orgs` are names of schools that it sees."""
    given = [one for one in record.get("roles") or () if isinstance(one, Mapping)]
    given.sort(key=lambda one: one.get("roleType") != "primary")
    places = [str((one.get("org") or {}).get("sourcedId") or "") for one in given]
    return Person(
        subject=subject,
        place=place,
        sourced_id=str(record.get("sourcedId") or ""),
        given_name=str(record.get("givenName") or ""),
        family_name=str(record.get("familyName") or ""),
        username=str(record.get("username") or ""),
        email=str(record.get("email") or ""),
        roles=tuple(dict.fromkeys(str(one["role"]) for one in given if one.get("role"))),
        sites=tuple((one, orgs.get(one, "")) for one in dict.fromkeys(places) if one),
    )
