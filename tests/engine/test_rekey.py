"""Who and what several deliveries together removed and added again under another id."""

from copy import deepcopy
from pathlib import Path

from rollbook.engine.rekey import paired_since
from tests.engine.packages import Roster
from tests.engine.suspects import Tables, district, person, role


def other_class(tables: Tables) -> Tables:
    """The same district, its class under another id."""
    changed = deepcopy(tables)
    changed["classes"][0]["sourcedId"] = "class-2"
    for seat in changed["enrollments"]:
        seat["classSourcedId"] = "class-2"
    return changed


def test_what_goes_one_night_and_comes_back_another_is_one_pair(tmp_path: Path):
    known = district(users=[person("p-1", "Dana", "Brandt", identifier="77")], roles=[role("p-1")])
    came = district(users=[person("p-9", "Dana", "Brandt", identifier="77")], roles=[role("p-9")])
    roster = Roster(tmp_path / "roster")
    plans = []
    for tables in (known, district(), other_class(came), known):
        roster.deliver(tables)
        plans.append(roster.plan)
    found = paired_since(plans[1:3], tmp_path / "net")
    assert {collection: len(pairs) for collection, pairs in found.items()} == {"users": 1, "classes": 1}
    assert paired_since(plans[1:2], tmp_path / "gone") == {}
    assert paired_since(plans[1:], tmp_path / "back") == {}, "it is under its old id again"
    assert paired_since([], tmp_path / "nothing") == {}
