"""Routes: which paths are read how."""

import pytest

from rollbook.api.endpoints import ENDPOINTS, matches, version_of
from rollbook.oneroster.operations import BASES, operations

V1P1 = "/ims/oneroster/v1p1"
V1P2 = "/ims/oneroster/rostering/v1p2"


def readings(path: str) -> list[tuple[str, tuple[str, ...]]]:
    """(operation id or a dash, ids) of every reading of the path."""
    return [(match.operation.operation_id if match.operation else "-", match.ids) for match in matches(path)]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_every_operation_of_what_is_offered_has_its_address(version: str):
    served = {address: one for address, one in ENDPOINTS if one.version == version}
    expected = {
        BASES[version, one.service] + one.path: one
        for service in ("rostering", "resources")
        for one in operations(version, service)
    }
    assert served == expected
    assert len(served) == {"1.1": 45, "1.2": 46}[version]


@pytest.mark.parametrize(("address", "operation"), ENDPOINTS)
def test_every_address_is_found_again(address, operation):
    ids = tuple(f"id-{number}" for number, _ in enumerate(operation.parameters))
    path = address
    for name, text in zip(operation.parameters, ids, strict=True):
        path = path.replace(f"{{{name}}}", text)
    assert readings(path)[0] == (operation.operation_id, ids)
    assert readings(f"{path}/")[0] == (operation.operation_id, ids)


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("/users/a/b", ("getUser", ("a/b",))),
        ("/users/a/b/", ("getUser", ("a/b",))),
        ("/users//a", ("getUser", ("/a",))),
        ("/schools/a/b/classes", ("getClassesForSchool", ("a/b",))),
        ("/schools/s/1/classes/c/1/students", ("getStudentsForClassInSchool", ("s/1", "c/1"))),
        ("/users/José Ñ@x", ("getUser", ("José Ñ@x",))),
        ("/users/a\nb", ("getUser", ("a\nb",))),
    ],
)
def test_an_id_may_hold_slashes_spaces_and_letters_of_any_alphabet(path, first):
    assert readings(V1P1 + path)[0] == first


def test_an_id_that_reads_like_a_path_is_tried_after_the_path():
    assert readings(f"{V1P1}/users/x/classes") == [
        ("getClassesForUser", ("x",)),
        ("getUser", ("x/classes",)),
    ]


def test_an_id_that_ends_in_a_slash_is_tried_last():
    assert readings(f"{V1P1}/users/x/") == [("getUser", ("x",)), ("getUser", ("x/",))]


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/lineItems", ()),
        ("/results/r", ("r",)),
        ("/classes/c/lineItems", ("c",)),
        ("/classes/c/lineItems/l/results", ("c", "l")),
    ],
)
def test_what_is_not_served_yet_is_known_and_not_read_as_anything_else(path, ids):
    assert readings(V1P1 + path) == [("-", ids)]


@pytest.mark.parametrize(
    "path",
    [
        "/ims/oneroster",
        V1P1,
        f"{V1P1}/",
        f"{V1P1}/nothing",
        "/ims/oneroster/gradebook/v1p2/lineItems",
        "/ims/oneroster/resources/v1p2/users",
        "/ims/oneroster/v1p10/users",
        f"{V1P1}/classes/c/categories",
        f"{V1P2}/classes/c/lineItems",
        f"{V1P2}/users/u/resources",
    ],
)
def test_nothing_is_read_into_other_addresses(path):
    assert readings(path) == []


def test_an_answer_speaks_the_version_of_its_address():
    assert version_of(f"{V1P1}/nothing") == "1.1"
    assert version_of(V1P1) == "1.1"
    assert version_of("/ims/oneroster/v1p10/users") == "1.2"
    assert version_of(f"{V1P2}/users") == "1.2"
    assert version_of("/ims/oneroster") == "1.2"
