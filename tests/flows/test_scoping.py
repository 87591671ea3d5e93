"""What REST lets an app read of random small districts by random rules is what the plain reference says, record by record."""

import os
from random import Random
from typing import Any

import pytest

from rollbook.engine.scope import Rule
from rollbook.flows.apps import add_app
from rollbook.flows.publish import publish, set_rule
from rollbook.store.models import District, Grant
from rollbook.store.reference import for_reference
from rollbook.store.visibility import NotVisible, Reader, reader_of_grant
from tests.delivered import active, by_id, everything, one, page
from tests.scoping import (
    SETS,
    SIZES,
    Roster,
    Seen,
    random_roster,
    random_rule,
    references,
    seen,
    served_id,
    store,
)

DISTRICTS = 400 if os.environ.get("ROLLBOOK_TEST_LONG") else 24
FIRST_NUMBER = 3_000_000
"""What is remembered of a publication is by the district's number: no two districts of a run share one."""

TARGETS = {
    "parent": None, "children": None, "org": "orgs", "schoolYear": "academicSessions", "resources": "resources", "course": "courses",
    "school": "orgs", "terms": "academicSessions", "orgs": "orgs", "agents": "users", "user": "users", "class": "classes",
}  # fmt: skip


def ids(collection: str, numbers: set[int]) -> set[str]:
    return {served_id(collection, number) for number in numbers}


def referred(record: dict[str, Any], member: str) -> set[str]:
    if member == "orgs" and "roles" in record:
        return {role["org"]["sourcedId"] for role in record["roles"]}
    given = record.get(member) or []
    return {one["sourcedId"] for one in (given if isinstance(given, list) else [given])}


def compare(reader: Reader, roster: Roster, rule: Rule, random: Random) -> None:
    it = seen(roster, rule)
    assert for_reference(reader.district_id, rule) == it.orgs - it.chosen
    for version in ("1.1", "1.2"):
        for collection in SETS:
            _compare_collection(reader, roster, rule, it, collection, version)
        _compare_pages(reader, rule, it, version, random)
        _compare_singles(reader, it, version, random)
        _compare_nested(reader, roster, it, version, random)


def _compare_collection(
    reader: Reader, roster: Roster, rule: Rule, it: Seen, collection: str, version: str
) -> None:
    records, total, _ = page(reader, f"/{collection}", version=version, limit="1000")
    shown = {key: one for key, one in by_id(records).items() if one["status"] == "active"}
    assert set(shown) == ids(collection, it.of(collection)), (collection, version, rule)
    assert total == len(records)
    assert rule.deleted or len(records) == len(shown)
    for number in it.of(collection):
        record = shown[served_id(collection, number)]
        for member, expected in references(roster, it, collection, number).items():
            if (collection, member, version) == ("users", "resources", "1.1"):
                continue
            found = ids(TARGETS[member] or collection, {one for one in expected if one is not None})
            if (collection, member, version) == ("users", "orgs", "1.1") and not found:
                found = ids("orgs", {roster["users"][number]["primary"]} & it.chosen)
            assert referred(record, member) == found, (collection, number, member, version, rule)


def _compare_pages(reader: Reader, rule: Rule, it: Seen, version: str, random: Random) -> None:
    """Small pages, a filter and another order of one collection."""
    collection = random.choice(SETS)
    expected = ids(collection, it.of(collection))
    assert active(everything(reader, f"/{collection}", version=version, limit=3)) == expected
    living, total, _ = page(reader, f"/{collection}", version=version, filter="status='active'", limit="1000")
    assert (active(living), total) == (expected, len(expected))
    ordered, total, _ = page(reader, f"/{collection}", version=version, sort="sourcedId", limit="1000")
    assert active(ordered) == expected
    assert rule.deleted or total == len(expected)


def _compare_singles(reader: Reader, it: Seen, version: str, random: Random) -> None:
    for collection in SETS:
        number = random.randint(1, SIZES[collection])
        path, name = f"/{collection}/{{sourcedId}}", served_id(collection, number)
        if number in it.of(collection):
            assert one(reader, path, name, version)["sourcedId"] == name
        else:
            _is_no_live_record(reader, path, name, version)


def _is_no_live_record(reader: Reader, path: str, name: str, version: str) -> None:
    """404, or a tombstone where those are told of."""
    try:
        assert one(reader, path, name, version)["status"] == "tobedeleted"
    except NotVisible:
        return
    assert reader.deleted


def _compare_nested(reader: Reader, roster: Roster, it: Seen, version: str, random: Random) -> None:
    class_, user, school, course = (
        random.randint(1, SIZES[name]) for name in ("classes", "users", "orgs", "courses")
    )
    enrolled = [roster["enrollments"][number] for number in it.enrollments]
    links = {
        name: [row for row in roster[name].values() if row["status"] == "active"]
        for name in ("classResources", "courseResources")
    }
    expected: dict[tuple[str, str, int], tuple[str, set[int]]] = {
        ("/classes/{classSourcedId}/students", "classes", class_): (
            "users",
            {row["user"] for row in enrolled if (row["class"], row["role"]) == (class_, "student")},
        ),
        ("/classes/{classSourcedId}/resources", "classes", class_): (
            "resources",
            {row["resource"] for row in links["classResources"] if row["class"] == class_} & it.resources,
        ),
        ("/courses/{courseSourcedId}/resources", "courses", course): (
            "resources",
            {row["resource"] for row in links["courseResources"] if row["course"] == course} & it.resources,
        ),
        ("/courses/{courseSourcedId}/classes", "courses", course): (
            "classes",
            {number for number in it.classes if roster["classes"][number]["course"] == course},
        ),
        ("/users/{userSourcedId}/classes", "users", user): (
            "classes",
            {row["class"] for row in enrolled if row["user"] == user},
        ),
        ("/schools/{schoolSourcedId}/classes", "orgs", school): (
            "classes",
            {number for number in it.classes if roster["classes"][number]["school"] == school},
        ),
    }
    for (path, collection, parent), (of, numbers) in expected.items():
        is_one = collection != "orgs" or roster["orgs"][parent]["type"] == "school"
        if parent in it.of(collection) and is_one:
            records = everything(reader, path, served_id(collection, parent), version=version)
            assert active(records) == ids(of, numbers), (path, parent, version)
        else:
            with pytest.raises(NotVisible):
                page(reader, path, served_id(collection, parent), version=version)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(0, DISTRICTS, 8))
def test_what_an_app_reads_is_what_the_plain_reference_lets_through(seed: int) -> None:
    """Eight districts at a time: in each three apps, each edited once, so that what left is a tombstone or as if it had never been."""
    for number in range(seed, seed + 8):
        random = Random(number)
        district = District.objects.create(id=FIRST_NUMBER + number, name=f"Scoping {number}")
        roster = random_roster(random)
        store(district, roster)
        grants = [(_grant(district, rule), rule) for rule in [random_rule(random)]]
        publish(district.pk, None, "first")
        grants += [(_grant(district, rule), rule) for rule in (random_rule(random), random_rule(random))]
        for grant, rule in grants:
            compare(reader_of_grant(grant, 1), roster, rule, random)
            edited = random_rule(random)
            set_rule(grant, edited, "edited")
            compare(reader_of_grant(grant, 1), roster, edited, random)


def _grant(district: District, rule: Rule) -> Grant:
    name = f"{district.pk}-{Grant.objects.count()}"
    grant = Grant(district=district, app=add_app(name))
    set_rule(grant, rule, "a test")
    return grant
