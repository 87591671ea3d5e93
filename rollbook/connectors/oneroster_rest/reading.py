"""A record of another server's as a row of a package: which member fills which column follows from the standard's entities.

What a version calls differently, users' roles above all, is told here too. Rows have the columns of the version's CSV file; those of
users carry `roles` and `userProfiles` in 1.2, of which files of their own are made, and orgs and sessions their `children`.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from rollbook.connectors.oneroster_rest import values
from rollbook.oneroster.entities import ENTITIES, USER_IDS
from rollbook.oneroster.mapping import PROFILE_URN, derived_role_id, role_and_orgs_v1p1
from rollbook.oneroster.spec import Member
from rollbook.oneroster.vocabularies import ROLE_TYPE_12, USER_ROLE_12

Json = dict[str, Any]
Row = dict[str, Any]
Reader = Callable[[Any], Any]
READ_APART = ("sourcedId", "status", "dateLastModified", "metadata", "children")
READ_APART_OF_USERS = (*READ_APART, "roles", "userProfiles", "agents")

OTHER_NAMES = {
    "grades": ("grade",),
    "terms": ("term", "academicSessions"),
    "agents": ("agentSourceIds",),
    "birthDate": ("birthdate",),
    "orgs": ("org",),
    "org": ("school",),
    "sourcedId": ("sourcedID", "sourceId"),
}
"""Names met where the standard's belongs."""


def row_of(version: str, collection: str, record: Json, today: str) -> Row | None:
    """The row of a record; None where it has no id. `today` (`YYYY-MM-DD`) says which roles hold."""
    sourced_id = values.identifier(_given(record, "sourcedId"))
    if sourced_id is None:
        return None
    row: Row = {"sourcedId": sourced_id, "status": values.status(record.get("status"))}
    apart = READ_APART_OF_USERS if collection == "users" else READ_APART
    for member in ENTITIES[version, collection].members:
        if member.source and member.name not in apart:
            row[member.source] = _read(version, member, _given(record, member.name))
    row["dateLastModified"] = values.moment(record.get("dateLastModified"))
    row["metadata"] = values.metadata(record.get("metadata"))
    _complete(version, collection, record, row, today)
    return {name: value for name, value in row.items() if value not in values.NOTHING}


def _given(record: Json, name: str) -> Any:
    """The member of that name, or of another that is met in its place."""
    for one in (name, *OTHER_NAMES.get(name, ())):
        if record.get(one) not in values.NOTHING:
            return record[one]
    return None


def _read(version: str, member: Member, value: Any) -> Any:
    """The value of one member as a package has it."""
    if value in values.NOTHING:
        return None
    if member.many:
        return _read_many(version, member, value)
    if member.type == "reference":
        return values.reference(value)
    if member.type == "enum" and member.vocabulary:
        return values.word(value, member.vocabulary)
    read: Reader = READERS.get(member.type, values.text)
    return read(value)


def _read_many(version: str, member: Member, value: Any) -> list[str]:
    if member.name == "grades" and version == "1.1":
        return values.grades(value)
    if member.type == "reference":
        return values.listed(value, values.reference)
    if member.members is USER_IDS:
        return values.listed(value, values.user_id)
    if member.vocabulary:
        return [member.vocabulary.spelled(one) or one for one in values.texts(value)]
    return values.texts(value)


READERS: dict[str, Reader] = {
    "boolean": values.flag,
    "date": values.date,
    "datetime": values.moment,
}


def _complete(version: str, collection: str, record: Json, row: Row, today: str) -> None:
    """What is not one member in one column."""
    if collection == "users":
        row["agentSourcedIds"] = values.listed(_given(record, "agents"), values.reference)
        row["enabledUser"] = row["enabledUser"] is not False
        (_roles_v1p1 if version == "1.1" else _roles_v1p2)(record, row, today)
    elif collection in ("orgs", "academicSessions"):
        row["children"] = values.listed(record.get("children"), values.reference)
    elif collection == "classes" and not row["classType"]:
        row["classType"] = "scheduled"


# --- Roles ------------------------------------------------------------------------------------------------------------------------------


def _roles_v1p1(record: Json, row: Row, today: str) -> None:
    """A 1.1 user has one role and its orgs; one that came with roles of 1.2 is said in these words."""
    told = [] if row["role"] and row["orgSourcedIds"] else _told_roles(record)
    if told:
        role, orgs = role_and_orgs_v1p1(told, None, today)
        row["role"] = row["role"] or role
        row["orgSourcedIds"] = row["orgSourcedIds"] or orgs


def _roles_v1p2(record: Json, row: Row, today: str) -> None:
    """A 1.2 user's roles and profiles as rows of their files; one that came with a role and orgs of 1.1 keeps these for later."""
    if row["status"] == "tobedeleted":
        return
    user = row["sourcedId"]
    profiles, named = _profiles(record, user)
    told = _told_roles(record)
    row["userProfiles"] = profiles
    row["roles"] = [_role_row(user, role, named) for role in _distinct(told, today)]
    if not told:
        row["role"] = values.text(record.get("role"))
        row["orgSourcedIds"] = values.listed(_given(record, "orgs"), values.reference)


def _told_roles(record: Json) -> list[Row]:
    """`roles` as rows without ids: a list or one object, each with its org, or holding another object that has it."""
    given = record.get("roles")
    told: list[Row] = []
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and isinstance(one.get("role"), dict):
            one = {**one, **one["role"]}
        if not isinstance(one, dict) or not (org := values.reference(one.get("org"))):
            continue
        if role := values.word(one.get("role"), USER_ROLE_12):
            told.append(
                {
                    "roleType": values.word(one.get("roleType"), ROLE_TYPE_12),
                    "role": role,
                    "orgSourcedId": org,
                    "beginDate": values.date(one.get("beginDate")),
                    "endDate": values.date(one.get("endDate")),
                    "profile": values.text(one.get("userProfile")),
                }
            )
    return told


def _distinct(told: list[Row], today: str) -> list[Row]:
    """Each role at each org from each day once; where none is primary, the first that holds today is, else the first."""
    once = list(
        {(one["role"], one["orgSourcedId"], one["beginDate"]): one for one in reversed(told)}.values()
    )[::-1]
    if once and not any(one["roleType"] == "primary" for one in once):
        current = (
            one for one in once if (one["beginDate"] or "") <= today < (one["endDate"] or "9999-99-99")
        )
        next(current, once[0])["roleType"] = "primary"
    seen: set[tuple[str, str]] = set()
    for one in once:
        one["roleType"] = one["roleType"] or "secondary"
        one["again"] = (one["role"], one["orgSourcedId"]) in seen
        seen.add((one["role"], one["orgSourcedId"]))
    return once


def _role_row(user: str, role: Row, named: dict[str, str]) -> Row:
    """A row of roles.csv. REST gives roles no id: it follows from user, org and role, and the first day where that is not enough."""
    word = f"{role['role']}|{role['beginDate']}" if role["again"] else role["role"]
    return {
        "sourcedId": derived_role_id(user, role["orgSourcedId"], word),
        "userSourcedId": user,
        "roleType": role["roleType"],
        "role": role["role"],
        "beginDate": role["beginDate"],
        "endDate": role["endDate"],
        "orgSourcedId": role["orgSourcedId"],
        "userProfileSourcedId": named.get(role["profile"] or ""),
    }


def _profiles(record: Json, user: str) -> tuple[list[Row], dict[str, str]]:
    """Rows of userProfiles.csv, one a credential, and the first row's id by the profile's. Passwords are not read."""
    rows: list[Row] = []
    named: dict[str, str] = {}
    given = record.get("userProfiles")
    for place, profile in enumerate(given if isinstance(given, list) else [given]):
        if not isinstance(profile, dict):
            continue
        told = values.text(profile.get("profileId")) or f"{user}-profile-{place + 1}"
        named[told] = sourced_id = values.identifier(unquote(told.removeprefix(PROFILE_URN))) or ""
        credentials = profile.get("credentials")
        for number, credential in enumerate(
            credentials if isinstance(credentials, list) else [credentials], 1
        ):
            if isinstance(credential, dict):
                rows.append(_profile_row(user, sourced_id, number, profile, credential))
    return rows, named


def _profile_row(user: str, sourced_id: str, number: int, profile: Json, credential: Json) -> Row:
    return {
        "sourcedId": sourced_id if number == 1 else f"{sourced_id}-{number}",
        "userSourcedId": user,
        "credentialType": values.text(credential.get("type")),
        "username": values.text(credential.get("username")),
        **{
            name: values.text(profile.get(name))
            for name in ("profileType", "vendorId", "applicationId", "description")
        },
    }
