"""A sanity check counts what an app is served, line by line; its page and its CSV say the same."""

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rollbook.engine.needs import parse_lines
from rollbook.engine.sanity.check import EXAMPLES, Around, Report, Told, check
from rollbook.engine.sanity.lines import CLASSIC, GROUPS, LINES, SEVERITIES, WHO
from rollbook.engine.sanity.reference import sanity_markdown
from rollbook.engine.sanity.written import csv_lines
from tests.house.reference import FOLDER

TODAY = date(2026, 11, 2)
Record = dict[str, Any]
Tables = dict[str, list[Record]]


def ref(one: str) -> Record:
    return {"href": "", "sourcedId": one, "type": "x"}


def user(one: str, role: str = "student", org: str = "high", **more: Any) -> Record:
    roles = [{"roleType": "primary", "role": role, "org": ref(org)}]
    plain = {"enabledUser": "true", "givenName": one, "familyName": one, "email": f"{one}@riverbend.example"}
    return {"sourcedId": one, "status": "active", **plain, "grades": ["09"], "roles": roles, **more}


def a_class(one: str, **more: Any) -> Record:
    plain = {
        "title": one,
        "grades": ["09"],
        "periods": ["1"],
        "course": ref("algebra"),
        "school": ref("high"),
    }
    return {"sourcedId": one, "status": "active", **plain, "terms": [ref("fall")], **more}


def seat(who: str, where: str, role: str = "student", **more: Any) -> Record:
    plain = {"user": ref(who), "class": ref(where), "role": role, "primary": "false"}
    return {"sourcedId": f"{who}-{where}", "status": "active", **plain, **more}


def session(one: str, kind: str, begins: str, ends: str, parent: str = "") -> Record:
    plain = {"title": one, "type": kind, "startDate": begins, "endDate": ends, "schoolYear": "2027"}
    return {"sourcedId": one, "status": "active", **plain, **({"parent": ref(parent)} if parent else {})}


def sound() -> Tables:
    """A district in which nothing is wrong."""
    return {
        "orgs": [
            {"sourcedId": "district", "status": "active", "name": "d", "type": "district"},
            {
                "sourcedId": "high",
                "status": "active",
                "name": "h",
                "type": "school",
                "parent": ref("district"),
            },
        ],
        "academicSessions": [
            session("year", "schoolYear", "2026-08-01", "2027-06-30"),
            session("fall", "term", "2026-08-01", "2026-12-20", "year"),
        ],
        "courses": [
            {"sourcedId": "algebra", "status": "active", "title": "Algebra", "schoolYear": ref("year")}
        ],
        "classes": [a_class("a1")],
        "users": [user("amara"), user("okafor", "teacher")],
        "enrollments": [seat("amara", "a1"), seat("okafor", "a1", "teacher", primary="true")],
        "demographics": [{"sourcedId": "amara", "status": "active", "birthDate": "2011-04-01"}],
    }


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., Report]:
    """`checked(tables, **around)`: the report on these records, served as pages."""

    def run(tables: Tables, **around: Any) -> Report:
        for collection, records in tables.items():
            for number, start in enumerate(range(0, len(records), 50)):
                page = json.dumps(records[start : start + 50])
                (tmp_path / f"{collection}-{number:05}.json").write_text(page, encoding="utf-8")
        return check(tmp_path, Around(TODAY, **around))

    return run


def concerned(report: Report) -> dict[str, list[str]]:
    """{code: the ids that are named} of the lines that found something."""
    return {line.code: [one.id for one in line.examples] for line in report.lines if line.count}


def line(report: Report, code: str) -> Told:
    return next(one for one in report.lines if one.code == code)


def test_a_sound_district_is_counted_and_nothing_is_found(checked):
    report = checked(sound(), domains=("riverbend.example",))
    assert report.counts["users"] == 2
    assert report.roles == {"student": 1, "teacher": 1}
    assert concerned(report) == {}
    assert [one.code for one in report.lines[:8]] == [one.code for one in CLASSIC]


def test_an_app_that_sees_nothing_gets_a_report_of_nothing(checked):
    report = checked({})
    assert set(report.counts.values()) == {0}
    assert concerned(report) == {}


def test_tombstones_do_not_count(checked):
    tables = sound()
    tables["users"].append({"sourcedId": "gone", "status": "tobedeleted", "roles": []})
    assert checked(tables).counts["users"] == 2


def test_the_eight_questions_in_their_order(checked):
    tables = sound()
    tables["users"] += [
        user("no-grade", grades=[]),
        user("unseated"),
        user("untaught"),
        user("idle", "teacher"),
    ]
    tables["classes"] += [a_class("no-period", periods=[]), a_class("empty"), a_class("alone")]
    tables["courses"].append({"sourcedId": "art", "status": "active", "title": "Art"})
    tables["enrollments"] += [
        seat("no-grade", "a1"), seat("untaught", "alone"), seat("amara", "no-period"), seat("okafor", "no-period", "teacher"),
        seat("okafor", "empty", "teacher"),
    ]  # fmt: skip
    found = concerned(checked(tables))
    assert {one.code: found[one.code] for one in CLASSIC} == {
        "students-without-grades": ["no-grade"],
        "students-without-enrollments": ["unseated"],
        "students-without-teachers": ["untaught"],
        "teachers-without-enrollments": ["idle"],
        "classes-without-periods": ["no-period"],
        "classes-without-students": ["empty"],
        "classes-without-teachers": ["alone"],
        "courses-without-classes": ["art"],
    }


WRONG: dict[str, tuple[Callable[[Tables], object], list[str]]] = {
    "people-without-email": (lambda t: t["users"][0].pop("email"), ["amara"]),
    "identifier-shared": (lambda t: [one.update(identifier="7") for one in t["users"]], ["amara", "okafor"]),
    "enrollment-adrift": (lambda t: t["enrollments"].append(seat("nobody", "a1")), ["nobody-a1"]),
    "class-without-terms": (lambda t: t["classes"][0].update(terms=[]), ["a1"]),
    "school-without-district": (lambda t: t["orgs"][1].pop("parent"), ["high"]),
    "session-without-parent": (lambda t: t["academicSessions"][1].pop("parent"), ["fall"]),
    "class-untitled": (lambda t: t["classes"][0].update(title=" "), ["a1"]),
    "grade-unknown": (lambda t: t["users"][0].update(grades=["9th"]), ["amara"]),
    "email-malformed": (lambda t: t["users"][0].update(email="amara at home"), ["amara"]),
    "username-shared": (lambda t: [one.update(username="x") for one in t["users"]], ["amara", "okafor"]),
    "disabled": (lambda t: t["users"][0].update(enabledUser="false"), ["amara"]),
    "class-adrift": (lambda t: t["classes"][0].update(school=ref("nowhere")), ["a1"]),
    "teacher-learns": (lambda t: t["enrollments"].append(seat("okafor", "a1")), ["okafor"]),
    "enrollment-over": (lambda t: t["enrollments"][0].update(endDate="2026-10-01"), ["amara-a1"]),
    "classes-without-grades": (lambda t: t["classes"][0].update(grades=[]), ["a1"]),
    "email-elsewhere": (lambda t: t["users"][0].update(email="amara@home.example"), ["amara"]),
    "person-without-role": (lambda t: t["users"][0].update(roles=[]), ["amara"]),
    "org-circle": (lambda t: t["orgs"][0].update(parent=ref("high")), ["district", "high"]),
    "class-over": (lambda t: t["academicSessions"][1].update(endDate="2026-10-01"), ["a1"]),
    "enrollment-outside": (lambda t: t["enrollments"][0].update(beginDate="2027-01-07"), ["amara-a1"]),
    "year-differs": (lambda t: t["academicSessions"][1].update(schoolYear="2026"), ["a1"]),
    "email-shared": (lambda t: t["users"][1].update(email="AMARA@riverbend.example"), ["amara", "okafor"]),
    "role-differs": (lambda t: t["enrollments"][0].update(role="aide"), ["amara-a1"]),
    "session-reversed": (lambda t: t["academicSessions"][1].update(endDate="2026-07-01"), ["fall"]),
    "no-current-term": (lambda t: [one.update(startDate="2027-01-01") for one in t["academicSessions"]], []),
}
"""{line: (what goes wrong, the ids it names)}; a run of them goes wrong at once, because a check takes its time."""

TOGETHER = {
    "what is missing": list(WRONG)[:8],
    "what is false": list(WRONG)[8:15],
    "what does not fit": list(WRONG)[15:21],
    "what contradicts": list(WRONG)[21:24],
    "no term": list(WRONG)[24:],
}


@pytest.mark.parametrize("codes", TOGETHER.values(), ids=TOGETHER)
def test_what_is_wrong_is_found(checked, codes: list[str]):
    tables = sound()
    for code in codes:
        WRONG[code][0](tables)
    found = concerned(checked(tables, domains=("riverbend.example",)))
    assert {code: found.get(code) for code in codes} == {code: WRONG[code][1] for code in codes}


def test_what_takes_several_records_to_be_wrong_is_found(checked):
    tables = sound()
    tables["users"] += [user("tanaka", "teacher"), user("twin", givenName="amara", familyName="Amara")]
    tables["users"][0]["roles"].append({"roleType": "secondary", "role": "student", "org": ref("middle")})
    tables["users"][3]["roles"][0]["org"] = ref("middle")
    tables["orgs"].append(
        {"sourcedId": "middle", "status": "active", "type": "school", "parent": ref("district")}
    )
    tables["demographics"].append({"sourcedId": "twin", "status": "active", "birthDate": "2011-04-01"})
    tables["classes"] += [a_class("a2", title="A1"), a_class("huge")]
    tables["users"] += [user(f"s{number}") for number in range(116)]
    tables["enrollments"] += [
        seat("tanaka", "a1", "teacher", primary="true"), seat("twin", "a1"), seat("okafor", "a2", "teacher"),
        seat("tanaka", "a2", "teacher"), seat("okafor", "huge", "teacher"), *(seat(f"s{number}", "huge") for number in range(116)),
    ]  # fmt: skip
    found = concerned(checked(tables))
    for code, ids in {
        "several-primaries": ["a1"],
        "no-primary": ["a2"],
        "same-person": ["amara", "twin"],
        "student-two-schools": ["amara"],
        "student-elsewhere": ["twin"],
        "class-title-twice": ["a1", "a2"],
        "class-large": ["huge"],
    }.items():
        assert found[code] == ids, code


def test_every_line_is_tried_by_a_test():
    tried = {*WRONG} | {one.code for one in CLASSIC}
    tried |= {
        "several-primaries", "no-primary", "same-person", "student-two-schools", "student-elsewhere", "class-title-twice",
        "class-large", "opted-out", "demographics-unread", "shared-unread", "person-other-id", "class-other-id",
        "licences-exceeded", "full-little-used",
    }  # fmt: skip
    assert tried == {one.code for one in LINES}


def test_what_the_app_requires_and_lacks_is_told_by_name(checked):
    needs = parse_lines(
        "required users.email: sign-in\nrequired users.identifier: matching\nrequired resources: books\noptional users.sms: texts\n"
        "required users.metadata.house: teams"
    )
    tables = sound()
    del tables["users"][0]["email"]
    tables["users"][1] |= {"identifier": "7", "metadata": {"house": "Otter"}}
    report = checked(tables, needs=needs)
    told = {one.code: (one.count, one.among) for one in report.lines if one.code.startswith("required:")}
    assert told == {
        "required:users.email": (1, 2),
        "required:users.identifier": (1, 2),
        "required:users.metadata.house": (1, 2),
        "required:resources": (1, 1),
    }
    assert "matching" in line(report, "required:users.identifier").meaning


def test_privacy_counts_whom_it_does_not_name(checked):
    report = checked(sound(), opted_out=3, unread=frozenset({"demographics", "orgs", "resources"}))
    assert line(report, "opted-out").count == 3
    assert line(report, "opted-out").examples == ()
    assert line(report, "demographics-unread").count == 1
    assert [one.said for one in line(report, "shared-unread").examples] == ["orgs"]


@pytest.mark.parametrize(
    ("licences", "licensed", "count", "among"),
    [(1, "people", 1, 2), (2, "people", 0, 2), (0, "students", 1, 1), (None, "people", 0, 2)],
)
def test_more_people_than_licences_are_counted_and_not_named(
    checked, licences: int | None, licensed: str, count: int, among: int
):
    told = line(checked(sound(), licences=licences, licensed=licensed), "licences-exceeded")
    assert (told.count, told.among, {one.id for one in told.examples} - {""}) == (count, among, set())


def test_how_many_are_licensed_is_said_first_however_many_are_beyond(checked):
    tables = sound()
    tables["users"] += [user(f"s{number:03}") for number in range(60)]
    [example] = line(checked(tables, licences=10), "licences-exceeded").examples
    assert example.said == "62 people, 10 licences."


def test_who_comes_back_under_another_id_is_named_where_the_app_sees_them(checked):
    others = {"users": {"amara": "a-1", "elsewhere": "e-1"}, "classes": {"a1": "c-1"}}
    report = checked(sound(), other_ids=others)
    assert [(one.id, one.said) for one in line(report, "person-other-id").examples] == [
        ("amara", "Was a-1 before.")
    ]
    assert [one.id for one in line(report, "class-other-id").examples] == ["a1"]


@pytest.mark.parametrize(("unread", "count"), [(5, 0), (6, 6)])
def test_full_access_is_told_of_where_less_than_half_of_it_is_used(checked, unread: int, count: int):
    fields = tuple(f"users.f{number}" for number in range(unread))
    told = line(checked(sound(), full_unread=fields, full_shown=10), "full-little-used")
    assert (told.count, told.among) == (count, 10)
    assert [one.said for one in told.examples] == list(fields[:count])


def test_who_is_bound_to_schools_gets_a_report_of_those_alone(checked):
    tables = sound()
    tables["orgs"].append(
        {"sourcedId": "middle", "status": "active", "type": "school", "parent": ref("district")}
    )
    tables["users"] += [user("lucia", org="middle", grades=[]), user("mateo", grades=[])]
    tables["classes"].append(a_class("m1", school=ref("middle")))
    report = checked(tables, schools=("high",))
    assert report.counts == {
        "orgs": 1, "academicSessions": 2, "courses": 1, "classes": 1, "users": 3, "enrollments": 2, "demographics": 1,
        "resources": 0,
    }  # fmt: skip
    assert concerned(report)["students-without-grades"] == ["mateo"]


def test_examples_are_few_and_the_count_is_all(checked):
    tables = sound()
    tables["users"] += [user(f"s{number:03}") for number in range(60)]
    told = line(checked(tables), "students-without-enrollments")
    assert (told.count, told.among, len(told.examples)) == (60, 61, EXAMPLES)
    assert round(told.percent, 1) == 98.4


def test_a_report_is_the_same_after_it_was_kept(checked):
    report = checked(sound(), opted_out=1)
    assert Report.of(json.loads(json.dumps(report.as_dict()))) == report


def test_as_csv_every_line_and_example_is_a_row(checked):
    tables = sound()
    tables["users"].append(user("=HYPERLINK", grades=[]))
    rows = list(csv.DictReader(csv_lines(checked(tables))))
    assert {row["line"] for row in rows if row["group"] == "classic"} == {one.code for one in CLASSIC}
    [example] = [row for row in rows if row["line"] == "students-without-grades" and row["sourcedId"]]
    assert example["sourcedId"] == "'=HYPERLINK"
    assert example["who"]


def test_every_line_says_what_why_and_who():
    assert len({one.code for one in LINES}) == len(LINES)
    for one in LINES:
        assert one.group in GROUPS
        assert one.severity in SEVERITIES
        assert one.who in WHO
        assert one.meaning.endswith(".")


def test_the_reference_page_names_every_line():
    page = (FOLDER / "sanity.md").read_text(encoding="utf-8")
    assert page == sanity_markdown(), "script/docs writes it anew"
    assert all(f"### {one.code}" in page for one in LINES)
