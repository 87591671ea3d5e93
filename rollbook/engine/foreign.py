"""Rosters in other people's formats: recognised by their files, so that we can say what they are and what to send instead."""

from collections.abc import Callable, Mapping

SDS_V2_FILES = frozenset({"relationships.csv", "userflags.csv"})
SDS_V2_COLUMNS = {
    "roles.csv": ("isPrimary", "roleStartDate"),
    "users.csv": ("activeDirectoryMatchId",),
    "classes.csv": ("sessionSourcedIds",),
    "demographics.csv": ("birthCity", "ethnicityCodes"),
}
SDS_V1_FILES = frozenset({"school.csv", "section.csv", "student.csv", "teacher.csv", "studentenrollment.csv"})
CLEVER_FILES = frozenset({"schools.csv", "sections.csv", "students.csv", "teachers.csv"})

SDS = (
    "These are files in Microsoft's School Data Sync format ({which}), which resembles OneRoster but lacks what it requires (status and"
    " date columns, the manifest, the ids of roles and enrollments). Export OneRoster 1.1 or 1.2 CSV from your student information system"
    " instead; most that can feed School Data Sync can do that too."
)
CLEVER = (
    "These are files in Clever's own SFTP format (schools, sections, students, teachers). Export OneRoster 1.1 or 1.2 CSV from your student"
    " information system instead."
)

Head = Callable[[], str]


def foreign_format(heads: Mapping[str, Head]) -> str | None:
    """What to tell the sender, or None where it is no format we know. `heads` maps file names to what reads their first line."""
    names = {name.casefold(): head for name, head in heads.items()}
    if "manifest.csv" in names:
        return None
    if len(SDS_V1_FILES & names.keys()) >= 3:
        return SDS.format(which="v1")
    if len(CLEVER_FILES & names.keys()) >= 3:
        return CLEVER
    if SDS_V2_FILES & names.keys() or _has_sds_columns(names):
        return SDS.format(which="v2.1")
    return None


def _has_sds_columns(heads: Mapping[str, Head]) -> bool:
    for name, columns in SDS_V2_COLUMNS.items():
        if name in heads and set(columns) & set(heads[name]().replace('"', "").split(",")):
            return True
    return False
