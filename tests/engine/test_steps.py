"""Preparation steps are read from JSON; what cannot be meant is refused with the number of the step and what to write instead."""

import json

import pytest

from rollbook.engine.preparation.kinds import ALL_KINDS
from rollbook.engine.preparation.steps import BadSteps, read_steps, written

LOWER = {"do": "lower", "file": "users", "field": "email"}
WHERE = {"field": "role", "test": "equals", "value": "x", "case": "exact"}
REPLACE = {
    "do": "replace",
    "file": "users",
    "field": "email",
    "find": "a",
    "as": "pattern",
    "case": "any",
    "with": "",
}
MAP = {
    "do": "map",
    "file": "users",
    "field": "grades",
    "words": {"1": "01"},
    "case": "exact",
    "others": "keep",
}
MERGE = {"do": "merge", "file": "users", "source": "b.csv", "key": "identifier", "source_key": "no", "case": "any",
         "columns": {"a": "b"}}  # fmt: skip


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)
def test_every_kinds_example_is_a_step_and_is_written_as_it_was_read(kind):
    steps = read_steps(json.dumps({"steps": [kind.example]}))
    assert json.loads(written(steps)) == {"steps": [kind.example]}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({**LOWER, "do": "reverse"}, "`do` is one of: set, upper"),
        ({**LOWER, "file": "people"}, "`file` is one of:"),
        ({**LOWER, "field": "emial"}, "users.csv has no column 'emial'. It has: sourcedId"),
        ({**LOWER, "field": "metadata."}, "no column"),
        ({**LOWER, "field": "sourcedId"}, "by it a record is recognised"),
        ({**LOWER, "field": "password"}, "passwords are neither changed nor looked at"),
        ({**LOWER, "where": {**WHERE, "field": "password"}}, "neither changed nor looked at"),
        ({**LOWER, "colour": "red"}, "`lower` has no `colour`. It has: do, field, file, where."),
        ({"do": "lower", "file": "users"}, "`field` is missing"),
        ({**LOWER, "field": 7}, "`field` is a text"),
        ({**LOWER, "where": {"field": "role", "test": "equals", "value": "x"}}, "`case` is missing"),
        ({**LOWER, "where": {**WHERE, "case": "maybe"}}, "`case` is one of: exact (upper and lower case count)"),
        ({**LOWER, "where": {**WHERE, "test": "contains", "value": ""}}, "every value contains nothing"),
        ({**LOWER, "where": {**WHERE, "test": "matches", "value": "(a"}}, "is not a pattern RE2 takes"),
        ({**LOWER, "where": ["x"]}, "`where` is an object"),
        ({"do": "set", "file": "users", "field": "role"}, "either `to`, a text, or `from`"),
        ({"do": "set", "file": "users", "field": "role", "to": "a", "from": "email"}, "either `to`"),
        ({"do": "set", "file": "users", "field": "role", "to": "a\nb"}, "control character"),
        ({"do": "set", "file": "users", "field": "role", "to": "x" * 1001}, "at most 1,000"),
        ({**REPLACE, "with": "\\1"}, "is not a pattern RE2 takes"),
        ({**REPLACE, "find": "a{1001}"}, "is not a pattern RE2 takes"),
        ({**MAP, "others": "set"}, "`others_to` belongs to"),
        ({**MAP, "case": "any", "words": {"a": "1", "A": "2"}}, "differ in case alone"),
        ({**MAP, "words": {}}, "at least one pair"),
        ({**MERGE, "source": "../b.csv"}, "without folders"),
        ({**MERGE, "source": "Users.csv"}, "is a file of the standard"),
        ({**MERGE, "columns": {"a": "x", "b": "x"}}, "two columns in under one name"),
        ({"do": "primary-org", "file": "users", "into": "email", "ties": "keep"}, "`into` is primaryOrgSourcedId"),
        ({"do": "primary-org", "file": "orgs", "into": "metadata.x", "ties": "keep"}, "the file users"),
        ("lower", "a step is an object"),
    ],
)  # fmt: skip
def test_a_bad_step_is_refused_in_words(step, words: str):
    with pytest.raises(BadSteps) as refusal:
        read_steps(json.dumps({"steps": [LOWER, step]}))
    assert refusal.value.words.startswith("Step 2: ")
    assert words in refusal.value.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"steps": [', "This is not JSON:"),
        ("[]", "Write an object with one member"),
        ('{"steps": {}}', "`steps` is a list"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({"steps": [LOWER] * 101}), "at most 100"),
        (
            r'{"steps": [{"do": "set", "file": "users", "field": "role", "to": "\ud800"}]}',
            "control character",
        ),
    ],
)
def test_a_file_that_is_no_list_of_steps_is_refused_in_words(text: str, words: str):
    with pytest.raises(BadSteps) as refusal:
        read_steps(text)
    assert words in refusal.value.words
