"""`rollbook sync`: from an empty directory to a kept one, by commands alone."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rollbook.store.models import Member, Organization
from tests.command import rollbook
from tests.engine.sync.schools import changed, school, without
from tests.flows.sync.organizations import an_organization, deliver
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "roster"
    deliver(place, school())
    return place


@pytest.fixture
def organization() -> Organization:
    return an_organization()


def told(*arguments: str, expect: int = 0) -> Any:
    return json.loads(rollbook("sync", *arguments, "--json", expect=expect).stdout)


def connect(
    organization: Organization, folder: Path, *more: str, preset: str = "classes-and-licences"
) -> str:
    made = told(
        "connect",
        str(organization.pk),
        "Roster",
        "--kind",
        "folder",
        "--preset",
        preset,
        "--set",
        f"path={folder}",
        *more,
    )
    number = str(made["connection"])
    assert made["state"] == "requested"
    told("test", number)
    assert told("activate", number)["state"] == "active"
    return number


class Synced(NamedTuple):
    """A connection's number, its folder, and the run that was shown and approved."""

    number: str
    folder: Path
    run: str


def a_first_sync(folder: Path, *more: str) -> Synced:
    deliver(folder, school())
    number = connect(an_organization(), folder, *more)
    shown = str(told("preview", number)["run"])
    told("approve", shown)
    return Synced(number, folder, shown)


def a_first_sync_with_limits(folder: Path) -> Synced:
    return a_first_sync(folder, "--with", "limits.members.floor=1")


synced = kept(a_first_sync)
limited = kept(a_first_sync_with_limits)


def test_a_first_sync_is_previewed_mapped_approved_and_reported(
    organization: Organization, folder: Path, tmp_path: Path
) -> None:
    number = connect(organization, folder)
    shown = told("preview", number)
    assert shown["outcome"] == "previewed"
    assert shown["planned"]["members"] == {"create": 5}
    assert {one["source_id"]: one["state"] for one in told("map", number)} == {
        "north": "wanted",
        "south": "wanted",
    }
    done = told("approve", str(shown["run"]))
    assert (done["outcome"], done["statistics"]["memberships"]) == ("success", {"create": 5})
    assert "members: 5 created" in rollbook("sync", "report", str(shown["run"])).stdout
    listed = tmp_path / "report.csv"
    rollbook("sync", "report", str(shown["run"]), "--csv", str(listed))
    assert len(listed.read_text(encoding="utf-8").splitlines()) == 1 + 2 + 5 + 2 + 5
    assert told("run", number)["outcome"] == "empty"
    assert [one["outcome"] for one in told("status", number)] == ["empty", "success"]
    steps = {one["step"] for one in told("explain", number, "p1")["steps"]}
    assert {"read", "roles", "match"} <= steps


def test_an_organizations_own_folder_is_made_and_said(organization: Organization, tmp_path: Path, settings):
    settings.SOURCE_FOLDERS = tmp_path
    said = rollbook("sync", "connect", str(organization.pk), "Files", "--kind", "own_folder").stdout
    place = tmp_path / str(organization.pk)
    assert f"put the files into {place}" in said
    deliver(place, school())
    number = str(told("list", "--organization", str(organization.pk))[0]["connection"])
    assert "users.csv" in told("test", number)[0]


def test_a_school_that_is_decided_about_goes_where_it_was_said(
    organization: Organization, folder: Path
) -> None:
    number = connect(organization, folder)
    shown = told("preview", number)
    assert told("map", number, "--school", "south", "--ignore")[1]["state"] == "ignored"
    assert "changed since" in rollbook("sync", "approve", str(shown["run"]), expect=1).stderr
    approved = told("approve", str(told("preview", number)["run"]))
    assert approved["outcome"] == "success"
    assert set(Member.objects.values_list("source_id", flat=True)) == {"t1", "p1", "p2"}


def test_what_is_held_waits_and_is_let_through_or_not(limited: Synced) -> None:
    number, folder, _ = limited
    deliver(folder, changed(without(school(), "p1", "p2", "p3"), "users", "t1", givenName="Tessa"))
    held = told("run", number, expect=4)
    assert held["outcome"] == "partly"
    assert Member.objects.get(source_id="t1").given_name == "Tessa"
    assert "archived" not in Member.objects.values_list("state", flat=True)
    again = told("run", number, expect=3)
    assert [one["decision"] for one in told("report", str(held["run"]))["holds"]] == ["replaced"] * len(
        held["holds"]
    )
    assert [one["since"] for one in again["holds"]] == [one["since"] for one in held["holds"]]
    assert "Say why" in rollbook("sync", "approve", str(again["run"]), expect=1).stderr
    done = told("approve", str(again["run"]), "--why", "They have left.")
    assert done["outcome"] == "success"
    assert set(Member.objects.filter(state="archived").values_list("source_id", flat=True)) == {
        "p1",
        "p2",
        "p3",
    }
    assert told("run", number)["outcome"] == "empty"
    deliver(folder, school())
    back = told("run", number)
    assert back["statistics"]["members"]["restore"] == 3
    assert "archived" not in Member.objects.values_list("state", flat=True)


def test_people_are_imported_by_hand_where_nobody_is_created(
    organization: Organization, folder: Path
) -> None:
    number = connect(organization, folder, "--with", "people.create=false", preset="teachers-groups")
    listed = told("candidates", number)
    assert [(one["source_id"], one["classes"]) for one in listed] == [
        ("t1", ["Mathematics 5"]),
        ("t2", ["Mathematics 6"]),
    ]
    done = told("import", number, "t1", "p1", "nobody", "--role", "aide", expect=1)
    assert [one["outcome"] for one in done["people"]] == ["imported", "not-valid", "not-there"]
    assert len(done["groupSyncs"]) == 1
    teacher = Member.objects.get(source_id="t1")
    assert json.loads(teacher.roles) == ["aide"]
    assert [one["source_id"] for one in told("candidates", number, "--as-read")] == ["t2"]
    again = told("import", number, "t1", expect=1)
    assert again["people"][0]["outcome"] == "has-account"


def test_one_person_is_synced_now_and_nobody_else(synced: Synced) -> None:
    number, folder, _ = synced
    tables = changed(
        changed(school(), "users", "p1", givenName="Philippa"), "users", "p3", givenName="Petronella"
    )
    deliver(folder, tables)
    member = str(Member.objects.get(source_id="p1").pk[1])
    assert told("resync", number, "--member", member)["statistics"] == {"members": {"update": 1}}
    assert Member.objects.get(source_id="p3").given_name == "Petra"
    assert told("run", number)["statistics"] == {"members": {"update": 1}}


def test_classes_become_groups_and_classes_again_without_a_membership_lost(synced: Synced) -> None:
    number = synced.number
    for form in ("group", "class"):
        shown = told("switch", number, "--to", form)
        assert shown["planned"] == {"groups": {"update": 2}}
        assert told("approve", str(shown["run"]))["outcome"] == "success"
        assert told("run", number)["outcome"] == "empty"
    assert "are that already" in rollbook("sync", "switch", number, "--to", "class", expect=1).stderr


def test_a_run_is_undone_value_by_value_but_for_what_was_changed_since(synced: Synced) -> None:
    number, folder, _ = synced
    tables = changed(
        changed(school(), "users", "p1", givenName="Philippa"), "users", "p3", givenName="Petronella"
    )
    deliver(folder, without(tables, "p2"))
    run = told("run", number)
    Member.objects.filter(source_id="p3").update(given_name="Pet")
    shown = told("undo", str(run["run"]))
    assert shown["planned"]["members"] == {"update": 1, "restore": 1}
    assert shown["remarks"] == {"changed-since": 1}
    told("approve", str(shown["run"]))
    assert dict(Member.objects.filter(source_id__startswith="p").values_list("source_id", "given_name")) == {
        "p1": "Pia", "p2": "Paul", "p3": "Pet",
    }  # fmt: skip
    assert "archived" not in Member.objects.values_list("state", flat=True)
    assert "is not active" in rollbook("sync", "run", number, expect=1).stderr
    assert "was undone already" in rollbook("sync", "undo", str(run["run"]), expect=1).stderr


def test_a_person_synced_meanwhile_leaves_what_is_held_as_it_is(limited: Synced) -> None:
    number, folder, _ = limited
    tables = without(school(), "p2", "p3")
    deliver(folder, tables)
    held = told("run", number, expect=3)
    deliver(folder, changed(tables, "users", "p1", givenName="Philippa"))
    assert told("resync", number, "--person", "p1")["statistics"] == {"members": {"update": 1}}
    done = told("approve", str(held["run"]), "--why", "They have left.")
    assert done["statistics"] == {"members": {"archive": 2}}


def test_one_who_has_left_is_archived_now_and_nobody_else(synced: Synced) -> None:
    number, folder, _ = synced
    deliver(folder, without(school(), "p2", "p3"))
    assert told("resync", number, "--person", "p2")["statistics"] == {"members": {"archive": 1}}
    assert dict(Member.objects.values_list("source_id", "state"))["p3"] == "inactive"


def test_what_was_not_taken_is_tried_again_and_what_comes_on_is_not_resumed(synced: Synced) -> None:
    number, folder, first = synced
    deliver(folder, changed(school(), "users", "p1", givenName="Philippa"))
    shown = str(told("preview", number)["run"])
    Member.objects.filter(source_id="p1").update(version=9)
    assert told("approve", shown, expect=4)["outcome"] == "partly"
    again = told("retry", shown, "--record", "1")
    assert (again["task"]["focus"], again["statistics"]) == ({"people": ["p1"]}, {"members": {"update": 1}})
    assert "nothing to try once more" in rollbook("sync", "retry", first, expect=1).stderr
    assert "come to its end" in rollbook("sync", "resume", shown, expect=1).stderr
