"""The same at random, with people in between: runs about somebody only, only additions, overrides, decisions."""

import random

import pytest

from rollbook.engine.sync.links import Decision, Override
from rollbook.engine.sync.operations import MEMBERS
from rollbook.engine.sync.roster import MemoryRoster
from rollbook.engine.sync.world import Focus
from tests.engine.sync.desk import WHOLE, Desk, removals
from tests.engine.sync.test_random_years import SCHOOLS, at_rest, changed, policies, start


@pytest.mark.parametrize("name", sorted(policies()))
def test_whatever_people_do_in_between_a_whole_sync_leaves_nothing_to_do(name: str) -> None:
    for seed in range(3):
        chance = random.Random(f"{name} {seed}")
        desk, roster = Desk(policy=policies()[name]), start(chance)
        for day in range(6):
            desk.day = f"2026-09-{day + 10:02}"
            for _ in range(chance.randrange(5)):
                roster = changed(roster, chance)
            for _ in range(3):
                certified = WHOLE if chance.random() < 0.5 else frozenset[str]()
                desk.sync(roster, certified, focus=_focus(roster, chance))
            if chance.random() < 0.3:
                desk.sync(roster, only_adds=True)
                assert removals(desk.operations) == []
            _by_hand(desk, roster, chance)
            desk.sync(roster)
            desk.plan(roster)
            assert at_rest(desk) == [], (seed, day)


def _focus(roster: MemoryRoster, chance: random.Random) -> Focus:
    kind = chance.randrange(3)
    if kind == 0:
        return Focus(people=frozenset(chance.sample(sorted(roster.people), min(2, len(roster.people)))))
    if kind == 1:
        return Focus(classes=frozenset(chance.sample(sorted(roster.classes), 1)))
    return Focus(schools=frozenset({chance.choice(SCHOOLS)}))


def _by_hand(desk: Desk, roster: MemoryRoster, chance: random.Random) -> None:
    links = desk.links.of(MEMBERS)
    if links and chance.random() < 0.5:
        override = chance.choice(
            (
                Override("state", "kept"),
                Override("state", "archived"),
                Override("roles", ("aide",), "add"),
                Override("roles", ("aide",)),
            )
        )
        target = links[chance.choice(sorted(links))].target
        desk.overrides[MEMBERS, target] = {override.field: override}
    if roster.people and chance.random() < 0.3:
        decision = Decision(chance.choice(("create", "ignore", "hold")))
        desk.decisions[MEMBERS, chance.choice(sorted(roster.people))] = decision
