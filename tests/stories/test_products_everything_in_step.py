"""Everything in step, a year long: accounts, classes and enrollments follow the roster, and every record's outcome can be read."""

import csv
from pathlib import Path

import pytest

from rollbook.flows import groups
from rollbook.flows.groups import KeptCentrally
from rollbook.store.models import Group
from tests.command import rollbook
from tests.stories.a_year import GUARDIANS, STAFF, Year, a_year, told, two_schools

pytestmark = pytest.mark.django_db(transaction=True)
PRESET = "everything-in-step"
GRADUATES = [f"s{number}" for number in range(1, 6)]
STAY = [f"n{number}" for number in range(1, 8)]
EVERYBODY = {name for name, *_ in STAFF} - GUARDIANS | {f"{place}{number}" for place in "ns" for number in range(1, 7)}  # fmt: skip


def test_a_year_of_everything_in_step(tmp_path: Path) -> None:
    year = a_year(tmp_path / "roster", two_schools())
    _the_first_sync(year, tmp_path / "export.csv")
    _kept_centrally(year)
    _weekly_and_now(year)
    _an_autumn(year)
    _in_two_steps(year)
    _the_next_year(year)
    _another_information_system(year)


def _the_first_sync(year: Year, export: Path) -> None:
    """All accounts, classes and enrollments; the export has every record with what became of it, and the reason where nothing did."""
    year.roster.person("two", "student", "south", email="n1@school.example", grades="06")
    year.roster.enroll("r5", "aide", "abe")  # no role of an enrollment, says the standard
    year.connect("2026-08-31", PRESET, "--with", "limits.memberships.floor=50")
    shown = year.sync("2026-09-01", "preview")
    done = year.approve("2026-09-01", shown["run"])
    assert done == {
        "sites": {"create": 2},
        "members": {"create": 23},
        "groups": {"create": 5},
        "memberships": {"create": 21},
    }
    assert year.states() == {"active": EVERYBODY}
    staff = {name for name, *_ in STAFF} - GUARDIANS
    assert {year.roles(name) for name in staff} == {("teacher",)}
    assert {len(people) for people in year.groups().values()} == {4, 8, 1}
    rollbook("sync", "report", str(shown["run"]), "--csv", str(export))
    with export.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    accounts = {row["sourcedId"]: (row["what"], row["outcome"]) for row in rows if row["kind"] == "members"}
    assert accounts == (
        dict.fromkeys(EVERYBODY, ("created", "done"))
        | dict.fromkeys(GUARDIANS, ("skipped", "noted"))
        | {"two": ("skipped", "noted")}
    )
    assert {row["sourcedId"]: row["reason"] for row in rows if row["outcome"] != "done"} == (
        dict.fromkeys(GUARDIANS, "never-a-member") | {"two": "value-taken", "e-r5-abe": "enum"}
    )
    assert all(row["words"] for row in rows if row["outcome"] != "done")
    assert [sum(row["kind"] == kind for row in rows) for kind in ("sites", "groups", "memberships")] == [
        2,
        5,
        21 + 1,
    ]
    _every_state(year)
    year.roster.leave("two")
    year.roster.withdraw("r5", "abe")


def _every_state(year: Year) -> None:
    """On any day, changed or not: what each record is, and why it is nothing."""
    found = {(one["kind"], one["sourcedId"]): one for one in told("sync", "states", year.number)}
    assert len(found) == 2 + 27 + 5
    assert {one["state"] for (kind, name), one in found.items() if name not in {*GUARDIANS, "two"}} == {
        "active"
    }
    assert found["members", "n1"]["record"] == str(year.member("n1").pk[1])
    assert {name: found["members", name]["reasons"] for name in ("gus", "two")} == {
        "gus": ["never-a-member"],
        "two": ["match-disputed"],
    }
    assert {found["members", name]["state"] for name in ("gus", "two")} == {"absent"}


def _kept_centrally(year: Year) -> None:
    """Classes are made and changed in the roster alone."""
    [art] = Group.objects.filter(title="Art 6")
    for act in (lambda: groups.rename(art, "Painting"), lambda: groups.put_in(art, year.member("n1"))):
        with pytest.raises(KeptCentrally):
            act()
    refused = rollbook("group", "title", str(year.organization.pk), "Art 6", "Painting", expect=1)
    assert "kept by its sync" in refused.stderr


def _weekly_and_now(year: Year) -> None:
    """Every night, or once a week; and at any time when somebody says so."""
    with year.on("2026-09-02"):
        assert told("sync", "calendar")[0]["next"] == "2026-09-03 02:00"
        told("sync", "edit", year.number, "--with", "timing.every=week", "--with", "timing.weekday=4")
        assert told("sync", "calendar")[0]["next"] == "2026-09-04 02:00"


def _an_autumn(year: Year) -> None:
    """A grade move, a class with another title, a joiner, a guardian who is employed, a change of class, a new name, addresses exchanged; a
    teacher of two schools leaves one.
    """
    roster = year.roster
    roster.put("users", "n1", grades="06")
    roster.put("classes", "a6", title="Art and Design 6")
    roster.person("n7", "student", "north", grades="05")
    roster.enroll("m5", "student", "n7")
    roster.post("gus", "aide", "north")
    roster.withdraw("m5", "n2")
    roster.enroll("r5", "student", "n2")
    roster.put("users", "ada", familyName="Married")
    roster.exchange("s1", "s2", "email")
    roster.post("cid", "teacher", "north")
    roster.withdraw("a6", "cid")
    roster.enroll("a6", "teacher", "dee")
    roster.leave("s6", "n4")
    roster.close("choir")
    assert year.night("2026-09-08", left={"members": {"miss": 2}, "groups": {"archive": 1}}) == {
        "members": {"create": 2, "update": 6, "miss": 2},
        "groups": {"update": 1, "miss": 1},
        "memberships": {"create": 3, "archive": 2},
    }
    assert year.member("n1").grade == "06"
    assert "Art and Design 6" in year.groups()
    assert year.roles("gus") == ("teacher",)
    assert (year.sites("cid"), year.groups()["Art and Design 6"]["dee"]) == (["North School"], "teacher")
    assert set(year.groups()["Reading 5"]) == {"cid", "n4", "n5", "n6", "n2"}
    assert year.states() == {"active": EVERYBODY | {"n7", "gus"}}


def _in_two_steps(year: Year) -> None:
    """Who is missing for more than a week is archived, and so is a class at the second look; who was on the way to another school is there."""
    n4 = year.member("n4").pk
    year.roster.person("n4", "student", "south", grades="06")
    year.roster.enroll("m6", "student", "n4")
    assert year.night("2026-09-16") == {
        "members": {"find": 1, "update": 1, "archive": 1},
        "groups": {"archive": 1},
        "memberships": {"create": 1, "archive": 1},
    }
    assert (year.states()["archived"], year.member("n4").pk) == ({"s6"}, n4)
    assert (year.sites("n4"), year.groups()["Mathematics 6"]["n4"]) == (["South School"], "student")
    assert "Choir" not in year.groups()


def _the_next_year(year: Year) -> None:
    """Grades move up by themselves, and one is back; who has left, and last year's classes, wait for the second look."""
    roster = year.roster
    roster.year("2027", "2027-08-16", "2028-06-09")
    roster.close("m5", "r5", "m6", "a6")
    roster.leave(*GRADUATES)
    for name in STAY:
        roster.put("users", name, grades={"n1": "07", "n4": "07"}.get(name, "06"))
    s6 = year.member("s6").pk
    roster.person("s6", "student", "south", grades="06")
    roster.lesson("m6-27", "Mathematics 6", "north", "ada", "n2 n3 n5 n6 n7 s6")
    roster.lesson("m7-27", "Mathematics 7", "south", "ben", "n1 n4")
    assert year.night("2027-08-30", left={"members": {"miss": 5}, "groups": {"archive": 4}}) == {
        "members": {"update": 7, "restore": 1, "miss": 5},
        "groups": {"create": 2, "miss": 4},
        "memberships": {"create": 10},
    }
    assert [year.member(name).grade for name in STAY] == ["07", "06", "06", "07", "06", "06", "06"]
    assert (year.member("s6").pk, year.member("s6").state) == (s6, "active")


def _another_information_system(year: Year) -> None:
    """Everybody comes under another sourcedId, and those who left are missing for good: nothing is done unasked."""
    before = {name: one.pk for name, one in year.members().items()}
    year.roster.rekey("sis2-")
    said = year.sync("2027-09-10", "run", expect=3)
    assert "rekey" in {one["code"] for one in said["holds"]}
    assert year.approve("2027-09-10", said["run"], "--why", "Another system, another year.") == {
        "sites": {"relink": 2},
        "members": {"relink": 20, "archive": 5},
        "groups": {"relink": 2, "archive": 4},
    }
    assert year.states()["archived"] == set(GRADUATES)
    assert {name: one.pk for name, one in year.members().items()} == before
    assert {title: len(people) for title, people in year.groups().items()} == {"Mathematics 6": 7, "Mathematics 7": 3}  # fmt: skip
    assert year.left("2027-09-10") == {}
