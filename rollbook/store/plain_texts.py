"""The JSON of the REST binding as SQL of DuckDB, for values that need no escape: what `oneroster.json_binding` writes, from the same data.

Which records are that plain is for the caller to say (`UNSAFE`, `RESERVED`); a test holds the two renderings together.
"""

from collections.abc import Mapping

from rollbook.oneroster.entities import ENTITIES, USER_IDS
from rollbook.oneroster.json_binding import ADDRESS, VALUES
from rollbook.oneroster.spec import Member

UNSAFE = r"[\x00-\x1f\x7f\"\\]"
"""RE2: a character that JSON escapes, or that stored text keeps for the address."""

RESERVED = r"[^0-9A-Za-z.\-_~]"
"""RE2: a character that an address escapes."""

USER_ID = r"\{([^{}:,]+):([^{}:,]+)\}"
"""RE2: one `{type:identifier}`, as the CSV column has them."""

USER_IDS_LIST = rf"{USER_ID}(,{USER_ID})*"

Sources = Mapping[str, "str | Sources"]
"""SQL by canonical field: text, NULL where there is none; lists with commas; references as served ids; an object as sources of its own."""


def text(version: str, collection: str, sources: Sources) -> str:
    """SQL: the record from behind `dateLastModified` on."""
    members = ENTITIES[version, collection].members
    named = [member for member in members if member.source and member.name != "sourcedId"]
    head = f"""',"sourcedId":"', {sources["sourcedId"]}, '","status":"active"'"""
    return f"concat({', '.join([head, *(piece(member, sources) for member in named)])}, '}}')"


def piece(member: Member, sources: Sources) -> str:
    """SQL: `,"name":value`, or nothing."""
    source = sources.get(member.source)
    if source is None:
        return f"'{_without(member)}'"
    if not isinstance(source, str):
        return f"""',"{member.name}":[{{', {_inside(member, source)}, '}}]'"""
    return f"coalesce({_with(member, source)}, '{_without(member)}')"


def _inside(member: Member, sources: Sources) -> str:
    """SQL: the members of an object, without the comma in front."""
    pieces = ", ".join(piece(inner, sources) for inner in member.members if inner.source)
    return f"substr(concat({pieces}), 2)"


def _without(member: Member) -> str:
    key = f',"{member.name}":'
    if member.many:
        return f"{key}[]" if member.required or member.default is not None else ""
    if member.default is not None:
        return f'{key}"{member.default}"'
    is_string = member.type not in (*VALUES, "boolean", "reference")
    return f'{key}""' if member.required and is_string else ""


def _with(member: Member, source: str) -> str:
    """SQL: the member with its value, NULL where that is."""
    key = f',"{member.name}":'
    if member.type == "metadata":
        return f"'{key}' || {source}"
    if member.type == "boolean":
        return f"""'{key}"' || CASE WHEN {source} = 'true' THEN 'true' WHEN {source} IS NOT NULL THEN 'false' END || '"'"""
    if member.members is USER_IDS:
        return f"""'{key}[' || regexp_replace({source}, '{USER_ID}', '{{"type":"\\1","identifier":"\\2"}}', 'g') || ']'"""
    if member.type == "reference" and member.many:
        items = f"list_transform(string_split({source}, ','), lambda one: {_reference(member, 'one')})"
        return f"'{key}[' || array_to_string({items}, ',') || ']'"
    if member.type == "reference":
        return f"'{key}' || {_reference(member, source)}"
    if member.many:
        return f"""'{key}["' || replace({source}, ',', '","') || '"]'"""
    return f"""'{key}"' || {source} || '"'"""


def _reference(member: Member, source: str) -> str:
    start = f"""'{{"href":"{ADDRESS}/{member.target}/'"""
    return f"""{start} || {source} || '","sourcedId":"' || {source} || '","type":"{member.word}"}}'"""
