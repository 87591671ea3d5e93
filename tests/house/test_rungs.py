"""Every rung of the ladder is in the table of docs/reference, and every test that is named there is one."""

import re

from rollbook.engine.signing_in.ladder import CHOSEN, LINK, REVIEW, SEAT, TENANT
from tests.engine.signing_in.test_ladder import WAYS
from tests.house.rungs import BEYOND, LADDER_TEST, RUNGS, ladder_markdown
from tests.house.source import ROOT


def test_every_rung_is_in_the_table_with_a_line_that_is_tested():
    assert list(RUNGS) == [TENANT, LINK, *CHOSEN, REVIEW, SEAT]
    tried = {way[-1].partition(":")[0] for way in WAYS} | {rung for rung, *_ in BEYOND}
    assert tried == set(RUNGS)
    page = ladder_markdown()
    assert not [way[0] for way in WAYS if f"| {way[0]} |" not in page]


def test_every_test_that_the_table_names_is_one():
    named = re.findall(r"`(tests/\S+)::(test_\w+)`", ladder_markdown())
    assert (LADDER_TEST.partition("::")[0], "test_the_ladder") in named
    assert not [
        (file, name)
        for file, name in named
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
