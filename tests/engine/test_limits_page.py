"""docs/reference/limits.md says what the code does: every hazard, every limit and its default."""

import re
from dataclasses import asdict
from pathlib import Path

from rollbook.engine.safeguards import DEFAULTS, SENTENCES

PAGE = (Path(__file__).parents[2] / "docs/reference/limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z-]+)` \|.*\| (?:`(\w+)`.*|none) \| (\w+) \|$", PAGE, re.MULTILINE)


def test_every_hazard_is_explained():
    assert {code for code, _, _ in ROWS} == set(SENTENCES)


def test_every_limit_stands_there_with_its_default():
    told = {name: default for _, name, default in ROWS if name}
    defaults = {name: word(value) for name, value in asdict(DEFAULTS).items() if name != "floor"}
    assert told == defaults
    assert f"`floor` is {DEFAULTS.floor} by default" in PAGE


def word(value: int | bool | None) -> str:
    return "on" if value is True else "none" if value is None else str(value)
