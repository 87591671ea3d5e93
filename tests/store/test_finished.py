"""Rows put together by DuckDB are the rows that Python would have made, one by one."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import connection

from rollbook.flows.districts import add_district
from rollbook.oneroster.folding import fold
from rollbook.store import planned, target
from rollbook.store.finished import LETTERS, PLAIN
from rollbook.store.models import RECORDS, Connection
from tests.store.rosters import TEXTS

pytestmark = pytest.mark.django_db

NAMES = (
    *(text for text in TEXTS if text),
    "Ñandú",
    "ÅSA",
    "ЁЛКА",
    "김",
    "[09]",
    "a:[b",
    "Größe",
    "O'Brien, Jr.",
    "ŞULE",
)
SEATED = {"courseSourcedId": 1, "schoolSourcedId": 1, "termSourcedIds": [3, 4]}
PARQUET = "number BIGINT, collection VARCHAR, action VARCHAR, record_id BIGINT, source_id VARCHAR, after VARCHAR, refs VARCHAR"


def person(number: int, name: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    after = {
        "enabledUser": "true" if number % 2 else "false", "givenName": name, "familyName": name * 2, "middleName": "",
        "username": None, "grades": ("09", "09,10", "", None)[number % 4], "userIds": "{LDAP:a}" if number % 3 else None,
        "metadata": ({"Team": name, "$x": "A", "/y": ""}, {}, None, "")[number % 4],
    }  # fmt: skip
    return (
        "users",
        after,
        {"primaryOrgSourcedId": 7 if number % 3 else None, "agentSourcedIds": ([1, 2], [], None)[number % 3]},
    )


def others(number: int, name: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    return [
        ("orgs", {"name": name, "type": "school", "identifier": ""}, {"parentSourcedId": None}),
        ("classes", {"title": name, "subjects": "Art,Ms. Ång", "periods": None}, SEATED),
        ("enrollments", {"role": "student", "primary": ("true", "false", "", None)[number % 4], "beginDate": "2026-08-01"},
         {"classSourcedId": 1, "schoolSourcedId": 2, "userSourcedId": number}),
        ("demographics", {"sex": "female", "asian": "true", "cityOfBirth": name, "metadata": {"a": name}}, {"sourcedId": number}),
    ]  # fmt: skip


def written(plan: Path) -> int:
    """A plan that creates one record of every kind for every name; how many records."""
    rows = [
        (collection, number, f"{collection}-{number}", after, refs)
        for number, name in enumerate(NAMES, 1)
        for collection, after, refs in (person(number, name), *others(number, name))
    ]
    with duckdb.connect() as writer:
        writer.execute(f"CREATE TABLE plan({PARQUET})")
        writer.executemany(
            "INSERT INTO plan VALUES (?, ?, 'create', ?, ?, ?, ?)",
            [
                (place, row[0], row[1], row[2], json.dumps(row[3], ensure_ascii=False, separators=(",", ":")), json.dumps(row[4]))
                for place, row in enumerate(rows)
            ],
        )  # fmt: skip
        writer.execute(f"COPY plan TO '{plan}' (FORMAT parquet)")
    return len(rows)


def told(collection: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with its metadata as objects and its booleans as such, however a database keeps them."""
    model = {field.name: field for field in RECORDS[collection]._meta.concrete_fields}
    made = dict(zip(planned.columns_of(collection), row, strict=True))
    for column, value in made.items():
        if column.startswith("metadata"):
            made[column] = value and json.loads(value)
        elif column in model and model[column].get_internal_type() == "BooleanField":
            made[column] = None if value is None else bool(value)
    return tuple(made.values())


def test_both_ways_make_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(target, "FEW", 0)
    total = written(plan := tmp_path / "plan.parquet")
    link = Connection.objects.get(district=add_district("Both ways"))
    with duckdb.connect() as reader, connection.cursor() as cursor:
        target.apply(cursor, link, plan)
        plain = reader.execute(f"SELECT count(*) FROM read_parquet(?) WHERE {PLAIN}", [str(plan)]).fetchall()[
            0
        ][0]
        assert total // 3 < plain < total
        for collection in ("users", "orgs", "classes", "enrollments", "demographics"):
            made = list(
                planned.rows_of(
                    link, collection, planned.changes_of(reader, plan, collection, planned.CREATES)
                )
            )
            names = ", ".join(f'"{column}"' for column in planned.columns_of(collection))
            cursor.execute(
                f"SELECT {names} FROM {RECORDS[collection]._meta.db_table} WHERE district_id = %s",
                [link.district_id],
            )
            kept = sorted((told(collection, row) for row in cursor.fetchall()), key=repr)
            assert kept == sorted((told(collection, row) for row in made), key=repr)


def test_plain_letters_are_folded_by_being_made_small():
    letters = [letter for letter in map(chr, range(0x10000)) if re.match(f"[ -~{LETTERS}]", letter)]
    with duckdb.connect() as database:
        small = database.execute("SELECT list_transform(?, lambda one: lower(one))", [letters]).fetchall()[0][
            0
        ]
    assert small == [fold(letter) for letter in letters]
    assert fold("".join(letters)) == "".join(small)
