"""Puts rows straight into the roster's tables, so that tests of pages need no import to have run."""

import json
from typing import Any

from rollbook.generator import riverbend
from rollbook.oneroster.collections import COLLECTION, COLLECTIONS
from rollbook.store.columns import column_of, fold
from rollbook.store.models import RECORDS, Connection, District, Record

Ids = dict[str, dict[str, int]]


def load_riverbend(district: District) -> Ids:
    """Every record of Riverbend as an import would have stored it; gives the record ids by collection and sourcedId."""
    connection = Connection.objects.get_or_create(district=district, kind="upload")[0]
    tables = riverbend.rows()
    ids = {
        one.name: {row["sourcedId"]: number for number, row in enumerate(tables.get(one.name, []), 1)}
        for one in COLLECTIONS
    }
    for one in COLLECTIONS:
        rows = [_record(one.name, row, ids, district, connection) for row in tables.get(one.name, [])]
        RECORDS[one.name]._default_manager.bulk_create(rows)
    return ids


def _record(
    collection: str, row: dict[str, str], ids: Ids, district: District, connection: Connection
) -> Record:
    model = RECORDS[collection]
    known = {field.name for field in model._meta.get_fields()}
    values: dict[str, Any] = {
        "district_id": district.pk,
        "id": ids[collection][row["sourcedId"]],
        "connection_id": connection.pk,
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
