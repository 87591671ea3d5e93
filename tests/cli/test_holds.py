"""Held plans, limits, undo and connections, as an operator types them."""

import json
import re
from pathlib import Path

import pytest

from rollbook.generator.generate import generate
from tests.command import rollbook

# An operator types numbers: here every test's district is 1 and its first run is 1.
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    generate(tmp_path / "full", 200, 7)
    return tmp_path / "full"


@pytest.fixture
def short(package: Path, tmp_path: Path) -> Path:
    """The package with most of its demographics missing."""
    target = tmp_path / "short"
    target.mkdir()
    for file in package.glob("*.csv"):
        text = file.read_text(encoding="utf-8")
        if file.name == "demographics.csv":
            text = "".join(text.splitlines(keepends=True)[:51])
        (target / file.name).write_text(text, encoding="utf-8")
    return target


def test_a_held_import_exits_3_is_shown_decided_and_undone(package: Path, short: Path):
    rollbook("district", "add", "Riverbend")
    rollbook("import", "1", str(package), "--yes")
    held = rollbook("import", "1", str(short), "--yes", expect=3).stdout
    assert "150 of 200 demographics would be removed: the limit is 10 %." in held
    assert "rollbook hold show 2" in held
    [row] = json.loads(rollbook("hold", "list", "--json").stdout)
    assert row["run"] == 2
    assert "demographics" in rollbook("hold", "show", "2").stdout
    refused = rollbook("hold", "apply", "2", "--why", " ", expect=1).stderr
    assert "Say why" in refused
    assert "success" in rollbook("hold", "raise", "2", "--why", "checked with the office").stdout
    told = json.loads(rollbook("hold", "show", "2", "--json").stdout)
    assert (told["decision"], told["why"]) == ("raise", "checked with the office")
    assert "command line" in told["decidedBy"]
    limits = {row["collection"]: row for row in json.loads(rollbook("limits", "show", "1", "--json").stdout)}
    assert limits["demographics"]["delete_percent"] == 76
    assert limits["users"]["delete_percent"] == 10
    assert rollbook("hold", "list").stdout.startswith("None yet")
    back = rollbook("undo", "2", "--yes").stdout
    assert re.search("demographics +150 brought back", back), "and not held: all of it was there before"
    assert "nothing changes" in rollbook("import", "1", str(package), "--yes").stdout


def test_limits_are_set_by_collection_and_put_back():
    rollbook("district", "add", "Riverbend")
    rollbook("limits", "set", "1", "users", "delete_percent=5", "delete_number=40", "create_percent=off")
    rows = {row["collection"]: row for row in json.loads(rollbook("limits", "show", "1", "--json").stdout)}
    assert (
        rows["users"]["delete_percent"],
        rows["users"]["delete_number"],
        rows["users"]["create_percent"],
    ) == (5, 40, None)
    assert rows["orgs"]["delete_percent"] == 10
    assert "whole number" in rollbook("limits", "set", "1", "users", "delete_percent=0", expect=1).stderr
    assert "whole number" in rollbook("limits", "set", "1", "users", "nonsense=5", expect=1).stderr
    rollbook("limits", "set", "1", "all", "default")
    rows = {row["collection"]: row for row in json.loads(rollbook("limits", "show", "1", "--json").stdout)}
    assert rows["users"]["delete_percent"] == 10


def test_connections_are_added_tested_edited_and_removed(package: Path, tmp_path: Path):
    rollbook("district", "add", "Riverbend")
    secret = tmp_path / "password"
    secret.write_text("a long enough password\n")
    rollbook(
        "connection", "add", "1", "Night drop", "--kind", "sftp_drop", "--set", "login=riverbend",
        "--secret", f"password={secret}", "--prefix", "night-", "--expected-every-hours", "24",
    )  # fmt: skip
    listed = json.loads(rollbook("connection", "list", "1", "--json").stdout)
    assert [one["kind"] for one in listed] == ["upload", "sftp_drop"]
    assert "a long enough password" not in json.dumps(listed)
    assert "riverbend can sign in with its password" in rollbook("connection", "test", "2").stdout
    assert "come by themselves" in rollbook("connection", "run", "2", expect=1).stderr
    taken = rollbook(
        "connection", "add", "1", "Again", "--kind", "sftp_drop", "--set", "login=riverbend", "--secret",
        f"password={secret}", expect=1,
    )  # fmt: skip
    assert "has this name already" in taken.stderr
    assert "is off" in rollbook("connection", "edit", "2", "--disabled", "--name", "Nightly").stdout
    assert "switched off" in rollbook("connection", "run", "2", expect=1).stderr
    assert "no such setting" in rollbook("connection", "edit", "2", "--set", "logn=x", expect=1).stderr
    rollbook("connection", "remove", "2")
    rollbook("import", "1", str(package), "--yes")
    changed = rollbook(
        "connection",
        "change-way",
        "1",
        "sftp_drop",
        "--set",
        "login=riverbend",
        "--secret",
        f"password={secret}",
    )
    assert "connection 1: SFTP: they bring it" in changed.stdout
    assert "this way already" in rollbook("connection", "change-way", "1", "sftp_drop", expect=1).stderr
    assert "has records" in rollbook("connection", "remove", "1", expect=1).stderr
