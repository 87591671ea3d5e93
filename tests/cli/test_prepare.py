"""Preparation as an operator types it: steps are tried, shown as a plan, saved and applied, and a package is validated with them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rollbook.cli.main import app
from rollbook.store.models import Connection, District
from tests.delivered import a_district, deliver
from tests.engine.packages import orgs, write_package

UPPER = {"do": "upper", "file": "orgs", "field": "name"}
WRONG = {"do": "set", "file": "orgs", "field": "type", "to": "kindergarten"}


def steps_file(path: Path, *steps) -> str:
    path.write_text(json.dumps({"steps": steps}), encoding="utf-8")
    return str(path)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_package(tmp_path / "package", {"orgs": orgs("o1", "o2")})


@pytest.fixture
def district(db: None) -> District:
    return a_district()


@pytest.fixture
def number(district: District) -> str:
    """The number of the district's connection."""
    return str(Connection.objects.get(district=district).pk)


def rollbook(*arguments: str, expect: int = 0) -> str:
    """What the command prints, whichever way."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == expect, result.output
    return result.output


@pytest.mark.django_db(transaction=True)
def test_steps_are_shown_as_a_plan_saved_and_applied(package: Path, tmp_path: Path):
    upper = steps_file(tmp_path / "upper.json", UPPER)
    rollbook("district", "add", "Riverbend")
    rollbook("import", "Riverbend", str(package), "--yes")
    number = str(Connection.objects.get().pk)
    shown = rollbook("prepare", "preview", number, upper)
    assert "2 changed" in shown
    assert "Nothing was saved" in shown
    told = json.loads(rollbook("prepare", "set", number, upper, "--apply", "--why", "capitals", "--json"))
    assert (told["saved"], told["outcome"], told["counts"]) == (1, "success", {"orgs": {"update": 2}})
    assert "nothing changes" in rollbook("import", "Riverbend", str(package), "--yes")


def test_steps_are_kept_version_by_version(number: str, package: Path, tmp_path: Path):
    assert "No steps" in rollbook("prepare", "show", number)
    upper = steps_file(tmp_path / "upper.json", UPPER)
    assert "Say why" in rollbook("prepare", "set", number, upper, "--next", expect=1)
    assert "either --apply or --next" in rollbook(
        "prepare", "set", number, upper, "--next", "--apply", expect=1
    )
    saved = rollbook("prepare", "set", number, upper, "--next", "--why", "capitals")
    assert "Version 1 is saved. It holds from the next import on." in saved
    kept = rollbook("prepare", "show", number, "--json")
    assert json.loads(kept) == {"steps": [UPPER]}
    assert "hold already" in rollbook("prepare", "set", number, upper)
    wrong = steps_file(tmp_path / "wrong.json", WRONG)
    rollbook("prepare", "set", number, wrong, "--next", "--why", "a try")
    [second, first] = json.loads(rollbook("prepare", "versions", number, "--json"))
    assert (second["version"], second["why"], first["why"]) == (2, "a try", "capitals")
    assert "Upper case (orgs.csv, name)" in rollbook("prepare", "show", number, "--version", "1")
    assert "no such version" in rollbook("prepare", "show", number, "--version", "7", expect=1)
    judged = rollbook("validate", str(package), "--prepared-by", number, expect=1)
    assert "orgs.csv line 2 (o1), type 'kindergarten' (delivered as 'school')" in judged
    rollbook("validate", str(package))


def test_steps_are_tried_on_rows_of_the_last_delivery(
    number: str, district: District, package: Path, tmp_path: Path
):
    upper = steps_file(tmp_path / "upper.json", UPPER)
    assert "No delivery of this connection is kept" in rollbook("prepare", "samples", number, upper, expect=1)
    deliver(district, package)
    tried = rollbook("prepare", "samples", number, upper)
    assert "Upper case (orgs.csv, name): 2 of 2 records" in tried
    assert "name: Org o1 → ORG O1" in tried
    [told] = json.loads(rollbook("prepare", "samples", number, upper, "--json"))
    assert (told["changed"], told["rows"][0]["line"]) == (2, 2)


def test_bad_steps_are_refused_in_words(number: str, tmp_path: Path):
    bad = steps_file(tmp_path / "bad.json", UPPER, {**UPPER, "field": "nmae"})
    refused = rollbook("prepare", "set", number, bad, expect=1)
    assert "Step 2: orgs.csv has no column 'nmae'. It has: sourcedId" in refused
    assert "cannot be read" in rollbook("prepare", "set", number, str(tmp_path / "none.json"), expect=1)
    assert "no changed steps" in rollbook("prepare", "drop", number)
    schema = json.loads(rollbook("prepare", "schema"))
    assert len(schema["properties"]["steps"]["items"]["oneOf"]) == 8
