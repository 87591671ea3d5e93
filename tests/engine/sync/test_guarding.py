"""The limits: what makes a plan wait, and how little of it."""

from dataclasses import replace

from rollbook.engine.sync.guarding import MEANINGS, SENTENCES, Hazard, hazards
from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, Operation
from rollbook.engine.sync.policy import Limits, read_policy
from rollbook.engine.sync.roster import MemoryRoster, Post
from rollbook.engine.sync.stakes import ORGANIZATION, SITE, Stakes
from tests.engine.sync.desk import (
    YEAR,
    Desk,
    a_class,
    but,
    enrolled,
    person,
    renamed,
    school,
    teacher,
    without,
)
from tests.engine.sync.test_matching import rekeyed
from tests.engine.sync.test_merging import by_hand

AT_ONCE = read_policy({"grace": {"reads": 1, "students": 0, "staff": 0}})


def district(pupils: int = 40) -> MemoryRoster:
    """Four schools, in each a teacher and pupils in one class."""
    schools = [f"s{number}" for number in range(4)]
    people = [teacher(f"t-{one}", one) for one in schools]
    people += [person(f"{one}-{number:02}", "student", one) for one in schools for number in range(pupils)]
    classes = [a_class(f"c-{one}", one) for one in schools]
    enrollments = [
        each
        for one in schools
        for each in (
            *enrolled(f"c-{one}", f"t-{one}", role="teacher"),
            *enrolled(f"c-{one}", *(f"{one}-{number:02}" for number in range(pupils))),
        )
    ]
    return MemoryRoster.of([school(one) for one in schools], people, classes, enrollments, [YEAR])


def pupils_of(one: str, many: int) -> list[str]:
    return [f"{one}-{number:02}" for number in range(many)]


def found(
    desk: Desk, roster: MemoryRoster, week: list[dict[str, int]] | None = None, first: bool = False
) -> dict[tuple[str, str, str, str], Hazard]:
    planned = desk.plan(roster)
    return {
        (one.code, one.level, one.scope, one.kind): one
        for one in hazards(planned.stakes, week or [], desk.policy.limits, first)
    }


def synced() -> Desk:
    desk = Desk(policy=AT_ONCE)
    desk.sync(district())
    return desk


def covered(desk: Desk, hazard: Hazard) -> list[str]:
    return [one.source_id for one in desk.operations if hazard.covers(one)]


def test_a_night_without_much_is_not_held() -> None:
    desk = synced()
    assert found(desk, district()) == {}
    assert found(desk, without(district(), *pupils_of("s0", 7))) == {}


def test_many_leavers_at_one_site_are_held_there_and_others_go() -> None:
    desk = synced()
    roster = without(district(), *pupils_of("s0", 9), "s1-00")
    hazard = found(desk, roster)["site-percent", SITE, desk.site("s0").id, MEMBERS]
    assert (hazard.count, hazard.population, hazard.limit) == (9, 41, 20)
    assert covered(desk, hazard) == pupils_of("s0", 9)
    assert "At one site, 9 of 41 members would be removed" in hazard.words
    assert ("percent", ORGANIZATION, "", MEMBERS) not in found(desk, roster)


def test_a_tenth_of_all_is_held_everywhere() -> None:
    desk = synced()
    leavers = [one for school in ("s0", "s1", "s2", "s3") for one in pupils_of(school, 5)]
    hazard = found(desk, without(district(), *leavers))["percent", ORGANIZATION, "", MEMBERS]
    assert (hazard.count, hazard.population) == (20, 164)
    assert covered(desk, hazard) == leavers


def test_the_limit_is_reached_exactly_at_its_number_and_under_the_floor_only_by_all() -> None:
    stakes = Stakes()
    count = stakes.of(ORGANIZATION, "", MEMBERS)
    count.population, count.removed = 100, 9
    assert hazards(stakes, [], Limits(), False) == []
    count.removed = 10
    assert [one.code for one in hazards(stakes, [], Limits(), False)] == ["percent"]
    count.population, count.removed = 19, 18
    assert hazards(stakes, [], Limits(), False) == []
    count.removed = 19
    assert [one.code for one in hazards(stakes, [], Limits(), False)] == ["to-zero"]


def test_slow_removals_add_up_within_a_week() -> None:
    desk, roster = synced(), district()
    week: list[dict[str, int]] = []
    held = []
    leavers = pupils_of("s0", 3) + pupils_of("s1", 3) + pupils_of("s2", 6) + pupils_of("s3", 6)
    for night in range(6):
        roster = without(roster, *leavers[3 * night : 3 * night + 3])
        planned = desk.sync(roster)
        codes = [one.code for one in hazards(planned.stakes, week, desk.policy.limits, False)]
        held += [night] if "weekly" in codes else []
        week.append(planned.stakes.removed())
    assert held == [5]


def test_half_of_a_class_and_its_last_teacher_are_held_and_only_there() -> None:
    desk = synced()
    gone = [f"c-s0.{one}.student" for one in pupils_of("s0", 21)]
    roster = without(district(), *gone, "c-s1.t-s1.teacher", "c-s2.s2-00.student")
    all_of = found(desk, roster)
    group = desk.group("c-s0").id
    assert sorted(covered(desk, all_of["group-percent", "group", group, MEMBERSHIPS])) == gone
    leaderless = all_of["leaderless", "group", desk.group("c-s1").id, "teachers"]
    assert covered(desk, leaderless) == ["c-s1.t-s1.teacher"]


def test_memberships_that_go_along_with_their_members_hold_these() -> None:
    desk = synced()
    desk.policy = read_policy(
        {"grace": {"reads": 1, "students": 0}, "limits": {"members": {"site_percent": 0, "percent": 0}}}
    )
    hazard = found(desk, without(district(), *pupils_of("s0", 10)))[
        "site-percent", SITE, desk.site("s0").id, MEMBERSHIPS
    ]
    assert covered(desk, hazard) == pupils_of("s0", 10)
    assert "removed along" in hazard.words


def test_most_of_a_class_that_would_be_archived_is_held_and_other_leavers_are_not() -> None:
    desk = synced()
    class_of_six, roster = [f"s0-0{number}" for number in range(6)], district()
    roster = but(roster, a_class("choir", "s0"), *enrolled("choir", *class_of_six))
    desk.sync(roster)
    planned = found(desk, without(roster, *class_of_six[:4], "s1-00"))
    hazard = planned["group-percent", "group", desk.group("choir").id, MEMBERSHIPS]
    assert (hazard.count, hazard.population) == (4, 6)
    assert covered(desk, hazard) == class_of_six[:4]
    assert len(planned) == 1


def test_a_school_that_would_be_empty_is_held() -> None:
    desk = synced()
    roster = without(district(), "s3", *pupils_of("s3", 40), "t-s3", "c-s3")
    codes = {(one.code, one.scope) for one in found(desk, roster).values()}
    assert ("to-zero", desk.site("s3").id) in codes


def test_many_new_addresses_are_held_and_a_few_are_not() -> None:
    desk, roster = synced(), district()
    for number, one in enumerate(sorted(roster.people)):
        if number % 3:
            roster = renamed(roster, one, email=f"{one}@elsewhere.example")
    [hazard] = found(desk, roster).values()
    assert (hazard.code, hazard.field) == ("identifying", "email")
    assert len(covered(desk, hazard)) == len(desk.operations) == 109


def test_a_roster_under_other_ids_waits_whole() -> None:
    desk = synced()
    hazard = found(desk, rekeyed(district()))["rekey", ORGANIZATION, "", MEMBERS]
    assert (hazard.count, hazard.population) == (164, 164)
    assert len(covered(desk, hazard)) == len(desk.operations)


def test_who_moves_to_another_school_is_not_held_with_those_who_leave() -> None:
    """Of a roll-over: a year leaves, another moves up; its classes are replaced."""
    desk, roster = synced(), district()
    leavers, movers = [one for number in range(4) for one in pupils_of(f"s{number}", 5)], ["s0-30", "s0-31"]
    roster = but(
        without(roster, *leavers, "c-s3"),
        *(replace(roster.people[one], posts=(Post("student", "s1", True),)) for one in movers),
        a_class("new", "s3"),
    )
    hazards_found = found(desk, roster)
    hazard = hazards_found["percent", ORGANIZATION, "", MEMBERS]
    assert covered(desk, hazard) == leavers
    assert {"s0-30", "s0-31"} < {one.source_id for one in desk.operations if one.kind == MEMBERS}
    assert not any(kind == GROUPS for *_, kind in hazards_found)


def test_the_last_administrator_is_kept_even_in_a_first_run() -> None:
    desk = synced()
    by_hand(desk, MEMBERS, desk.member("t-s0").id, roles=("administrator", "teacher"))
    roster = without(district(), "t-s0")
    assert ("last-administrator", ORGANIZATION, "", MEMBERS) in found(desk, roster)
    [hazard] = found(desk, roster, first=True).values()
    assert covered(desk, hazard) == ["t-s0"]
    by_hand(desk, MEMBERS, desk.member("t-s1").id, roles=("owner", "teacher"))
    assert found(desk, roster, first=True) == {}


def test_many_who_join_are_held_only_where_a_limit_says_so() -> None:
    desk = synced()
    joined = district(60)
    assert found(desk, joined) == {}
    desk.policy = read_policy({"limits": {"create_percent": 25}})
    hazard = found(desk, joined)["create-percent", ORGANIZATION, "", MEMBERS]
    assert len(covered(desk, hazard)) == 80


def test_every_code_says_what_it_is_and_names_nobody() -> None:
    assert set(SENTENCES) == set(MEANINGS)
    for code in SENTENCES:
        words = Hazard(code, SITE, "7", MEMBERS, "", 3, 10, 20).words
        assert "{" not in words
        assert "7" not in words
    assert not Hazard("number", SITE, "7", MEMBERS, "", 3, 10, 20).covers(
        Operation(1, "update", MEMBERS, "a", "1")
    )
