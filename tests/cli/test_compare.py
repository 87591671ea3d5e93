"""Comparing as an operator types it: with the roster, with a server, with another package."""

import csv
import json
from pathlib import Path

import pytest

from tests import cast
from tests.cli.typed import typed as rollbook
from tests.connectors.provider import STATIC, Provider, serving

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_list_and_a_package_are_compared(tmp_path: Path):
    rollbook("district", "add", "Riverbend")
    package = cast.riverbend(tmp_path / "package")
    rollbook("import", "Riverbend", str(package), "--yes")
    (tmp_path / "vendor.csv").write_text("Student ID,Last name\nstudent-001,Okonkwo\nstudent-999,Nobody\n")
    out = tmp_path / "out"
    told = rollbook(
        "compare", str(tmp_path / "vendor.csv"), "--district", "Riverbend", "--by", "sourcedId", "--column", "student id",
        "--out", str(out), expect=1,
    ).stdout  # fmt: skip
    assert "people: 1 in both, 1 only in the list, 65 only in the roster" in told
    with (out / "people-only-first.csv").open(encoding="utf-8") as file:
        assert [row["list: Student ID"] for row in csv.DictReader(file)] == ["student-999"]
    assert rollbook("compare", str(package), "--district", "Riverbend").stdout.startswith("orgs: 4 in both\n")
    wrong = rollbook(
        "compare", str(tmp_path / "vendor.csv"), "--district", "Riverbend", "--by", "email", expect=1
    ).stderr
    assert "Student ID, Last name" in wrong
    with serving(Provider("1.2")) as provider:
        (tmp_path / "token").write_text(STATIC)
        answered = rollbook(
            "compare", str(package / "orgs.csv"), "--with", "api", "--set", f"url={provider.settings['url']}", "--set",
            "sign_in=bearer", "--set", "insecure=yes", "--secret", f"token={tmp_path / 'token'}", "--collection", "orgs",
            "--json",
        )  # fmt: skip
    [orgs] = json.loads(answered.stdout)
    assert (orgs["counts"]["matched"], orgs["counts"]["only-first"], orgs["second"]) == (4, 0, "server")
    assert STATIC not in answered.stdout + answered.stderr
