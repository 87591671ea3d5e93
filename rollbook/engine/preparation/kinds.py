"""The kinds of preparation steps, as data: what each does, what it needs, and an example. The forms, the documents and the reading follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRIMARY_ORG = "primaryOrgSourcedId"


@dataclass(frozen=True)
class Parameter:
    """One thing a step says. `form` is how it is read (`steps.READERS`); a choice has `choices` {word: what it means}."""

    name: str
    title: str
    meaning: str
    form: str = "text"
    choices: Mapping[str, str] | None = None
    required: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind of step: what `do` says, and what else it needs. `has_condition`: it may have a `where`."""

    name: str
    title: str
    meaning: str
    parameters: tuple[Parameter, ...]
    example: Mapping[str, Any]
    has_condition: bool = True


CASE = {"exact": "upper and lower case count", "any": "upper and lower case are the same"}
TESTS = {
    "equals": "is exactly the value",
    "differs": "is anything but the value",
    "contains": "has the value somewhere in it",
    "matches": "has a place that matches the value, a pattern (RE2); ^ and $ are its ends",
}
FIELD = Parameter(
    "field", "Field", "The column that is changed: of the standard, or `metadata.NAME`.", "field"
)
HOW_CASE = Parameter("case", "Case", "Whether upper and lower case count.", "choice", CASE)

CONDITION = (
    Parameter("field", "Where the field", "The column that is looked at, in the same row.", "source_field"),
    Parameter("test", "Test", "How its value is looked at.", "choice", TESTS),
    Parameter("value", "Value", "What it is compared with; empty stands for an empty field.", "any_text"),
    HOW_CASE,
)  # fmt: skip

ALL_KINDS = (
    Kind(
        "set", "Set a value",
        "Puts one text, or the value of another column of the same row, into the field. Without a condition it does so in every row, and"
        " makes the column where the file has none.",
        (FIELD,
         Parameter("to", "Text", "The text that is put in; empty where the value of another column is.", "any_text", required=False),
         Parameter("from", "Or the value of", "The column whose value is put in.", "source_field", required=False)),
        {"do": "set", "file": "users", "field": "role", "to": "guardian",
         "where": {"field": "role", "test": "equals", "value": "parent", "case": "any"}},
    ),
    Kind("upper", "Upper case", "Writes the field in capital letters.", (FIELD,),
         {"do": "upper", "file": "courses", "field": "courseCode"}),
    Kind("lower", "Lower case", "Writes the field in small letters.", (FIELD,),
         {"do": "lower", "file": "users", "field": "email"}),
    Kind("trim", "Trim", "Takes away blanks, tabs and no-break spaces at both ends of the field.", (FIELD,),
         {"do": "trim", "file": "users", "field": "username"}),
    Kind(
        "replace", "Replace a part",
        "Replaces every occurrence of a text, or of what matches a pattern, inside the field.",
        (FIELD,
         Parameter("find", "Find", "The text or the pattern that is looked for.", "text"),
         Parameter("as", "Read it as", "How `find` is meant.", "choice",
                   {"text": "as it stands", "pattern": "as a pattern (RE2); \\1 in `with` is its first group"}),
         HOW_CASE,
         Parameter("with", "Replace by", "What takes its place; empty takes it away.", "any_text")),
        {"do": "replace", "file": "users", "field": "email", "find": "@old.example$", "as": "pattern", "case": "any",
         "with": "@new.example"},
    ),
    Kind(
        "map", "Translate words",
        "Replaces whole values by a table, from → to; in a list each item. An empty value stays empty unless the table has it.",
        (FIELD,
         Parameter("words", "Table", "The values and what becomes of each.", "words"),
         HOW_CASE,
         Parameter("others", "Values not in the table", "What becomes of them.", "choice",
                   {"keep": "stay as they are", "empty": "become empty", "set": "become the text in `others_to`"}),
         Parameter("others_to", "They become", "Only where others are set.", "text", required=False)),
        {"do": "map", "file": "users", "field": "grades", "words": {"9": "09", "K": "KG"}, "case": "exact", "others": "keep"},
    ),
    Kind(
        "merge", "Bring in columns of another file",
        "Finds each record's row in a CSV file that comes in the same package and puts columns of it into the record's metadata. Where no row"
        " fits, nothing is brought; both sides' leftovers are counted.",
        (Parameter("source", "File", "The name of the CSV file, beside users.csv in the package.", "source_file"),
         Parameter("key", "Field", "The column of the record by which its row is found.", "source_field"),
         Parameter("source_key", "Column there", "The column of that file it is compared with.", "text"),
         HOW_CASE,
         Parameter("columns", "Columns", "The columns of that file, and under which metadata name each comes in.", "words")),
        {"do": "merge", "file": "users", "source": "badges.csv", "key": "identifier", "source_key": "student_no", "case": "exact",
         "columns": {"badge": "badgeNumber"}},
        has_condition=False,
    ),
    Kind(
        "primary-org", "Main organization from enrollments",
        "Gives each user the school of most of their enrollments. In a 1.1 package, whose users have no such field, that school moves to"
        " the front of orgSourcedIds. Who has no enrollment keeps what was delivered. Needs a complete enrollments.csv.",
        (Parameter("into", "Into", f"`{PRIMARY_ORG}`, or a column of metadata.", "field"),
         Parameter("ties", "With several schools ahead", "What happens where two schools have as many enrollments.", "choice",
                   {"keep": "what was delivered stays", "lowest": "the school whose sourcedId sorts first"})),
        {"do": "primary-org", "file": "users", "into": PRIMARY_ORG, "ties": "keep"},
        has_condition=False,
    ),
)  # fmt: skip

KINDS = {kind.name: kind for kind in ALL_KINDS}
