"""What an app says it needs: written by people one a line, kept as text, and read back the same."""

import pytest

from rollbook.engine.needs import (
    BadNeed,
    Need,
    canonical,
    fields_of,
    lines,
    parse,
    parse_lines,
    required_of,
    wants,
)

WRITTEN = """
    required users.email: pupils sign in with it

    optional demographics: the youngest get other books
    required users.metadata.house: teams
    required users:  people
"""


def test_needs_are_written_one_a_line_and_ordered_as_the_standard_orders():
    assert [need.name for need in parse_lines(WRITTEN)] == [
        "users", "users.email", "users.metadata.house", "demographics",
    ]  # fmt: skip


def test_what_is_kept_is_read_back_the_same_as_text_and_as_lines():
    needs = parse_lines(WRITTEN)
    assert parse(canonical(needs)) == needs
    assert parse_lines(lines(needs)) == needs
    assert canonical(reversed(needs)) == canonical(needs)


def test_of_two_lines_for_one_thing_the_last_counts():
    assert parse_lines("required users: a\noptional users: b") == (Need("users", "", False, "b"),)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("users: because", "not understood"),
        ("required users", "not understood"),
        ("required people: because", "“people” is none of"),
        ("required users.shoeSize: because", "no field “shoeSize”"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, wrong: str):
    with pytest.raises(BadNeed, match=wrong):
        parse_lines(line)


def test_fields_of_both_versions_are_known():
    assert {"role", "primaryOrg", "givenName"} <= fields_of("users")


def test_an_app_that_says_nothing_may_have_a_use_for_everything():
    assert wants((), "demographics")
    needs = parse_lines("required users.email: to sign in")
    assert wants(needs, "users")
    assert not wants(needs, "demographics")
    assert required_of(parse_lines("optional users: x")) == ()
