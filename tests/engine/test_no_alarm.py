"""Sound districts: nothing is said against them, neither at first nor on the next night."""

from pathlib import Path

import pytest

from rollbook.generator.generate import generate
from tests.cast import riverbend
from tests.engine.packages import NOTHING_STORED, Roster, judged
from tests.engine.suspects import FIELD


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("lenient", [False, True])
def test_nothing_is_said_against_riverbend(version: str, lenient: bool, tmp_path: Path):
    package = riverbend(tmp_path / "package", version=version)
    assert not list(judged(package, tmp_path, lenient, NOTHING_STORED))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_nothing_is_said_against_a_district_made_up_nor_on_the_next_nights(version: str, tmp_path: Path):
    roster = Roster(tmp_path)
    for night in (0, 1, 7):
        generate(tmp_path / f"night-{night}", 400, 3, night, version)
        roster.take(tmp_path / f"night-{night}")
        assert {one.code for one in roster.findings} & FIELD == set()
