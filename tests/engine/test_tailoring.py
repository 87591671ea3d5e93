"""Templates are read and written, and say the same both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.engine.tailoring import (
    CONDITIONS,
    BadTemplate,
    Keep,
    Source,
    Tailored,
    parse,
    respelled,
    spelled,
)

TITLES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8).filter(
    lambda title: not title.startswith("#")
)
PATHS = st.sampled_from(
    [
        Source((), "sourcedId"),
        Source(("userSourcedId",), "givenName"),
        Source(("userSourcedId", "primaryOrgSourcedId"), "name"),
        Source(("userSourcedId",), "metadata.house"),
        Source((), "metadata.x.y"),
    ]
)
KEEPS = st.builds(
    Keep, PATHS, st.sampled_from(sorted(CONDITIONS)), st.text("ab, =#é", max_size=6).map(str.strip)
)
FILES = st.builds(
    Tailored,
    st.from_regex(r"[a-z]{1,5}\.csv", fullmatch=True),
    st.just("roles"),
    st.lists(st.tuples(TITLES, PATHS), min_size=1, max_size=4, unique_by=lambda one: one[0]).map(tuple),
    st.lists(KEEPS, max_size=3).map(tuple),
)


@given(FILES)
def test_what_is_written_is_read_the_same(tailored: Tailored):
    assert respelled(tailored, "1.2") == tailored
    assert parse(spelled([tailored]), "1.2") == (tailored,)


@pytest.mark.parametrize("title", ["# Number", "keep role is", "keep a contains b"])
def test_a_title_that_reads_as_something_else_is_refused(title: str):
    tailored = Tailored(
        "a.csv", "roles", (("Org", Source((), "orgSourcedId")), (title, Source((), "sourcedId"))), ()
    )
    with pytest.raises(BadTemplate):
        respelled(tailored, "1.2")


@pytest.mark.parametrize("name", ["", "a", "my file.csv", "../a.csv", "a.csv from users"])
def test_a_name_that_no_file_can_have_is_refused(name: str):
    with pytest.raises(BadTemplate) as refused:
        respelled(Tailored(name, "roles", (("Org", Source((), "orgSourcedId")),), ()), "1.2")
    assert "is no file name" in refused.value.words


def test_a_condition_can_ask_for_nothing():
    [tailored] = parse("a.csv from users\nkeep email is not\nkeep phone is\nMail = email", "1.2")
    assert [(keep.relation, keep.value) for keep in tailored.keeps] == [("is not", ""), ("is", "")]
