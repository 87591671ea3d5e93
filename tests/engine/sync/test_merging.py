"""Three ways to merge a field, and who wins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.engine.sync.links import Override
from rollbook.engine.sync.merging import merged, merged_set
from rollbook.engine.sync.operations import GROUPS, MEMBERS, UPDATE, Operation, Value
from rollbook.engine.sync.policy import LOCAL, LOCAL_UNTIL_CHANGE, ONCE, SOURCE_WINS, read_policy
from tests.engine.sync.desk import Desk, a_class, but, renamed, riverbend


def by_hand(desk: Desk, kind: str, target: str, **fields: Value) -> None:
    desk.target.apply([Operation(0, UPDATE, kind, "", target, after=fields, changed=tuple(fields))])


@pytest.mark.parametrize(
    ("source", "present", "wins"),
    [
        # (what the source says, what is there) where both said "old" before; what comes of it by rule
        ("old", "old", {SOURCE_WINS: "old", LOCAL_UNTIL_CHANGE: "old", ONCE: "old", LOCAL: "old"}),
        ("new", "old", {SOURCE_WINS: "new", LOCAL_UNTIL_CHANGE: "new", ONCE: "old", LOCAL: "old"}),
        ("old", "own", {SOURCE_WINS: "old", LOCAL_UNTIL_CHANGE: "own", ONCE: "own", LOCAL: "own"}),
        ("new", "own", {SOURCE_WINS: "new", LOCAL_UNTIL_CHANGE: "new", ONCE: "own", LOCAL: "own"}),
        ("", "old", {SOURCE_WINS: "old", LOCAL_UNTIL_CHANGE: "old", ONCE: "old", LOCAL: "old"}),
        ("", "own", {SOURCE_WINS: "own", LOCAL_UNTIL_CHANGE: "own", ONCE: "own", LOCAL: "own"}),
        ("new", "new", {SOURCE_WINS: "new", LOCAL_UNTIL_CHANGE: "new", ONCE: "new", LOCAL: "new"}),
        ("new", "", {SOURCE_WINS: "new", LOCAL_UNTIL_CHANGE: "new", ONCE: "", LOCAL: ""}),
        ("old", "", {SOURCE_WINS: "old", LOCAL_UNTIL_CHANGE: "", ONCE: "", LOCAL: ""}),
    ],
)
def test_the_table_of_who_changed_what_against_the_rules(
    source: str, present: str, wins: dict[str, str]
) -> None:
    assert {rule: merged(rule, "old", source, present) for rule in wins} == wins


def test_an_empty_value_empties_only_where_the_settings_say_so() -> None:
    assert merged(SOURCE_WINS, "old", "", "old", clears=True) == ""
    assert merged(ONCE, "old", "", "old", clears=True) == "old"


def test_of_a_record_taken_over_the_own_value_stays_where_local_wins_until_a_change() -> None:
    assert merged(LOCAL_UNTIL_CHANGE, None, "said", "own") == "own"
    assert merged(LOCAL_UNTIL_CHANGE, None, "said", "") == "said"
    assert merged(SOURCE_WINS, None, "said", "own") == "said"


SETS = st.frozensets(st.sampled_from("abcde"))


@given(SETS, SETS, SETS)
@settings(max_examples=200, deadline=None)
def test_a_set_loses_what_the_source_took_back_gains_what_it_added_and_keeps_the_rest(
    base: frozenset[str], source: frozenset[str], present: frozenset[str]
) -> None:
    found = merged_set(SOURCE_WINS, base, source, present)
    assert source <= found
    assert not found & (base - source)
    assert present - base <= found
    assert merged_set(SOURCE_WINS, source, source, found) == found
    assert present | source == merged_set(SOURCE_WINS, base, source, present, keeps=True)
    assert present == merged_set(ONCE, base, source, present)


def test_a_role_given_by_hand_survives_ten_syncs_and_the_source_takes_back_only_its_own() -> None:
    desk = Desk()
    desk.sync(riverbend())
    by_hand(desk, MEMBERS, desk.member("ada").id, roles=("administrator", "teacher"))
    for _ in range(10):
        desk.sync(riverbend())
        assert desk.operations == []
    aide = renamed(riverbend(), "ada", posts=())
    desk.policy = read_policy({"roles": {"map": {"teacher": "aide", "student": "student"}}})
    desk.sync(riverbend())
    assert desk.member("ada").fields["roles"] == ("administrator", "aide")
    assert aide.people["ada"].posts == ()


def test_a_title_changed_by_hand_stays_until_the_source_changes_it() -> None:
    desk = Desk()
    desk.sync(riverbend())
    by_hand(desk, GROUPS, desk.group("maths").id, title="Our maths")
    desk.sync(riverbend())
    assert desk.group("maths").fields["title"] == "Our maths"
    desk.sync(but(riverbend(), a_class("maths", title="Mathematics 2")))
    assert desk.group("maths").fields["title"] == "Mathematics 2"


def test_a_name_changed_by_hand_is_put_right_and_an_override_stays_until_its_day() -> None:
    desk = Desk()
    desk.sync(riverbend())
    dot = desk.member("dot").id
    by_hand(desk, MEMBERS, dot, given_name="Dottie")
    desk.overrides[MEMBERS, dot] = {"given_name": Override("given_name", "Dottie", until="2026-09-30")}
    desk.sync(renamed(riverbend(), "dot", given_name="Dorothy"))
    assert desk.did() == ["note members dot"]
    desk.day = "2026-10-01"
    desk.sync(renamed(riverbend(), "dot", given_name="Dorothy"))
    assert desk.member("dot").fields["given_name"] == "Dorothy"


def test_an_override_adds_to_a_set_and_what_the_source_takes_back_of_it_stays() -> None:
    desk = Desk()
    desk.sync(riverbend())
    cid = riverbend().people["cid"]
    south = desk.site("south").id
    desk.overrides[MEMBERS, desk.member("cid").id] = {"sites": Override("sites", (south,), "add")}
    desk.sync(renamed(riverbend(), "cid", posts=cid.posts[:1]))
    assert south in desk.member("cid").fields["sites"]  # type: ignore[operator]  # a tuple
