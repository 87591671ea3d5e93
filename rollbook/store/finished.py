"""A plan's created records as finished rows, put together by DuckDB: most records have nothing in them that only Python can judge.

`PLAIN` says which those are; `store.planned` makes the rows of all others one by one, and a test holds the two together.
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from rollbook.oneroster.spec import Field
from rollbook.store.columns import column_of
from rollbook.store.models import Connection

LETTERS = (
    "\u00c0-\u00de\u00e0-\u00ff\u0100-\u012f\u0132-\u0148\u014a-\u017e\u1ea0-\u1ef9"  # Latin, but ß and four that fold otherwise
    "\u0401\u0410-\u044f\u0451"  # Cyrillic, the common ones
    "\u05d0-\u05ea\u0621-\u064a\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"  # without case: Hebrew, Arabic, kana, CJK, Hangul
)
"""Letters beyond ASCII that are folded by being made small, and that compose with nothing."""

PLAIN = f"""(NOT contains(after, '[') AND NOT contains(after, chr(92))
    AND (strlen(after) = length(after) OR regexp_full_match(after, '[ -~{LETTERS}]*')))"""
"""SQL: no value needs an escape in JSON, lists are texts as CSV has them, and to fold is to make small."""

METADATA = "CASE WHEN json_type(metadata) = 'OBJECT' AND metadata::VARCHAR <> '{}' THEN"
MADE_SMALL = (
    "to_json(map_from_entries(list_transform(map_entries(metadata::MAP(VARCHAR, VARCHAR)),"
    " lambda one: struct_pack(k := one.key, v := lower(one.value)))))::VARCHAR"
)


def finished_rows(
    connection: Connection,
    collection: str,
    fields: Sequence[Field],
    columns: Collection[str],
    plan: Path,
    which: str = "true",
) -> str:
    """A query for the plain created records that `which` (SQL) chooses, as rows of the model's `columns`.

    The columns are in the order of `planned`: its own first, then `fields`.
    Rows come in the order of their ids, which is that of their source ids: so the largest indexes grow at one end, at half the cost.
    """
    values = [
        str(connection.district_id),
        "record_id",
        str(connection.pk),
        "source_id",
        f"{literal(connection.prefix)} || source_id",
        "'active'",
        f"{METADATA} metadata::VARCHAR END",
        f"{METADATA} {MADE_SMALL} END",
        *(["refs.sourcedId"] if collection == "demographics" else []),
    ]
    for field in fields:
        values.append(_value(field))
        if f"{column_of(field.name)}_folded" in columns:
            values.append(f"lower({_value(field)})")
    return f"""SELECT {", ".join(values)} FROM (
        SELECT record_id, source_id, after->'metadata' AS metadata, from_json(after, {literal(_texts(fields))}) AS after,
            from_json(refs, {literal(_references(fields))}) AS refs
        FROM read_parquet({literal(str(plan))})
        WHERE collection = {literal(collection)} AND action = 'create' AND {which} AND {PLAIN}) ORDER BY record_id"""


def _texts(fields: Sequence[Field]) -> str:
    """What DuckDB is to find in `after`; a member of every object keeps it from being empty."""
    return json.dumps(
        {field.name: "VARCHAR" for field in fields if not field.is_reference} | {"metadata": "JSON"}
    )


def _references(fields: Sequence[Field]) -> str:
    ids = {field.name: ["BIGINT"] if field.is_list else "BIGINT" for field in fields if field.is_reference}
    return json.dumps(ids | {"sourcedId": "BIGINT"})


def _value(field: Field) -> str:
    if field.is_reference and field.is_list:
        empty = "NULL" if field.required == "no" else "'[]'"
        given = f'refs."{field.name}"'
        return (
            f"CASE WHEN len({given}) > 0 THEN '[' || array_to_string({given}, ', ') || ']' ELSE {empty} END"
        )
    if field.is_reference:
        return f'refs."{field.name}"'
    text = f"""NULLIF(after."{field.name}", '')"""
    if field.type == "boolean":
        return f"{text} = 'true'"
    return f"""'["' || replace({text}, ',', '", "') || '"]'""" if field.is_list else text


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
