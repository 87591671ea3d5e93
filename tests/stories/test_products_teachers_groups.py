"""Teachers' groups, a year long: teachers whose classes have pupils, their classes as groups, and people imported one by one."""

from pathlib import Path

import pytest

from rollbook.flows.sync import report
from rollbook.flows.sync.runs import find_run
from rollbook.store.models import Group, Site
from tests.command import rollbook
from tests.stories.a_year import Year, a_year, told, two_schools

pytestmark = pytest.mark.django_db(transaction=True)
PRESET = "teachers-groups"
PUPILS = {f"{place}{number}" for place in "ns" for number in range(1, 7)}


def test_a_year_of_teachers_groups(tmp_path: Path) -> None:
    year = a_year(tmp_path / "roster", two_schools())
    _the_first_sync(year)
    _an_autumn_without_a_default_role(year)
    _one_users_groups_now(year)
    _by_hand_alone(year)
    _who_leaves_has_time_to_come_back(year)
    _the_next_year_under_other_ids(year)


def _the_first_sync(year: Year) -> None:
    """Only teachers with populated classes, and the pupils of these; who has no address is not created, and listed."""
    roster = year.roster
    roster.person("eve", "teacher", "north", email="")
    roster.person("n8", "student", "north", grades="05")
    roster.lesson("sci", "Science 5", "north", "eve", "n8")
    year.connect("2026-08-31", PRESET)
    shown = year.sync("2026-09-01", "preview")
    assert year.approve("2026-09-01", shown["run"]) == {
        "sites": {"create": 2},
        "members": {"create": 15},
        "groups": {"create": 4},
        "memberships": {"create": 19},
    }
    assert year.states() == {"active": {"ada", "ben", "cid"} | PUPILS}
    assert set(year.groups()) == {"Mathematics 5", "Reading 5", "Mathematics 6", "Art 6"}
    assert {one.form for one in Group.objects.all()} == {"group"}
    assert (year.roles("ada"), year.member("ada").username) == (("teacher",), "ada@school.example")
    listed = _reasons(shown["run"])
    assert (listed["eve"], listed["dee"], listed["n8"]) == ("needs-email", "not-teaching", "no-teacher")
    statistics = told("sync", "report", str(shown["run"]))["statistics"]
    assert (statistics["members"], statistics["groups"]) == ({"create": 15}, {"create": 4})
    assert year.left("2026-09-01") == {}


def _an_autumn_without_a_default_role(year: Year) -> None:
    """Pupils in the choir bring its teacher, an address that is there at last another; both without a role until somebody gives them one. The
    username follows the address.
    """
    roster = year.roster
    told("sync", "edit", year.number, "--with", "roles.default_for_new=")
    roster.enroll("choir", "student", "s1", "s2")
    roster.put("users", "eve", email="eve@school.example")
    roster.put("users", "ada", email="ada.married@school.example", familyName="Married")
    roster.exchange("s3", "s4", "email")
    roster.withdraw("m5", "n3")
    roster.enroll("r5", "student", "n3")
    said = year.sync("2026-09-08", "run")
    assert said["statistics"] == {
        "members": {"create": 3, "update": 4},
        "groups": {"create": 2},
        "memberships": {"create": 6, "archive": 1},
    }
    assert year.groups()["Choir"] == {"dee": "teacher", "s1": "student", "s2": "student"}
    assert year.groups()["Science 5"] == {"eve": "teacher", "n8": "student"}
    assert (year.member("ada").username, year.member("s3").username) == ("ada.married@school.example", "s4@school.example")  # fmt: skip
    listed = _reasons(said["run"])
    assert {name for name, reason in listed.items() if reason == "needs-role"} == {"dee", "eve"}
    assert (year.roles("dee"), year.roles("ada")) == ((), ("teacher",))
    told("member", "role", str(year.organization.pk), "dee@school.example", "--set", "aide")
    told("sync", "edit", year.number, "--with", "roles.default_for_new=teacher")


def _one_users_groups_now(year: Year) -> None:
    """One teacher's groups are synced when somebody asks, by the address; what else has changed waits for the night."""
    year.roster.enroll("m5", "student", "n4")
    year.roster.enroll("m6", "student", "n5")
    ada = told("member", "list", str(year.organization.pk), "--search", "ada.married@school.example")
    said = year.sync("2026-09-09", "resync", "--member", str(ada[0]["member"]))
    assert said["statistics"] == {"memberships": {"create": 1}}
    assert "n4" in year.groups()["Mathematics 5"]
    assert "n5" not in year.groups()["Mathematics 6"]


def _by_hand_alone(year: Year) -> None:
    """Nobody is created; candidates are listed as the source has them now, imported singly and several at a time, with role and site."""
    roster = year.roster
    told("sync", "edit", year.number, "--with", "people.create=false")
    for name in ("gil", "hal", "ida", "jon"):
        roster.person(name, "teacher", "north", **({"email": ""} if name == "jon" else {}))
        roster.lesson(f"l-{name}", f"Lesson of {name}", "north", name, "n1 n2")
    site = str(Site.objects.get(name="South School").pk[1])
    listed = {one["source_id"]: one["classes"] for one in year.sync("2026-10-02", "candidates")}
    assert listed == {"gil": ["Lesson of gil"], "hal": ["Lesson of hal"], "ida": ["Lesson of ida"]}
    one = year.sync("2026-10-02", "import", "gil", "--role", "aide", "--site", site)
    assert [(row["source_id"], row["outcome"]) for row in one["people"]] == [("gil", "imported")]
    assert year.groups()["Lesson of gil"] == {"gil": "teacher", "n1": "student", "n2": "student"}
    _queued(one["groupSyncs"], ["gil"])
    assert [row["source_id"] for row in year.sync("2026-10-02", "candidates", "--as-read")] == ["hal", "ida"]
    several = year.sync("2026-10-02", "import", "hal", "jon", "ada", "nobody", "--role", "teacher", "--site", site, expect=1)  # fmt: skip
    assert {row["source_id"]: row["outcome"] for row in several["people"]} == {
        "hal": "imported", "jon": "not-valid", "ada": "has-account", "nobody": "not-there",
    }  # fmt: skip
    assert all(row["why"] for row in several["people"] if row["outcome"] in ("not-valid", "not-there"))
    _queued(several["groupSyncs"], ["hal"])
    assert year.groups()["Lesson of hal"] == {"hal": "teacher", "n1": "student", "n2": "student"}


def _who_leaves_has_time_to_come_back(year: Year) -> None:
    """A teacher is archived after thirty days, and their classes and pupils wait as long; afterwards these have grace of their own. Who was
    imported by hand stays as they were imported, and nobody else is created.
    """
    roster = year.roster
    whole = {name: dict(rows) for name, rows in roster.tables.items()}
    roster.leave("eve")
    roster.post("cid", "teacher", "north")
    assert year.night("2026-10-03", left={"members": {"miss": 1}}) == {
        "members": {"update": 1, "miss": 1},
        "memberships": {"create": 1},
    }
    assert year.sites("cid") == ["North School"]
    assert (year.roles("gil"), year.sites("gil")) == (("aide",), ["North School", "South School"])
    assert (year.roles("dee"), {"ida", "jon"} & year.members().keys()) == (("aide",), set())
    assert year.groups()["Science 5"] == {"eve": "teacher", "n8": "student"}
    assert year.night("2026-11-05", left={"members": {"miss": 1}, "groups": {"archive": 1}}) == {
        "members": {"archive": 1, "miss": 1},
        "groups": {"miss": 1},
    }
    assert year.states()["archived"] == {"eve"}
    roster.tables = whole
    roster.post("cid", "teacher", "north")


def _the_next_year_under_other_ids(year: Year) -> None:
    """Other classes, other ids, other grades: held until somebody has looked, and then the same people; and one of them is back."""
    roster, before = year.roster, {name: one.pk for name, one in year.members().items()}
    roster.year("2027", "2027-08-16", "2028-06-09")
    roster.close(*list(roster.tables["classes"]))
    for name in PUPILS:
        roster.put("users", name, grades="07" if name.startswith("s") else "06")
    roster.lesson("m6-27", "Mathematics 6", "north", "ada eve", "n1 n2 n3 n4 n5 n6 n8")
    roster.lesson("m7-27", "Mathematics 7", "south", "ben", "s1 s2 s3 s4 s5 s6")
    roster.rekey("sis2-")
    said = year.sync("2027-09-01", "run", expect=3)
    assert [one["code"] for one in said["holds"]] == ["rekey"]
    done = year.approve("2027-09-01", said["run"], "--why", "The year is over, and the system is another.")
    assert (done["members"]["relink"], done["members"]["restore"]) == (16, 1)
    assert year.groups()["Mathematics 6"]["eve"] == "teacher"
    assert {name: one.pk for name, one in year.members().items()} == before
    assert year.member("n1").grade == "06"
    assert len(year.groups()["Mathematics 7"]) == 7


def _reasons(run: int) -> dict[str, str]:
    """{sourcedId: why nothing, or not all, was done with that person}"""
    return {
        line.source_id: line.reason for line in report.lines(find_run(run), kind="members", outcome="noted")
    }


def _queued(found: list[int], people: list[str]) -> None:
    """Of each of these people a sync of their groups waits for a worker. There is none: they are called off."""
    runs = [find_run(number) for number in found]
    assert [(run.outcome, run.task["kind"], run.task["focus"]["people"]) for run in runs] == [
        ("", "focus", [one]) for one in people
    ]
    for number in found:
        rollbook("sync", "cancel", str(number))
