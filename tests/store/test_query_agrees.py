"""The same questions asked of the database and of plain Python over what is served get the same answers, whatever the database."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.evaluation import matches, ordered
from rollbook.oneroster.filters import Path as Way
from rollbook.oneroster.filters import find_path
from rollbook.oneroster.operations import OPERATION
from rollbook.oneroster.query import Question, parse
from rollbook.oneroster.spec import Member
from rollbook.store import pages
from rollbook.store.models import District, Publication
from rollbook.store.querysets import positions
from rollbook.store.visibility import Reader
from tests.store.rosters import DAYS, ROLES, TEXTS, WORDS, RandomDistrict

VERSIONS = ("1.1", "1.2")
WHOLE = {
    "orgs": "getAllOrgs",
    "academicSessions": "getAllAcademicSessions",
    "courses": "getAllCourses",
    "classes": "getAllClasses",
    "users": "getAllUsers",
    "enrollments": "getAllEnrollments",
    "demographics": "getAllDemographics",
    "resources": "getAllResources",
}
PREDICATES = ("=", "!=", ">", ">=", "<", "<=", "~")

Record = dict[str, Any]


def served(reader: Reader, operation_id: str, version: str) -> list[Record]:
    """Everything one reader gets, in order of position."""
    question = parse(OPERATION[(version, operation_id)], (), [("limit", "10000")])
    text, _ = pages.read(pages.locate(reader, question, 0), "https://h")
    return list(json.loads(b"[%s]" % text))


def asked(reader: Reader, question: Question) -> list[int]:
    publication = District.objects.get(pk=reader.district_id).publication
    with connection.cursor() as cursor:
        return positions(cursor, reader, question, publication)


def expected(records: list[Record], question: Question) -> list[int]:
    place = {record["sourcedId"]: number for number, record in enumerate(records, 1)}
    found = [record for record in records if matches(question.filter, record)]
    return [place[record["sourcedId"]] for record in ordered(found, question.sort)]


def paths(version: str, collection: str) -> list[Way]:
    """Every path that a filter of this entity can name, and some of metadata."""
    entity = ENTITIES[(version, collection)]
    names = [name for member in entity.members for name in below(member)]
    names += [
        "metadata.ext.team",
        "metadata.pronouns",
        "metadata.userMasterIdentifier",
        "metadata.preferredLastName",
        "metadata.$.a[0]",
    ]
    return [path for name in names if (path := find_path(entity, name))]


def below(member: Member) -> list[str]:
    if member.type != "object":
        return [member.name]
    return [f"{member.name}.{name}" for inner in member.members for name in below(inner)]


def operands(path: Way, moments: list[str]) -> st.SearchStrategy[str]:
    if path.leaf.compare == "datetime":
        return st.sampled_from([*moments, "2026-01-01", "1970-01-01", "2199-01-01T00:00:00.0001Z"])
    if path.leaf.compare == "date":
        return st.sampled_from([*DAYS, "1970-01-01", "2026-01-01T00:00:00Z"])
    ids = st.sampled_from(
        [
            "-",
            "orgs-01",
            "ORGS-01",
            "ORGS-02",
            "USER-03",
            "CLASSES-01",
            "COURSES-02",
            "ACADEMICSESSIONS-03",
            "RGS",
        ]
    )
    words = st.sampled_from(
        [
            "school",
            "SCHOOL",
            "term",
            "true",
            "FALSE",
            "tobedeleted",
            "active",
            "2026",
            "ext:club",
            "norecords",
            *ROLES,
        ]
    )
    several = st.lists(st.sampled_from(WORDS) | ids, min_size=1, max_size=3).map(",".join)
    return ids | words | st.sampled_from(TEXTS) | several


@st.composite
def queries(draw: st.DrawFn, version: str, collection: str, moments: list[str]) -> list[tuple[str, str]]:
    every = paths(version, collection)
    clauses = []
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(every))
        predicate = draw(st.sampled_from(PREDICATES))
        operand = draw(operands(path, moments)).replace("\\'", "'").replace("'", "''")
        clauses.append(f"{path.text}{predicate}'{operand}'")
    words = draw(st.lists(st.sampled_from([" AND ", " OR "]), min_size=len(clauses), max_size=len(clauses)))
    filter_ = "".join(word + clause for word, clause in zip(["", *words[1:]], clauses, strict=False))
    query = [("filter", filter_)]
    if draw(st.booleans()):
        sort = draw(
            st.sampled_from(
                [*(path.text for path in every if not path.many), "metadata.shoe size", "metadata.a\"b'"]
            )
        )
        query += [("sort", sort), ("orderBy", draw(st.sampled_from(["asc", "desc"])))]
    return query


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_the_database_answers_as_plain_python_does(seed: int, tmp_path: Path):
    readers = RandomDistrict(seed).published(tmp_path)
    district_id = readers["full"].district_id
    moments = list(Publication.objects.filter(district_id=district_id).values_list("instant_text", flat=True))
    moments += [moment.replace("Z", "4Z") for moment in moments]
    known = {
        (name, version, collection): served(reader, operation_id, version)
        for name, reader in readers.items()
        for version in VERSIONS
        for collection, operation_id in WHOLE.items()
    }
    assert all(records for records in known.values())

    @settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def agrees(data: st.DataObject) -> None:
        name, version, collection = data.draw(st.sampled_from(sorted(known)))
        query = data.draw(queries(version, collection, moments))
        question = parse(OPERATION[(version, WHOLE[collection])], (), query)
        assert asked(readers[name], question) == expected(known[name, version, collection], question)

    agrees()


@pytest.mark.django_db
@pytest.mark.parametrize("version", VERSIONS)
def test_a_filter_as_long_as_may_be_is_answered(version: str, tmp_path: Path):
    reader = RandomDistrict(1).published(tmp_path)["early"]
    many = ",".join(["09", *map(str, range(798))])
    for word in ("AND", "OR"):
        filter_ = f" {word} ".join(
            [f"grades~'{many}'", *["agents.sourcedId='USER-01'", "familyName!='x'"] * 99, "grades='09,10'"]
        )
        question = parse(OPERATION[(version, "getAllUsers")], (), [("filter", filter_)])
        assert asked(reader, question) == expected(served(reader, "getAllUsers", version), question)
