"""What a failed or doubtful call says: the imsx code-minors of both versions, and the bodies that carry them.

Sources: OneRoster 1.1 REST §3.3 (status info set), OneRoster 1.2 REST (imsx_StatusInfo in the OpenAPI). Pure:
the message id is passed in.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One kind of failure: its HTTP status, and its code-minor in 1.1 and 1.2; 1.2 has none for what its
    vocabulary does not know.
    """

    name: str
    status: int
    v1p1: str
    v1p2: str | None
    major: str = "failure"


# The vocabulary of 1.1 is printed with spaces and underscores mixed, just so.
PROBLEMS = (
    Problem("invalid_filter_field", 400, "invalid_filter_field", "invalid_filter_field"),
    Problem("invalid_selection_field", 400, "invalid_selection_field", "invalid_selection_field"),
    Problem("invalid_blank_selection_field", 400, "invalid_blank_selection_field", "invalid_selection_field"),
    Problem("invaliddata", 400, "invalid data", "invaliddata"),
    Problem("unprocessable", 422, "invalid data", "invaliddata"),
    Problem("unauthorisedrequest", 401, "unauthorized", "unauthorisedrequest"),
    Problem("forbidden", 403, "forbidden", "forbidden"),
    Problem("unknownobject", 404, "unknown object", "unknownobject"),
    Problem("unsupported", 405, "unsupportedoperation", None, major="unsupported"),
    Problem("server_busy", 429, "server_busy", "server_busy"),
    Problem("internal_server_error", 500, "internal_server_error", "internal_server_error"),
)

PROBLEM = {problem.name: problem for problem in PROBLEMS}

WARNINGS = ("invalid_sort_field", "invalid_selection_field")
"""What 1.1 answers with the data and a word of warning beside them."""


def body(version: str, problem: str, description: str, message_id: str, operation_id: str) -> dict[str, Any]:
    """The body of a failed call in the shape of its version; 1.2 has no place for the two ids."""
    kind = PROBLEM[problem]
    if version == "1.1":
        return {
            "statusInfoSet": [
                _info_v1p1(kind.major, "error", kind.v1p1, description, message_id, operation_id)
            ]
        }
    return _info_v1p2(kind, description)


def warning(code: str, description: str, message_id: str, operation_id: str) -> dict[str, str]:
    """One item of the `statusInfoSet` that 1.1 puts beside the data: the call went well, but for what the
    description names.
    """
    return _info_v1p1("success", "warning", code, description, message_id, operation_id)


def _info_v1p1(
    major: str, severity: str, minor: str, description: str, message_id: str, operation_id: str
) -> dict[str, str]:
    return {
        "imsx_codeMajor": major,
        "imsx_severity": severity,
        "imsx_messageRefIdentifier": message_id,
        "imsx_operationRefIdentifier": operation_id,
        "imsx_description": description,
        "imsx_codeMinor": minor,
    }


def _info_v1p2(kind: Problem, description: str) -> dict[str, Any]:
    info: dict[str, Any] = {
        "imsx_codeMajor": kind.major,
        "imsx_severity": "error",
        "imsx_description": description,
    }
    if kind.v1p2 is not None:
        field = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": kind.v1p2}
        info["imsx_CodeMinor"] = {"imsx_codeMinorField": [field]}
    return info
