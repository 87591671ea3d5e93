"""The cast of all tests: who is who in Riverbend, and how to write the district as a package, with edits or as a delta.

Riverbend Unified School District has an elementary (grades 3 and 5), a middle (7 and 8) and a high school (9 to 12),
13 staff, 45 students and 8 guardians; the school year is 2026-2027. The people who have a part:

AMARA           grade 10 at the high school; her brother is KOFI; two guardians (ADAEZE, CHUKWUEMEKA) who are theirs together
KOFI            grade 3 at the elementary school
LUCIA           grade 8 at the middle school, and yet sits in ALGEBRA, a class of the high school, without a role there
NOAH            grade 3, in no class at all: the unenrolled student; his sister-school brother is ANDERS (grade 7)
LIAM, LIAM_P    two students of one name, Liam Smith, in grades 9 and 12
TOMAS           grade 11, whose account is disabled; only in SPANISH
O_NG            grade 7, a one-letter given name; demographics with nothing but sex `unspecified`
NOOR            grade 9, her name in Arabic letters; SAM: grade 9, sex `other`
MR_OKAFOR       teaches at two schools: middle (primary org) and high; two sign-ins in userProfiles
MS_TANAKA       teaches at the middle school and is its site administrator as well (two roles at one org)
MX_FOURNIER     teaches SPANISH, and ART together with MR_HADDAD, a co-teacher
MS_VOLKOVA      teaches BIOLOGY; MS_LINDQVIST and MR_PAPADAKIS teach at the elementary school and share READING_3
MS_BRANDT       district administrator; MS_DELGADO and MR_WHITFIELD principals; MS_UMEH counselor of the middle school,
                enrolled in its advisory as administrator; LI_WU an aide in no class
"""

from collections.abc import Mapping
from pathlib import Path

from rollbook.generator import riverbend as demo
from rollbook.generator.package import write_rows, zip_folder

DISTRICT = "org-district"
RIVERBEND_ELEMENTARY = "org-elementary"
RIVERBEND_MIDDLE = "org-middle"
RIVERBEND_HIGH = "org-high"

SCHOOL_YEAR = "session-2027"
FALL_SEMESTER = "session-fall"
HIGH_TERM_1 = "term-high-1"
HIGH_TERM_2 = "term-high-2"
QUARTER_1 = "grading-1"

MS_BRANDT = "staff-001"
MS_DELGADO = "staff-002"
MR_WHITFIELD = "staff-003"
MS_UMEH = "staff-004"
MR_OKAFOR = "staff-005"
MS_LINDQVIST = "staff-006"
MR_PAPADAKIS = "staff-007"
MS_TANAKA = "staff-008"
MR_ORIORDAN = "staff-009"
MS_VOLKOVA = "staff-010"
MR_HADDAD = "staff-011"
MX_FOURNIER = "staff-012"
LI_WU = "staff-013"

AMARA = "student-001"
KOFI = "student-002"
LUCIA = "student-003"
MATEO = "student-004"
NOAH = "student-005"
O_NG = "student-009"
NOOR = "student-012"
LIAM = "student-023"
LIAM_P = "student-024"
TOMAS = "student-033"
SAM = "student-038"
ANDERS = "student-042"

ADAEZE = "guardian-001"
CHUKWUEMEKA = "guardian-002"
CARMEN = "guardian-003"

ALGEBRA_COURSE = "course-algebra-1"
GUITAR_COURSE = "course-guitar"
"""A course without a class."""

HOMEROOM_3 = "class-homeroom-3"
READING_3 = "class-reading-3"
ADVISORY_MIDDLE = "class-advisory-m"
MATH_7 = "class-math-7"
SCIENCE_7 = "class-science-7"
ALGEBRA = "class-algebra-1"
BIOLOGY = "class-biology"
WORLD_HISTORY = "class-world-history"
SPANISH = "class-spanish-2"
ART = "class-art"

ALGEBRA_TEXTBOOK = "resource-algebra"
ATLAS = "resource-atlas"

COUNTS = {
    "orgs": 4, "academicSessions": 15, "courses": 16, "classes": 19, "users": 66, "userProfiles": 3, "roles": 73,
    "enrollments": 165, "demographics": 45, "resources": 2, "classResources": 2, "courseResources": 1, "userResources": 1,
}  # fmt: skip
"""Records per file of the 1.2 package."""

Edits = Mapping[str, Mapping[str, Mapping[str, str] | None]]
"""{table: {sourcedId: {column: text}}}; None takes the record away; an unknown sourcedId adds a record."""

LAST_NIGHT = "2026-11-20T02:00:00.000Z"


def riverbend(folder: Path, edits: Edits | None = None, version: str = "1.2") -> Path:
    """Riverbend as a bulk package in `folder`, which is returned; `edits` are made first, in columns of that version."""
    write_rows(folder, version, edited(demo.rows(version), edits or {}), "bulk", demo.SYSTEM)
    return folder


def riverbend_zip(path: Path, edits: Edits | None = None, version: str = "1.2") -> Path:
    """The same as one zip; beside it, in a folder of the same name, stand the files it holds."""
    zip_folder(riverbend(path.with_suffix(""), edits, version), path)
    return path


def riverbend_delta(folder: Path, edits: Edits, version: str = "1.2", at: str = LAST_NIGHT) -> Path:
    """A delta package of nothing but `edits`: whole records as they become, or tobedeleted where the edit is None."""
    tables = demo.rows(version)
    changed = {
        name: [
            delta_row(tables.get(name, []), sourced_id, change, at) for sourced_id, change in records.items()
        ]
        for name, records in edits.items()
    }
    write_rows(folder, version, changed, "delta", demo.SYSTEM)
    return folder


def record(table: str, sourced_id: str, version: str = "1.2") -> dict[str, str]:
    """One record of Riverbend as its file has it."""
    return row_of(demo.rows(version)[table], sourced_id)


def edited(tables: demo.Tables, edits: Edits) -> demo.Tables:
    return {name: edited_rows(tables.get(name, []), edits.get(name, {})) for name in {**tables, **edits}}


def edited_rows(
    rows: list[dict[str, str]], edits: Mapping[str, Mapping[str, str] | None]
) -> list[dict[str, str]]:
    present = {row["sourcedId"] for row in rows}
    kept = [row for row in rows if edits.get(row["sourcedId"], {}) is not None]
    changed = [{**row, **(edits.get(row["sourcedId"]) or {})} for row in kept]
    added = [
        {"sourcedId": key, **row} for key, row in edits.items() if key not in present and row is not None
    ]
    return changed + added


def delta_row(
    rows: list[dict[str, str]], sourced_id: str, change: Mapping[str, str] | None, at: str
) -> dict[str, str]:
    status = "tobedeleted" if change is None else "active"
    whole = {**row_of(rows, sourced_id), **(change or {})}
    return {**whole, "sourcedId": sourced_id, "status": status, "dateLastModified": at}


def row_of(rows: list[dict[str, str]], sourced_id: str) -> dict[str, str]:
    return next((row for row in rows if row["sourcedId"] == sourced_id), {})
