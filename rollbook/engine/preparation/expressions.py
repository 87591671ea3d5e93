"""What a step makes of a value, as SQL for DuckDB. Every text, pattern and table of a step is bound, none is pasted into the SQL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollbook.engine.preparation.kinds import PRIMARY_ORG
from rollbook.engine.preparation.steps import Condition, Step
from rollbook.engine.sql import name

BLANKS = " \t\r\n\u00a0\u2007\u202f\ufeff"
WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


@dataclass
class Bound:
    """The values that go into one statement beside its SQL."""

    values: dict[str, Any] = field(default_factory=dict)

    def __call__(self, value: Any) -> str:
        """SQL for a value: its place."""
        key = f"p{len(self.values)}"
        self.values[key] = value
        return f"${key}"


@dataclass(frozen=True)
class Making:
    """What a step makes: the new value, and which rows it could do nothing for (`rest`), both SQL."""

    value: str
    rest: str = "false"


def column_sql(columns: Mapping[str, str], field: str) -> str:
    """SQL of a field by its name in the step; `columns` are their names in the staging table."""
    return name(columns[field])


def condition_sql(where: Condition, columns: Mapping[str, str], bound: Bound) -> str:
    """SQL: the row passes the test."""
    x = column_sql(columns, where.field)
    if where.test == "matches":
        return f"regexp_matches({x}, {bound(where.value)}{', ' + chr(39) + 'i' + chr(39) if where.case == 'any' else ''})"
    value = bound(where.value)
    if where.case == "any":
        x, value = f"lower({x})", f"lower({value})"
    return {"equals": f"{x} = {value}", "differs": f"{x} <> {value}", "contains": f"contains({x}, {value})"}[
        where.test
    ]


def making(step: Step, x: str, columns: Mapping[str, str], is_list: bool, bound: Bound) -> Making:
    """What a step that looks at nothing but its row makes of the value `x` (SQL)."""
    made = MAKERS[step.kind](step, x, columns, is_list, bound)
    if step.where is None:
        return made
    holds = condition_sql(step.where, columns, bound)
    return Making(f"CASE WHEN {holds} THEN {made.value} ELSE {x} END", f"({holds} AND {made.rest})")


def _set(step: Step, x: str, columns: Mapping[str, str], is_list: bool, bound: Bound) -> Making:
    if "from" in step.values:
        return Making(column_sql(columns, step.values["from"]))
    return Making(f"{bound(step.values['to'])}::VARCHAR")


def _upper(step: Step, x: str, columns: Mapping[str, str], is_list: bool, bound: Bound) -> Making:
    return Making(f"upper({x})")


def _lower(step: Step, x: str, columns: Mapping[str, str], is_list: bool, bound: Bound) -> Making:
    return Making(f"lower({x})")


def _trim(step: Step, x: str, columns: Mapping[str, str], is_list: bool, bound: Bound) -> Making:
    return Making(f"trim({x}, {bound(BLANKS)})")


def _replace(step: Step, x: str, columns: Mapping[str, str], is_list: bool, bound: Bound) -> Making:
    find, by = step.values["find"], step.values["with"]
    if step.values["as"] == "text" and step.values["case"] == "exact":
        return Making(f"replace({x}, {bound(find)}, {bound(by)})")
    if step.values["as"] == "text":
        find, by = _as_pattern(find), by.replace("\\", "\\\\")
    options = "gi" if step.values["case"] == "any" else "g"
    return Making(f"regexp_replace({x}, {bound(find)}, {bound(by)}, '{options}')")


def _as_pattern(text: str) -> str:
    """The pattern that matches just this text."""
    return "".join(
        letter if letter in WORD or not letter.isascii() else f"\\x{{{ord(letter):x}}}" for letter in text
    )


def _map(step: Step, x: str, columns: Mapping[str, str], is_list: bool, bound: Bound) -> Making:
    words, any_case = step.values["words"], step.values["case"] == "any"
    table = f"map({bound([_key(one, any_case) for one in words])}::VARCHAR[], {bound(list(words.values()))}::VARCHAR[])"
    others = bound(step.values["others_to"]) if step.values["others"] == "set" else "''"

    def found(item: str) -> str:
        return f"({table})[{f'lower({item})' if any_case else item}]"

    def meant(item: str) -> str:
        rest = item if step.values["others"] == "keep" else others
        blank = "" if "" in words else f" WHEN {item} = '' THEN ''"
        return f"CASE{blank} WHEN {found(item)} IS NOT NULL THEN {found(item)} ELSE {rest} END"

    if not is_list:
        return Making(meant(x), f"({x} <> '' AND {found(x)} IS NULL)")
    items = f"string_split({x}, ',')"
    mapped = f"list_filter(list_transform({items}, lambda item: {meant('item')}), lambda item: item <> '')"
    unknown = f"len(list_filter({items}, lambda item: item <> '' AND {found('item')} IS NULL)) > 0"
    return Making(f"array_to_string({mapped}, ',')", f"({unknown})")


def _key(word: str, any_case: bool) -> str:
    return word.lower() if any_case else word


def best_orgs_sql(enrollments: str, alive: str) -> str:
    """SQL: user_id, org, tied: the school of most enrollments of each user, the first by its id where several have as many."""
    counted = (
        f'SELECT "userSourcedId" AS user_id, "schoolSourcedId" AS org, count(*) AS number FROM {enrollments}'
        f" WHERE \"schoolSourcedId\" <> '' AND {alive} GROUP BY ALL"
    )
    most = f"SELECT *, max(number) OVER (PARTITION BY user_id) AS most FROM ({counted})"
    return f"SELECT user_id, min(org) AS org, count(*) > 1 AS tied FROM ({most}) WHERE number = most GROUP BY user_id"


def best_org_making(step: Step, x: str, target: str) -> Making:
    """What becomes of `x`, the field `target`, beside a joined row `best` of `best_orgs_sql`."""
    left = "best.org IS NULL OR best.tied" if step.values["ties"] == "keep" else "best.org IS NULL"
    org = "best.org"
    if target != step.values["into"]:
        assert step.values["into"] == PRIMARY_ORG
        others = f"list_filter(string_split({x}, ','), lambda org: org <> best.org)"
        left = f"{left} OR NOT list_contains(string_split({x}, ','), best.org)"
        org = f"array_to_string(list_concat([best.org], {others}), ',')"
    return Making(f"CASE WHEN {left} THEN {x} ELSE {org} END", "coalesce(best.tied, false)")


MAKERS: Mapping[str, Callable[[Step, str, Mapping[str, str], bool, Bound], Making]] = {
    "set": _set,
    "upper": _upper,
    "lower": _lower,
    "trim": _trim,
    "replace": _replace,
    "map": _map,
}
