"""Bodies of failed calls, in the shape each version prescribes."""

import pytest

from rollbook.oneroster.errors import PROBLEM, PROBLEMS, WARNINGS, body, warning

# imsx_codeMinorFieldValue of the rostering service of 1.2 (OpenAPI); the object is closed and so is the list.
V1P2_CODE_MINORS = {
    "fullsuccess",
    "invalid_filter_field",
    "invalid_selection_field",
    "invaliddata",
    "unauthorisedrequest",
    "forbidden",
    "server_busy",
    "unknownobject",
    "internal_server_error",
}


def test_1_1_lists_its_status_info_and_has_a_flat_code_minor():
    assert body("1.1", "invalid_filter_field", "familynam", "id-1", "getAllUsers") == {
        "statusInfoSet": [
            {
                "imsx_codeMajor": "failure",
                "imsx_severity": "error",
                "imsx_messageRefIdentifier": "id-1",
                "imsx_operationRefIdentifier": "getAllUsers",
                "imsx_description": "familynam",
                "imsx_codeMinor": "invalid_filter_field",
            }
        ]
    }


def test_1_2_is_the_bare_object_with_a_nested_code_minor():
    assert body("1.2", "unknownobject", "There is no such user.", "id-1", "getUser") == {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": "There is no such user.",
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": "unknownobject"}
            ]
        },
    }


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_1_2_says_only_words_of_its_closed_list(problem):
    assert problem.v1p2 is None or problem.v1p2 in V1P2_CODE_MINORS


def test_a_method_not_allowed_is_unsupported_and_has_no_code_minor_in_1_2():
    answer = body("1.2", "unsupported", "PUT is not offered here.", "id-1", "putUser")
    assert answer["imsx_codeMajor"] == "unsupported"
    assert "imsx_CodeMinor" not in answer


def test_words_are_spelled_as_each_version_spells_them():
    assert (PROBLEM["unauthorisedrequest"].v1p1, PROBLEM["unauthorisedrequest"].v1p2) == (
        "unauthorized",
        "unauthorisedrequest",
    )
    assert PROBLEM["unknownobject"].v1p1 == "unknown object"


def test_blank_fields_have_a_word_of_their_own_in_1_1_only():
    blank = PROBLEM["invalid_blank_selection_field"]
    assert (blank.v1p1, blank.v1p2) == ("invalid_blank_selection_field", "invalid_selection_field")


def test_every_problem_has_the_status_it_is_answered_with():
    assert {problem.name: problem.status for problem in PROBLEMS} == {
        "invalid_filter_field": 400,
        "invalid_selection_field": 400,
        "invalid_blank_selection_field": 400,
        "invaliddata": 400,
        "unprocessable": 422,
        "unauthorisedrequest": 401,
        "forbidden": 403,
        "unknownobject": 404,
        "unsupported": 405,
        "server_busy": 429,
        "internal_server_error": 500,
    }


def test_a_warning_of_1_1_is_a_success_that_names_the_field():
    item = warning("invalid_sort_field", "familynam", "id-1", "getAllUsers")
    assert (item["imsx_codeMajor"], item["imsx_severity"]) == ("success", "warning")
    assert (item["imsx_codeMinor"], item["imsx_description"]) == ("invalid_sort_field", "familynam")
    assert item["imsx_codeMinor"] in WARNINGS
