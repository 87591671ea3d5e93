"""Teachers and schools, a year long: schools mapped, teachers by their address, and whom the roster lacks in the archive."""

import json
from pathlib import Path

import pytest

from rollbook.flows.directory import add_site, edit_organization
from rollbook.store.models import Case, Site
from tests.command import rollbook
from tests.stories.a_year import Roster, Year, a_year, told

pytestmark = pytest.mark.django_db(transaction=True)
PRESET = "teachers-and-schools"


def teachers() -> Roster:
    """Three schools with teachers; a principal, a pupil and a class, which are no business of this product."""
    made = Roster()
    for source_id, name in (("north", "North School"), ("south", "South School"), ("west", "West School")):
        made.school(source_id, name)
    made.person("ada", "teacher", "north")
    made.person("ben", "teacher", "south")
    made.person("cid", "teacher", "north", "south")
    made.person("dee", "teacher", "south")
    made.person("eve", "teacher", "west")
    made.person("fay", "teacher", "west")
    made.person("wyn", "teacher", "west")
    made.person("pam", "principal", "north")
    made.person("pip", "student", "north", grades="05", email="")
    made.lesson("m5", "Mathematics 5", "north", "ada", "pip")
    return made


def test_a_year_of_teachers_and_schools(tmp_path: Path) -> None:
    year = a_year(tmp_path / "roster", teachers(), domains=[])
    _before(year)
    _mapped_and_shown_first(year)
    _whom_the_source_lacks(year)
    _back_by_hand_and_by_the_roster(year)
    _not_on_this_plan(year)
    _the_next_year(year)


def add(year: Year, name: str, role: str, **more: str) -> None:
    about = {
        "given": name.title(),
        "family": f"Of{name}",
        "email": f"{name}@school.example",
        "role": role,
    } | more
    told("member", "add", str(year.organization.pk), *(text for key, value in about.items() for text in (f"--{key}", value)))  # fmt: skip


def _before(year: Year) -> None:
    """The directory has sites and people of its own; a pupil has the address of a teacher of the source."""
    for name in ("NORTH school", "The South Campus", "Evening School"):
        add_site(year.organization, name)
    with year.on("2026-08-31"):
        add(year, "ada", "teacher", email="Ada@School.EXAMPLE", site="Evening School")
        add(year, "old", "teacher")
        add(year, "boss", "administrator")
        add(year, "fay", "student")


def _mapped_and_shown_first(year: Year) -> None:
    """The same name maps itself, another is mapped by hand, the third is created; two holders of one address are cases."""
    roster = year.roster
    for name in ("gil", "hal"):
        roster.person(name, "teacher", "south", email="office@school.example")
    with year.on("2026-08-31"):
        add(year, "office", "teacher")
    year.connect("2026-09-01", PRESET)
    shown = year.sync("2026-09-01", "preview")
    found = {one["source_id"]: (one["state"], one["site_name"]) for one in year.sync("2026-09-01", "map")}
    assert found == {
        "north": ("wanted", "NORTH school"),
        "south": ("wanted", ""),
        "west": ("wanted", ""),
    }
    campus = str(Site.objects.get(name="The South Campus").pk[1])
    year.sync("2026-09-01", "map", "--school", "south", "--to", campus, "--why", "The same house.")
    assert "changed since" in rollbook("sync", "approve", str(shown["run"]), expect=1).stderr
    shown = year.sync("2026-09-01", "preview")
    assert shown["planned"] == {
        "sites": {"link": 2, "create": 1},
        "members": {"link": 1, "create": 5, "archive": 1},
    }
    assert _cases() == {"fay": "match-thin", "gil": "match-disputed", "hal": "match-disputed"}
    bundles = [(one["reason"], one["outcome"]) for one in _records(shown["run"], "members") if one["what"] == "archived"]  # fmt: skip
    assert bundles == [("unowned", "left-out")]
    done = year.approve("2026-09-01", shown["run"])
    assert done == {"sites": {"link": 2, "create": 1}, "members": {"link": 1, "create": 5}}
    assert year.states() == {
        "active": {"ben", "cid", "dee", "eve", "wyn"},
        "inactive": {"ada", "old", "boss", "fay", "office"},
    }
    assert (year.sites("cid"), year.sites("eve")) == (["NORTH school", "The South Campus"], ["West School"])
    assert year.sites("ada") == ["Evening School", "NORTH school"]
    assert {one.name for one in Site.objects.filter(state="active")} == {
        "NORTH school", "The South Campus", "Evening School", "West School",
    }  # fmt: skip


def _whom_the_source_lacks(year: Year) -> None:
    """What was not ticked goes with the next sync, hand-made or not; one who administers does not, nor one of whom a case asks."""
    assert year.left("2026-09-01") == {"members": {"archive": 1}}
    year.roster.leave("gil", "hal", "ben")
    year.roster.person("ivy", "teacher", "north")
    year.roster.put("users", "dee", familyName="Married")
    with year.on("2026-09-30"):
        add(year, "guest", "teacher")
    assert _next_start(year, "2026-09-30") == "2026-10-01 02:00"
    assert year.night("2026-10-01") == {"members": {"create": 1, "update": 1, "archive": 4}}
    assert year.states() == {
        "active": {"cid", "dee", "eve", "ivy", "wyn"},
        "inactive": {"ada", "boss", "fay"},
        "archived": {"old", "office", "guest", "ben"},
    }
    assert year.member("dee").family_name == "Married"


def _back_by_hand_and_by_the_roster(year: Year) -> None:
    """Who is unarchived by hand stays, over two syncs; who is in the roster again is unarchived. A forced sync does not wait for the month."""
    with year.on("2026-10-02"):
        told("member", "restore", str(year.organization.pk), "old@school.example", "--why", "A mistake.")
    before = {name: year.member(name).pk for name in ("ben", "eve")}
    year.roster.person("ben", "teacher", "south")
    year.roster.exchange("dee", "cid", "email")
    year.roster.leave("eve")
    assert year.night("2026-10-09") == {"members": {"restore": 1, "update": 3, "archive": 1}}
    assert (year.member("dee").email, year.member("cid").email) == (
        "cid@school.example",
        "dee@school.example",
    )
    assert year.states()["archived"] == {"office", "guest", "eve"}

    year.roster.post("cid", "teacher", "north")
    year.roster.post("ivy", "counselor", "north")
    year.roster.person("eve", "teacher", "south")
    assert year.night("2026-12-01") == {"members": {"update": 1, "restore": 1, "archive": 1}}
    assert (year.sites("cid"), year.sites("eve")) == (["NORTH school"], ["The South Campus"])
    assert year.states()["archived"] == {"office", "guest", "ivy"}
    assert year.member("old").state == "inactive"
    assert {name: year.member(name).pk for name in ("ben", "eve")} == before


def _not_on_this_plan(year: Year) -> None:
    edit_organization(year.organization, entitlements=[])
    assert "plan does not include" in rollbook("sync", "run", year.number, expect=1).stderr
    edit_organization(year.organization, entitlements=["rostering"])


def _the_next_year(year: Year) -> None:
    """A school more; all under other ids, the schools too: so few are re-linked at once. Two retire, and that is as many as somebody allows."""
    before = {name: one.pk for name, one in year.members().items()}
    told("sync", "edit", year.number, "--with", "limits.members.number=2")
    year.roster.school("east", "East School")
    year.roster.person("kim", "teacher", "east")
    year.roster.leave("ada", "dee")
    year.roster.rekey("sis2-")
    said = year.sync("2027-09-01", "run", expect=4)
    assert said["statistics"] == {
        "sites": {"create": 1, "relink": 3},
        "members": {"create": 1, "relink": 4},
    }
    assert [(one["code"], one["level"]) for one in said["holds"]] == [
        ("number", "organization"),
        ("to-zero", "site"),
    ]
    assert not {"ada", "dee"} & year.states()["archived"]
    assert year.approve("2027-09-01", said["run"], "--why", "They have retired.")["members"]["archive"] == 2
    assert {name: year.members()[name].pk for name in before} == before
    assert year.left("2027-09-01") == {}


def _cases() -> dict[str, str]:
    return dict(Case.objects.filter(closed_at=None).values_list("source_id", "code"))


def _records(run: int, kind: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = told("sync", "report", str(run), "--kind", kind)["records"]
    return found


def _next_start(year: Year, day: str) -> str:
    with year.on(day):
        [found] = json.loads(rollbook("sync", "calendar", "--json").stdout)
    return str(found["next"])
