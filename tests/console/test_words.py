"""What the console calls a collection is what sentences from below call it."""

from rollbook.console.words import COLLECTIONS
from rollbook.oneroster.collections import CALLED, LOAD_ORDER


def test_tiles_and_sentences_call_a_collection_the_same():
    assert {name: str(COLLECTIONS[name]).lower() for name in LOAD_ORDER} == CALLED
