"""What the console calls a collection is what sentences from below call it; and no sentence ends twice."""

import re
from pathlib import Path

import rollbook.console
from rollbook.console.words import COLLECTIONS
from rollbook.oneroster.collections import CALLED, LOAD_ORDER


def test_tiles_and_sentences_call_a_collection_the_same():
    assert {name: str(COLLECTIONS[name]).lower() for name in LOAD_ORDER} == CALLED


def test_no_full_stop_follows_a_moment_which_may_end_with_one_itself():
    """As in *10:30 a.m.*"""
    templates = sorted(Path(rollbook.console.__file__).parent.glob("templates/**/*.html"))
    twice = re.compile(r"\{% moment [\w.]+ %\}(</\w+>)?\.")
    assert templates
    assert [one.name for one in templates if twice.search(one.read_text(encoding="utf-8"))] == []
