"""The table of checks in docs/reference/openid-connect.md names tests that there are."""

import re

from tests.house.source import ROOT

PAGE = ROOT / "docs" / "reference" / "openid-connect.md"
FILES = ("tests/console/test_broker.py", "tests/flows/test_broker.py")


def test_every_check_that_is_told_of_has_its_test():
    told = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    there = {
        name for file in FILES for name in re.findall(r"^def (test_\w+)", (ROOT / file).read_text(encoding="utf-8"), re.M)
    }  # fmt: skip
    assert len(told) > 20
    assert told <= there, sorted(told - there)
