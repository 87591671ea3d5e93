"""A sync in memory from an empty directory through joiners, leavers, and what comes back."""

import random
from dataclasses import replace

from rollbook.engine.sync.memory import MemoryTarget
from rollbook.engine.sync.operations import (
    ARCHIVED,
    FOR_TARGETS,
    GROUPS,
    INACTIVE,
    MEMBERS,
    MEMBERSHIPS,
    RESTORE,
)
from rollbook.engine.sync.policy import read_policy
from rollbook.engine.sync.roster import MARKED, MemoryRoster
from rollbook.engine.sync.target import Capabilities
from tests.engine.sync.desk import Desk, but, enrolled, person, removals, renamed, riverbend, without

AT_ONCE = read_policy({"grace": {"reads": 1, "students": 0, "staff": 0}})


def test_a_first_sync_makes_everything_in_the_order_of_kinds_and_the_next_finds_nothing_to_do() -> None:
    desk = Desk()
    planned = desk.sync(riverbend(), first=True)
    assert planned.counts == {
        "sites": {"create": 2},
        "members": {"create": 7},
        "groups": {"create": 3},
        "memberships": {"create": 9},
    }
    kinds = [one.kind for one in desk.operations]
    assert kinds == sorted(kinds, key=["sites", "members", "groups", "memberships"].index)
    assert [one.number for one in desk.operations] == list(range(1, 22))
    staff = [one.source_id for one in desk.operations if one.kind == MEMBERS]
    assert staff == ["ada", "ben", "cid", "dot", "eli", "fay", "gus"]
    assert desk.in_class("art") == {"ben": "teacher", "cid": "teacher", "fay": "student", "gus": "student"}
    assert desk.member("cid").fields["sites"] == (desk.site("north").id, desk.site("south").id)
    assert desk.member("dot").state == INACTIVE
    assert desk.plan(riverbend()).counts == {}


def test_the_order_of_the_source_changes_nothing() -> None:
    whole, shuffled = riverbend(), riverbend()
    for records in (shuffled.orgs, shuffled.people, shuffled.classes):
        items = list(records.items())
        random.Random(3).shuffle(items)
        records.clear()
        records.update(items)  # type: ignore[arg-type]  # as above
    random.Random(4).shuffle(shuffled.enrollments)
    one, other = Desk(), Desk()
    assert one.plan(whole).fingerprint == other.plan(shuffled).fingerprint
    assert one.operations == other.operations


def test_who_is_missing_waits_for_the_reads_and_the_days_and_is_then_archived() -> None:
    desk = Desk()
    desk.sync(riverbend())
    left = without(riverbend(), "dot")
    for day, states in (("15", "inactive"), ("16", "inactive"), ("21", "inactive"), ("22", ARCHIVED)):
        desk.day = f"2026-09-{day}"
        desk.sync(left)
        assert desk.member("dot").state == states, day
    assert desk.plan(left).counts == {}


def test_who_is_marked_as_deleted_goes_at_once_and_memberships_stay_for_the_return() -> None:
    desk = Desk()
    desk.sync(riverbend())
    desk.sync(without(riverbend(), "dot", why=MARKED))
    assert desk.did() == ["archive members dot"]
    assert desk.in_class("maths") == {"ada": "teacher", "dot": "student", "eli": "student"}
    desk.sync(riverbend())
    assert desk.did() == ["restore members dot"]
    assert desk.plan(riverbend()).counts == {}


def test_who_is_missing_and_found_again_is_as_before() -> None:
    desk = Desk()
    desk.sync(riverbend())
    desk.sync(without(riverbend(), "dot"))
    assert desk.did() == ["miss members dot"]
    desk.sync(riverbend())
    assert desk.did() == ["find members dot"]
    assert desk.links.of(MEMBERS)["dot"].missing_since == ""


def test_a_change_of_class_takes_and_gives_one_membership() -> None:
    desk = Desk()
    desk.sync(riverbend())
    moved = but(without(riverbend(), "art.gus.student"), *enrolled("maths", "gus"))
    desk.sync(moved)
    assert [one.split()[:2] for one in desk.did()] == [["create", "memberships"], ["archive", "memberships"]]
    assert "gus" not in desk.in_class("art")
    assert desk.in_class("maths")["gus"] == "student"
    assert desk.operations[-1].at == (desk.site("south").id,)


def test_a_teacher_of_two_schools_who_leaves_one_is_taken_from_that_alone() -> None:
    desk = Desk()
    desk.sync(riverbend())
    cid = riverbend().people["cid"]
    desk.sync(but(riverbend(), replace(cid, posts=cid.posts[:1])))
    assert desk.did() == ["update members cid"]
    assert desk.operations[0].at == (desk.site("south").id,)
    assert desk.member("cid").fields["sites"] == (desk.site("north").id,)


def test_a_transfer_in_two_steps_keeps_the_person() -> None:
    desk = Desk()
    desk.sync(riverbend())
    member = desk.member("dot").id
    desk.sync(without(riverbend(), "dot"))
    there = but(without(riverbend(), "dot"), person("dot", "student", "south", grades=("07",)))
    for _ in range(2):
        desk.day = "2026-10-15"
        desk.sync(there)
    assert (desk.member("dot").id, desk.member("dot").state) == (member, INACTIVE)
    assert desk.member("dot").fields["sites"] == (desk.site("south").id,)
    assert "dot" not in desk.in_class("maths")


def test_what_is_held_back_or_was_not_seen_is_not_gone() -> None:
    desk = Desk(policy=AT_ONCE)
    desk.sync(riverbend())
    left = without(riverbend(), "dot", "maths", "ben")
    left.gone = {}
    assert desk.plan(left).counts == {}


def test_random_parts_of_a_roster_remove_nothing_without_a_certificate() -> None:
    for seed in range(150):
        chance = random.Random(seed)
        desk = Desk(policy=AT_ONCE)
        desk.sync(riverbend())
        whole = riverbend()
        everything = [
            *whole.orgs,
            *whole.people,
            *whole.classes,
            *(one.source_id for one in whole.enrollments),
        ]
        part = without(whole, *chance.sample(everything, chance.randrange(1, len(everything))))
        if chance.random() < 0.5:
            part.gone = {}
        for one in list(part.people.values()):
            if chance.random() < 0.2:
                part.people[one.source_id] = replace(one, posts=one.posts[: chance.randrange(2)])
        desk.plan(part, certified=frozenset())
        assert removals(desk.operations) == [], seed


def test_only_additions_leave_out_every_removal_and_count_it() -> None:
    desk = Desk(policy=AT_ONCE)
    desk.sync(riverbend())
    cid = riverbend().people["cid"]
    left = but(without(riverbend(), "dot", "choir", "art.fay.student"), replace(cid, posts=cid.posts[:1]))
    planned = desk.sync(left, only_adds=True)
    assert removals(desk.operations) == []
    assert planned.left_out == {"members": 1, "groups": 1, "memberships": 1}
    desk.sync(left)
    assert [one.source_id for one in removals(desk.operations) if one.kind == MEMBERS] == ["cid", "dot"]


def test_a_class_that_is_gone_is_archived_with_its_roster_and_comes_back_with_it() -> None:
    desk = Desk(policy=AT_ONCE)
    desk.sync(riverbend())
    desk.sync(without(riverbend(), "art"))
    assert desk.did() == ["archive groups art"]
    assert desk.states(GROUPS)["art"] == ARCHIVED
    desk.sync(riverbend())
    assert desk.did() == ["restore groups art"]
    assert len(desk.in_class("art")) == 4


def test_a_grade_move_and_a_new_name_are_one_update_with_old_and_new() -> None:
    desk = Desk()
    desk.sync(riverbend())
    desk.sync(renamed(riverbend(), "dot", family_name="Married", grades=("08",)))
    [update] = desk.operations
    assert update.before == {"family_name": "OfDot", "grade": "07"}
    assert update.after == {"family_name": "Married", "grade": "08"}


def test_the_switch_from_classes_to_groups_and_back_loses_no_membership() -> None:
    desk = Desk()
    desk.sync(riverbend())
    for form in ("group", "class"):
        desk.policy = read_policy({"classes": {"form": form}})
        desk.sync(riverbend())
        assert desk.did() == ["update groups art", "update groups choir", "update groups maths"]
        assert desk.group("art").fields["form"] == form
        assert len(desk.in_class("art")) == 4


def test_an_empty_roster_that_is_not_proved_changes_nothing() -> None:
    desk = Desk(policy=AT_ONCE)
    desk.sync(riverbend())
    assert desk.plan(MemoryRoster(), certified=frozenset()).counts == {}


def test_a_directory_that_keeps_less_is_told_no_more_than_it_keeps() -> None:
    kept = {
        MEMBERS: ("given_name", "family_name", "email"),
        GROUPS: ("title",),
        MEMBERSHIPS: ("group", "member"),
    }
    can = Capabilities(
        kinds=frozenset({MEMBERS, GROUPS, MEMBERSHIPS}),
        actions=FOR_TARGETS - {RESTORE},
        fields=kept,
        unique=("email",),
    )
    desk = Desk(policy=read_policy({"schools": {"unmatched": "ignore"}}), target=MemoryTarget(can))
    desk.sync(riverbend())
    assert {one.kind for one in desk.operations} == {MEMBERS, GROUPS, MEMBERSHIPS}
    assert desk.plan(riverbend()).counts == {}
    desk.plan(without(riverbend(), "dot", "art.gus.student", why=MARKED))
    assert removals(desk.operations) == []
