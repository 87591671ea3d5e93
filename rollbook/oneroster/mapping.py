"""What one version says and the other cannot, both ways: role words and orgs, sex, names of choice, profiles.

Source: OneRoster 1.2 REST and CSV (changes from 1.1). The rules are lossy and ours where the standard is
silent: `counselor` reads as administrator in 1.1, words of a district's own (`ext:…`) as aide; other extended
vocabularies pass into 1.1 unchanged, because a word unknown to a reader harms less than a wrong one. End
dates are exclusive.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from rollbook.oneroster.vocabularies import SEX_11

ROLES_V1P1 = {
    "aide": "aide",
    "counselor": "administrator",
    "districtAdministrator": "administrator",
    "guardian": "guardian",
    "parent": "parent",
    "principal": "administrator",
    "proctor": "proctor",
    "relative": "relative",
    "siteAdministrator": "administrator",
    "student": "student",
    "systemAdministrator": "administrator",
    "teacher": "teacher",
}
"""The 1.1 word of every role of 1.2."""

UNKNOWN_ROLE_V1P1 = "aide"
"""What 1.1 calls a person whose role it has no word for, or who has none at all: staff without a class of
their own.
"""

ADMINISTRATORS_V1P2 = {
    "school": "siteAdministrator",
    "district": "districtAdministrator",
    "local": "districtAdministrator",
}
"""The 1.2 word of a 1.1 administrator by the type of the org; at any other, `ADMINISTRATOR_ELSEWHERE`."""

ADMINISTRATOR_ELSEWHERE = "systemAdministrator"

PRECEDENCE_V1P1 = ("administrator", "teacher", "aide", "proctor", "student", "parent", "guardian", "relative")
"""Which of several roles is a person's one role in 1.1."""

METADATA_V1P1 = {
    "userMasterIdentifier": "userMasterIdentifier",
    "preferredFirstName": "preferredGivenName",
    "preferredMiddleName": "preferredMiddleName",
    "preferredLastName": "preferredFamilyName",
    "pronouns": "pronouns",
}
"""What 1.1 shows of a user as metadata: the name there, and the canonical field. A district's own metadata of
that name goes first.
"""

PROFILE_URN = "urn:rollbook:profile:"


def role_v1p1(role: str) -> str:
    """The 1.1 word for a 1.2 role."""
    return ROLES_V1P1.get(role, UNKNOWN_ROLE_V1P1)


def role_v1p2(role: str, org_type: str | None) -> str:
    """The 1.2 word for a 1.1 role held at an org of that type."""
    if role == "administrator":
        return ADMINISTRATORS_V1P2.get(org_type or "", ADMINISTRATOR_ELSEWHERE)
    return role


def role_and_orgs_v1p1(
    roles: Sequence[Mapping[str, Any]], primary_org: str | None, today: str
) -> tuple[str, list[str]]:
    """A person's one role and their orgs in 1.1, from the roles current on `today` (`YYYY-MM-DD`), or from
    all if none is.

    Of several roles the primary ones at the primary org decide, else the primary ones anywhere, then
    `PRECEDENCE_V1P1`. The primary org comes first among the orgs if it is one of them; the rest keep their
    order.
    """
    current = [role for role in roles if is_current(role, today)] or list(roles)
    if not current:
        return UNKNOWN_ROLE_V1P1, [primary_org] if primary_org else []
    words = [role_v1p1(role["role"]) for role in _decisive(current, primary_org)]
    orgs = dict.fromkeys(role["orgSourcedId"] for role in current)
    return min(words, key=PRECEDENCE_V1P1.index), sorted(orgs, key=lambda org: org != primary_org)


def is_current(role: Mapping[str, Any], today: str) -> bool:
    """Whether the role holds on `today`: begun, and not ended; a missing date sets no bound."""
    return (role.get("beginDate") or "") <= today < (role.get("endDate") or "9999-99-99")


def _decisive(roles: list[Mapping[str, Any]], primary_org: str | None) -> list[Mapping[str, Any]]:
    at_home = [role for role in roles if role["orgSourcedId"] == primary_org] or roles
    return [role for role in at_home if role.get("roleType") == "primary"] or at_home


def roles_of_v1p1_user(
    user: str, role: str, orgs: Iterable[str], org_types: Mapping[str, str]
) -> list[dict[str, str | None]]:
    """The rows of roles.csv that a row of a 1.1 users.csv amounts to: one primary role at each of the orgs,
    named once each.

    The keys are the columns of the 1.2 file without its lifecycle; all ids are source ids.
    """
    return [
        {
            "sourcedId": derived_role_id(user, org, role),
            "userSourcedId": user,
            "roleType": "primary",
            "role": role_v1p2(role, org_types.get(org)),
            "beginDate": None,
            "endDate": None,
            "orgSourcedId": org,
            "userProfileSourcedId": None,
        }
        for org in dict.fromkeys(orgs)
    ]


def derived_role_id(user: str, org: str, role: str) -> str:
    """The sourcedId of a derived role: `role-` and the md5 of `user|org|role` (the 1.1 word, which outlives a
    change of the org's type).

    The bar cannot occur in an id, so no two triples share one.
    """
    return "role-" + hashlib.md5(f"{user}|{org}|{role}".encode(), usedforsecurity=False).hexdigest()


def user_v1p1(record: Mapping[str, Any], today: str) -> dict[str, Any]:
    """The canonical user with what 1.1 shows in place of roles: `role`, `orgSourcedIds`, and `metadata` for
    what it has no member for.
    """
    role, orgs = role_and_orgs_v1p1(record.get("roles") or (), record.get("primaryOrgSourcedId"), today)
    shown = {name: record[source] for name, source in METADATA_V1P1.items() if record.get(source)}
    metadata = {**shown, **(record.get("metadata") or {})}
    return {**record, "role": role, "orgSourcedIds": orgs, "metadata": metadata}


def user_v1p2(record: Mapping[str, Any], today: str) -> dict[str, Any]:
    """The canonical user with rows of userProfiles grouped into profiles, and each role naming the profile it
    is used with.
    """
    rows = record.get("userProfiles") or ()
    roles = record.get("roles") or ()
    if not rows:
        return {**record, "roles": roles}
    profiles, profile_ids = grouped_profiles(rows)
    used = [{**role, "profileId": profile_ids.get(role.get("userProfileSourcedId"))} for role in roles]
    return {**record, "roles": used, "userProfiles": profiles}


def grouped_profiles(rows: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], dict[Any, str]]:
    """Profiles with their credentials from rows of one credential each, and the profileId by the sourcedId of
    every row.

    Rows agreeing in type, vendor and application are one profile, named for the first of them by sourcedId.
    """
    profiles: dict[tuple[Any, ...], dict[str, Any]] = {}
    profile_ids = {}
    for row in sorted(rows, key=lambda row: str(row["sourcedId"])):
        key = (row["profileType"], row["vendorId"], row.get("applicationId"))
        profile = profiles.setdefault(
            key, {**row, "profileId": profile_id(row["sourcedId"]), "credentials": []}
        )
        profile["credentials"].append(row)
        profile_ids[row["sourcedId"]] = profile["profileId"]
    return list(profiles.values()), profile_ids


def profile_id(sourced_id: str) -> str:
    """The URI under which REST names a profile."""
    return PROFILE_URN + quote(sourced_id, safe="")


def demographics_v1p1(record: Mapping[str, Any], today: str) -> Mapping[str, Any]:
    """The canonical demographics without a sex that 1.1 has no word for."""
    sex = record.get("sex")
    return record if sex is None or sex in SEX_11 else {**record, "sex": None}
