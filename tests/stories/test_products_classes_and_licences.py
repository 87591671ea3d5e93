"""Classes and licences, a year long: who is rostered uses no seat before they sign in, and nobody loses what they are in."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollbook.engine.sync.policy import preset
from rollbook.flows import members
from rollbook.flows.members import OtherProvider
from rollbook.store.models import Group
from tests.stories.a_year import GUARDIANS, STAFF, Year, a_year, told, two_schools

pytestmark = pytest.mark.django_db(transaction=True)
PRESET = "classes-and-licences"
EVERYBODY = {name for name, *_ in STAFF} - GUARDIANS | {f"{place}{number}" for place in "ns" for number in range(1, 7)}  # fmt: skip


def test_a_year_of_classes_and_licences(tmp_path: Path) -> None:
    year = a_year(tmp_path / "roster", two_schools(), seats_bought=10)
    _the_first_sync(year)
    _sign_ins(year)
    _an_autumn(year)
    _groups_become_classes(year)
    _the_next_year(year)
    _another_information_system(year)


def _the_first_sync(year: Year) -> None:
    """Everybody is there and nobody holds a seat; an administrator who was there before stays."""
    year.connect(
        "2026-08-31", PRESET, "--with", "classes.form=group", "--with", "limits.memberships.floor=50"
    )
    with year.on("2026-08-31"):
        boss = (
            "--given",
            "Boss",
            "--family",
            "Of",
            "--email",
            "boss@school.example",
            "--role",
            "administrator",
        )
        told("member", "add", str(year.organization.pk), *boss)
    shown = year.sync("2026-09-01", "preview")
    assert (shown["outcome"], year.states()) == ("previewed", {"inactive": {"boss"}})
    done = year.approve("2026-09-01", shown["run"])
    assert done == {
        "sites": {"create": 2},
        "members": {"create": 23},
        "groups": {"create": 5},
        "memberships": {"create": 21},
    }
    assert year.states() == {"inactive": EVERYBODY | {"boss"}}
    assert _seats_taken(year) == 0
    teachers = {name for name in EVERYBODY if year.roles(name) == ("teacher",)}
    assert teachers == {"ada", "ben", "cid", "dee", "pam", "kay", "sam", "sue", "sys"}
    assert (year.roles("abe"), year.roles("pia"), year.roles("n1")) == (("aide",), ("proctor",), ("student",))
    assert year.groups()["Reading 5"] == {"cid": "teacher", "n4": "student", "n5": "student", "n6": "student"}
    assert year.groups()["Mathematics 6"]["pia"] == "proctor"
    assert year.left("2026-09-01") == {}


def _sign_ins(year: Year) -> None:
    """The rostering provider's takes a seat, another does not before that, unless the settings say any may."""
    now = datetime(2026, 9, 2, 8, tzinfo=UTC)
    found = members.find_member(year.organization, "N1@School.example")
    with pytest.raises(OtherProvider):
        members.activate(found, now, "google")
    assert members.activate(found, now, "Roster")
    assert members.activate(found, now, "google") is False
    assert members.find_member(year.organization, "n1@school.example").pk == found.pk
    assert (year.states()["active"], _seats_taken(year)) == ({"n1"}, 1)
    told("sync", "edit", year.number, "--with", "access.activation=any-sign-in")
    assert members.activate(members.find_member(year.organization, "n2@school.example"), now, "google")
    assert (year.states()["active"], _seats_taken(year)) == ({"n1", "n2"}, 2)


def _an_autumn(year: Year) -> None:
    """Joiner, leaver, a change of class, a marriage, addresses exchanged, another role, a teacher of two schools who leaves one; one read is
    enough to be archived. Then a return, and the second step of a move to another school: those who are back are who they were.
    """
    roster = year.roster
    told("member", "role", str(year.organization.pk), "ben@school.example", "--set", "administrator")
    roster.person("n7", "student", "north", grades="05")
    roster.enroll("m5", "student", "n7")
    roster.withdraw("m5", "n1")
    roster.enroll("r5", "student", "n1")
    roster.leave("s6", "n4")
    roster.put("users", "ada", familyName="Married")
    roster.exchange("n2", "n3", "email")
    roster.post("abe", "teacher", "north")
    roster.post("cid", "teacher", "north")
    roster.withdraw("a6", "cid")
    roster.enroll("a6", "teacher", "dee")
    assert year.night("2026-09-08") == {
        "members": {"create": 1, "update": 6, "archive": 2},
        "memberships": {"create": 3, "archive": 2},
    }
    gone = {"s6", "n4"}
    assert year.states() == {"active": {"n1", "n2"}, "archived": gone, "inactive": EVERYBODY - {"n1", "n2"} - gone | {"n7", "boss"}}  # fmt: skip
    assert (year.member("n2").email, year.member("n3").email) == ("n3@school.example", "n2@school.example")
    assert year.member("ada").family_name == "Married"
    assert [title for title, people in year.groups().items() if "n1" in people] == ["Reading 5"]
    assert (year.roles("abe"), year.sites("cid")) == (("teacher",), ["North School"])
    assert year.groups()["Art 6"] == {"dee": "teacher", "s1": "student", "s2": "student", "s3": "student"}

    before = {name: year.member(name).pk for name in gone}
    for name in gone:
        roster.person(name, "student", "south", grades="06")
        roster.enroll("m6", "student", name)
    assert year.night("2026-10-06") == {
        "members": {"restore": 2},
        "memberships": {"create": 1, "archive": 1},
    }
    assert {name: year.member(name).pk for name in gone} == before
    assert (year.sites("n4"), year.member("n4").grade) == (["South School"], "06")
    assert gone <= set(year.groups()["Mathematics 6"])
    assert "n4" not in year.groups()["Reading 5"]
    assert (year.roles("ben"), year.roles("boss")) == (("administrator",), ("administrator",))
    assert _seats_taken(year) == 2


def _groups_become_classes(year: Year) -> None:
    """The connection is an older one; nobody is put in or taken out. (The other way: tests/cli/test_sync.py.)"""
    before = year.groups()
    assert {one.form for one in Group.objects.all()} == {"group"}
    shown = year.sync("2026-11-02", "switch", "--to", "class")
    assert year.approve("2026-11-02", shown["run"]) == {"groups": {"update": 5}}
    assert ({one.form for one in Group.objects.all()}, year.groups()) == ({"class"}, before)
    assert year.left("2026-11-02") == {}


def _the_next_year(year: Year) -> None:
    """Grade 5 moves up and to the other school, at once; that grade 6 leaves, and all classes, waits for a person: the limits guard."""
    roster = year.roster
    roster.year("2027", "2027-08-16", "2028-06-09")
    roster.leave(*(f"s{number}" for number in range(1, 7)), "n4")
    roster.close("m5", "r5", "m6", "a6", "choir")
    for name in ("n1", "n2", "n3", "n5", "n6", "n7"):
        roster.put("users", name, grades="06")
        roster.post(name, "student", "south")
    roster.person("k1", "student", "north", grades="05")
    roster.lesson("m5-27", "Mathematics 5", "north", "ada", "k1")
    roster.lesson("m6-27", "Mathematics 6", "south", "ben", "n1 n2 n3 n5 n6 n7")
    said = year.sync("2027-08-30", "run", expect=4)
    assert {one["kind"] for one in said["holds"]} == {"members"}
    assert " 7 wait for a person" in said["message"]
    assert year.states().keys() == {"active", "inactive"}
    assert (year.member("n1").grade, year.sites("n1")) == ("06", ["South School"])
    year.approve("2027-08-30", said["run"], "--why", "The year is over.")
    assert year.states()["archived"] == {"s1", "s2", "s3", "s4", "s5", "s6", "n4"}
    assert {title: len(people) for title, people in year.groups().items()} == {"Mathematics 5": 2, "Mathematics 6": 7}  # fmt: skip
    assert year.left("2027-08-30") == {}
    assert _seats_taken(year) == 2


def _another_information_system(year: Year) -> None:
    """Everybody comes under another sourcedId: nothing is done unasked, and then everybody is who they were."""
    before, groups = {name: one.pk for name, one in year.members().items()}, year.groups()
    year.roster.rekey("sis2-")
    said = year.sync("2027-09-14", "run", expect=3)
    assert [one["code"] for one in said["holds"]] == ["rekey"]
    done = year.approve("2027-09-14", said["run"], "--why", "They have another system.")
    assert done == {"sites": {"relink": 2}, "members": {"relink": 18}, "groups": {"relink": 2}}
    assert ({name: one.pk for name, one in year.members().items()}, year.groups()) == (before, groups)
    assert year.left("2027-09-14") == {}


def test_assignments_are_not_synced_and_the_settings_say_so() -> None:
    assert "Assignments are not synced." in preset(PRESET).about


def _seats_taken(year: Year) -> int:
    year.organization.refresh_from_db()
    return year.organization.seats_taken
