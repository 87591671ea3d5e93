"""Classes of the source: terms, titles, ids that are used again, groups that were there, sections that are merged."""

from dataclasses import replace

import pytest

from rollbook.engine.sync.links import Decision
from rollbook.engine.sync.operations import ARCHIVED, GROUPS, MEMBERS, MEMBERSHIPS, SITES
from rollbook.engine.sync.policy import read_policy
from rollbook.engine.sync.roster import MARKED, Enrollment, MemoryRoster, TaughtClass, Term
from tests.engine.sync.desk import Desk, a_class, but, enrolled, riverbend, without

LATER = Term("later", "2027/28", "2027-08-01", "2028-07-01")


def later(roster: MemoryRoster) -> MemoryRoster:
    """The same with the term of the year after."""
    found = but(roster)
    found.terms["later"] = LATER
    return found


def active(desk: Desk) -> list[str]:
    return sorted(one for one, state in desk.states(GROUPS).items() if state != ARCHIVED)


@pytest.mark.parametrize(
    ("terms", "classes"),
    [("current", ["art", "choir", "maths"]), ("current-and-future", ["art", "choir", "maths", "next"])],
)
def test_classes_come_with_their_term(terms: str, classes: list[str]) -> None:
    desk = Desk(policy=read_policy({"classes": {"terms": terms}}))
    roster = later(but(riverbend(), a_class("next", terms=("later",))))
    desk.sync(roster)
    assert active(desk) == classes
    desk.day = "2027-07-01"
    desk.sync(roster)
    assert active(desk) == [one for one in classes if one == "next"]
    assert {one.reason for one in desk.operations if one.kind == GROUPS} == {"term-over"}
    desk.day = "2027-08-01"
    desk.sync(roster)
    assert active(desk) == ["next"]


def test_an_id_that_is_used_again_is_another_class_and_the_old_one_keeps_its_roster() -> None:
    desk = Desk()
    desk.sync(riverbend())
    old, members = desk.group("maths").id, len(desk.in_class("maths"))
    desk.day = "2027-09-01"
    roster = later(without(riverbend(), "maths"))
    again = but(roster, a_class("maths", title="Welding", terms=("later",)), *enrolled("maths", "gus"))
    desk.sync(again)
    assert desk.group("maths").id != old
    assert desk.record(GROUPS, old).state == ARCHIVED
    assert desk.in_class("maths") == {"gus": "student"}
    rows = [one for one in desk.target.scan(MEMBERSHIPS) if one.fields["group"] == old]
    assert [one.state for one in rows] == ["active"] * members
    assert desk.did()[0] == "unlink groups maths"
    assert desk.plan(again).counts == {}


def test_a_class_that_only_moves_to_the_next_term_or_is_renamed_stays_the_same() -> None:
    desk = Desk()
    desk.sync(riverbend())
    old = desk.group("maths").id
    moved = later(but(riverbend(), a_class("maths", terms=("later",))))
    desk.day = "2027-09-01"
    desk.sync(moved)
    assert desk.group("maths").id == old
    desk.sync(but(moved, a_class("maths", title="Algebra", terms=("later",))))
    assert (desk.group("maths").id, desk.group("maths").fields["title"]) == (old, "Algebra")


def test_only_additions_put_off_what_a_reused_id_would_archive() -> None:
    desk = Desk()
    desk.sync(riverbend())
    desk.day = "2027-09-01"
    again = later(but(riverbend(), a_class("maths", title="Welding", terms=("later",))))
    planned = desk.sync(again, only_adds=True)
    assert planned.left_out["groups"] >= 1
    assert not [one for one in desk.operations if one.removes]


def test_groups_that_were_there_are_taken_over_by_code_or_title_where_settings_say_so() -> None:
    desk = Desk(policy=read_policy({"match": {"adopt_classes": True}}))
    site = desk.target.put(SITES, {"name": "north"})
    maths = desk.target.put(GROUPS, {"title": "My maths", "code": "c-maths", "site": site})
    twins = [desk.target.put(GROUPS, {"title": "Latin", "site": site}) for _ in range(2)]
    roster = but(riverbend(), a_class("latin", code=""))
    planned = desk.sync(roster)
    assert desk.links.of(GROUPS)["maths"].target == maths
    assert desk.group("maths").fields["title"] == "My maths"
    assert [(one.source_id, one.candidates) for one in planned.cases] == [("latin", tuple(twins))]
    assert desk.plan(roster).counts == {}


def test_merged_sections_are_one_group_and_somebody_leaves_it_with_the_last_of_them() -> None:
    desk = Desk()
    desk.sync(riverbend())
    art = desk.group("art").id
    desk.decisions[GROUPS, "choir2"] = Decision("link", art)
    merged = but(riverbend(), a_class("choir2", "south"), *enrolled("choir2", "gus", "dot"))
    desk.sync(merged)
    assert sorted(desk.in_class("art")) == ["ben", "cid", "dot", "fay", "gus"]
    assert desk.plan(merged).counts == {}
    one_less = without(merged, "art.gus.student")
    assert desk.plan(one_less).counts == {}
    desk.sync(without(one_less, "choir2.gus.student"))
    assert "gus" not in desk.in_class("art")
    desk.sync(without(merged, "choir2", why=MARKED))
    assert desk.group("art").state == "active"
    assert "dot" not in desk.in_class("art")


def test_a_title_is_made_of_what_the_settings_name() -> None:
    desk = Desk(
        policy=read_policy({"classes": {"title": "{course} {period} – {teacher} ({term}) {unknown}"}})
    )
    roster = but(riverbend(), a_class("maths", course_title="Maths", periods=("3", "4")))
    desk.sync(roster)
    assert desk.group("maths").fields["title"] == "Maths 3, 4 – OfAda (2026/27)"
    assert desk.group("choir").fields["title"] == "– OfCid (2026/27)".strip("– ")


def test_of_several_enrollments_of_one_person_the_highest_role_counts_and_primary_if_any() -> None:
    desk = Desk()
    twice = but(
        riverbend(),
        Enrollment("x1", "dot", "art", "student", True),
        Enrollment("x2", "dot", "art", "aide"),
        Enrollment("x3", "dot", "choir", "student", False, "2026-09-16", "2026-09-20"),
        Enrollment("x4", "dot", "maths", "guardian"),
    )
    planned = desk.sync(twice)
    [row] = [one for one in desk.operations if one.kind == MEMBERSHIPS and one.source_id == "x1"]
    assert (row.after["role"], row.after["primary"]) == ("aide", True)
    assert "dot" not in desk.in_class("choir")
    assert ("x4", "role-not-mapped") in {(one.source_id, one.code) for one in planned.remarks}
    for day, there in (("16", True), ("19", True), ("20", False)):
        desk.day = f"2026-09-{day}"
        desk.sync(twice)
        assert ("dot" in desk.in_class("choir")) is there


def test_memberships_by_hand_and_of_other_connections_are_never_touched() -> None:
    desk = Desk()
    desk.sync(riverbend())
    group, ada = desk.group("choir").id, desk.member("ada").id
    other = desk.target.put(MEMBERSHIPS, {"group": group, "member": ada, "role": "teacher"}, owner="2")
    desk.sync(without(riverbend(), "choir.gus.student"))
    assert desk.record(MEMBERSHIPS, other).state == "active"
    assert desk.plan(without(riverbend(), "choir.gus.student")).counts == {}


def test_rosters_of_people_and_classes_that_are_gone_or_held_back_stay() -> None:
    desk = Desk()
    desk.sync(riverbend())
    held = without(riverbend(), "dot")
    held.gone = {}
    desk.sync(held)
    assert "dot" in desk.in_class("maths")
    desk.sync(without(riverbend(), "art"))
    assert desk.group("art").state == ARCHIVED or len(desk.in_class("art")) == 4


def test_classes_and_memberships_of_unsynced_classes_stay_as_they_are() -> None:
    desk = Desk()
    desk.sync(riverbend())
    desk.policy = replace(desk.policy, classes=replace(desk.policy.classes, sync=False))
    assert desk.plan(without(riverbend(), "art", "maths.dot.student")).counts == {}


def test_one_membership_follows_a_change_of_role() -> None:
    desk = Desk()
    desk.sync(riverbend())
    aide = Enrollment("art.cid.teacher", "cid", "art", "aide")
    desk.sync(but(riverbend(), aide))
    [update] = desk.operations
    assert (update.action, update.changed) == ("update", ("role",))
    assert update.before["member"] == desk.member("cid").id
    assert isinstance(riverbend().classes["art"], TaughtClass)
    assert MEMBERS in desk.links.current
