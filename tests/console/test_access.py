"""Who may do what: every page of a district answers its operators, and is not there for anybody else."""

import pytest
from django.test import Client
from django.urls import reverse
from django.views import defaults

from rollbook.console import urls
from rollbook.flows import operators
from rollbook.flows.roles import Act
from rollbook.store.models import Operator

ANY = {
    "tenant": 0,
    "collection": "users",
    "record_id": "1",
    "kind": "upload",
    "code": "dates-reversed",
    "field": "userSourcedId",
    "verb": "delete",
    "checksum": "0a",
    "turn": "renew",
    "deed": "reset",
}
"""What stands in the addresses of pages; where nothing is said, 1."""

PAGES = [route.name for route in urls.district]


def path_of(page: str, tenant: int) -> str:
    route = next(route for route in urls.district if route.name == page)
    wanted = {"tenant": tenant} | {name: ANY.get(name, 1) for name in route.pattern.regex.groupindex}
    return reverse(page, kwargs=wanted)


def ask(client: Client, page: str, tenant: int):
    """What answers who comes to this page; a form that is sent answers to no other way of coming."""
    answer = client.get(path_of(page, tenant))
    return client.post(path_of(page, tenant)) if answer.status_code == 405 else answer


@pytest.mark.parametrize("route", urls.district, ids=PAGES)
def test_every_page_of_a_district_begins_by_asking_who_may(route):
    assert isinstance(route.callback.act, Act)


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_asked_to_sign_in(db, client: Client, district, page: str):
    answer = ask(client, page, district.pk)
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("page", PAGES)
def test_another_district_is_not_there(ids, console: Client, elsewhere, page: str):
    assert ask(console, page, elsewhere.pk).status_code == 404


def test_a_district_that_does_not_exist_answers_as_one_that_is_not_yours(console: Client, elsewhere):
    mine_not = console.get(path_of("dashboard", elsewhere.pk))
    nobodys = console.get(path_of("dashboard", 10**18))
    assert (mine_not.status_code, nobodys.status_code) == (404, 404)
    assert mine_not.content == nobodys.content


def test_an_installation_operator_sees_every_district(installer, signed_in, district, elsewhere):
    client = signed_in(installer)
    for one in (district, elsewhere):
        assert client.get(path_of("dashboard", one.pk)).status_code == 200


def test_who_has_one_district_comes_straight_to_it(console: Client, district):
    answer = console.get("/")
    assert answer.url == path_of("dashboard", district.pk)


def test_who_has_several_districts_chooses_first(administrator, console: Client, district, elsewhere):
    operators.add_operator(administrator.email, operators.DISTRICT, elsewhere)
    page = console.get("/").content.decode()
    assert path_of("dashboard", district.pk) in page
    assert path_of("dashboard", elsewhere.pk) in page


def test_the_choice_can_be_searched(installer, signed_in, district, elsewhere):
    page = signed_in(installer).get("/", {"q": "cedar"}).content.decode()
    assert elsewhere.name in page
    assert district.name not in page


def test_an_account_without_a_post_sees_no_district(db, district, signed_in):
    account = operators.add_operator("x@example.org", operators.DISTRICT, district).account
    Operator.objects.all().delete()
    client = signed_in(account)
    assert "You do not work in a district yet" in client.get("/").content.decode()
    assert client.get(path_of("dashboard", district.pk)).status_code == 404


def test_a_deactivated_operators_session_ends_at_once(console: Client, administrator, district):
    assert console.get(path_of("dashboard", district.pk)).status_code == 200
    operators.deactivate(administrator, by=None)
    assert console.get(path_of("dashboard", district.pk)).status_code == 302


def test_nothing_of_a_district_is_kept_by_the_browser(ids, console: Client, district):
    assert "no-store" in console.get(path_of("record", district.pk)).headers["cache-control"]


@pytest.mark.parametrize(
    ("view", "status"),
    [(defaults.bad_request, 400), (defaults.permission_denied, 403), (defaults.page_not_found, 404)],
)
def test_refusals_are_told_in_our_own_page(rf, view, status: int):
    answer = view(rf.get("/x"), Exception("inner words"))
    assert answer.status_code == status
    assert b"Rollbook" in answer.content
    assert b"inner words" not in answer.content


def test_a_fault_is_told_without_its_inside(rf):
    answer = defaults.server_error(rf.get("/x"))
    assert b"The fault is ours" in answer.content
