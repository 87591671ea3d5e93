"""The vocabularies of OneRoster 1.1 (`…_11`) and 1.2 (`…_12`); without a suffix where both agree.

Sources: OneRoster 1.1 CSV tables, OneRoster 1.2.1 CSV binding, OneRoster 1.2 REST (OpenAPI enumerations).
"""

from rollbook.oneroster.spec import Vocabulary

CLASS_TYPE_11 = Vocabulary("classType", ("homeroom", "scheduled"))
CLASS_TYPE_12 = Vocabulary("classType", ("homeroom", "scheduled"), extensible=True)
ENROLLMENT_ROLE_11 = Vocabulary("enrollmentRole", ("administrator", "proctor", "student", "teacher"))
ENROLLMENT_ROLE_12 = Vocabulary(
    "enrollmentRole", ("administrator", "proctor", "student", "teacher"), extensible=True
)
IMPORTANCE = Vocabulary("importance", ("primary", "secondary"))
OBJECTIVE_SOURCE_12 = Vocabulary("objectiveSource", ("case", "unknown"), extensible=True)
ORG_TYPE_11 = Vocabulary("orgType", ("department", "school", "district", "local", "state", "national"))
ORG_TYPE_12 = Vocabulary(
    "orgType", ("department", "school", "district", "local", "state", "national"), extensible=True
)
RESOURCE_ROLE_11 = Vocabulary(
    "resourceRole",
    ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher"),
)
RESOURCE_ROLE_12 = Vocabulary(
    "resourceRole",
    ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher"),
    extensible=True,
)
ROLE_TYPE_12 = Vocabulary("roleType", ("primary", "secondary"))
SCORE_STATUS_11 = Vocabulary(
    "scoreStatus", ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
)
SCORE_STATUS_12 = Vocabulary(
    "scoreStatus",
    ("exempt", "fully graded", "not submitted", "partially graded", "submitted"),
    extensible=True,
)
SESSION_TYPE_11 = Vocabulary("sessionType", ("gradingPeriod", "semester", "schoolYear", "term"))
SESSION_TYPE_12 = Vocabulary(
    "sessionType", ("gradingPeriod", "semester", "schoolYear", "term"), extensible=True
)
SEX_11 = Vocabulary("sex", ("male", "female"))
SEX_12 = Vocabulary("sex", ("male", "female", "unspecified", "other"), extensible=True)
STATUS = Vocabulary("status", ("active", "tobedeleted"))
USER_ROLE_11 = Vocabulary(
    "userRole", ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")
)
USER_ROLE_12 = Vocabulary(
    "userRole",
    (
        "aide",
        "counselor",
        "districtAdministrator",
        "guardian",
        "parent",
        "principal",
        "proctor",
        "relative",
        "siteAdministrator",
        "student",
        "systemAdministrator",
        "teacher",
    ),
    extensible=True,
)
GRADES = (
    "IT", "PR", "PK", "TK", "KG",
    "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13",
    "PS", "UG", "Other",
)  # fmt: skip
"""CEDS entry grade levels: what 1.1 asks for in grades. 1.2 leaves them to local agreement; they are still what apps know."""
