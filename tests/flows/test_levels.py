"""None, Basic and Full, and the toggles that say how much of a level is shown."""

from pathlib import Path

import pytest
from django.db import connection

from rollbook.engine.choosing import Condition
from rollbook.engine.scope import ALL, FULL, NONE, Choice, Rule, Scope, basic, full
from rollbook.flows.publish import publish, set_rule
from rollbook.generator import riverbend
from rollbook.store.models import District
from rollbook.store.visibility import NotVisible, record_ids
from tests import cast
from tests.delivered import a_grant, active, by_id, deliver, everything, one, page, reader_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


def orgs(district: District, *names: str) -> Choice:
    return Choice(ids=record_ids(district.pk, "orgs", names))


def test_a_grant_to_nothing_reads_empty_lists_and_404(district: District) -> None:
    reader = reader_of(a_grant(district, NONE))
    for path in ("/orgs", "/users", "/enrollments", "/resources", "/students", "/schools"):
        assert page(reader, path)[:2] == ([], 0)
    with pytest.raises(NotVisible):
        one(reader, "/users/{sourcedId}", cast.AMARA)


def test_a_grant_edited_to_nothing_is_told_of_nothing_any_more(district: District) -> None:
    grant = a_grant(district)
    set_rule(grant, NONE, "a test")
    assert page(reader_of(grant), "/users")[:2] == ([], 0)
    set_rule(grant, FULL, "a test")
    assert len(everything(reader_of(grant), "/users")) == cast.COUNTS["users"] - 8


def test_who_is_not_told_of_the_deleted_reads_as_if_they_had_never_been(
    district: District, tmp_path: Path
) -> None:
    told, untold = a_grant(district), a_grant(district, full(deleted=False), app="untold")
    everybody = set(by_id(everything(reader_of(untold), "/users")))
    assert untold.view_id is None, "the whole roster needs no rows, with tombstones or without"
    deliver(district, cast.riverbend(tmp_path / "next", _without(cast.NOAH)))
    assert by_id(everything(reader_of(told), "/users"))[cast.NOAH]["status"] == "tobedeleted"
    for limit in (3, 7, 1000):
        assert set(by_id(everything(reader_of(untold), "/users", limit=limit))) == everybody - {cast.NOAH}
    for query in ({}, {"filter": "status='tobedeleted'"}, {"sort": "familyName"}):
        found, total, _ = page(reader_of(untold), "/users", limit="1000", **query)
        assert total == len(found) == (0 if "filter" in query else len(everybody) - 1)
    with pytest.raises(NotVisible):
        one(reader_of(untold), "/users/{sourcedId}", cast.NOAH)


def _without(person: str) -> dict[str, dict[str, None]]:
    """The edits that take a person out of a package."""
    owned = {
        table: dict.fromkeys(
            row["sourcedId"] for row in riverbend.rows("1.2")[table] if row.get("userSourcedId") == person
        )
        for table in ("roles", "enrollments", "userProfiles", "userResources")
    }
    return {"users": {person: None}, "demographics": {person: None}, **{k: v for k, v in owned.items() if v}}


def test_guardians_come_with_the_students_who_name_them(district: District) -> None:
    without = reader_of(a_grant(district, full()))
    with_them = reader_of(a_grant(district, full(guardians=True), app="guardians"))
    assert cast.ADAEZE not in by_id(everything(without, "/users"))
    shown = by_id(everything(with_them, "/users"))
    assert shown[cast.ADAEZE]["role"] in ("guardian", "parent", "relative")
    assert {agent["sourcedId"] for agent in shown[cast.AMARA]["agents"]} == {cast.ADAEZE, cast.CHUKWUEMEKA}
    assert "agents" not in one(without, "/users/{sourcedId}", cast.AMARA)


def test_schools_and_courses_by_query_follow_the_roster(district: District, tmp_path: Path) -> None:
    high = (Condition("name", "contains", "high"),)
    algebra = (Condition("title", "starts", "Algebra", case=True),)
    reader = reader_of(a_grant(district, basic(Scope(Choice(queries=(high,)), Choice(queries=(algebra,))))))
    before = everything(reader, "/courses")
    assert before
    assert all(course["title"].startswith("Algebra") for course in before)
    named = {"courses": {"course-world-history": {"title": "Algebra of history"}}}
    deliver(district, cast.riverbend(tmp_path / "next", named))
    assert active(everything(reader, "/courses")) == active(before) | {"course-world-history"}


def test_class_by_class_shows_those_classes_and_their_people(district: District) -> None:
    classes = record_ids(district.pk, "classes", [cast.MATH_7])
    reader = reader_of(a_grant(district, basic(Scope(classes=classes))))
    assert active(everything(reader, "/classes")) == {cast.MATH_7}
    enrolled = {row["user"]["sourcedId"] for row in everything(reader, "/enrollments")}
    assert enrolled
    assert active(everything(reader, "/users")) == enrolled
    assert len(everything(reader, "/courses")) == 1


def test_scopes_stack_as_the_union_of_what_each_lets_through(district: District) -> None:
    high, middle = (Scope(orgs(district, name), ALL) for name in (cast.RIVERBEND_HIGH, cast.RIVERBEND_MIDDLE))
    each = [reader_of(a_grant(district, basic(one), app=str(n))) for n, one in enumerate((high, middle))]
    both = reader_of(a_grant(district, basic(high, middle), app="both"))
    for path in ("/classes", "/enrollments", "/users", "/courses"):
        assert active(everything(both, path)) == set().union(*(active(everything(one, path)) for one in each))


def test_a_school_with_all_below_is_not_the_school_alone(district: District) -> None:
    [office] = record_ids(district.pk, "orgs", [cast.DISTRICT])
    alone = reader_of(a_grant(district, basic(Scope(Choice(ids=(office,)), ALL)), app="alone"))
    below = reader_of(a_grant(district, basic(Scope(Choice(below=(office,)), ALL)), app="below"))
    assert active(everything(alone, "/orgs")) == {cast.DISTRICT}
    assert {cast.RIVERBEND_HIGH, cast.RIVERBEND_MIDDLE} <= active(everything(below, "/orgs"))


def test_an_edit_ends_the_walks_of_the_grant(district: District) -> None:
    grant = a_grant(district)
    page(reader_of(grant), "/users", limit="5")
    set_rule(grant, NONE, "a test")
    assert page(reader_of(grant), "/users", limit="5", offset="5")[:2] == ([], 0)


def test_grants_with_one_rule_cost_one_working(district: District, tmp_path: Path) -> None:
    one_school = basic(Scope(orgs(district, cast.RIVERBEND_HIGH), ALL, name="High"))
    other = basic(Scope(orgs(district, cast.RIVERBEND_MIDDLE), ALL))
    grants = [a_grant(district, other, app=f"{number}") for number in range(3)]
    set_rule(grants[0], one_school, "edited")
    set_rule(grants[1], one_school, "edited")
    assert len({grant.view_id for grant in grants}) == 3, "each edited grant has a history of its own"
    assert _workings(district) == 2


def _workings(district: District) -> int:
    made = []

    def count(execute, sql, *rest):  # type: ignore[no-untyped-def]
        made.append("EXISTS seen (" in sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        publish(district.pk, None, "again")
    return sum(made)


def test_a_rule_stored_before_there_were_levels_still_reads(district: District) -> None:
    [high] = record_ids(district.pk, "orgs", [cast.RIVERBEND_HIGH])
    stored = Rule.parse(f'{{"demographics": true, "orgs": [{high}], "unenrolled": false}}')
    reader = reader_of(a_grant(district, stored))
    assert active(everything(reader, "/orgs")) == {cast.RIVERBEND_HIGH, cast.DISTRICT}
    assert page(reader, "/resources")[1] == 0, "it was never told of resources"
