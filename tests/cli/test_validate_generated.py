"""What Rollbook makes up, Rollbook finds nothing wrong with."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rollbook.cli.main import app
from rollbook.generator.generate import generate
from tests import cast


def said(package: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["validate", str(package)])
    return result.exit_code, result.stdout.strip()


NOTHING = (0, "No findings.")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_riverbend_has_no_findings(tmp_path, version):
    assert said(cast.riverbend(tmp_path / "package", version=version)) == NOTHING
    assert said(cast.riverbend_zip(tmp_path / "package.zip", version=version)) == NOTHING


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_delta_of_riverbend_has_no_findings(tmp_path, version):
    edits = {
        "users": {cast.AMARA: {"givenName": "Amarachi"}, cast.NOAH: None},
        "demographics": {cast.KOFI: None},
    }
    assert said(cast.riverbend_delta(tmp_path / "package", edits, version)) == NOTHING


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("night", [0, 3, 800])
def test_a_generated_district_has_no_findings(tmp_path, version, night):
    generate(tmp_path / "package.zip", 900, seed=6, night=night, version=version)
    assert said(tmp_path / "package.zip") == NOTHING


def test_a_flaw_put_into_riverbend_is_found(tmp_path):
    edits = {"enrollments": {"enrollment-art-01": {"userSourcedId": "nobody"}}}
    assert said(cast.riverbend(tmp_path / "package", edits))[0] == 1
