"""Members and groups as SCIM has them: User and Group (RFC 7643 §4.1, §4.2), the enterprise extension (§4.3), and one of our own.

What a server keeps besides is handed back to it as it came: a resource is replaced whole, with nothing but our fields changed.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from scim2_models import URN, Context, Email, EnterpriseUser, Extension, Group, Name, User

from rollbook.engine.sync.operations import ACTIVE, ARCHIVED, Value

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
KEEPING = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:Group"
NO_USERNAME = "urn:rollbook:no-username:"
"""What a userName begins with where there is none: SCIM demands one (RFC 7643 §4.1.1)."""

USER_FIELDS = ("given_name", "family_name", "email", "username", "identifier", "roles")
GROUP_FIELDS = ("title",)
READ_ONLY = frozenset({"meta", "groups"})

Raw = dict[str, Any]


class Keeping(Extension):
    """Our extension of Group: a group can be archived, and comes back with its members. A server may offer it."""

    __schema__ = URN(KEEPING)

    archived: bool | None = None


# --- Reading ------------------------------------------------------------------------------------------------------------------------


def member_fields(raw: Mapping[str, Any], enterprise: bool) -> dict[str, Value]:
    name, username = told(raw, "name", {}), text(raw, "userName")
    fields: dict[str, Value] = {
        "given_name": text(name, "givenName"),
        "family_name": text(name, "familyName"),
        "email": text(_main(told(raw, "emails", [])), "value"),
        "username": "" if username.startswith(NO_USERNAME) else username,
        "roles": tuple(text(one, "value") for one in _entries(raw, "roles")),
    }
    if enterprise:
        fields["identifier"] = text(told(raw, ENTERPRISE, {}), "employeeNumber")
    return fields


def group_fields(raw: Mapping[str, Any]) -> dict[str, Value]:
    return {"title": text(raw, "displayName")}


def member_state(raw: Mapping[str, Any]) -> str:
    return ARCHIVED if told(raw, "active", True) is False else ACTIVE


def group_state(raw: Mapping[str, Any]) -> str:
    return ARCHIVED if told(told(raw, KEEPING, {}), "archived", False) is True else ACTIVE


def people_in(raw: Mapping[str, Any]) -> list[str]:
    """The ids of the users in a group; groups in it are none of ours."""
    return [text(one, "value") for one in _entries(raw, "members") if text(one, "type") != "Group"]


def key_of(raw: Mapping[str, Any]) -> str:
    return text(raw, "externalId")


def etag_of(raw: Mapping[str, Any]) -> str:
    return text(told(raw, "meta", {}), "version")


def version_of(fields: Mapping[str, Value], state: str, key: str) -> str:
    """Of what we keep of a resource alone: who is in a group, or when somebody signed in last, is no change of it."""
    told = json.dumps([fields, state, key], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


# --- Writing ------------------------------------------------------------------------------------------------------------------------


def new_user(key: str, fields: Mapping[str, Value], enterprise: bool) -> Raw:
    made = User[EnterpriseUser](
        external_id=key or None,
        user_name=str(fields.get("username") or NO_USERNAME + key),
        active=True,
        name=Name(given_name=_or_none(fields, "given_name"), family_name=_or_none(fields, "family_name")),
        emails=[Email(value=str(fields["email"]), primary=True)] if fields.get("email") else None,
    )
    if enterprise and fields.get("identifier"):
        made[EnterpriseUser] = EnterpriseUser(employee_number=str(fields["identifier"]))
    raw: Raw = made.model_dump(scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    _set_roles(raw, fields.get("roles", ()))
    return raw


def new_group(key: str, fields: Mapping[str, Value]) -> Raw:
    made = Group(external_id=key or None, display_name=str(fields.get("title", "")))
    found: Raw = made.model_dump(scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    return found


def _or_none(fields: Mapping[str, Value], name: str) -> str | None:
    return str(fields.get(name, "")) or None


def with_member_fields(raw: Raw, fields: Mapping[str, Value]) -> Raw:
    """The resource as it is to be replaced by, with these fields in it."""
    changed = writable(raw)
    name = dict(told(changed, "name", {}))
    for ours, theirs in (("given_name", "givenName"), ("family_name", "familyName")):
        if ours in fields:
            _put(name, theirs, fields[ours])
    if name:
        _put(changed, "name", name)
    if "username" in fields:
        _put(changed, "userName", fields["username"] or NO_USERNAME + text(raw, "id"))
    if "email" in fields:
        _set_email(changed, str(fields["email"]))
    if "roles" in fields:
        _set_roles(changed, fields["roles"])
    if "identifier" in fields:
        _put(
            changed,
            ENTERPRISE,
            _put(dict(told(changed, ENTERPRISE, {})), "employeeNumber", fields["identifier"]),
        )
        _say_schema(changed, ENTERPRISE)
    return changed


def with_group_fields(raw: Raw, fields: Mapping[str, Value]) -> Raw:
    changed = writable(raw)
    if "title" in fields:
        _put(changed, "displayName", fields["title"])
    return changed


def with_member_state(raw: Raw, state: str) -> Raw:
    return _put(raw, "active", state != ARCHIVED)


def with_group_state(raw: Raw, state: str) -> Raw:
    _say_schema(raw, KEEPING)
    return _put(raw, KEEPING, {"archived": state == ARCHIVED})


def with_people(raw: Raw, people: list[str]) -> Raw:
    """The group with these users in it: entries that stay are as they were."""
    stood = {text(one, "value"): one for one in _entries(raw, "members")}
    others = [one for one in _entries(raw, "members") if text(one, "type") == "Group"]
    entries = others + [dict(stood.get(one, {"value": one})) for one in people]
    return _put(writable(raw), "members", entries)


def with_key(raw: Raw, key: str) -> Raw:
    return _put(raw, "externalId", key)


def writable(raw: Mapping[str, Any]) -> Raw:
    """A copy without what only the server writes."""
    return {name: value for name, value in raw.items() if name.casefold() not in READ_ONLY}


def _say_schema(raw: Raw, schema: str) -> None:
    schemas = list(told(raw, "schemas", []))
    if schema not in schemas:
        _put(raw, "schemas", [*schemas, schema])


def _set_email(raw: Raw, address: str) -> None:
    """In the place of the one that counts; others stay."""
    emails = [dict(one) for one in _entries(raw, "emails")]
    stood = _main(emails)
    if stood and address:
        _put(stood, "value", address)
    elif stood:
        emails.remove(stood)
    elif address:
        emails.append({"value": address, "primary": True})
    _put(raw, "emails", emails)


def _set_roles(raw: Raw, roles: Value) -> None:
    stood = {text(one, "value"): one for one in _entries(raw, "roles")}
    wanted = roles if isinstance(roles, tuple) else ()
    if wanted or stood:
        _put(raw, "roles", [dict(stood.get(one, {"value": one})) for one in wanted])


def _main(emails: Any) -> Raw:
    """The entry of the address that counts: the primary one, else the first."""
    entries = [one for one in emails if isinstance(one, dict)] if isinstance(emails, list) else []
    return next(
        (one for one in entries if told(one, "primary", False) is True), entries[0] if entries else {}
    )


# --- Names: those of attributes are compared without case (RFC 7643 §2.1) --------------------------------------------------------------


def told(raw: Any, name: str, nothing: Any) -> Any:
    """The value of an attribute, however its name is written; `nothing` where there is none, or one of another type."""
    if not isinstance(raw, Mapping):
        return nothing
    found = raw.get(_name(raw, name))
    return found if isinstance(found, type(nothing)) else nothing


def text(raw: Any, name: str) -> str:
    return str(told(raw, name, ""))


def _entries(raw: Mapping[str, Any], name: str) -> list[Raw]:
    return [one for one in told(raw, name, []) if isinstance(one, dict)]


def _name(raw: Mapping[str, Any], name: str) -> str:
    if name in raw:
        return name
    return next((one for one in raw if one.casefold() == name.casefold()), name)


def _put(raw: Raw, name: str, value: Any) -> Raw:
    raw[_name(raw, name)] = value
    return raw
