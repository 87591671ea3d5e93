"""Resources come in with a package, are served by both versions, and are as if absent where the toggle is off."""

from pathlib import Path

import pytest

from rollbook.engine.scope import ALL, Choice, Rule, Scope, basic
from rollbook.store.models import ClassResource, District, Resource
from rollbook.store.visibility import NotVisible, record_ids
from tests import cast
from tests.delivered import a_grant, active, deliver, everything, one, page, reader_of

HISTORY = "course-world-history"
RESOURCES = "/classes/{classSourcedId}/resources"

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


def the_high_school(district: District, **toggles: bool) -> Rule:
    orgs = Choice(ids=record_ids(district.pk, "orgs", [cast.RIVERBEND_HIGH]))
    return basic(Scope(orgs, ALL, **toggles))


def given(record: dict[str, object]) -> list[str]:
    return [one["href"] for one in record.get("resources", [])]  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_full_grant_reads_them_and_who_was_given_them(district: District, version: str) -> None:
    reader = reader_of(a_grant(district))
    assert active(everything(reader, "/resources", version=version)) == {cast.ALGEBRA_TEXTBOOK, cast.ATLAS}
    algebra = one(reader, "/resources/{sourcedId}", cast.ALGEBRA_TEXTBOOK, version)
    assert (algebra["title"], algebra["roles"]) == ("MathPath Algebra I", ["student", "teacher"])
    assert active(everything(reader, RESOURCES, cast.ALGEBRA, version=version)) == {cast.ALGEBRA_TEXTBOOK}
    path = "/courses/{courseSourcedId}/resources"
    assert active(everything(reader, path, HISTORY, version=version)) == {cast.ATLAS}


def test_a_resource_given_to_another_class_is_told_of_by_both(district: District, tmp_path: Path) -> None:
    reader = reader_of(a_grant(district))
    moved = {"classResources": {"class-resource-1": {"classSourcedId": cast.MATH_7}}}
    deliver(district, cast.riverbend(tmp_path / "moved", moved))
    assert ClassResource.objects.count() == 2
    before, after = (one(reader, "/classes/{sourcedId}", name) for name in (cast.ALGEBRA, cast.MATH_7))
    assert (len(given(before)), len(given(after))) == (0, 1)


def test_a_resource_that_goes_is_a_tombstone_and_given_to_nobody(district: District, tmp_path: Path) -> None:
    reader = reader_of(a_grant(district))
    gone = {
        "resources": {cast.ALGEBRA_TEXTBOOK: None},
        "classResources": dict.fromkeys(("class-resource-1", "class-resource-2")),
    }
    gone["userResources"] = {"user-resource-1": None}
    deliver(district, cast.riverbend(tmp_path / "gone", gone))
    assert Resource.objects.get(sourced_id=cast.ALGEBRA_TEXTBOOK).status == "tobedeleted"
    assert one(reader, "/resources/{sourcedId}", cast.ALGEBRA_TEXTBOOK)["status"] == "tobedeleted"
    assert given(one(reader, "/classes/{sourcedId}", cast.ALGEBRA)) == []


def test_a_school_brings_the_resources_of_its_classes_and_courses(district: District) -> None:
    reader = reader_of(a_grant(district, the_high_school(district)))
    assert active(everything(reader, "/resources")) == {cast.ALGEBRA_TEXTBOOK, cast.ATLAS}


def test_without_the_toggle_there_are_none(district: District) -> None:
    reader = reader_of(a_grant(district, the_high_school(district, resources=False)))
    for version in ("1.1", "1.2"):
        assert page(reader, "/resources", version=version)[:2] == ([], 0)
        assert page(reader, RESOURCES, cast.ALGEBRA, version=version)[:2] == ([], 0)
        with pytest.raises(NotVisible):
            one(reader, "/resources/{sourcedId}", cast.ALGEBRA_TEXTBOOK, version)
        assert given(one(reader, "/classes/{sourcedId}", cast.ALGEBRA, version)) == []
