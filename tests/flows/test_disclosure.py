"""Who received a person: from views, accesses and packages, also when the rows that showed them are gone; what is shared and not read."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from rollbook.api import access_log
from rollbook.engine.scope import ALL, FULL, Level, Rule, Scope, Treatment
from rollbook.flows import access_history, apps, disclosure, keys, prune
from rollbook.flows.publish import publish, set_rule
from rollbook.store import accesses
from rollbook.store.models import AccessRow, Delivery, District, Grant, Publication, Shown, User
from rollbook.store.shown import merged
from rollbook.store.visibility import basic
from tests.api.calls import V1P1, get, token_of
from tests.api.roster import Roster, fill
from tests.delivered import a_district, a_grant, a_grant_to

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=1)


@pytest.fixture
def district() -> District:
    return a_district()


@pytest.fixture
def roster(district: District) -> Roster:
    return fill(district)


def person(district: District, sourced_id: str = "student-0") -> User:
    return User.objects.get(district=district, sourced_id=sourced_id)


def read(grant: Grant, *paths: str) -> None:
    token = token_of(keys.add_key(grant))
    for path in paths:
        assert get(f"{V1P1}/{path}", token).status_code == 200, path
    access_log.flush()


def told(district: District, sourced_id: str = "student-0") -> dict[str, disclosure.Disclosure]:
    now = timezone.now() + LATER
    return {
        one.grant.title: one for one in disclosure.disclosures(district, person(district, sourced_id), now)
    }


def test_who_may_read_is_told_from_who_did(district, roster):
    reads = a_grant(district, app="Reads")
    a_grant(district, app="Never reads")
    south = a_grant_to(district, "school-south", app="South only")
    read(reads, "users", "classes")
    read(south, "students")
    found = told(district)
    assert set(found) == {"Reads", "Never reads"}
    assert (found["Reads"].reads, found["Never reads"].reads) == (1, 0)
    assert set(found["Reads"].fields) == {"users"}
    assert found["Reads"].until is None
    assert set(told(district, "student-south")) == {"Reads", "Never reads", "South only"}


def test_a_call_that_names_a_person_counts_for_that_person_alone(district, roster):
    grant = a_grant(district)
    read(
        grant,
        "users/student-0",
        "students/student-0/classes",
        "demographics/student-0",
        "enrollments/enrollment-student-0",
    )
    mine, other = told(district)["An app"], told(district, "student-1")["An app"]
    assert (mine.reads, other.reads) == (4, 0)
    assert set(mine.fields) == {"users", "classes", "demographics", "enrollments"}
    assert "username" in mine.fields["users"]
    assert "password" not in mine.fields["users"]


def test_only_the_fields_that_were_asked_for_are_told_and_how_they_were_treated(district, roster):
    scope = Scope(orgs=ALL, courses=ALL, unenrolled=True)
    fields = (("users", "email", Treatment.OMIT), ("users", "familyName", Treatment.MASK))
    grant = a_grant(district, Rule(Level.BASIC, (scope,), fields=fields))
    read(grant, "users?fields=givenName,familyName,email")
    assert told(district)["An app"].fields["users"] == {"givenName": "share", "familyName": "mask"}


def test_refused_and_unchanged_answers_disclose_nothing(district, roster):
    grant = a_grant(district)
    read(grant, "users")
    AccessRow.objects.update(status=304)
    assert not told(district)["An app"].received


def test_a_package_counts_when_the_person_was_in_it(district, roster):
    grant = a_grant(district)
    about = {
        "district_id": district.pk,
        "grant_id": grant.pk,
        "way": "push",
        "version": "1.2",
        "mode": "bulk",
        "ended_at": timezone.now(),
    }
    Delivery.objects.create(
        **about, outcome="success", publication=1, counts={"users.csv": 12, "orgs.csv": 3}
    )
    Delivery.objects.create(**about, outcome="failed", publication=1, counts={"users.csv": 12})
    found = told(district)["An app"]
    assert (found.reads, found.deliveries) == (0, 1)
    assert set(found.fields) == {"users"}


def test_who_left_is_told_until_when_also_after_the_rows_that_showed_them_were_removed(district, roster):
    grant = a_grant_to(district, "school-north", "school-south")
    read(grant, "users")
    set_rule(grant, basic(district.pk, ["school-south"]), "a test")
    left = told(district)["A school app"]
    assert left.until is not None
    assert left.reads == 1
    read(grant, "users")
    Publication.objects.update(instant=1)
    Publication.objects.filter(number=1).update(instant=0)
    prune.prune(district.pk)
    assert Shown.objects.filter(grant_id=grant.pk, record_id=person(district).id).exists()
    kept = told(district)["A school app"]
    assert kept.until is not None
    assert kept.reads == 1
    assert told(district, "student-south")["A school app"].reads == 2


def test_a_grant_to_everything_remembers_people_who_were_deleted(district, roster):
    grant = a_grant(district, FULL)
    read(grant, "users")
    User.objects.filter(pk=(district.pk, person(district).id)).update(status="tobedeleted")
    publish(district.pk, None, "a test")
    Publication.objects.update(instant=1)
    prune.prune(district.pk)
    found = told(district)["An app"]
    assert found.until is not None
    assert found.reads == 1


def test_a_file_of_it_names_the_apps_and_fields_and_nobody(district, roster):
    read(a_grant(district), "users?fields=givenName")
    header, row = disclosure.rows(disclosure.disclosures(district, person(district), timezone.now() + LATER))
    line = dict(zip(header, row, strict=True))
    assert (line["app"], line["collection"], line["fields_as_they_are"]) == ("An app", "users", "givenName")
    assert "Of student-0" not in str(row)


def test_spans_that_touch_are_one():
    assert merged([(5, 7), (1, 3), (3, 4), (6, 9)]) == [(1, 4), (5, 9)]


# --- What is shared and not read, and every access ----------------------------------------------------------------------------------


def test_what_was_not_read_for_90_days_is_told_and_nothing_of_an_app_that_came_lately(district, roster):
    grant = a_grant(district)
    read(grant, "users?fields=givenName,sourcedId", "classes")
    now = timezone.now() + LATER
    assert disclosure.unused(grant, now) == []
    grant.created_at = now - timedelta(days=91)
    found = {one.collection: one.fields for one in disclosure.unused(grant, now)}
    assert found["orgs"] is None
    assert found["demographics"] is None
    assert "classes" not in found
    assert "email" in found["users"]
    assert "givenName" not in found["users"]


def test_calls_and_packages_are_one_list_with_the_number_the_cards_show(district, roster):
    grant = a_grant(district)
    read(grant, "users", "classes?limit=1")
    Delivery.objects.create(
        district_id=district.pk, grant_id=grant.pk, way="push", version="1.2", mode="bulk", outcome="failed",
        reason="Nobody answers there.", counts={"users.csv": 12}, ended_at=timezone.now(),
    )  # fmt: skip
    # Not within the same millisecond as the calls.
    Delivery.objects.filter(grant_id=grant.pk).update(started_at=timezone.now() + timedelta(seconds=1))
    now = timezone.now() + LATER
    found = access_history.takings(grant, accesses.since(now))
    assert [one.kind for one in found] == ["delivery", "REST", "REST"]
    assert [one.what for one in found] == ["bulk", "classes", "users"]
    assert (found[0].good, found[0].reason, found[1].good) == (False, "Nobody answers there.", True)
    assert (
        len(found)
        == access_history.count(grant, accesses.since(now))
        == accesses.access_counts([grant.pk], now)[grant.pk]
    )
    assert [one.kind for one in access_history.takings(grant, accesses.since(now), only_bad=True)] == [
        "delivery"
    ]
    assert len(access_history.takings(grant, accesses.since(now), 2, 2)) == 1


def test_days_are_counted_from_midnight_utc(district, roster):
    grant = apps.find_grant(a_grant(district).pk)
    read(grant, "users", "classes?limit=1")
    today, *before = access_history.days(grant, datetime.now(UTC), 3)
    assert (today.requests, today.records) == (2, User.objects.filter(district=district).count() + 1)
    assert [(day.requests, day.records) for day in before] == [(0, 0), (0, 0)]
