"""Who becomes a member, with which roles, and what happens to those who do not any more."""

from dataclasses import replace

import pytest

from rollbook.engine.sync.candidates import candidates
from rollbook.engine.sync.links import Decision, Override
from rollbook.engine.sync.operations import ARCHIVED, MEMBERS, SITES, Value
from rollbook.engine.sync.policy import preset, read_policy
from rollbook.engine.sync.roster import MemoryRoster, Org, Post
from tests.engine.sync.desk import (
    WHOLE,
    Desk,
    a_class,
    but,
    enrolled,
    person,
    renamed,
    riverbend,
    teacher,
    without,
)
from tests.engine.sync.test_merging import by_hand


def members(desk: Desk) -> list[str]:
    return sorted(one for one, state in desk.states().items() if state != ARCHIVED)


@pytest.mark.parametrize("role", ["guardian", "parent", "relative"])
def test_guardians_never_become_members(role: str) -> None:
    desk = Desk()
    planned = desk.sync(but(riverbend(), person("mum", role)))
    assert "mum" not in members(desk)
    assert ("mum", "never-a-member") in {(one.source_id, one.code) for one in planned.remarks}


def test_a_role_above_the_ceiling_becomes_the_ceiling_and_one_nobody_knows_nothing() -> None:
    roles = {"map": {"teacher": "teacher", "principal": "owner", "aide": "janitor", "student": "student"}}
    desk = Desk(policy=read_policy({"roles": roles}))
    roster = but(riverbend(), person("pam", "principal"), person("abe", "aide"))
    planned = desk.sync(roster)
    assert desk.member("pam").fields["roles"] == ("teacher",)
    assert desk.member("abe").fields["roles"] == ()
    assert [one.source_id for one in planned.remarks if one.code == "needs-role"] == ["abe"]


def test_a_post_counts_from_its_first_day_to_the_day_before_its_end() -> None:
    desk = Desk()
    post = Post("teacher", "north", True, "2026-09-16", "2026-09-18")
    roster = but(riverbend(), replace(teacher("sub"), posts=(post,)))
    seen = []
    for day in ("15", "16", "17", "18"):
        desk.day = f"2026-09-{day}"
        desk.sync(roster)
        seen.append("sub" in members(desk))
    assert seen == [False, True, True, False]


def test_only_teachers_whose_classes_have_pupils_with_their_pupils() -> None:
    desk = Desk(policy=preset("teachers-groups"))
    roster = but(
        riverbend(),
        teacher("una"),
        a_class("empty"),
        *enrolled("empty", "una", role="teacher"),
        person("lone", grades=("09",)),
        teacher("mail", email=""),
        *enrolled("maths", "mail", role="teacher"),
    )
    planned = desk.sync(roster)
    assert members(desk) == ["ada", "ben", "cid", "dot", "eli", "fay", "gus"]
    assert desk.member("ada").fields["roles"] == ("teacher",)
    assert desk.member("dot").fields["roles"] == ("student",)
    assert desk.member("ada").fields["username"] == "ada@riverbend.example"
    assert desk.group("maths").fields["form"] == "group"
    said = {(one.source_id, one.code) for one in planned.remarks}
    assert {("una", "not-teaching"), ("lone", "no-teacher"), ("mail", "needs-email")} <= said
    assert ("empty", "no-teacher-in-class") in said
    assert desk.plan(roster).counts == {}


def test_pupils_of_a_teacher_who_is_imported_later_come_with_them() -> None:
    found = preset("teachers-groups")
    desk = Desk(policy=replace(found, people=replace(found.people, create=False)))
    desk.sync(riverbend())
    assert members(desk) == []
    listed = candidates(desk.world(riverbend()), desk.policy)
    assert [(one.source_id, one.classes) for one in listed] == [
        ("ada", ("maths",)),
        ("ben", ("art",)),
        ("cid", ("art", "choir")),
    ]
    assert {(one.roster_roles, one.roles) for one in listed} == {(("teacher",), ("teacher",))}
    desk.decisions[MEMBERS, "ada"] = Decision("create", roles=("aide",), sites=(desk.site("south").id,))
    desk.sync(riverbend())
    assert members(desk) == ["ada", "dot", "eli"]
    assert desk.member("ada").fields["roles"] == ("aide",)
    assert desk.in_class("maths") == {"ada": "teacher", "dot": "student", "eli": "student"}
    assert [one.source_id for one in candidates(desk.world(riverbend()), desk.policy)] == ["ben", "cid"]


def test_a_teacher_without_a_class_has_the_grace_of_one_who_is_missing() -> None:
    desk = Desk(policy=preset("teachers-groups"))
    desk.sync(riverbend())
    less = without(riverbend(), "maths.ada.teacher")
    desk.sync(less)
    assert sorted(desk.did()) == [
        "archive memberships maths.ada.teacher",
        "miss groups maths",
        "miss members ada",
        "miss members dot",
        "miss members eli",
    ]
    desk.day = "2026-10-20"
    desk.sync(less)
    assert members(desk) == ["ben", "cid", "fay", "gus"]


def test_classes_and_pupils_of_a_teacher_who_is_missing_wait_as_long_as_the_teacher() -> None:
    desk = Desk(policy=preset("teachers-groups"))
    desk.sync(riverbend())
    less = without(riverbend(), "ada")
    for day in ("2026-09-15", "2026-09-30", "2026-10-14"):
        desk.day = day
        desk.sync(less)
        assert desk.did() == ["miss members ada"]
        assert len(desk.in_class("maths")) == 3
    desk.day = "2026-10-15"
    desk.sync(less)
    assert sorted(desk.did()) == [
        "archive members ada",
        "miss groups maths",
        "miss members dot",
        "miss members eli",
    ]


def test_what_enrollments_do_not_say_in_a_read_that_is_not_whole_leaves_members_as_they_are() -> None:
    desk = Desk(policy=preset("teachers-groups"))
    desk.sync(riverbend())
    less = without(riverbend(), "maths.ada.teacher")
    less.gone = {}
    desk.day = "2026-12-20"
    assert desk.plan(less, certified=WHOLE - {"enrollments"}).counts == {}


def test_teachers_only_by_their_address_and_whom_the_source_lacks_are_archived_apart() -> None:
    desk = Desk(policy=preset("teachers-and-schools"), domains=frozenset())
    site = desk.target.put(SITES, {"name": "Elsewhere"})
    fields: dict[str, Value] = {
        "email": "ada@riverbend.example",
        "roles": ("teacher",),
        "given_name": "A",
        "sites": (site,),
    }
    ada = desk.target.put(MEMBERS, fields)
    old = desk.target.put(MEMBERS, {"email": "old@x.example", "roles": ("teacher",)})
    boss = desk.target.put(MEMBERS, {"email": "boss@x.example", "roles": ("administrator", "teacher")})
    pupil = desk.target.put(MEMBERS, {"email": "pupil@x.example", "roles": ("student",)})
    planned = desk.plan(riverbend(), first=True)
    assert "groups" not in planned.counts
    [removal] = [one for one in desk.operations if one.removes]
    assert (removal.target, removal.bundle, removal.reason) == (old, "unowned", "unowned")
    desk.apply(desk.operations)
    assert members(desk) == ["ada", "ben", "cid"]
    assert desk.member("ada").id == ada
    assert set(desk.member("ada").fields["sites"]) == {site, desk.site("north").id}  # type: ignore[arg-type]  # a tuple
    assert [desk.record(MEMBERS, one).state for one in (old, boss, pupil)] == ["archived", "active", "active"]
    assert desk.record(SITES, site).state == "active"
    assert desk.plan(riverbend()).counts == {}


def test_a_teacher_who_administers_is_left_out_of_that() -> None:
    desk = Desk(policy=preset("teachers-and-schools"))
    desk.sync(riverbend())
    by_hand(desk, MEMBERS, desk.member("ben").id, roles=("administrator", "teacher"))
    planned = desk.sync(without(riverbend(), "ada", "ben"))
    assert members(desk) == ["ben", "cid"]
    assert ("ben", "administrator-stays") in {(one.source_id, one.code) for one in planned.remarks}


def test_whom_a_person_kept_stays_until_the_source_has_them_again() -> None:
    desk = Desk(policy=read_policy({"grace": {"reads": 1, "students": 0}}))
    desk.sync(riverbend())
    dot = desk.member("dot").id
    desk.overrides[MEMBERS, dot] = {"state": Override("state", "kept")}
    for _ in range(2):
        planned = desk.sync(without(riverbend(), "dot"))
        assert desk.operations == []
        assert ("dot", "kept-by-hand") in {(one.source_id, one.code) for one in planned.remarks}
    desk.sync(riverbend())
    assert desk.did() == ["release members dot"]
    desk.sync(without(riverbend(), "dot"))
    assert desk.member("dot").state == ARCHIVED


def test_whom_a_person_archived_is_not_brought_back() -> None:
    desk = Desk(policy=read_policy({"grace": {"reads": 1, "students": 0}}))
    desk.sync(riverbend())
    desk.sync(without(riverbend(), "dot"))
    desk.overrides[MEMBERS, desk.member("dot").id] = {"state": Override("state", "archived")}
    desk.sync(riverbend())
    assert desk.operations == []


def test_a_school_that_is_gone_keeps_its_people_as_long_as_its_site_has_grace() -> None:
    desk = Desk(policy=read_policy({"grace": {"reads": 2, "staff": 0, "students": 0}}))
    desk.sync(riverbend())
    gone = without(riverbend(), "south")
    gone.people = riverbend().people
    desk.sync(gone)
    assert desk.did() == ["miss sites south"]
    desk.sync(gone)
    assert members(desk) == ["ada", "cid", "dot", "eli"]
    assert desk.site("south").state == ARCHIVED


def test_schools_go_where_a_person_said_by_grade_or_several_to_one() -> None:
    desk = Desk()
    sites = [desk.target.put(SITES, {"name": name}) for name in ("Lower", "Upper")]
    desk.decisions = {
        (SITES, "north"): Decision("link", sites[0], {"07": sites[1]}),
        (SITES, "south"): Decision("link", sites[0]),
    }
    desk.sync(riverbend())
    assert desk.member("dot").fields["sites"] == (sites[1],)
    assert desk.member("ada").fields["sites"] == (sites[0],)
    assert desk.member("cid").fields["sites"] == (sites[0],)
    assert desk.record(SITES, sites[0]).fields["name"] == "Lower"
    assert desk.plan(riverbend()).counts == {}


def test_an_unmatched_school_is_ignored_or_waits_as_the_settings_say() -> None:
    desk = Desk(policy=read_policy({"schools": {"unmatched": "ignore"}}))
    planned = desk.sync(riverbend())
    assert planned.counts == {}
    assert ("dot", "school-ignored") in {(one.source_id, one.code) for one in planned.remarks}
    desk = Desk(policy=read_policy({"schools": {"unmatched": "hold"}}))
    site = desk.target.put(SITES, {"name": "Northe"})
    found = desk.plan(but(riverbend(), Org("north", "North", "school")))
    assert {one.source_id: one.candidates for one in found.cases} == {"north": (site,), "south": ()}
    assert found.counts == {}


def test_a_disabled_account_is_archived_and_a_district_role_counts_without_a_site() -> None:
    desk = Desk(policy=preset("classes-and-licences"))
    desk.sync(but(riverbend(), person("sup", "districtAdministrator", "district")))
    assert desk.member("sup").fields["sites"] == ()
    assert desk.member("sup").fields["roles"] == ("teacher",)
    desk.sync(
        renamed(but(riverbend(), person("sup", "districtAdministrator", "district")), "dot", enabled=False)
    )
    assert desk.did() == ["archive members dot"]


def test_an_empty_directory_and_an_empty_roster_need_nothing() -> None:
    assert Desk().plan(MemoryRoster()).counts == {}
