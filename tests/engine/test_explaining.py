"""Explain always comes to what the plain reference of scoping comes to, and ends in what has to be changed."""

from dataclasses import replace
from random import Random

import pytest

from rollbook.engine.explaining import (
    Chosen,
    Explanation,
    Person,
    Place,
    Post,
    Seat,
    Setting,
    Sharing,
    Taught,
    explain_absence,
    explain_class,
    explain_person,
)
from rollbook.engine.scope import ALL, FULL, NONE, Choice, Rule, Scope, basic, full
from tests import scoping

ACTIVE = "active"


def sharing(roster: scoping.Roster, rule: Rule, **more: object) -> Sharing:
    chosen = tuple(
        Chosen(
            frozenset(scoping._chosen(roster, "orgs", one.orgs)),
            frozenset(scoping._chosen(roster, "courses", one.courses)),
        )
        for one in rule.scopes
    )
    places = {
        number: Place(row["name"], row["status"] == ACTIVE, row["parent"])
        for number, row in roster["orgs"].items()
    }
    return Sharing(rule, chosen, places, **more)  # type: ignore[arg-type]  # dates and flags, as they come


def taught(roster: scoping.Roster, number: int) -> Taught:
    row = roster["classes"][number]
    course = roster["courses"][row["course"]]
    return Taught(
        number, f"K{number}", row["status"] == ACTIVE, row["school"], row["course"], course["title"],
        course["status"] == ACTIVE, course["org"],
    )  # fmt: skip


def person(roster: scoping.Roster, number: int, out: frozenset[int], pupils: bool = True) -> Person:
    seats = tuple(
        Seat(row["status"] == ACTIVE, row["role"], taught(roster, row["class"]))
        for row in roster["enrollments"].values()
        if row["user"] == number
    )
    posts = tuple(
        Post(row["status"] == ACTIVE, row["role"], row["org"])
        for row in roster["roles"].values()
        if row["user"] == number
    )
    naming = [one for one, row in roster["users"].items() if number in row["agents"]] if pupils else []
    return Person(
        roster["users"][number]["status"] == ACTIVE,
        seats,
        posts,
        "of every app." if number in out else "",
        tuple(person(roster, one, out, pupils=False) for one in naming),
    )


@pytest.mark.parametrize("seed", range(80))
def test_explain_ends_where_scoping_ends(seed: int):
    random = Random(seed)
    roster, rule = scoping.random_roster(random), scoping.random_rule(random)
    out = frozenset(random.sample(range(1, 21), 2)) if seed % 3 == 0 else frozenset()
    seen, shared = scoping.seen(roster, rule, out), sharing(roster, rule)
    told = {number for number in roster["classes"] if explain_class(taught(roster, number), shared).in_view}
    assert told == seen.classes
    people = {number: explain_person(person(roster, number, out), shared) for number in roster["users"]}
    assert {number for number, why in people.items() if why.in_view} == seen.users
    for why in people.values():
        assert why.sees == why.in_view
        assert why.sees or [fact.setting for fact in why.missing]


# --- The exact setting ------------------------------------------------------------------------------------------------------------------------

PLACES = {
    1: Place("Riverbend", True),
    2: Place("Riverbend High", True, 1),
    3: Place("Riverbend Middle", True, 1),
}
ALGEBRA = Taught(10, "Algebra", True, 2, 20, "Algebra I", True, 1)


def settings(why: Explanation) -> list[Setting | None]:
    return [fact.setting for fact in why.missing]


def of(scope: Scope, orgs: set[int], courses: set[int], **more: object) -> Sharing:
    return Sharing(basic(scope), (Chosen(frozenset(orgs), frozenset(courses)),), PLACES, **more)  # type: ignore[arg-type]


SOME = Scope(Choice(ids=(2,)), Choice(ids=(20,)))


def test_a_class_of_a_chosen_school_and_course_is_seen():
    why = explain_class(ALGEBRA, of(SOME, {2}, {20}))
    assert why.sees
    assert [fact.words for fact in why.facts][-3:] == [
        "Its school Riverbend High is chosen.",
        "Its course Algebra I is chosen.",
        "The course belongs to Riverbend, which is above what is chosen, and told of for reference only.",
    ]
    assert (
        explain_class(ALGEBRA, of(SOME, {1, 2}, {20})).facts[-1].words
        == "The course belongs to Riverbend, which is chosen."
    )


def test_who_belongs_above_what_is_chosen_is_told_that_it_is_there_for_reference_only():
    open_ = Scope(Choice(ids=(2,)), ALL, unenrolled=True)
    office = Person(True, posts=(Post(True, "principal", 1),))
    why = explain_person(office, of(open_, {2}, {20}))
    assert (settings(why), why.missing[0].code) == ([Setting.ORGS], "role-org-above")
    assert "(Riverbend)" in why.missing[0].words
    why = explain_class(replace(ALGEBRA, school=1), of(SOME, {2}, {20}))
    assert (settings(why), why.missing[0].code) == ([Setting.ORGS], "org-above")
    elsewhere = Person(True, posts=(Post(True, "principal", 3),))
    assert explain_person(elsewhere, of(open_, {2}, {20})).missing[0].code == "role-org-chosen"


def test_each_thing_in_the_way_names_its_setting():
    assert settings(explain_class(ALGEBRA, of(SOME, {3}, {20}))) == [Setting.ORGS]
    assert settings(explain_class(ALGEBRA, of(SOME, {2}, set()))) == [Setting.COURSES]
    assert settings(explain_class(ALGEBRA, of(SOME, {2}, {20}, enabled=False))) == [Setting.ENABLE]
    late = of(SOME, {2}, {20}, starts_on="2026-09-01", today="2026-08-31")
    assert settings(explain_class(ALGEBRA, late)) == [Setting.DATES]
    over = of(SOME, {2}, {20}, ends_on="2026-06-30", today="2026-07-01")
    assert settings(explain_class(ALGEBRA, over)) == [Setting.DATES]
    assert settings(explain_class(ALGEBRA, Sharing(NONE, (), PLACES))) == [Setting.LEVEL]
    assert settings(explain_class(ALGEBRA, Sharing(basic(), (), PLACES))) == [Setting.ORGS]
    by_class = Sharing(basic(Scope(classes=(11,))), (Chosen(frozenset(), frozenset()),), PLACES)
    assert settings(explain_class(ALGEBRA, by_class)) == [Setting.CLASSES]


def test_a_disabled_app_would_see_what_it_does_not():
    why = explain_class(ALGEBRA, of(SOME, {2}, {20}, enabled=False))
    assert why.in_view
    assert not why.sees


def test_a_pupil_in_no_class_needs_the_toggle():
    noah = Person(True, posts=(Post(True, "student", 2),))
    assert settings(explain_person(noah, of(SOME, {2}, {20}))) == [Setting.UNENROLLED]
    open_ = Scope(Choice(ids=(2,)), ALL, unenrolled=True)
    assert explain_person(noah, of(open_, {2}, {20})).sees


def test_a_pupil_in_an_unshared_course_is_explained_by_the_course():
    kofi = Person(True, (Seat(True, "student", ALGEBRA),), (Post(True, "student", 2),))
    why = explain_person(kofi, of(SOME, {2}, {21}))
    assert settings(why) == [Setting.COURSES]


def test_who_opted_out_is_told_so_and_nothing_else_is_in_the_way():
    out = Person(True, (Seat(True, "student", ALGEBRA),), opted_out="of this app, since 2026-09-01.")
    why = explain_person(out, of(SOME, {2}, {20}))
    assert settings(why) == [Setting.OPT_OUT]
    assert "of this app, since 2026-09-01" in why.missing[0].words


def test_a_guardian_goes_with_a_pupil_where_guardians_are_let_through():
    pupil = Person(True, (Seat(True, "student", ALGEBRA),))
    adaeze = Person(True, posts=(Post(True, "guardian", 2),), pupils=(pupil,))
    assert settings(explain_person(adaeze, of(SOME, {2}, {20}))) == [Setting.GUARDIANS]
    none, everything = (frozenset[int](), frozenset[int]()), full(guardians=True)
    assert explain_person(adaeze, Sharing(everything, (Chosen(*none),), PLACES)).sees
    assert settings(explain_person(adaeze, Sharing(FULL, (Chosen(*none),), PLACES))) == [Setting.GUARDIANS]


def test_a_guardian_whose_pupil_is_not_seen_is_explained_by_the_pupils_class():
    pupil = Person(True, (Seat(True, "student", ALGEBRA),))
    adaeze = Person(True, posts=(Post(True, "guardian", 2),), pupils=(pupil,))
    open_ = Scope(Choice(ids=(3,)), ALL, guardians=True)
    assert settings(explain_person(adaeze, of(open_, {3}, {20}))) == [Setting.ORGS]
    of_nobody = Person(True, posts=(Post(True, "guardian", 2),))
    assert settings(explain_person(of_nobody, of(open_, {2}, {20}))) == [Setting.ROSTER]


def test_who_is_not_in_the_roster_may_have_been_held_back():
    assert settings(explain_absence("person", "")) == [Setting.ROSTER]
    assert settings(explain_absence("person", "no name (users.csv, line 3)")) == [
        Setting.ROSTER,
        Setting.IMPORT,
    ]
