"""The browser of the roster: search, filters, order and pages, on Riverbend and on a district too large to count."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.console import browse
from rollbook.console.sheets import SHEETS
from rollbook.store.models import District, User
from tests import cast

ROW = re.compile(r'<tr role="row"><td.*?</tr>', re.S)


def url(district: District, collection: str) -> str:
    return reverse("collection", kwargs={"tenant": district.pk, "collection": collection})


def rows(page) -> list[str]:
    """What each row of the table says."""
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
        for row in ROW.findall(page.content.decode())
    ]


def ids_on(page) -> list[str]:
    return re.findall(r'<code title="([^"]+)">', page.content.decode())


def count_on(page) -> str:
    return re.search(r'id="found">\s*(.*?)\s*</p>', page.content.decode(), re.S)[1]


@pytest.mark.parametrize("collection", SHEETS)
def test_every_collection_has_its_list(ids, console: Client, district, collection: str):
    page = console.get(url(district, collection))
    assert len(rows(page)) == min(len(ids[collection]), browse.PAGE)
    assert f"of {len(ids[collection])}" in count_on(page)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("AMARA", [cast.AMARA]),
        ("amara okonkwo", [cast.AMARA]),
        ("okonkwo amara", [cast.AMARA]),
        ("aokonkwo@students.riverbend.example", [cast.AMARA]),
        ("260001", [cast.AMARA]),
        ("student-001", [cast.AMARA]),
        ("STUDENT-001", [cast.AMARA]),
        ("LUCÍA", [cast.LUCIA]),
        ("lucía", [cast.LUCIA]),
        ("nobody of this name", []),
        ("%", []),
        ("_", []),
        ("\0", None),
    ],
)
def test_people_are_found_by_name_address_and_ids_whatever_the_case(
    ids, console: Client, district, words, found
):
    page = console.get(url(district, "users"), {"q": words})
    assert page.status_code == 200
    if found is not None:
        assert ids_on(page) == found


def test_classes_are_found_by_title_code_and_room(ids, console: Client, district):
    for words in ("español", "WL-202", cast.SPANISH):
        assert cast.SPANISH in ids_on(console.get(url(district, "classes"), {"q": words}))


def test_enrollments_are_found_by_the_person_and_by_the_class(ids, console: Client, district):
    found = rows(console.get(url(district, "enrollments"), {"q": "amara español"}))
    assert len(found) == 1
    assert "Amara Okonkwo" in found[0]
    assert "Español II" in found[0]


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_it_round(ids, console: Client, district):
    page = console.get(url(district, "users")).content.decode()
    assert page.count('aria-sort="ascending"') == 1
    by_name = re.search(r'id="by-givenName" href="([^"]+)"', page)[1].replace("&amp;", "&")
    rising = console.get(url(district, "users") + by_name)
    turned = re.search(r'id="by-givenName" href="([^"]+)"', rising.content.decode())[1].replace("&amp;", "&")
    falling = console.get(url(district, "users") + turned)
    assert 'aria-sort="descending"' in falling.content.decode()
    names = list(
        User.objects.filter(district=district)
        .order_by("given_name_folded", "id")
        .values_list("sourced_id", flat=True)
    )
    assert ids_on(rising) == names[: browse.PAGE]
    assert ids_on(falling) == names[::-1][: browse.PAGE]


@pytest.mark.parametrize("collection", SHEETS)
def test_every_order_a_sheet_offers_can_be_asked_for(ids, console: Client, district, collection: str):
    for field in SHEETS[collection].sorts:
        for sign in ("", "-"):
            page = console.get(url(district, collection), {"sort": sign + field, "status": "all"})
            assert len(rows(page)) == min(len(ids[collection]), browse.PAGE)


def test_deleted_records_are_seen_when_asked_for(ids, console: Client, district):
    User.objects.filter(district=district, sourced_id=cast.NOAH).update(status="tobedeleted")
    assert cast.NOAH not in ids_on(console.get(url(district, "users"), {"q": "noah"}))
    for status in ("deleted", "all"):
        assert cast.NOAH in ids_on(console.get(url(district, "users"), {"q": "noah", "status": status}))
    assert "Deleted" in rows(console.get(url(district, "users"), {"q": "noah", "status": "all"}))[0]


def test_people_are_filtered_by_any_of_their_roles(ids, console: Client, district):
    teachers = ids_on(console.get(url(district, "users"), {"kind": "teacher"}))
    heads = ids_on(console.get(url(district, "users"), {"kind": "siteAdministrator"}))
    assert cast.MS_TANAKA in teachers
    assert heads == [cast.MS_TANAKA]
    assert cast.AMARA not in teachers


@pytest.mark.parametrize("sort", ["familyName", "-familyName", "role", "email", "-email", "sourcedId"])
def test_a_walk_through_the_pages_and_back_meets_everybody_once(
    ids, console: Client, district, monkeypatch, sort: str
):
    monkeypatch.setattr(browse, "PAGE", 7)
    forward, address = [], f"?sort={sort}"
    pages = []
    while address:
        page = console.get(url(district, "users") + address)
        forward += ids_on(page)
        pages.append(ids_on(page))
        last, address = page.content.decode(), link(page, "next")
    assert sorted(forward) == sorted(ids["users"])
    assert f"{len(forward)} of {len(forward)}" in last.replace("\u2013", " ")
    for expected in pages[-2::-1]:
        page = console.get(url(district, "users") + link(page, "prev"))
        assert ids_on(page) == expected
    assert link(page, "prev") == ""


def link(page, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page.content.decode())
    return found[1].replace("&amp;", "&") if found else ""


def test_no_address_of_a_page_holds_a_name(ids, console: Client, district, monkeypatch):
    monkeypatch.setattr(browse, "PAGE", 7)
    page = console.get(url(district, "users"))
    assert re.fullmatch(r"\?sort=familyName&after=\d+&from=8", link(page, "next"))


def test_a_search_with_very_many_hits_is_not_counted_to_the_end(ids, console: Client, district, monkeypatch):
    monkeypatch.setattr(browse, "COUNT_LIMIT", 20)
    assert count_on(console.get(url(district, "users"), {"q": "student"})) == "1\u201345 of more than 20"


def test_a_list_can_be_narrowed_to_one_class_and_the_chip_lifts_that(ids, console: Client, district):
    one = ids["classes"][cast.SPANISH]
    page = console.get(url(district, "enrollments"), {"class": one, "kind": "student"})
    assert rows(page)
    assert all("Español II" in row and "Student" in row for row in rows(page))
    chip = re.search(r'class="chip">.*?href="(\?[^"]*)">', page.content.decode(), re.S)[1].replace(
        "&amp;", "&"
    )
    assert len(rows(console.get(url(district, "enrollments") + chip))) > len(rows(page))


@pytest.mark.parametrize(
    "query",
    ["?sort=password", "?sort=-", "?status=none", "?kind=%00", "?after=x", "?after=99999999999999999999", "?class=abc", "?from=-1",
     "?after=0", "?before=12345", "?kind=ext:none", "?q=" + "a" * 5000],
)  # fmt: skip
def test_a_strange_address_still_shows_a_page(ids, console: Client, district, query: str):
    assert console.get(url(district, "enrollments") + query).status_code == 200


def test_demographics_are_listed_without_what_they_say(ids, console: Client, district):
    page = console.get(url(district, "demographics"))
    assert len(rows(page)) == 45
    headings = re.findall(r'title="(\w+)"', re.search(r"<thead.*?</thead>", page.content.decode(), re.S)[0])
    assert headings == ["sourcedId", "userSourcedId"]


def test_another_districts_records_are_never_listed(
    ids, console: Client, installer, signed_in, district, elsewhere
):
    page = signed_in(installer).get(url(elsewhere, "users"), {"q": "amara", "status": "all"})
    assert ids_on(page) == []


def test_an_empty_roster_says_how_to_fill_it(console: Client, district):
    assert "The roster is empty" in console.get(url(district, "users")).content.decode()


def test_a_search_as_you_type_answers_with_the_table_alone(ids, console: Client, district):
    whole = console.get(url(district, "users"), {"q": "amara"})
    part = console.get(url(district, "users"), {"q": "amara"}, headers={"HX-Request": "true"})
    assert rows(part) == rows(whole)
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part.headers["vary"]


def test_names_are_shown_as_text_whatever_they_hold(ids, console: Client, district):
    User.objects.filter(district=district, sourced_id=cast.AMARA).update(
        family_name="<script>alert(1)</script>"
    )
    page = console.get(url(district, "users"), {"q": "amara"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("collection", SHEETS)
def test_a_page_takes_a_fixed_number_of_queries(
    ids, console: Client, district, collection: str, django_assert_max_num_queries
):
    console.get(url(district, collection))
    with django_assert_max_num_queries(9):
        console.get(url(district, collection))
