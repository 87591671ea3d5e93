"""Addresses that change hands in one run: swaps, chains, circles, and two who want the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.engine.sync.memory import MemoryTarget
from rollbook.engine.sync.operations import MEMBERS
from rollbook.engine.sync.policy import read_policy
from rollbook.engine.sync.roster import MemoryRoster
from rollbook.engine.sync.target import Capabilities
from tests.engine.sync.desk import Desk, but, person, renamed, riverbend, school, without

PUPILS = [f"p{number}" for number in range(6)]


def pupils(addresses: list[str]) -> MemoryRoster:
    people = [person(name, email=one, username=one) for name, one in zip(PUPILS, addresses, strict=False)]
    return MemoryRoster.of([school("north")], people)


@given(st.permutations(PUPILS), st.permutations(PUPILS))
@settings(max_examples=60, deadline=None)
def test_addresses_may_be_dealt_out_anew_in_any_way(before: list[str], after: list[str]) -> None:
    desk = Desk()
    desk.sync(pupils(before))
    planned = desk.sync(pupils(after))
    assert planned.cases == []
    assert [desk.member(one).fields["email"] for one in PUPILS] == after
    assert desk.plan(pupils(after)).counts == {}


@given(st.lists(st.sampled_from(["a", "b", "c", "d", ""]), min_size=6, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_is_asked_for_no_two_get_the_same_and_the_plan_can_be_carried_out(
    wanted: list[str],
) -> None:
    desk = Desk()
    desk.sync(pupils(PUPILS))
    planned = desk.sync(pupils(wanted))
    has = [desk.member(one).fields["email"] for one in PUPILS]
    assert len(set(has)) == len(has)
    refused = {one.source_id for one in planned.cases}
    for name, one, got in zip(PUPILS, wanted, has, strict=True):
        assert got == (one or name) or name in refused
    assert desk.plan(pupils(wanted)).counts == {}


def test_a_swap_empties_one_value_for_a_moment_and_says_so() -> None:
    desk = Desk()
    desk.sync(pupils(PUPILS))
    desk.sync(pupils(["p1", "p0", *PUPILS[2:]]))
    assert [one.reason for one in desk.operations] == ["makes-room", "changed", "changed"]
    first, _, third = desk.operations
    assert first.after == {"email": "", "username": ""}
    assert (third.target, third.version) == (first.target, "")


def test_where_a_value_may_not_be_empty_chains_go_on_and_circles_are_cases() -> None:
    can = Capabilities(blankable=frozenset())
    desk = Desk(target=MemoryTarget(can))
    desk.sync(pupils(PUPILS))
    planned = desk.sync(pupils(["p1", "p0", "p3", "p4", "new", "p5"]))
    assert [desk.member(one).fields["email"] for one in PUPILS] == ["p0", "p1", "p3", "p4", "new", "p5"]
    assert {one.source_id for one in planned.cases} == {"p0", "p1"}
    assert "makes-room" not in [one.reason for one in desk.operations]


def test_two_new_people_with_one_address_are_one_member_and_one_case() -> None:
    desk = Desk()
    roster = but(riverbend(), person("hal", email="DOT@riverbend.example"))
    planned = desk.sync(roster)
    [case] = planned.cases
    assert (case.source_id, case.code, case.field, case.others) == ("hal", "value-taken", "email", ("dot",))
    assert "hal" not in desk.links.of(MEMBERS)
    assert len(desk.links.of(MEMBERS)) == 7


def test_who_has_an_address_keeps_it_and_who_wants_it_keeps_theirs() -> None:
    desk = Desk()
    desk.sync(riverbend())
    roster = renamed(riverbend(), "eli", email="dot@riverbend.example", family_name="New")
    planned = desk.sync(roster)
    assert [one.code for one in planned.cases] == ["value-taken"]
    assert desk.member("eli").fields["email"] == "eli@riverbend.example"
    assert desk.member("eli").fields["family_name"] == "New"
    assert desk.plan(roster).counts == {}
    free = renamed(roster, "dot", email="dorothy@riverbend.example")
    desk.sync(free)
    assert desk.member("eli").fields["email"] == "dot@riverbend.example"


def test_the_address_of_somebody_who_left_is_not_given_to_a_namesake_unasked() -> None:
    desk = Desk(policy=read_policy({"grace": {"reads": 1, "students": 0}}))
    desk.sync(riverbend())
    left = without(riverbend(), "dot")
    desk.sync(left)
    for family_name in ("Else", "OfDot"):
        new = person("zoe", family_name=family_name, email="dot@riverbend.example")
        planned = desk.plan(but(left, new))
        assert [(one.source_id, one.code) for one in planned.cases] == [("zoe", "match-thin")]
        assert desk.operations == []
