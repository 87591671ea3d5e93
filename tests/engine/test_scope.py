"""What a grant lets through, as data."""

import pytest

from rollbook.engine.choosing import BadCondition, Condition, check, is_chosen
from rollbook.engine.scope import (
    ALL,
    FULL,
    NONE,
    Access,
    BadRule,
    Choice,
    Rule,
    Scope,
    Treatment,
    access,
    basic,
    full,
)

ALGEBRA = (Condition("title", "contains", "algebra"), Condition("courseCode", "differs", "M-1", case=True))
RULES = {
    "none": NONE,
    "full": FULL,
    "full with guardians": full(guardians=True, deleted=False),
    "stacked": basic(
        Scope(Choice(ids=(2, 1), below=(7,)), Choice(queries=(ALGEBRA,)), unenrolled=True, name="Algebra"),
        Scope(classes=(9, 3), guardians=True),
        deleted=True,
        fields=(("users", "email", Treatment.MASK), ("users", "sms", Treatment.OMIT)),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_read_back_as_it_was_written(name):
    text = RULES[name].canonical()
    assert Rule.parse(text).canonical() == text
    assert Rule.parse(text).working == RULES[name].working


def test_what_knew_schools_and_two_toggles_alone_is_still_read():
    everything = Rule.parse('{"demographics": true, "orgs": null, "unenrolled": true}')
    schools = Rule.parse('{"demographics": false, "orgs": [4, 2], "unenrolled": false}')
    assert everything == FULL
    [scope] = schools.scopes
    assert (scope.orgs, scope.courses) == (Choice(ids=(4, 2)), ALL)
    assert (scope.unenrolled, scope.demographics, scope.resources) == (False, False, False)
    assert schools.deleted


@pytest.mark.parametrize(
    "text",
    [
        '{"level": "some"}',
        '{"level": "basic", "scopes": [{"orgs": "every"}]}',
        '{"level": "basic", "scopes": [{"orgs": {"names": [1]}}]}',
        '{"level": "basic", "scopes": [{"colours": true}]}',
        '{"level": "basic", "scopes": [{"orgs": {"queries": [[{"field": "name"}]]}}]}',
        '{"level": "basic", "fields": {"users": {"email": "guess"}}}',
    ],
)
def test_permissions_that_mean_nothing_are_refused(text):
    with pytest.raises(BadRule):
        Rule.parse(text)


def test_names_and_order_and_tombstones_decide_no_working():
    one, other = Scope(Choice(ids=(1, 2)), ALL, name="a"), Scope(classes=(5,))
    again = Scope(Choice(ids=(2, 1, 1)), ALL, name="b")
    assert basic(one, other).working == basic(other, again, one, deleted=True).working
    assert full(deleted=False).is_everything
    assert not full(guardians=True).is_everything
    assert not basic(Scope(ALL, ALL, unenrolled=True)).is_everything


def test_access_is_told_by_what_was_chosen_and_not_by_what_it_finds():
    chosen, every = Choice(ids=(1,)), Choice(queries=(ALGEBRA,))
    assert access(NONE) == (Access.NO, Access.NO)
    assert access(FULL) == (Access.FULL, Access.FULL)
    assert access(basic(Scope())) == (Access.NO, Access.NO)
    assert access(basic(Scope(ALL, chosen))) == (Access.FULL, Access.LIMITED)
    assert access(basic(Scope(every, ALL))) == (Access.LIMITED, Access.FULL)
    assert access(basic(Scope(classes=(1,)))) == (Access.LIMITED, Access.LIMITED)
    assert access(basic(Scope(classes=()))) == (Access.NO, Access.NO)
    assert access(basic(Scope(chosen), Scope(ALL, ALL))) == (Access.FULL, Access.FULL)


@pytest.mark.parametrize(
    ("relation", "value", "case", "found"),
    [
        ("equals", "ALGEBRA I", False, True),
        ("equals", "ALGEBRA I", True, False),
        ("differs", "algebra i", False, False),
        ("contains", "gebra", True, True),
        ("lacks", "GEBRA", False, False),
        ("lacks", "GEBRA", True, True),
        ("starts", "alg", False, True),
        ("starts", "alg", True, False),
        ("ends", " I", True, True),
        ("filled", "", False, True),
        ("empty", "", False, False),
    ],
)
def test_a_condition_holds_or_does_not(relation, value, case, found):
    record = {"title": ["Algebra I"]}
    assert is_chosen([(Condition("title", relation, value, case),)], record) is found


def test_of_several_values_one_is_enough_but_what_differs_differs_from_all():
    grades = {"grades": ["09", "10"]}
    assert is_chosen([(Condition("grades", "equals", "10"),)], grades)
    assert not is_chosen([(Condition("grades", "differs", "10"),)], grades)
    assert is_chosen([(Condition("grades", "differs", "11"),)], grades)
    assert is_chosen([(Condition("periods", "empty"), Condition("periods", "differs", "1"))], grades)


def test_conditions_of_a_query_hold_together_and_one_query_is_enough():
    record = {"title": ["Algebra I"], "courseCode": ["M-1"]}
    assert not is_chosen([ALGEBRA], record)
    assert is_chosen([ALGEBRA, (Condition("courseCode", "starts", "M"),)], record)
    assert not is_chosen([()], record)
    assert not is_chosen([], record)


def test_a_query_asks_only_what_there_is():
    check("courses", [ALGEBRA, (Condition("metadata.campus", "equals", "North"),)])
    for query in (
        (Condition("name", "equals", "x"),),
        (Condition("title", "resembles", "x"),),
        (),
    ):
        with pytest.raises(BadCondition):
            check("courses", [query])
