"""What begins and ends between a roster today and a roster on a day to come, and who is left without a class."""

from datetime import date
from pathlib import Path

import pytest

from rollbook.engine.outlook import Outlook, Seats, Turn, look_ahead
from tests.engine.packages import Roster
from tests.engine.test_plan import class_, enrollment, org, riverbend, role, session, user

IN_SPRING, LAST_DAY, FIRST_DAY, IN_AUTUMN = (
    date(2027, 3, 1),
    date(2027, 6, 29),
    date(2027, 6, 30),
    date(2027, 9, 15),
)
NEXT = {"startDate": "2027-08-01", "endDate": "2028-06-30", "schoolYear": "2028"}


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    roster = Roster(tmp_path / "roster")
    roster.deliver(riverbend())
    return roster


def ahead(roster: Roster, before: Path, today: date, on: date) -> Outlook:
    return look_ahead((before, today), (roster.accepted, on), roster.folder)


def test_the_same_roster_on_the_same_day_turns_nothing(roster: Roster):
    outlook = ahead(roster, roster.accepted, IN_SPRING, IN_SPRING)
    assert outlook.turns == {
        "academicSessions": Turn(2, 2, 0, 0),
        "classes": Turn(1, 1, 0, 0),
        "roles": Turn(3, 3, 0, 0),
        "enrollments": Turn(3, 3, 0, 0),
    }
    assert outlook.without_class == {"student": Seats(0, 0, 0), "teacher": Seats(0, 0, 0)}


def test_the_day_a_session_ends_on_is_not_of_it(roster: Roster):
    assert ahead(roster, roster.accepted, IN_SPRING, LAST_DAY).turns["classes"] == Turn(1, 1, 0, 0)
    assert ahead(roster, roster.accepted, IN_SPRING, FIRST_DAY).turns["classes"] == Turn(1, 0, 0, 1)


def test_a_year_that_is_over_leaves_everybody_without_a_class(roster: Roster):
    outlook = ahead(roster, roster.accepted, IN_SPRING, IN_AUTUMN)
    assert outlook.turns["academicSessions"] == Turn(2, 0, 0, 2)
    assert outlook.turns["enrollments"] == Turn(3, 0, 0, 3)
    assert outlook.without_class == {"student": Seats(0, 2, 2), "teacher": Seats(0, 1, 1)}


def test_the_next_year_begins_with_the_delivery_that_brings_it(roster: Roster):
    before = roster.accepted
    roster.deliver(
        riverbend(
            academicSessions=[
                session("year-2", type="schoolYear", **NEXT),
                session("term-2", parentSourcedId="year-2", **NEXT),
            ],
            classes=[
                class_("class-2", termSourcedIds="term-2"),
                class_("club", termSourcedIds="term-2,year-2"),
            ],
            users=[user("teacher"), user("ana"), user("cleo"), user("mother")],
            roles=[role("teacher", "teacher"), role("ana", "student"), role("cleo", "student")],
            enrollments=[
                enrollment("e-2", "teacher", role="teacher", classSourcedId="class-2"),
                enrollment(
                    "e-3", "ana", classSourcedId="class-2", beginDate="2027-08-01", endDate="2027-09-01"
                ),
                enrollment("e-4", "cleo", classSourcedId="club"),
            ],
        )
    )
    outlook = ahead(roster, before, IN_SPRING, IN_AUTUMN)
    assert outlook.turns["classes"] == Turn(1, 2, 2, 1)
    assert outlook.turns["roles"] == Turn(3, 3, 1, 1)
    assert outlook.turns["enrollments"] == Turn(3, 2, 2, 3)
    assert outlook.without_class["student"] == Seats(0, 1, 1)


def test_before_the_first_delivery_all_begins(tmp_path: Path):
    roster = Roster(tmp_path / "first")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    roster.deliver(riverbend(orgs=[org("district", type="district"), org("school")]))
    assert ahead(roster, nothing, IN_SPRING, IN_SPRING).turns["classes"] == Turn(0, 1, 1, 0)
