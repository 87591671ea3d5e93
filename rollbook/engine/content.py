"""Content: values that are allowed and yet look wrong, such as a malformed e-mail, a grade nobody knows, a test user or a garbled letter.

All signs of a file are counted in one scan. What they are told of comes in all the same, unless the district counts the warning for more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.findings import Findings
from rollbook.engine.offenders import sound, tell_each, tell_shared
from rollbook.engine.sql import literal, name, words
from rollbook.engine.stage import Staged, Staging
from rollbook.oneroster.vocabularies import GRADES

EMAIL = r"[^@\s,;:<>()\[\]\\\"]+@([\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}][\p{L}\p{N}-]+"
PERSONAL_ID = r".+@.+\..+"
"""Of a sourcedId that looks like an e-mail address."""

GARBLED = "\N{REPLACEMENT CHARACTER}|[ÃÂ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|ï¿½"
GRADE = f"({'|'.join(GRADES)})"
GRADE_LIST = f"{GRADE}(,{GRADE})*"
LEFT_OUT = "'’` -"
"""What is in names and left out where ids are made of them."""

NO_NAMES = (
    "-", "--", "---", ".", "..", "...", "?", "??", "???", "*", "#", "n/a", "#n/a", "n.a.", "tbd", "tba", "xxx", "xxxx", "(blank)",
    "unknown", "undefined", "firstname", "first name", "lastname", "last name", "no name", "noname", "dummy", "placeholder",
)  # fmt: skip
"""What stands for a name, and is never one."""

HARDLY_NAMES = (
    *NO_NAMES,
    "test",
    "tester",
    "demo",
    "sample",
    "example",
    "none",
    "null",
    "student",
    "teacher",
    "user",
    "name",
    "na",
)
"""What is a name, of some people; where both of a person's names are among these it is none."""

NO_BIRTHS = ("0001-01-01", "1111-11-11", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "9999-12-31")
NO_ADDRESS = r"(no-?reply|donotreply|none|na|n/a|test|unknown|no-?e?mail)@.+"
RELATIVES = ("guardian", "parent", "relative")


@dataclass(frozen=True)
class Sign:
    """One condition on a record (SQL), and a cheaper one, `screen`, that all offenders meet. `shared` tells of each value once, else of
    each record; `said` stands in front of the remedy.
    """

    code: str
    column: str
    offends: str
    shared: bool = False
    value: str = ""
    said: str = "''"
    listed: bool = False
    screen: str = ""


def judge_content(
    staging: Staging, accepted: Path | None, domains: Sequence[str], findings: Findings
) -> None:
    """Judges what single values say. `domains` are the district's for e-mail; without any, none is judged by its domain."""
    for staged in staging.tables.values():
        signs = [*_signs(staged), *_foreign_addresses(staging, staged, accepted, domains)]
        if not staged.rows or not signs:
            continue
        counts = ", ".join(f"count_if({sign.screen or sign.offends})" for sign in signs)
        totals = staging.one(f"SELECT {counts} FROM {staged.records}")
        for sign, total in zip(signs, totals, strict=True):
            if total:
                _tell(staging, staged, sign, findings)


def _signs(staged: Staged) -> Iterator[Sign]:
    if staged.name == "users":
        yield from _of_people(staged)
    if staged.name == "demographics" and staged.has("birthDate"):
        yield Sign("placeholder", "birthDate", f'"birthDate" IN {words(NO_BIRTHS)}', shared=True)
    if staged.has("grades"):
        other = f'NOT regexp_full_match("grades", {literal(GRADE_LIST)})'
        yield Sign(
            "grade", "grades", f"\"grades\" <> '' AND {other}", shared=True, listed=True, said=_meant_grade()
        )
    if staged.garbled:
        for field in staged.table.fields:
            if field.type in ("string", "stringList") and staged.has(field.name):
                yield Sign("garbled", field.name, f"regexp_matches({name(field.name)}, {literal(GARBLED)})")


def _of_people(staged: Staged) -> Iterator[Sign]:
    given, family = 'lower("givenName")', 'lower("familyName")'
    for column, x in (("givenName", given), ("familyName", family)):
        both = f"{given} IN {words(HARDLY_NAMES)} AND {family} IN {words(HARDLY_NAMES)}"
        offends = f"{x} IN {words(NO_NAMES)} OR contains({x}, '**') OR ({x} <> '' AND trim({x}) = '')"
        yield Sign(
            "placeholder",
            column,
            f"({offends} OR ({both}))" if column == "givenName" else offends,
            shared=True,
        )
    maybe = f"(contains(\"sourcedId\", '@') OR contains({_letters('sourcedId')}, {_letters('familyName')}))"
    yield Sign("id-personal", "sourcedId", f"({_is_address()} OR {_is_name()})", screen=maybe)
    if staged.has("agentSourcedIds"):
        yield Sign(
            "agent-self",
            "agentSourcedIds",
            'contains("agentSourcedIds", "sourcedId") AND list_contains(string_split("agentSourcedIds", \',\'), "sourcedId")',
        )
    if staged.has("email"):
        formed = f'regexp_full_match("email", {literal(EMAIL)})'
        yield Sign("email-form", "email", f"\"email\" <> '' AND NOT {formed}")
        yield Sign(
            "placeholder",
            "email",
            f'regexp_full_match(lower("email"), {literal(NO_ADDRESS)})',
            shared=True,
        )


def _is_address() -> str:
    return f'contains("sourcedId", \'@\') AND regexp_full_match("sourcedId", {literal(PERSONAL_ID)})'


def _is_name() -> str:
    """SQL: the letters of the sourcedId are those of the person's name: jane.doe, doejane, jdoe."""
    id_, given, family = (
        f"regexp_replace(strip_accents(lower({name(column)})), '[^\\p{{L}}]', '', 'g')"
        for column in ("sourcedId", "givenName", "familyName")
    )
    forms = f"{given} || {family}, {family} || {given}, left({given}, 1) || {family}, {family} || left({given}, 1)"
    return f"contains({_letters('sourcedId')}, {_letters('familyName')}) AND length({family}) > 1 AND {id_} IN ({forms})"


def _letters(column: str) -> str:
    """SQL: a name or an id as it is written in an address: small, without accents, apostrophes, blanks and dashes."""
    return f"translate(strip_accents(lower({name(column)})), {literal(LEFT_OUT)}, '')"


def _meant_grade() -> str:
    """SQL: what a grade `value` may have been meant as, in words; nothing where that cannot be told."""
    return (
        f"CASE WHEN trim(value) IN {words(GRADES)} THEN 'Take the blanks out. '"
        " WHEN regexp_full_match(value, '[1-9]') THEN 'Write 0' || value || '. '"
        " WHEN regexp_full_match(upper(value), 'K|0|00|KINDERGARTEN|KDG|KF') THEN 'Write KG. '"
        " WHEN regexp_full_match(upper(value), 'PRE-?K|P|P[34]|PREKINDERGARTEN') THEN 'Write PK. '"
        f" WHEN upper(value) IN {words(tuple(grade.upper() for grade in GRADES))} THEN 'Mind the letters. ' ELSE '' END"
    )


def _foreign_addresses(
    staging: Staging, staged: Staged, accepted: Path | None, domains: Sequence[str]
) -> Iterator[Sign]:
    """Addresses of students and staff that are in none of the district's domains, nor below one; relatives have their own."""
    if staged.name != "users" or not domains or not staged.has("email"):
        return
    domain = "lower(split_part(\"email\", '@', 2))"
    own = " OR ".join(
        f"{domain} = {literal(one)} OR ends_with({domain}, {literal('.' + one)})" for one in domains
    )
    offends = f"contains(\"email\", '@') AND NOT ({own}) AND NOT ({_is_relative(staging, staged, accepted)})"
    yield Sign("email-domain", "email", offends, shared=True, value=domain)


def _is_relative(staging: Staging, staged: Staged, accepted: Path | None) -> str:
    if staged.has("role"):
        return f'"role" IN {words(RELATIVES)}'
    those, parts = words(RELATIVES), []
    if roles := staging.tables.get("roles"):
        parts.append(f'SELECT "userSourcedId" FROM {roles.records} WHERE "role" IN {those}')
    if stored := parquet_of(accepted, "roles"):
        parts.append(
            f'SELECT "userSourcedId" FROM {scan(stored)} WHERE status = \'active\' AND "role" IN {those}'
        )
    return f'"sourcedId" IN ({" UNION ".join(parts)})' if parts else "false"


def _tell(staging: Staging, staged: Staged, sign: Sign, findings: Findings) -> None:
    value = sign.value or name(sign.column)
    if sign.listed:
        items = f"unnest(string_split({value}, ','))"
        inner = f"SELECT rowid AS r, {items} AS value FROM {staged.records} WHERE ({sign.offends}) AND {sound(staged)}"
        inner = f"SELECT DISTINCT * FROM ({inner}) WHERE value <> '' AND value NOT IN {words(GRADES)}"
    else:
        inner = f"SELECT rowid AS r, {value} AS value FROM {staged.records} WHERE ({sign.offends}) AND {sound(staged)}"
    offenders = f"SELECT r, value, {sign.said} AS said FROM ({inner})"
    tell = tell_shared if sign.shared else tell_each
    tell(staging, staged, findings, sign.code, sign.column, offenders)
