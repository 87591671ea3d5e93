"""Roles in the console: each sees the pages its cells allow and no other, and a menu that says the same; administrators give them."""

import re

import pytest
from django.urls import reverse

from rollbook.console import urls
from rollbook.flows import operators
from rollbook.flows.roles import OF_A_PRODUCT, Act, may
from rollbook.store.models import Account, Operator
from tests.console.test_access import PAGES, ask, path_of

ROLES = (operators.SCHOOL, operators.PRIVACY, operators.HELP_DESK)


@pytest.fixture
def school(ids, district) -> str:
    """The sourcedId of a school of Riverbend."""
    return next(iter(ids["orgs"]))


@pytest.mark.parametrize("role", ROLES)
def test_a_page_that_a_role_may_not_see_is_not_there(district, school, signed_in, role: str):
    schools = [school] if role == operators.SCHOOL else []
    client = signed_in(operators.add_operator("c@riverbend.example", role, district, schools=schools).account)
    barred = [route.name for route in urls.district if not may(role, route.callback.act)]
    open_to_all = {"dashboard", "apps"}
    assert len(barred) > 40
    assert not open_to_all & set(barred)
    assert [page for page in barred if ask(client, page, district.pk).status_code != 404] == []
    assert [page for page in open_to_all if client.get(path_of(page, district.pk)).status_code != 200] == []


def test_roles_of_a_products_side_open_no_page_of_a_district_or_of_the_installation(district, signed_in):
    """Nothing gives them to an operator; were one to stand in the table of operators, the table of roles would refuse it."""
    account = Account.objects.create_user("o@tessivale.example")
    for role in OF_A_PRODUCT:
        Operator.objects.create(account=account, district=district, role=role)
    client = signed_in(account)
    assert [page for page in PAGES if ask(client, page, district.pk).status_code != 404] == []
    guarded = [route for route in urls.installation if not route.pattern.regex.groupindex]
    assert [
        route.name for route in guarded if client.get(reverse(route.name)).status_code not in (404, 405)
    ] == []


def test_the_menu_leads_to_no_page_that_is_not_there(district, signed_in):
    client = signed_in(operators.add_operator("p@riverbend.example", operators.PRIVACY, district).account)
    page = client.get(path_of("dashboard", district.pk)).content.decode()
    menu = page.split('aria-label="Main"')[1].split("</nav>")[0]
    assert path_of("audit", district.pk) in menu
    assert path_of("disclosures", district.pk) in menu
    assert path_of("operators", district.pk) not in menu
    assert path_of("roster", district.pk) not in menu


@pytest.mark.parametrize("role", ROLES)
def test_the_dashboard_tells_nothing_of_what_a_role_may_not_open(ids, district, school, signed_in, role: str):
    schools = [school] if role == operators.SCHOOL else []
    client = signed_in(operators.add_operator("d@riverbend.example", role, district, schools=schools).account)
    page = client.get(path_of("dashboard", district.pk)).content.decode()
    for words in ("The roster in figures", "Last import", "Students", "Demographics"):
        assert words not in page
    assert ("Recent access by apps" in page) is may(role, Act.SEE_ACCESS_HISTORY)
    links = set(re.findall(rf'href="(/districts/{district.pk}/[^"?]*)', page))
    assert path_of("apps", district.pk) in links
    assert [link for link in links if client.get(link).status_code != 200] == []


def test_an_administrator_invites_with_a_role_and_changes_it(console, district, school):
    form = {"email": "lee@riverbend.example", "role": operators.SCHOOL, "schools": school}
    console.post(path_of("invite", district.pk), form)
    invited = Operator.objects.get(account__email="lee@riverbend.example")
    assert (invited.role, operators.school_ids(invited)) == (operators.SCHOOL, [school])
    change = reverse("operator-role", kwargs={"tenant": district.pk, "operator_id": invited.pk})
    assert console.get(change).status_code == 200
    refused = console.post(change, {"role": operators.HELP_DESK, "schools": school})
    assert refused.status_code == 422
    console.post(change, {"role": operators.HELP_DESK, "schools": ""})
    invited.refresh_from_db()
    assert (invited.role, invited.schools) == (operators.HELP_DESK, [])


def test_nobody_gives_a_role_beyond_the_district_nor_one_to_themselves(console, administrator, district):
    answer = console.post(
        path_of("invite", district.pk), {"email": "x@riverbend.example", "role": operators.INSTALLATION}
    )
    assert answer.status_code == 422
    own = Operator.objects.get(account=administrator)
    change = reverse("operator-role", kwargs={"tenant": district.pk, "operator_id": own.pk})
    assert "You cannot" in console.post(change, {"role": operators.HELP_DESK}).content.decode()
