"""What each type takes, refuses and repairs, value by value."""

import duckdb
import pytest

from rollbook.engine.sql import literal
from rollbook.engine.values import check_of
from rollbook.oneroster.spec import Field
from rollbook.oneroster.tables import V1P1, V1P2

DATE = Field("d", "date", "no")
ROLE = V1P2.table("enrollments").field("role")
OLD_ROLE = V1P1.table("users").field("role")
GRADES = Field("g", "stringList", "no")
TERMS = V1P2.table("classes").field("termSourcedIds")
USER_IDS = V1P2.table("users").field("userIds")
RESOURCE_ROLES = V1P2.table("resources").field("roles")
SCORE_STATUS = V1P2.table("results").field("scoreStatus")


def verdict(field: Field, value: str, lenient: bool = True) -> tuple[str, str | None]:
    """The code (`ok` for none) and what is read instead."""
    check = check_of(field, "x", lenient)
    assert check is not None
    codes = "".join(f" WHEN {repair.when} THEN {literal(repair.code)}" for repair in check.repairs)
    meant = "".join(f" WHEN {repair.when} THEN {repair.meant}" for repair in check.repairs)
    with duckdb.connect() as connection:
        row = connection.execute(
            f"SELECT CASE WHEN NOT {check.offends} THEN 'ok'{codes} ELSE {literal(check.code)} END,"
            f" CASE WHEN NOT {check.offends} THEN NULL{meant} END FROM (SELECT {literal(value)} AS x)"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (DATE, "2024-02-29"),
        (Field("y", "year", "no"), "2027"),
        (Field("i", "int", "no"), "-20"),
        (Field("f", "float", "no"), "95.5"),
        (Field("f", "float", "no"), "1e2"),
        (Field("b", "boolean", "no"), "false"),
        (Field("t", "datetime", "no"), "2012-04-23T18:25:43.511Z"),
        (Field("t", "datetime", "no"), "2012-04-23T18:25:43Z"),
        (Field("s", "guid", "yes"), "A-z.0_/@" + "x" * 247),
        (ROLE, "ext:co-teacher"),
        (SCORE_STATUS, "fully graded"),
        (GRADES, "09,10"),
        (TERMS, "term-1,term-2"),
        (USER_IDS, "{LDAP:amy.pond},{LTI:a:42}"),
        (RESOURCE_ROLES, "student,teacher"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_what_is_right_passes(field: Field, value: str, lenient: bool):
    assert verdict(field, value, lenient) == ("ok", None)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (DATE, "2025-02-30", "date"),
        (DATE, "2025-2-3", "date"),
        (DATE, "02/03/2025", "date"),
        (DATE, "2025-02-30T00:00:00Z", "date"),
        (DATE, " 2025-02-03", "date"),
        (Field("y", "year", "no"), "27", "year"),
        (Field("y", "year", "no"), "2026-2028", "year"),
        (Field("y", "year", "no"), "٢٠٢٧", "year"),
        (Field("i", "int", "no"), "1.0", "integer"),
        (Field("f", "float", "no"), "1e999", "float"),
        (Field("f", "float", "no"), "NaN", "float"),
        (Field("b", "boolean", "no"), "1", "boolean"),
        (Field("t", "datetime", "no"), "2012-04-23T18:25:43+02:00", "datetime"),
        (Field("t", "datetime", "no"), "2012-02-30T18:25:43Z", "datetime"),
        (Field("s", "guid", "yes"), "x" * 256, "guid"),
        (Field("s", "guid", "yes"), "é", "guid"),
        (ROLE, "ext:", "enum"),
        (ROLE, "pupil", "enum"),
        (OLD_ROLE, "ext:mine", "enum"),
        (GRADES, ",", "list-item"),
        (TERMS, "term 1", "list-item"),
        (USER_IDS, "{LDAP}", "list-item"),
        (RESOURCE_ROLES, "student,pupil", "list-item"),
    ],
)
def test_what_is_wrong_beyond_repair_is_said_so(field: Field, value: str, code: str):
    assert verdict(field, value) == (code, None)


@pytest.mark.parametrize(
    ("field", "value", "code", "meant"),
    [
        (DATE, "2025-02-03T00:00:00.000Z", "date-with-time", "2025-02-03"),
        (DATE, "2025-02-03 8:00:00+02:00", "date-with-time", "2025-02-03"),
        (Field("y", "year", "no"), "2026-2027", "year-span", "2027"),
        (Field("b", "boolean", "no"), "TRUE", "boolean-case", "true"),
        (ROLE, "Student", "enum-case", "student"),
        (V1P2.table("roles").field("role"), "district-administrator", "enum-case", "districtAdministrator"),
        (SCORE_STATUS, "Fully_Graded", "enum-case", "fully graded"),
        (GRADES, ",09,,10,", "list-empty-item", "09,10"),
        (GRADES, "09;10", "list-separator", "09,10"),
        (TERMS, "term-1|term-2", "list-separator", "term-1,term-2"),
        (TERMS, "term-1,,term-2", "list-empty-item", "term-1,term-2"),
        (USER_IDS, "{LDAP:amy};{LTI:42}", "list-separator", "{LDAP:amy},{LTI:42}"),
        (RESOURCE_ROLES, "Student,TEACHER", "enum-case", "student,teacher"),
    ],
)
def test_what_can_be_read_without_guessing_is_repaired(field: Field, value: str, code: str, meant: str):
    assert verdict(field, value) == (code, meant)


def test_by_the_letter_a_semicolon_is_no_separator():
    assert verdict(TERMS, "term-1;term-2", lenient=False) == ("list-item", None)
    assert verdict(GRADES, "09;10", lenient=False) == ("list-separator", "09,10")
