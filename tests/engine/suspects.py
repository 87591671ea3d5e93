"""A small district that nothing can be said against, to be changed by tests of what looks wrong."""

from collections.abc import Mapping
from pathlib import Path

from rollbook.engine.codes_of_rosters import ROSTER_CODES
from rollbook.engine.findings import Finding
from tests.engine.packages import Row, judged, write_package

FIELD = {code.code for code in ROSTER_CODES}

Tables = dict[str, list[dict[str, str]]]


def person(one: str, given: str = "Dana", family: str = "Brandt", **values: str) -> dict[str, str]:
    names = {"givenName": given, "familyName": family}
    return {"sourcedId": one, "enabledUser": "true", "username": one, **names, **values}


def role(who: str, word: str = "student", one: str = "", **values: str) -> dict[str, str]:
    what = {"roleType": "primary", "role": word, "orgSourcedId": "school"}
    return {"sourcedId": one or f"role-{who}", "userSourcedId": who, **what, **values}


def seat(who: str, word: str = "student", one: str = "", **values: str) -> dict[str, str]:
    where = {"classSourcedId": "class", "schoolSourcedId": "school", "role": word}
    return {"sourcedId": one or f"seat-{who}", "userSourcedId": who, **where, **values}


def session(one: str, first: str, last: str, year: str = "2027", **values: str) -> dict[str, str]:
    dates = {"startDate": first, "endDate": last, "schoolYear": year}
    return {"sourcedId": one, "title": one, "type": "term", "parentSourcedId": "year", **dates, **values}


def district(**more: list[dict[str, str]]) -> Tables:
    """Two students and a teacher in one class; `more` are rows to be added."""
    year = session("year", "2026-08-17", "2027-06-11", type="schoolYear", parentSourcedId="")
    tables: Tables = {
        "orgs": [
            {"sourcedId": "district", "name": "Riverbend", "type": "district"},
            {"sourcedId": "school", "name": "High School", "type": "school", "parentSourcedId": "district"},
        ],
        "academicSessions": [year],
        "courses": [{"sourcedId": "course", "title": "Algebra", "orgSourcedId": "school"}],
        "classes": [
            {
                "sourcedId": "class",
                "title": "Algebra A",
                "courseSourcedId": "course",
                "classType": "scheduled",
                "schoolSourcedId": "school",
                "termSourcedIds": "year",
            }
        ],
        "users": [
            person("u-1", "Ana", "Reyes"),
            person("u-2", "Ben", "Okoro"),
            person("u-3", "Chloe", "Tanaka"),
        ],
        "roles": [role("u-1"), role("u-2"), role("u-3", "teacher")],
        "enrollments": [seat("u-1"), seat("u-2"), seat("u-3", "teacher")],
    }
    for name, rows in more.items():
        tables[name] = [*tables.get(name, []), *rows]
    return tables


def with_people(*people: dict[str, str]) -> Tables:
    """The district with these people as students in no class."""
    return district(users=list(people), roles=[role(one["sourcedId"]) for one in people])


def told(
    folder: Path, tables: Mapping[str, list[Row]] | Tables, accepted: Path | None = None, mode: str = "bulk"
) -> list[Finding]:
    """What the field's experience says of these tables."""
    folder.mkdir(exist_ok=True)
    package = write_package(folder / "package", tables, mode)
    findings = judged(package, folder, lenient=True, accepted=accepted)
    return [one for one in findings if one.code in FIELD]


def codes(found: list[Finding]) -> set[str]:
    return {one.code for one in found}


def whose(found: list[Finding], code: str) -> set[str]:
    return {one.source_id for one in found if one.code == code}
