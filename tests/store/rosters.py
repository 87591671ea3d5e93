"""Small random rosters written by the one hand and published several times: for tests that compare what is served with what is found."""

import json
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import duckdb
from django.db import connection

from rollbook.engine.scope import ALL, FULL, Choice, Rule, Scope, basic
from rollbook.flows.publish import publish, set_rule
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.store.models import App, Connection, District, Grant
from rollbook.store.publishing import Changed
from rollbook.store.target import apply
from rollbook.store.visibility import Reader, reader_of_grant

TEXTS = (
    "", "Ana", "ana", "ANA", "Müller", "mu\u0308ller", "Straße", "STRASSE", "İstanbul", "O'Brien", 'a"b', "a\\b", "50%", "_", "Zoë",
    "zoë", "李", "🎓", "\x7f", "a b", " a", "Rock AND Roll", "Ω", "ﬁ", "-1", "09", "Á", "é", "z", "Z", "none", "active",
)  # fmt: skip
WORDS = ("a\n\u0303b", "09", "10", "kg", "KG", "Ä", "ä", "x", 'q"t', "Straße")
DAYS = ("2025-08-01", "2026-01-01", "2026-06-30", "2027-07-01", "2099-01-01")
ROLES = ("student", "teacher", "aide", "principal", "guardian", "ext:coach")
NEVER = "2199-01-01"
# A test's rows are taken back, what is remembered of a publication is not: no two tests share a district's number.
NUMBERS = count(1_000_000)

Values = dict[str, Any]
Row = tuple[str, int, str, Values, Values]
"""Collection, record id, source id, values after, and record ids of references."""


class RandomDistrict:
    """A district of some thirty people, drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.ids: dict[str, list[int]] = {name: [] for name in LOAD_ORDER}
        self.district = District.objects.create(id=next(NUMBERS), name=f"Random {seed}")
        self.connection = Connection.objects.create(district=self.district, kind="folder", name="test")

    def published(self, folder: Path) -> dict[str, Reader]:
        """Three publications later: readers of the whole roster, and of two of its orgs since the first and since the second."""
        self._write(folder / "1.parquet", [(row, "create") for row in self._all()])
        readers = {"full": self._reader("full", FULL), "early": self._reader("early", self._rule())}
        publish(self.district.pk, None, "first")
        publish(self.district.pk, self._write(folder / "2.parquet", self._changes()), "second")
        readers["late"] = self._reader("late", self._rule())
        publish(self.district.pk, self._write(folder / "3.parquet", self._changes()), "third")
        return readers

    def delete(self, plan: Path, collection: str, source_id: str) -> None:
        """One record deleted, and published."""
        number = int(source_id.rpartition("-")[2])
        publish(
            self.district.pk,
            self._write(plan, [((collection, number, source_id, {}, {}), "delete")]),
            "deleted",
        )

    def _write(self, plan: Path, changes: list[tuple[Row, str]]) -> Changed:
        """The changes as a plan, applied."""
        rows = [
            (number, row[0], action, row[1], row[2], json.dumps(row[3]), json.dumps(row[4]))
            for number, (row, action) in enumerate(changes)
        ]
        with duckdb.connect() as writer:
            writer.execute(
                "CREATE TABLE plan(number BIGINT, collection VARCHAR, action VARCHAR, record_id BIGINT, source_id VARCHAR,"
                " after VARCHAR, refs VARCHAR)"
            )
            writer.executemany("INSERT INTO plan VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            writer.execute(f"COPY plan TO '{plan}' (FORMAT parquet)")
        with connection.cursor() as cursor:
            return apply(cursor, self.connection, plan)

    def _reader(self, name: str, rule: Rule) -> Reader:
        app = App.objects.create(name=name)
        grant = Grant(district=self.district, app=app, enabled=True)
        set_rule(grant, rule, name)
        return reader_of_grant(grant, 0)

    def _rule(self) -> Rule:
        orgs = Choice(ids=tuple(self.random.sample(self.ids["orgs"], 2)))
        return basic(Scope(orgs, ALL, unenrolled=self.random.random() < 0.5), deleted=True)

    def _changes(self) -> list[tuple[Row, str]]:
        """Some records deleted, some restored or changed."""
        made = []
        for collection in LOAD_ORDER:
            for number in self.random.sample(self.ids[collection], len(self.ids[collection]) // 4):
                action = self.random.choice(("delete", "update", "restore"))
                made.append((self._row(collection, number), action))
        return made

    def _all(self) -> list[Row]:
        sizes = {
            "orgs": 5, "academicSessions": 8, "courses": 6, "classes": 8, "users": 30, "userProfiles": 8, "roles": 40,
            "enrollments": 40, "demographics": 12, "resources": 5, "courseResources": 6, "classResources": 8, "userResources": 6,
        }  # fmt: skip
        made = []
        for collection in LOAD_ORDER:
            for number in range(1, sizes[collection] + 1):
                made.append(self._row(collection, number))
                self.ids[collection].append(number)
        return made

    def _row(self, collection: str, number: int) -> Row:
        values, references = getattr(self, f"_{collection}")(number)
        if self.random.random() < 0.3:
            values["metadata"] = {
                "ext.team": self._text(),
                "pronouns": self._text(),
                "role": self.random.choice(ROLES),
                "shoe size": "9",
            }
        refs = {name: ids for name, ids in references.items() if ids is not None}
        source_id = f"{'USER' if collection == 'demographics' else collection.upper()}-{number:02}"
        if collection == "users":
            source_id = f"USER-{number:02}"
        return (
            collection,
            number,
            source_id,
            {name: value for name, value in values.items() if value is not None},
            refs,
        )

    # Drawing values

    def _text(self) -> str:
        return self.random.choice(TEXTS) if self.random.random() < 0.8 else ""

    def _name(self) -> str:
        return self._text() or "x"

    def _list(self) -> list[str] | None:
        return self.random.sample(WORDS, self.random.randint(1, 3)) if self.random.random() < 0.7 else None

    def _day(self) -> str | None:
        return self.random.choice((*DAYS, None))

    def _flag(self) -> str | None:
        return self.random.choice(("true", "false", None))

    def _some(self, collection: str) -> int | None:
        return (
            self.random.choice(self.ids[collection])
            if self.ids[collection] and self.random.random() < 0.8
            else None
        )

    def _one(self, collection: str) -> int:
        return self.random.choice(self.ids[collection])

    def _orgs(self, number: int) -> tuple[Values, Values]:
        type_ = "school" if number > 1 else "district"
        parents = [one for one in self.ids["orgs"] if one < number]
        return {"name": self._name(), "type": type_, "identifier": self._text()}, {
            "parentSourcedId": self.random.choice(parents) if parents else None
        }

    def _academicSessions(self, number: int) -> tuple[Values, Values]:
        type_ = ("schoolYear", "term", "gradingPeriod", "semester")[number % 4]
        parents = [one for one in self.ids["academicSessions"] if one < number]
        values = {
            "title": self._name(), "type": type_, "startDate": self.random.choice(DAYS), "endDate": NEVER,
            "schoolYear": self.random.choice(("2026", "2027")),
        }  # fmt: skip
        return values, {"parentSourcedId": self.random.choice(parents) if parents else None}

    def _courses(self, number: int) -> tuple[Values, Values]:
        values = {
            "title": self._name(), "courseCode": self._text(), "grades": self._list(), "subjects": self._list(),
            "subjectCodes": self._list(),
        }  # fmt: skip
        return values, {
            "orgSourcedId": self._some("orgs"),
            "schoolYearSourcedId": self._some("academicSessions"),
        }

    def _classes(self, number: int) -> tuple[Values, Values]:
        values = {
            "title": self._name(), "classCode": self._text(), "classType": self.random.choice(("homeroom", "scheduled", "ext:Club")),
            "location": self._text(), "grades": self._list(), "subjects": self._list(), "periods": self._list(),
        }  # fmt: skip
        terms = self.random.sample(self.ids["academicSessions"], self.random.randint(1, 3))
        return values, {
            "courseSourcedId": self._one("courses"), "schoolSourcedId": self._one("orgs"), "termSourcedIds": terms,
        }  # fmt: skip

    def _users(self, number: int) -> tuple[Values, Values]:
        values = {
            "enabledUser": self.random.choice(("true", "false")), "username": self._text(), "givenName": self._name(),
            "familyName": self._name(), "middleName": self._text(), "email": self._text(), "sms": self._text(), "phone": self._text(),
            "identifier": self._text(), "grades": self._list(), "userMasterIdentifier": self._text(),
            "preferredGivenName": self._text(), "preferredFamilyName": self._text(), "pronouns": self._text(),
            "userIds": self.random.choice((["{LDAP:ana}"], ["{sis:1}", "{Örtlich:Ä}"], ["plain"], None)),
        }  # fmt: skip
        agents = (
            self.random.sample(self.ids["users"], 2)
            if len(self.ids["users"]) > 2 and self.random.random() < 0.3
            else None
        )
        return values, {"primaryOrgSourcedId": self._some("orgs"), "agentSourcedIds": agents}

    def _userProfiles(self, number: int) -> tuple[Values, Values]:
        values = {
            "profileType": self._name(), "vendorId": "v", "applicationId": "default", "description": self._text(),
            "credentialType": "LTI", "username": self._name(),
        }  # fmt: skip
        return values, {"userSourcedId": self._one("users")}

    def _roles(self, number: int) -> tuple[Values, Values]:
        values = {
            "roleType": self.random.choice(("primary", "secondary")), "role": self.random.choice(ROLES), "beginDate": self._day(),
            "endDate": self.random.choice((NEVER, "2026-01-01", None)),
        }  # fmt: skip
        return values, {
            "userSourcedId": self._one("users"), "orgSourcedId": self._one("orgs"), "userProfileSourcedId": self._some("userProfiles"),
        }  # fmt: skip

    def _enrollments(self, number: int) -> tuple[Values, Values]:
        values = {
            "role": self.random.choice(("student", "teacher", "administrator", "ext:Guest")), "primary": self._flag(),
            "beginDate": self._day(), "endDate": self._day(),
        }  # fmt: skip
        return values, {
            "classSourcedId": self._one("classes"), "schoolSourcedId": self._one("orgs"), "userSourcedId": self._one("users"),
        }  # fmt: skip

    def _demographics(self, number: int) -> tuple[Values, Values]:
        values = {
            "birthDate": self._day(), "sex": self.random.choice(("male", "female", "other", "unspecified", None)), "asian": self._flag(),
            "white": self._flag(), "cityOfBirth": self._text(), "countryOfBirthCode": self._text(),
        }  # fmt: skip
        return values, {"sourcedId": number}

    def _resources(self, number: int) -> tuple[Values, Values]:
        values = {
            "title": self._text(), "vendorResourceId": self._name(), "vendorId": self._text(), "applicationId": self._text(),
            "roles": self.random.choice((["student"], ["student", "teacher"], None)),
            "importance": self.random.choice(("primary", "secondary", None)),
        }  # fmt: skip
        return values, {}

    def _courseResources(self, number: int) -> tuple[Values, Values]:
        return {}, {"courseSourcedId": self._one("courses"), "resourceSourcedId": self._one("resources")}

    def _classResources(self, number: int) -> tuple[Values, Values]:
        return {}, {"classSourcedId": self._one("classes"), "resourceSourcedId": self._one("resources")}

    def _userResources(self, number: int) -> tuple[Values, Values]:
        return {}, {"userSourcedId": self._one("users"), "resourceSourcedId": self._one("resources")}
