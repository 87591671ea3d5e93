"""What may be done with each field of a record before an app sees it: share, omit, mask or pseudonymise. Data, and no doing: that is
`engine.masks`.

Fields are named as the columns of the CSV files of 1.2; a district's own metadata as `metadata.<name>`, all of it as `metadata`.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from rollbook.oneroster.collections import COLLECTION
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.mapping import METADATA_V1P1
from rollbook.oneroster.spec import Field, Member
from rollbook.oneroster.tables import V1P1, V1P2

SHARE, OMIT, MASK, PSEUDONYMISE = "share", "omit", "mask", "pseudonymise"
TREATMENTS = (SHARE, OMIT, MASK, PSEUDONYMISE)
"""Shown as it is; left out; shown in part; replaced by something that says nothing, and is always the same for one person and one app."""

SOURCED_ID = "sourcedId"
NAMED = ("users", "enrollments")
"""The collections whose sourcedIds can be replaced, wherever they stand; demographics bear those of their users."""

METADATA = "metadata"
METADATA_PREFIX = "metadata."

WHOLE = {"users": ("userProfiles",)}
"""What a record shows that is no column of its file."""

MASKABLE_DATES = frozenset({("demographics", "birthDate")})
"""Dates that say who somebody is; all others say when something is, and a wrong one would break what hangs on it."""

Fields = Mapping[str, Mapping[str, str]]
"""{collection: {field: treatment}}; what is not named is shared."""


@cache
def fields_of(collection: str) -> tuple[str, ...]:
    """Every field of a collection that a treatment can be chosen for, in the order of the file; metadata last."""
    named = tuple(field.name for field in COLLECTION[collection].fields if _treatable(collection, field))
    ids = (SOURCED_ID,) if collection in NAMED else ()
    return (*ids, *named, *WHOLE.get(collection, ()), METADATA)


def replaced_in(fields: Fields) -> frozenset[str]:
    """The collections whose sourcedIds are replaced."""
    return frozenset(name for name in NAMED if fields.get(name, {}).get(SOURCED_ID) == PSEUDONYMISE)


def domain_of(collection: str) -> str:
    """The collection whose ids its records bear: demographics bear those of their users."""
    return "users" if collection == "demographics" else collection


@cache
def names_of(collection: str, replaced: frozenset[str]) -> dict[str, str]:
    """{field: collection whose ids stand in it} of the fields of a record that hold ids of the `replaced` collections."""
    own = domain_of(collection)
    found = {SOURCED_ID: own} if own in replaced else {}
    references = COLLECTION[collection].references
    return found | {one.name: one.target for one in references if one.target in replaced and one.target}


def treatments_of(collection: str, field: str) -> tuple[str, ...]:
    """What may be chosen for this field, in the order of `TREATMENTS`; nothing for a field there is not."""
    if field.startswith(METADATA_PREFIX):
        return TREATMENTS if len(field) > len(METADATA_PREFIX) else ()
    if field not in fields_of(collection):
        return ()
    if field == SOURCED_ID:
        return (SHARE, PSEUDONYMISE)
    return tuple(one for one in TREATMENTS if one == SHARE or one in _others(collection, field))


@cache
def is_required(collection: str, field: str) -> bool:
    """Whether a schema of either version, of REST or CSV, requires the field: it can be masked, never omitted."""
    columns = [column for binding in (V1P1, V1P2) for column in binding.table(collection).fields]
    return any(member.required and member.source == field for member in _members(collection)) or any(
        column.required == "yes" and column.name == field for column in columns
    )


def unseen(collection: str, version: str, treated: Iterable[str]) -> frozenset[str]:
    """The members of the REST entity that may not be filtered or sorted by, because their fields are not shown as they are. An id
    that is replaced can be asked for by what replaces it.

    Metadata is named by its full path, `metadata.house`; `metadata` alone is all of it.
    """
    fields = set(treated) - {SOURCED_ID}
    members = {member.name for member in ENTITIES[version, collection].members if member.source in fields}
    members |= {field for field in fields if field.startswith(METADATA_PREFIX)}
    if collection == "users" and version == "1.1":
        members |= {METADATA_PREFIX + name for name, source in METADATA_V1P1.items() if source in fields}
    return frozenset(members)


def _treatable(collection: str, field: Field) -> bool:
    """No reference but a person's own, which no path goes through; no flag that is told as false where there is none."""
    if field.is_reference and collection != "users":
        return False
    if any(
        member.source == field.name and member.type == "boolean" and member.default
        for member in _members(collection)
    ):
        return False
    return not is_required(collection, field.name) or _is_text(field)


def _members(collection: str) -> list[Member]:
    return [member for version in ("1.1", "1.2") for member in ENTITIES[version, collection].members]


def _others(collection: str, field: str) -> frozenset[str]:
    left_out = frozenset() if is_required(collection, field) else frozenset({OMIT})
    column = next((one for one in COLLECTION[collection].fields if one.name == field), None)
    if column is None:
        return left_out
    if _is_text(column):
        return left_out | {MASK, PSEUDONYMISE}
    return left_out | {MASK} if (collection, field) in MASKABLE_DATES else left_out


def _is_text(field: Field) -> bool:
    return field.type in ("string", "id") and not field.is_reference
