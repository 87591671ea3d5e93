"""The page of a record: all its fields, what it refers to and what refers to it, and demographics only when asked for."""

import logging
import re

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.console.sheets import SHEETS
from rollbook.oneroster.collections import COLLECTION
from rollbook.store.models import Demographics, District, Publication, Served, User
from rollbook.store.models.publication import NUMBER_OF
from tests import cast
from tests.console.test_dashboard import text_of


def url(district: District, collection: str, number: int) -> str:
    return reverse("record", kwargs={"tenant": district.pk, "collection": collection, "record_id": number})


@pytest.fixture
def page_of(ids, console: Client, district):
    """`page_of(collection, sourcedId)`: its page."""

    def get(collection: str, sourced_id: str):
        return console.get(url(district, collection, ids[collection][sourced_id]))

    return get


@pytest.mark.parametrize("collection", SHEETS)
def test_every_record_of_riverbend_has_a_page(ids, console: Client, district, collection: str):
    for number in ids[collection].values():
        assert console.get(url(district, collection, number)).status_code == 200


@pytest.mark.parametrize("collection", [name for name, sheet in SHEETS.items() if not sheet.sensitive])
def test_every_field_stands_under_the_standards_name(ids, console: Client, district, collection: str):
    page = console.get(url(district, collection, 1)).content.decode()
    for field in COLLECTION[collection].fields:
        assert f"<code>{field.name}</code>" in page


def test_a_person_shows_fields_roles_classes_and_guardians(page_of):
    text = text_of(page_of("users", cast.AMARA))
    assert "Family name familyName Okonkwo" in text
    assert "Adaeze Okonkwo" in text
    assert "Riverbend High School" in text
    assert "Español II" in text
    assert "State: 998001" in text
    assert "homeLanguage ig" in text


def test_a_guardian_shows_whose_agent_they_are(page_of):
    text = text_of(page_of("users", cast.ADAEZE))
    assert re.search(r"Agent of .*Okonkwo Amara .*Okonkwo Kofi ", text)


def test_a_class_shows_course_school_terms_teachers_and_students(page_of):
    text = text_of(page_of("classes", cast.SPANISH))
    for words in (
        "Course courseSourcedId Español II",
        "Riverbend High School",
        "Chloé Fournier-Lévesque",
        "Amara Okonkwo",
    ):
        assert words in text
    assert text.index("Teachers") < text.index("Chloé") < text.index("Students") < text.index("Amara")


def test_a_school_shows_its_people_by_role_its_courses_and_classes(page_of):
    text = text_of(page_of("orgs", cast.RIVERBEND_HIGH))
    assert "Student 19" in text
    assert "Belongs to parentSourcedId Riverbend Unified School District" in text
    assert "Algebra I" in text


def test_a_district_shows_its_schools(page_of):
    text = text_of(page_of("orgs", cast.DISTRICT))
    for school in ("Riverbend Elementary School", "Riverbend Middle School", "Riverbend High School"):
        assert school in text


def test_a_term_shows_the_classes_taught_in_it_and_no_others(page_of):
    text = text_of(page_of("academicSessions", cast.HIGH_TERM_1))
    assert "World History" in text
    assert "Grade 3 Homeroom" not in text


def test_every_link_of_a_record_leads_somewhere(page_of, console: Client):
    for collection, one in (
        ("users", cast.AMARA),
        ("classes", cast.SPANISH),
        ("orgs", cast.RIVERBEND_HIGH),
        ("courses", cast.ALGEBRA_COURSE),
    ):
        main = page_of(collection, one).content.decode().split("<main")[1]
        for address in set(re.findall(r'<a [^>]*href="(/[^"]+)"', main)):
            assert console.get(address.replace("&amp;", "&")).status_code == 200


def test_a_reference_to_what_is_deleted_or_gone_says_so(ids, page_of, district):
    User.objects.filter(district=district, sourced_id=cast.ADAEZE).update(status="tobedeleted")
    User.objects.filter(district=district, sourced_id=cast.CHUKWUEMEKA).delete()
    text = text_of(page_of("users", cast.AMARA))
    assert "Adaeze Okonkwo (deleted)" in text
    assert "Not in the roster" in text


def test_a_deleted_record_still_has_its_page(ids, page_of, district):
    User.objects.filter(district=district, sourced_id=cast.NOAH).update(status="tobedeleted")
    assert "Deleted Person" in text_of(page_of("users", cast.NOAH))


def test_the_id_as_delivered_is_shown_where_it_differs(ids, page_of, district):
    assert "Id as delivered" not in text_of(page_of("users", cast.AMARA))
    User.objects.filter(district=district, sourced_id=cast.AMARA).update(source_id="000017")
    assert "Id as delivered 000017" in text_of(page_of("users", cast.AMARA))


def test_it_says_when_what_is_served_last_changed(ids, page_of, district):
    Publication.objects.create(
        district=district,
        number=1,
        instant=1_770_000_000_000,
        local_date="2026-02-01",
        reason="test",
        state={},
    )
    Served.objects.create(
        district=district, collection=NUMBER_OF["users"], position=1, from_publication=1, stamp_v1p1=1, stamp_v1p2=1,
        record_id=ids["users"][cast.AMARA], kind="student", text_v1p1="{}",
    )  # fmt: skip
    page = page_of("users", cast.AMARA)
    assert "2026-02-01T20:40:00-06:00" in page.content.decode()
    assert "Role in OneRoster 1.1 role Student" in text_of(page)


def test_a_number_that_is_no_record_is_not_there(ids, console: Client, district):
    assert console.get(url(district, "users", 999_999)).status_code == 404
    assert console.get(f"/districts/{district.pk}/roster/users/9999999999999999999999").status_code == 404
    assert console.get(f"/districts/{district.pk}/roster/secrets/1").status_code == 404


def test_another_districts_record_is_not_there(ids, installer, signed_in, elsewhere):
    assert signed_in(installer).get(url(elsewhere, "users", ids["users"][cast.AMARA])).status_code == 404


# --- Demographics -----------------------------------------------------------------------------------------------------------------


def birth_date(district: District, sourced_id: str) -> str:
    return Demographics.objects.get(district=district, sourced_id=sourced_id).birth_date


def test_a_page_never_shows_demographics_by_itself(ids, page_of, district):
    for collection in ("users", "demographics"):
        page = page_of(collection, cast.AMARA).content.decode()
        assert "Show demographics" in page
        assert "birthDate" not in page


def test_who_asks_for_demographics_sees_them_and_leaves_a_line(
    ids, console: Client, administrator, district, caplog
):
    address = url(district, "users", ids["users"][cast.AMARA]) + "/demographics"
    with caplog.at_level(logging.INFO, logger="rollbook.console"):
        page = console.post(address)
    assert "Date of birth birthDate" in text_of(page)
    (line,) = caplog.messages
    assert cast.AMARA in line
    assert str(administrator.pk) in line
    assert "Okonkwo" not in line
    assert birth_date(district, cast.AMARA) not in line


def test_demographics_come_into_the_page_as_a_part(ids, console: Client, district):
    address = url(district, "users", ids["users"][cast.AMARA]) + "/demographics"
    part = console.post(address, headers={"HX-Request": "true"}).content.decode()
    assert "birthDate" in part
    assert "<html" not in part


def test_demographics_are_never_had_by_a_link(ids, console: Client, district):
    assert console.get(url(district, "users", ids["users"][cast.AMARA]) + "/demographics").status_code == 405


def test_who_has_no_demographics_offers_none(ids, page_of, console: Client, district):
    assert "Show demographics" not in page_of("users", cast.MR_OKAFOR).content.decode()
    assert (
        console.post(url(district, "users", ids["users"][cast.MR_OKAFOR]) + "/demographics").status_code
        == 404
    )


@pytest.mark.parametrize(
    ("collection", "one"), [("users", cast.AMARA), ("classes", cast.SPANISH), ("orgs", cast.RIVERBEND_HIGH)]
)
def test_a_page_takes_a_fixed_number_of_queries(ids, page_of, collection, one, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        page_of(collection, one)
