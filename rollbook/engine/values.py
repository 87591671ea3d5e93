"""What a value of each type has to look like, as SQL conditions, and how a value that is almost right is read.

Everything follows from the types of `oneroster.tables`; `x` is always SQL for a value that is not empty.
"""

from dataclasses import dataclass

from rollbook.engine.sql import literal, words
from rollbook.oneroster.spec import Field, Vocabulary, loose

GUID = "[0-9A-Za-z.\\-_/@]{1,255}"
EXTENSION = "ext:[A-Za-z0-9.\\-_]+"
MOMENT = "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?Z"
DAY_AND_TIME = "\\d{4}-\\d{2}-\\d{2}[T ]\\d{1,2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?( ?(Z|[+-]\\d{2}:?\\d{2}))?"
YEAR = "\\d{4}"
YEARS = "\\d{4}-\\d{4}"
INTEGER = "-?\\d{1,18}"
FLOAT = "[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?"
ITEM_FORMS = {"{type:identifier}": "\\{[^{}:,]+:[^{},]+\\}", "{LHS:RHS}": "\\{[^{}:,]+:[^{},]+\\}"}


@dataclass(frozen=True)
class Repair:
    """A deviation that can be read without guessing: when it is one (SQL), what is meant (SQL), and the finding's code."""

    code: str
    when: str
    meant: str


@dataclass(frozen=True)
class Check:
    """One column's check: `offends` is SQL; an offender that no repair fits gets `code`."""

    column: str
    code: str
    offends: str
    repairs: tuple[Repair, ...] = ()


def check_of(field: Field, column: str, lenient: bool) -> Check | None:
    """The check of a column of this type; None for free text. `column` is SQL, `lenient` reads as an import does."""
    check = CHECKS.get(field.type)
    return check(field, column, lenient) if check else None


def _matches(x: str, pattern: str) -> str:
    return f"regexp_full_match({x}, {literal(pattern)})"


def _guid(field: Field, x: str, lenient: bool) -> Check:
    return Check(field.name, "guid", f"NOT {_matches(x, GUID)}")


def _is_date(x: str) -> str:
    return f"coalesce(TRY_CAST({x} AS DATE)::VARCHAR = {x} AND length({x}) = 10, false)"


def _date(field: Field, x: str, lenient: bool) -> Check:
    day = f"left({x}, 10)"
    timed = Repair("date-with-time", f"({_matches(x, DAY_AND_TIME)} AND {_is_date(day)})", day)
    return Check(field.name, "date", f"NOT {_is_date(x)}", (timed,))


def _datetime(field: Field, x: str, lenient: bool) -> Check:
    real = f"TRY_CAST(rtrim({x}, 'Z') AS TIMESTAMP) IS NOT NULL"
    return Check(field.name, "datetime", f"NOT ({_matches(x, MOMENT)} AND {real})")


def _year(field: Field, x: str, lenient: bool) -> Check:
    first, second = f"TRY_CAST(left({x}, 4) AS INTEGER)", f"TRY_CAST(right({x}, 4) AS INTEGER)"
    span = f"({_matches(x, YEARS)} AND {second} = {first} + 1)"
    return Check(
        field.name, "year", f"NOT {_matches(x, YEAR)}", (Repair("year-span", span, f"right({x}, 4)"),)
    )


def _integer(field: Field, x: str, lenient: bool) -> Check:
    return Check(field.name, "integer", f"NOT {_matches(x, INTEGER)}")


def _float(field: Field, x: str, lenient: bool) -> Check:
    return Check(
        field.name,
        "float",
        f"NOT ({_matches(x, FLOAT)} AND coalesce(isfinite(TRY_CAST({x} AS DOUBLE)), false))",
    )


def _boolean(field: Field, x: str, lenient: bool) -> Check:
    other = Repair("boolean-case", f"lower({x}) IN ('true', 'false')", f"lower({x})")
    return Check(field.name, "boolean", f"{x} NOT IN ('true', 'false')", (other,))


def is_word(x: str, vocabulary: Vocabulary) -> str:
    """SQL: `x` is in the vocabulary."""
    own = f" OR {_matches(x, EXTENSION)}" if vocabulary.extensible else ""
    return f"({x} IN {words(vocabulary.words)}{own})"


def spelled(x: str, vocabulary: Vocabulary) -> str:
    """SQL: the word of the vocabulary that `x` is but for case, spaces, underscores and hyphens; NULL where it is none."""
    cases = " ".join(f"WHEN {literal(loose(word))} THEN {literal(word)}" for word in vocabulary.words)
    return f"CASE lower(regexp_replace({x}, '[\\s_\\-]', '', 'g')) {cases} END"


def _enum(field: Field, x: str, lenient: bool) -> Check:
    assert field.vocabulary is not None
    meant = spelled(x, field.vocabulary)
    other = Repair("enum-case", f"({meant}) IS NOT NULL", meant)
    return Check(field.name, "enum", f"NOT {is_word(x, field.vocabulary)}", (other,))


def _list(field: Field, x: str, lenient: bool) -> Check:
    """Lists of free text only have to be separated by commas; lists of a closed form also need that form of each item."""
    form = _item_form(field)
    separated = f"CASE WHEN contains({x}, ',') THEN {x} ELSE translate({x}, ';|', ',,') END"
    empty = f"({x} LIKE ',%' OR {x} LIKE '%,' OR contains({x}, ',,'))"
    loosely = f"(NOT contains({x}, ',') AND (contains({x}, ';') OR contains({x}, '|')))"
    wrong = f"NOT {_all_items(x, form)}" if form else "false"
    by_separator = Repair(
        "list-separator", _meant_well(loosely, _filled(separated), form), _filled(separated)
    )
    by_comma = Repair("list-empty-item", _meant_well(empty, _filled(x), form), _filled(x))
    repairs = (by_separator, by_comma) if lenient or not form else (by_comma,)
    offends = f"({empty} OR {wrong})" if form and not lenient else f"({empty} OR {loosely} OR {wrong})"
    return Check(field.name, "list-item", offends, (*repairs, *_words_in_other_case(field, x)))


def _item_form(field: Field) -> str:
    """The pattern of one item; empty for free text."""
    if field.vocabulary:
        extension = f"|{EXTENSION}" if field.vocabulary.extensible else ""
        return "(" + "|".join(field.vocabulary.words) + extension + ")"
    if field.item:
        return ITEM_FORMS[field.item]
    return GUID if field.type == "guidRefList" else ""


def _all_items(x: str, form: str) -> str:
    return _matches(x, f"{form}(,{form})*")


def _filled(x: str) -> str:
    """SQL: the list without its empty items."""
    return f"trim(regexp_replace({x}, ',{{2,}}', ',', 'g'), ',')"


def _meant_well(when: str, meant: str, form: str) -> str:
    right = _all_items(meant, form) if form else f"{meant} <> ''"
    return f"({when} AND {right})"


def _words_in_other_case(field: Field, x: str) -> tuple[Repair, ...]:
    if not field.vocabulary:
        return ()
    meant = f"list_transform(string_split({x}, ','), lambda item: {spelled('item', field.vocabulary)})"
    return (Repair("enum-case", f"list_position({meant}, NULL) IS NULL", f"array_to_string({meant}, ',')"),)


CHECKS = {
    "guid": _guid,
    "guidRef": _guid,
    "guidRefList": _list,
    "stringList": _list,
    "enumList": _list,
    "enum": _enum,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "year": _year,
    "int": _integer,
    "float": _float,
}
