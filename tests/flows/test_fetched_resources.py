"""Resources of another server, one night after the other: what is shared no more, or fails, takes nothing away; what goes, goes."""

from typing import Any

import pytest

from rollbook.flows.completeness import certificate_of
from rollbook.flows.ingest import carry_out
from rollbook.store.models import ClassResource, CourseResource, Resource
from rollbook.store.models.roster import ACTIVE
from tests.cast import ALGEBRA, ATLAS
from tests.connectors.nights import Night, a_first_night, deletions, first_night
from tests.connectors.packages import modes_of
from tests.connectors.provider import Ask, Reply, at
from tests.delivered import a_grant, one, reader_of

__all__ = ["a_first_night", "first_night"]


def active(model: Any) -> int:
    return int(model.objects.filter(status=ACTIVE).count())


@pytest.mark.parametrize("status", [401, 404])
def test_resources_that_are_shared_no_more_stay(status: int, night: Night):
    night.provider.missing["resources"] = status
    prepared = night.prepared()
    assert (prepared.changes, deletions(prepared)) == (0, 0)
    run = carry_out(prepared)
    assert (run.outcome, run.message) == ("success", "Nothing changed.")
    certificate = certificate_of(run)
    assert certificate is not None
    assert certificate["collections"]["resources"]["why"] == ["this provider does not share resources"]
    assert (active(Resource), active(ClassResource), active(CourseResource)) == (2, 2, 1)


FAULTS: dict[str, tuple[int, Any]] = {
    "404": (404, {}), "500": (500, {}), "401": (401, {}), "an empty page": (200, {"resources": []}),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_resources_that_fail_in_the_middle_lose_nothing(fault: tuple[int, Any], night: Night):
    def half(ask: Ask, reply: Reply) -> Reply:
        if ask.collection != "resources":
            return reply
        first = {"resources": reply.body["resources"][:1]}
        return Reply(200, first, {"X-Total-Count": "2"}) if ask.offset == 0 else Reply(*fault)

    night.provider.spoil = half
    prepared = night.prepared()
    assert (prepared.changes, deletions(prepared)) == (0, 0)
    run = carry_out(prepared)
    assert run.outcome == "incomplete"
    assert "resources (" in run.message
    assert modes_of(night.package)["resources"] == "delta"
    assert modes_of(night.package)["classResources"] == "bulk"


def test_while_classes_are_not_proved_no_resource_is_taken_away(night: Night):
    del night.provider.records["resources"][0]
    night.provider.spoil = at("classes", 1, then=lambda reply: Reply(200, {}))
    prepared = night.prepared()
    assert deletions(prepared) == 0
    assert modes_of(night.package)["resources"] == "delta"
    assert carry_out(prepared).outcome == "incomplete"
    assert active(ClassResource) == 2


def test_a_resource_that_a_class_has_no_more_is_taken_from_it_alone(night: Night):
    [algebra] = [some for some in night.provider.records["classes"] if some["sourcedId"] == ALGEBRA]
    algebra["resources"] = []
    assert night.over().outcome == "success"
    assert (active(Resource), active(ClassResource), active(CourseResource)) == (2, 1, 1)


def test_a_class_that_goes_takes_its_links_along_and_leaves_the_resource(night: Night):
    records = night.provider.records
    records["classes"] = [some for some in records["classes"] if some["sourcedId"] != ALGEBRA]
    records["enrollments"] = [
        some for some in records["enrollments"] if some["class"]["sourcedId"] != ALGEBRA
    ]
    night.over()
    assert (active(Resource), active(ClassResource)) == (2, 1)


def test_a_resource_that_goes_is_named_by_nobody(night: Night):
    records = night.provider.records
    records["resources"] = [some for some in records["resources"] if some["sourcedId"] != ATLAS]
    for course in records["courses"]:
        course.pop("resources", None)
    assert night.over().outcome == "success"
    assert active(Resource) == 1
    reader = reader_of(a_grant(night.district))
    assert "resources" not in one(reader, "/courses/{sourcedId}", "course-world-history")
