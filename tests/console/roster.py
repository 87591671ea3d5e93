"""Puts rows straight into the roster's tables, so that tests of pages need no import to have run."""

import functools
import json
from typing import Any, NamedTuple

from django.db import connection as database

from rollbook.generator import riverbend
from rollbook.oneroster.collections import COLLECTION, COLLECTIONS
from rollbook.store.columns import column_of, fold
from rollbook.store.models import RECORDS, Connection, District, Record

Ids = dict[str, dict[str, int]]


class Kept(NamedTuple):
    """The rows of one table as the database takes them, for any district: what to begin each with is its, and its connection's, id."""

    insert: str
    rows: list[tuple[Any, ...]]


def load_riverbend(district: District) -> Ids:
    """Every record of Riverbend as an import would have stored it; gives the record ids by collection and sourcedId."""
    connection = Connection.objects.get_or_create(district=district, kind="upload")[0]
    _, tables = _riverbend()
    with database.cursor() as cursor:
        for one in tables:
            cursor.executemany(one.insert, [(district.pk, connection.pk, *row) for row in one.rows])
    return ids_of_riverbend()


def ids_of_riverbend() -> Ids:
    """The ids that its records have in any district."""
    return {collection: dict(found) for collection, found in _riverbend()[0].items()}


@functools.cache
def _riverbend() -> tuple[Ids, list[Kept]]:
    """Made once a process: it is the same for every test."""
    tables = riverbend.rows()
    ids = {
        one.name: {row["sourcedId"]: number for number, row in enumerate(tables.get(one.name, []), 1)}
        for one in COLLECTIONS
    }
    return ids, [_kept(one.name, tables[one.name], ids) for one in COLLECTIONS if tables.get(one.name)]


def _kept(collection: str, rows: list[dict[str, str]], ids: Ids) -> Kept:
    model = RECORDS[collection]
    fields = [
        one for one in model._meta.concrete_fields if one.attname not in ("district_id", "connection_id")
    ]
    columns = ["district_id", "connection_id", *(one.attname for one in fields)]
    return Kept(
        f"INSERT INTO {model._meta.db_table} ({', '.join(map(database.ops.quote_name, columns))})"
        f" VALUES ({', '.join(['%s'] * len(columns))})",
        [
            tuple(one.get_db_prep_save(getattr(record, one.attname), database) for one in fields)
            for record in (_record(collection, row, ids) for row in rows)
        ],
    )


def _record(collection: str, row: dict[str, str], ids: Ids) -> Record:
    model = RECORDS[collection]
    known = {field.name for field in model._meta.get_fields()}
    values: dict[str, Any] = {
        "id": ids[collection][row["sourcedId"]],
        "source_id": row["sourcedId"],
        "sourced_id": row["sourcedId"],
    }
    for field in COLLECTION[collection].fields:
        value = _value(field, row.get(field.name) or None, ids)
        values[column_of(field.name)] = value
        if f"{column_of(field.name)}_folded" in known:
            values[f"{column_of(field.name)}_folded"] = fold(value) if value else value
    extra = {
        name.removeprefix("metadata."): text
        for name, text in row.items()
        if name.startswith("metadata.") and text
    }
    values["metadata"] = json.dumps(extra) if extra else None
    if collection == "demographics":
        values["user_id"] = ids["users"][row["sourcedId"]]
    return model(**values)


def _value(field: Any, text: str | None, ids: Ids) -> Any:
    if text is None:
        return None
    if field.is_reference:
        numbers = [ids[field.target][one.strip()] for one in text.split(",")]
        return json.dumps(numbers) if field.is_list else numbers[0]
    if field.is_list:
        return json.dumps([item.strip() for item in text.split(",")], ensure_ascii=False)
    return text == "true" if field.type == "boolean" else text
