"""Rosters that change at random, read well and badly: what has to hold of every plan, whatever comes."""

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import pytest

from rollbook.engine.sync.operations import GONE_STATES, MEMBERS, MISS, SITES, Operation
from rollbook.engine.sync.policy import Policy, preset, presets, read_policy
from rollbook.engine.sync.roster import MARKED, MISSING, Enrollment, MemoryRoster, Person, Post
from tests.engine.sync.desk import WHOLE, YEAR, Desk, a_class, but, person, removals, school, without

T = TypeVar("T")
ROLES = ("student", "student", "student", "teacher", "aide", "guardian", "principal")
SCHOOLS = ("north", "south", "west")


OTHERS = (
    replace(YEAR, source_id="later", begins="2027-08-01", ends="2028-07-01"),
    replace(YEAR, source_id="before", begins="2025-08-01", ends="2026-07-01"),
)


def start(chance: random.Random) -> MemoryRoster:
    people = [
        person(f"p{number:02}", chance.choice(ROLES), chance.choice(SCHOOLS), grades=(f"0{number % 9}",))
        for number in range(24)
    ]
    classes = [a_class(f"c{number}", chance.choice(SCHOOLS)) for number in range(6)]
    roster = MemoryRoster.of([school(one) for one in SCHOOLS], people, classes, [], [YEAR, *OTHERS])
    for _ in range(40):
        roster = enroll(roster, chance)
    return roster


def enroll(roster: MemoryRoster, chance: random.Random) -> MemoryRoster:
    if not roster.people or not roster.classes:
        return roster
    who, what = chance.choice(sorted(roster.people)), chance.choice(sorted(roster.classes))
    posts = roster.people[who].posts
    role = "student" if not posts or posts[0].role == "student" else "teacher"
    return but(roster, Enrollment(f"{what}-{who}", who, what, role, chance.random() < 0.2))


def changed(roster: MemoryRoster, chance: random.Random) -> MemoryRoster:
    """One change such as a school makes: joiners, leavers, moves, renames, swaps, other ids."""
    if roster.people and chance.random() < 0.6:
        return person_changed(roster, chance, roster.people[chance.choice(sorted(roster.people))])
    if roster.classes and chance.random() < 0.3:
        return class_changed(roster, chance)
    act = chance.randrange(5)
    if act == 0:
        name = f"n{chance.randrange(1000)}"
        return but(roster, person(name, chance.choice(ROLES), chance.choice(SCHOOLS)))
    if act == 1 and len(roster.orgs) > 1:
        return without(roster, chance.choice(sorted(roster.orgs)), why=chance.choice((MISSING, MARKED)))
    if act == 2:
        return but(roster, school(chance.choice(SCHOOLS), chance.choice(("One", "Two"))))
    if act == 3 and roster.enrollments:
        return without(roster, chance.choice(roster.enrollments).source_id)
    return enroll(roster, chance)


def person_changed(roster: MemoryRoster, chance: random.Random, one: Person) -> MemoryRoster:
    act = chance.randrange(6)
    if act == 0:
        return without(roster, one.source_id, why=chance.choice((MISSING, MARKED)))
    if act == 1:
        return but(roster, replace(one, family_name=chance.choice("ABC"), grades=("12",)))
    if act == 2:
        posts = (*one.posts, Post(chance.choice(ROLES), chance.choice(SCHOOLS)))
        return but(roster, replace(one, posts=posts[chance.randrange(2) :]))
    if act == 3:
        other = roster.people[chance.choice(sorted(roster.people))]
        swapped = replace(one, email=other.email, username=other.username)
        return but(roster, swapped, replace(other, email=one.email, username=one.username))
    if act == 4:
        return but(without(roster, one.source_id), replace(one, source_id=f"{one.source_id}x"))
    return but(roster, replace(one, enabled=not one.enabled))


def class_changed(roster: MemoryRoster, chance: random.Random) -> MemoryRoster:
    taught = roster.classes[chance.choice(sorted(roster.classes))]
    if len(roster.classes) > 2 and chance.random() < 0.4:
        return without(roster, taught.source_id, why=chance.choice((MISSING, MARKED)))
    title, terms = chance.choice("XYZ"), (chance.choice(("year", "later", "before")),)
    return but(roster, replace(taught, title=title, terms=terms, school=chance.choice(SCHOOLS)))


def at_rest(desk: Desk) -> list[Operation]:
    """All but the counting of reads in which something is missing, and what it comes to; with a school all that is there."""
    waiting = {
        (kind, one)
        for kind, links in desk.links.current.items()
        for one, link in links.items()
        if link.missing_since
    }
    if any(kind == SITES for kind, _ in waiting):
        return []
    return [one for one in desk.operations if one.action != MISS and (one.kind, one.source_id) not in waiting]


def policies() -> dict[str, Policy]:
    at_once = {"grace": {"reads": 1, "students": 0, "staff": 0, "classes": 0}}
    return {name: preset(name) for name in presets()} | {
        "plain": Policy(),
        "at once": read_policy(at_once),
        "groups of teachers": read_policy(
            at_once | {"classes": {"form": "group", "only_with_teacher": True}, "people": {"who": "teaching"}}
        ),
        "by hand": read_policy({"people": {"create": False, "students": "with-teacher"}}),
        "held schools": read_policy(at_once | {"schools": {"unmatched": "hold", "only": ["north", "south"]}}),
    }


@pytest.mark.parametrize("name", sorted(policies()))
def test_a_year_of_changes(name: str) -> None:
    """Carried out, nothing is left to do; badly read, nothing is taken away; in another order it is the same plan."""
    for seed in range(5):
        chance = random.Random(f"{name} {seed}")
        desk, roster = Desk(policy=policies()[name]), start(chance)
        for day in range(8):
            desk.day = f"2026-09-{day + 10:02}" if day < 6 else f"2026-11-{day + 10:02}"
            for _ in range(chance.randrange(5)):
                roster = changed(roster, chance)
            _badly_read(desk, roster, chance)
            planned = desk.sync(roster)
            _in_another_order(desk, roster, chance)
            again = desk.plan(roster)
            assert at_rest(desk) == [], (seed, day)
            assert again.left_out == {}, (seed, day)
            assert planned.stakes.administrators == 0
            _holds_what_is_said(desk, roster)


def _badly_read(desk: Desk, roster: MemoryRoster, chance: random.Random) -> None:
    """Nothing goes but what the true source says of records that were read: an account disabled, an id used for another class."""
    desk.plan(roster)
    wanted = {(one.kind, one.target) for one in removals(desk.operations)}
    everything = [
        *roster.orgs,
        *roster.people,
        *roster.classes,
        *(one.source_id for one in roster.enrollments),
    ]
    part = without(roster, *chance.sample(everything, chance.randrange(len(everything))))
    part.gone = {
        collection: {one: why for one, why in found.items() if why == MISSING}
        for collection, found in (part.gone if chance.random() < 0.5 else {}).items()
    }
    desk.plan(part, certified=frozenset())
    found = removals(desk.operations)
    assert {(one.kind, one.target) for one in found} <= wanted
    assert {one.reason for one in found} <= {"disabled", "reused-id", "term-over"}


def _in_another_order(desk: Desk, roster: MemoryRoster, chance: random.Random) -> None:
    """Schools, classes, people, what they are at which school, and enrollments: whichever comes first."""
    one = desk.plan(roster).fingerprint
    people = {name: replace(who, posts=_shuffled(who.posts, chance)) for name, who in roster.people.items()}
    other = replace(
        roster,
        orgs=dict(_shuffled(roster.orgs.items(), chance)),
        terms=dict(_shuffled(roster.terms.items(), chance)),
        classes=dict(_shuffled(roster.classes.items(), chance)),
        people=dict(_shuffled(people.items(), chance)),
        enrollments=list(_shuffled(roster.enrollments, chance)),
    )
    assert desk.plan(other).fingerprint == one


def _shuffled(some: Iterable[T], chance: random.Random) -> tuple[T, ...]:
    found = list(some)
    chance.shuffle(found)
    return tuple(found)


def _holds_what_is_said(desk: Desk, roster: MemoryRoster) -> None:
    """Nobody is a member who is a guardian only; no address is had twice; whoever is there has what the source says."""
    members = [one for one in desk.target.scan(MEMBERS) if one.state not in GONE_STATES]
    addresses = [one.fields["email"] for one in members if one.fields["email"]]
    assert len(addresses) == len(set(addresses))
    for source_id, link in desk.links.of(MEMBERS).items():
        posts = roster.people[source_id].posts if source_id in roster.people else ()
        record = desk.record(MEMBERS, link.target)
        assert "owner" not in record.fields["roles"]  # type: ignore[operator]  # a tuple
        if posts and all(one.role == "guardian" for one in posts):
            assert record.state in GONE_STATES or not desk.policy.people.archive


def test_what_is_not_certified_alone_changes_nothing_that_is_there() -> None:
    chance = random.Random(1)
    desk, roster = Desk(), start(chance)
    desk.sync(roster)
    for missing in sorted(WHOLE):
        assert desk.plan(roster, certified=WHOLE - {missing}).counts == {}, missing
