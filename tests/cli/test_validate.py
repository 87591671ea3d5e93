"""`rollbook validate`: what it prints and how it exits."""

import json
from pathlib import Path

from typer.testing import CliRunner

from rollbook.cli.main import app
from tests.engine.packages import orgs, package_of, write_package


def validated(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["validate", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_a_clean_package_exits_0(tmp_path: Path):
    assert validated(write_package(tmp_path / "package", {"orgs": orgs("org-1")})) == (
        0,
        "No findings.\n",
        "",
    )


def test_errors_exit_1_and_are_grouped_by_code_with_a_count(tmp_path: Path):
    package = write_package(
        tmp_path / "package", {"orgs": orgs(*(f"bad {number}" for number in range(1_200)))}
    )
    code, out, _ = validated(package)
    assert code == 1
    lines = out.splitlines()
    assert lines[0] == "error: Not an identifier (guid, 1,200)"
    assert lines[1].startswith("    orgs.csv line 2 (bad 0), sourcedId 'bad 0': Use only letters")
    assert lines[-2:] == ["    …", "1,200 errors"]


def test_what_is_no_package_exits_2_with_a_sentence(tmp_path: Path):
    code, out, err = validated(tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("There are no files in it.")


def test_json_is_an_array_of_findings(tmp_path: Path):
    code, out, _ = validated(package_of("year-span"), "--json")
    assert code == 1
    assert json.loads(out) == [
        {
            "code": "year-span",
            "severity": "error",
            "file": "academicSessions.csv",
            "line": 2,
            "field": "schoolYear",
            "value": "2026-2027",
            "message": "Write the second year alone.",
            "source_id": "year-2027",
            "count": 1,
            "delivered": "",
        }
    ]
    clean = write_package(tmp_path / "package", {"orgs": orgs("org-1")})
    assert validated(clean, "--json") == (0, "[]\n", "")


def test_as_import_repairs_and_warns():
    code, out, _ = validated(package_of("year-span"), "--as-import")
    assert code == 0
    assert "Read as 2027." in out
    assert out.splitlines()[-1] == "1 warning"
