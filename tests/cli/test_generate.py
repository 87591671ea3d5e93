import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rollbook.cli.main import app
from tests.generator.letter import faults, properties, read


def generated(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["generate", *map(str, arguments)])


def test_generate_writes_a_package_and_prints_the_records_of_each_file(tmp_path):
    result = generated("--students", 120, "--seed", 3, tmp_path / "package")
    assert result.exit_code == 0
    assert f"users.csv {len(read(tmp_path / 'package' / 'users.csv')):>26,}".split() in [
        line.split() for line in result.stdout.splitlines()
    ]
    assert faults(tmp_path / "package") == []


def test_generate_writes_a_zip_where_the_name_says_so_and_nothing_beside_it(tmp_path):
    result = generated("--students", 120, "--json", "--version", "1.1", tmp_path / "package.zip")
    assert json.loads(result.stdout)["users"] > 120
    assert [path.name for path in tmp_path.iterdir()] == ["package.zip"]


def test_the_night_and_the_version_are_obeyed(tmp_path):
    for night in (0, 1):
        assert (
            generated(
                "--students", 800, "--night", night, "--version", "1.1", tmp_path / str(night)
            ).exit_code
            == 0
        )
    assert properties(tmp_path / "1")["oneroster.version"] == "1.1"
    assert (tmp_path / "0" / "users.csv").read_bytes() != (tmp_path / "1" / "users.csv").read_bytes()


@pytest.mark.parametrize("wrong", [["--version", "2.0"], ["--students", "0"], ["--night", "-1"]])
def test_what_cannot_be_made_is_said_and_nothing_written(tmp_path, wrong):
    assert generated("--students", 10, *wrong, tmp_path / "package").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "users.csv").write_text("mine", encoding="ascii")
    assert generated("--students", 10, tmp_path).exit_code == 2
    assert (tmp_path / "users.csv").read_text(encoding="ascii") == "mine"
