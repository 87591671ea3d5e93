"""Pages of a directory's lists: every row once whatever the order and the states, by an index at any depth."""

from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbook.engine.sync.operations import CREATE, GROUPS, MEMBERS, Operation
from rollbook.flows import directory_lists
from rollbook.flows.directory_lists import BY_NAME, HERE, Sought, SoughtGroups
from rollbook.store import directory_pages
from rollbook.store.directory import DirectoryTarget
from rollbook.store.directory_pages import SIZE, Page, Place, page_of
from rollbook.store.directory_rows import name_key
from rollbook.store.models import Group, Member, Organization, Product

pytestmark = pytest.mark.django_db
NUMBERS = count(1)
MANY = 3_000
DEEP = 2_000
STATES = ("active", "inactive", "archived", "pending", "suspended")


def an_organization() -> Organization:
    product, _ = Product.objects.get_or_create(name="Reader")
    return Organization.objects.create(product=product, name=f"Riverbend {next(NUMBERS)}")


def a_member(organization: Organization, number: int) -> Member:
    """Names come several times; every seventh is archived, few are pending or suspended."""
    family, given = f"Family{number % 90:02}", f"Given{number % 7}"
    state = "archived" if number % 7 == 0 else "pending" if number % 100 == 3 else STATES[number % 2]
    return Member(
        organization=organization,
        id=number,
        given_name=given,
        family_name=family,
        name_folded=name_key(family, given),
        email=f"{number}@x.example",
        email_folded=f"{number}@x.example",
        roles='["administrator"]' if number == 234 else '["student"]',
        site_ids=f'["{number % 4 + 1}"]',
        grade=f"{number % 12 + 1:02}",
        state=state,
    )


def filled(number: int) -> Organization:
    """An organization with so many members, and another with some of the same: an index that forgot whose they are would show."""
    made, other = an_organization(), an_organization()
    for one, many in ((made, number), (other, 60)):
        Member.objects.bulk_create(a_member(one, each) for each in range(1, many + 1))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Member._meta.db_table}")
    return made


@pytest.fixture
def organization() -> Organization:
    return filled(320)


def walked(organization: Organization, sought: Sought, place: Place) -> list[list[int]]:
    """The ids of every page, from a place on."""
    pages = []
    at: Place | None = place
    while at is not None:
        page = directory_lists.member_page(organization, sought, None, at)
        pages.append([one.id for one in page.rows])
        at = page.next
    return pages


@pytest.mark.parametrize("descending", [False, True], ids=["a to z", "z to a"])
def test_every_member_is_on_one_page_in_the_order_of_names(organization: Organization, descending: bool):
    pages = walked(organization, Sought(), Place(descending=descending))
    here = Member.objects.filter(organization=organization, state__in=HERE)
    sign = "-" if descending else ""
    assert [one for page in pages for one in page] == list(
        here.order_by(f"{sign}{BY_NAME}", f"{sign}id").values_list("id", flat=True)
    )
    assert {len(page) for page in pages[:-1]} == {SIZE}


def test_the_pages_back_are_the_pages_that_were_gone_through(organization: Organization):
    third = third_page(organization)
    assert third.previous is not None
    assert third.start == 2 * SIZE + 1
    second = directory_lists.member_page(organization, Sought(), None, third.previous)
    assert (second.start, second.end) == (SIZE + 1, 2 * SIZE)
    assert [one.id for one in second.rows] == walked(organization, Sought(), Place())[1]
    first = directory_lists.member_page(organization, Sought(), None, second.previous or Place())
    assert (first.start, first.previous) == (1, None)


def third_page(organization: Organization) -> Page[Member]:
    page = directory_lists.member_page(organization, Sought(), None, Place())
    for _ in range(2):
        assert page.next is not None
        page = directory_lists.member_page(organization, Sought(), None, page.next)
    return page


def test_a_page_that_began_behind_somebody_who_is_gone_begins_anew(organization: Organization):
    page = directory_lists.member_page(organization, Sought(), None, Place(after=10**9, start=901))
    assert (page.start, page.previous) == (1, None)


def test_a_page_deep_in_the_list_is_entered_by_the_index_and_asks_as_often_as_the_first():
    organization = filled(MANY)
    here = Member.objects.filter(organization=organization, state__in=HERE).order_by(BY_NAME, "id")
    deep = here.values_list("id", flat=True)[DEEP]
    with CaptureQueriesContext(connection) as asked:
        directory_lists.member_page(organization, Sought(), None, Place(after=deep))
    assert len(asked) == 2 + len(HERE)
    plans = [plan_of(one["sql"]) for one in asked.captured_queries if "ORDER BY" in one["sql"]]
    assert len(plans) == len(HERE)
    for plan in plans:
        assert "member_by_name" in plan, plan
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        before = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
        cursor.execute(before + sql.replace("%", "%%") if "%" in sql else before + sql)
        return "\n".join(str(row) for row in cursor.fetchall())


@pytest.mark.parametrize("few", [1_000, 10], ids=["few", "many"])
def test_what_is_narrowed_is_the_same_whether_it_is_few_or_many(
    organization: Organization, few: int, monkeypatch: pytest.MonkeyPatch
):
    """Of few all are known beforehand; many are walked by the index, and only counted as far as that."""
    monkeypatch.setattr(directory_pages, "FEW", few)
    sought = Sought(role="student", site=2)
    rows = Member.objects.filter(organization=organization, state__in=HERE, site_ids='["2"]')
    wanted = list(rows.order_by(BY_NAME, "id").values_list("id", flat=True))
    assert len(wanted) > SIZE
    assert [one for page in walked(organization, sought, Place()) for one in page] == wanted
    assert [one for page in walked(organization, sought, Place(descending=True)) for one in page] == wanted[
        ::-1
    ]
    first = directory_lists.member_page(organization, sought, None, Place())
    assert first.total == (len(wanted) if few > len(wanted) else None)
    assert first.next is not None
    second = directory_lists.member_page(organization, sought, None, first.next)
    assert (second.start, second.end) == (SIZE + 1, len(wanted))
    assert second.previous is not None
    assert directory_lists.member_page(organization, sought, None, second.previous).rows == first.rows


def test_the_one_who_administers_is_found_among_all(organization: Organization):
    page = directory_lists.member_page(organization, Sought(role="administrator"), None, Place(after=5))
    assert ([one.id for one in page.rows], page.total, page.next, page.previous) == ([234], 1, None, None)
    numbers = directory_lists.member_page(organization, Sought(state="pending"), None, Place())
    assert numbers.total == Member.objects.filter(organization=organization, state="pending").count()


def test_a_search_finds_names_addresses_and_identifiers_in_any_case():
    organization = an_organization()
    told = [
        {"given_name": "Zoë", "family_name": "ÅNGSTRÖM", "email": "zoe@x.example"},
        {"given_name": "Ana", "family_name": "de la Cruz", "username": "Ana.C", "identifier": "P-77"},
    ]
    made = [Operation(one, CREATE, MEMBERS, "", "", after=fields) for one, fields in enumerate(told)]
    first, second = (int(one.target) for one in DirectoryTarget(organization, 0).apply(made))
    for words, wanted in (
        ("ångström", first),
        ("ZOË åNG", first),
        ("ZOE@", first),
        ("cruz ana", second),
        ("ana.c", second),
        ("p-77", second),
    ):
        page = directory_lists.member_page(organization, Sought(search=words), None, Place())
        assert [one.id for one in page.rows] == [wanted], words


def test_groups_stand_in_the_order_of_their_titles_without_case():
    organization = an_organization()
    titles = ["zeta", "Algebra 1", "algebra 2", "Ärzte"]
    made = [
        Operation(one, CREATE, GROUPS, "", "", after={"title": title}) for one, title in enumerate(titles)
    ]
    DirectoryTarget(organization, 0).apply(made)
    page = directory_lists.group_page(organization, SoughtGroups(), None, Place())
    assert [one.title for one in page.rows] == ["Algebra 1", "algebra 2", "zeta", "Ärzte"]
    assert (
        page_of(Group.objects.filter(organization=organization), ("archived",), "title_folded", Place()).rows
        == []
    )
