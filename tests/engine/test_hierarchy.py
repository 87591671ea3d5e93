"""Parents of orgs and sessions, their dates and school years."""

from pathlib import Path

import pytest

from tests.engine.packages import Roster, write_package
from tests.engine.suspects import codes, district, session, told, whose

MOMENT = "2026-09-01T08:00:00.000Z"


def org(one: str, parent: str = "", kind: str = "department") -> dict[str, str]:
    return {"sourcedId": one, "name": one, "type": kind, "parentSourcedId": parent}


def test_circles_are_told_of_once_each_whatever_hangs_below(tmp_path: Path):
    orgs = [
        org("a", "c"), org("b", "a"), org("c", "b"), org("below-a", "a"), org("below-that", "below-a"),
        org("self", "self"), org("d", "e"), org("e", "d"), org("fine", "district"),
    ]  # fmt: skip
    found = told(tmp_path, district(orgs=orgs))
    assert [(one.code, one.source_id, one.count) for one in found] == [
        ("circular", "a", 3), ("circular", "d", 2), ("circular", "self", 1),
    ]  # fmt: skip
    assert found[0].message.startswith("a → c → b → a. ")
    assert found[2].message.startswith("It is its own parent. ")


def test_a_deep_tree_is_no_circle_and_a_long_circle_is(tmp_path: Path):
    deep = [org(f"o-{n:03}", f"o-{n - 1:03}" if n else "district") for n in range(100)]
    assert not told(tmp_path / "deep", district(orgs=deep))
    deep[0]["parentSourcedId"] = "o-099"
    [found] = told(tmp_path / "long", district(orgs=deep))
    assert (found.code, found.count) == ("circular", 100)


def test_a_change_can_close_a_circle_through_what_is_stored(tmp_path: Path):
    roster = Roster(tmp_path)
    roster.take(write_package(tmp_path / "first", district()))
    change = {**org("district", "school", "district"), "status": "active", "dateLastModified": MOMENT}
    [found] = told(tmp_path / "second", {"orgs": [change]}, roster.accepted, "delta")
    assert (found.code, found.source_id, found.count) == ("circular", "district", 2)


def test_a_school_without_parent_is_alone_only_where_there_is_a_district(tmp_path: Path):
    assert whose(told(tmp_path / "one", district(orgs=[org("alone", "", "school")])), "school-alone") == {
        "alone"
    }
    assert not told(tmp_path / "other", {"orgs": [org("alone", "", "school")]})


@pytest.mark.parametrize(
    ("first", "last", "year", "odd"),
    [
        ("2026-08-17", "2026-12-18", "2027", set()),
        ("2026-08-17", "2027-06-11", "2027", set()),
        ("2026-08-17", "2027-06-12", "2027", {"session-outside"}),
        ("2026-08-16", "2027-01-11", "2027", {"session-outside"}),
        ("2026-08-17", "2026-12-18", "2026", {"school-year"}),
        ("2027-01-11", "2027-06-11", "2028", {"school-year"}),
        ("2027-01-11", "2027-06-11", "2026", {"school-year"}),
    ],
)
def test_terms_inside_their_year(first: str, last: str, year: str, odd: set[str], tmp_path: Path):
    assert codes(told(tmp_path, district(academicSessions=[session("term", first, last, year)]))) == odd


@pytest.mark.parametrize(
    ("first", "last", "year", "odd"),
    [
        ("2026-01-26", "2026-12-11", "2026", False),
        ("2026-08-17", "2027-06-11", "2026", True),
        ("2026-08-17", "2027-06-11", "2028", True),
    ],
    ids=["of a calendar year", "named for its beginning", "a year off"],
)
def test_school_years_are_named_for_their_end(first: str, last: str, year: str, odd: bool, tmp_path: Path):
    year_ = session("other", first, last, year, type="schoolYear", parentSourcedId="")
    assert codes(told(tmp_path, district(academicSessions=[year_]))) == ({"school-year"} if odd else set())


def test_a_term_of_no_year_is_noted_where_there_are_years(tmp_path: Path):
    term = session("term", "2027-01-11", "2027-06-11", parentSourcedId="")
    [found] = told(tmp_path / "one", district(academicSessions=[term]))
    assert (found.code, found.severity) == ("session-alone", "note")
    assert not told(tmp_path / "other", {"academicSessions": [term]})
