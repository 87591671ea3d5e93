"""Operators of a district: invited, given a password link, deactivated, and never over the head of who is responsible for more."""

import re

from django.test import Client
from django.urls import reverse

from rollbook.flows import operators, partners
from rollbook.store.models import Account, Operator
from tests.console.conftest import PASSWORD
from tests.console.test_sign_in import set_password_by, sign_in


def url(page: str, district, operator: Operator | None = None) -> str:
    wanted = {"tenant": district.pk} | ({"operator_id": operator.pk} if operator else {})
    return reverse(page, kwargs=wanted)


def post_of(account: Account) -> Operator:
    return Operator.objects.get(account=account)


def link_on(page) -> str:
    return re.search(r'<code id="password-link">http://testserver([^<]+)<', page.content.decode())[1]


def test_the_list_says_who_works_here_and_who_has_no_password_yet(console: Client, district, elsewhere):
    operators.add_operator("tanaka@riverbend.example", operators.DISTRICT, district, "Yuki Tanaka")
    operators.add_operator("else@cedar.example", operators.DISTRICT, elsewhere)
    page = console.get(url("operators", district)).content.decode()
    assert "Helen Brandt" in page
    assert "Yuki Tanaka" in page
    assert "No password yet" in page
    assert "else@cedar.example" not in page


def test_an_invited_colleague_sets_a_password_and_comes_in(console: Client, district):
    page = console.post(url("invite", district), {"email": "Tanaka@riverbend.example", "name": "Yuki Tanaka"})
    set_password_by(Client(), link_on(page), "nine brass lanterns swing")
    colleague = Client()
    sign_in(colleague, "tanaka@riverbend.example", "nine brass lanterns swing")
    assert colleague.get("/").url == url("dashboard", district)


def test_the_link_is_not_kept_by_the_browser(console: Client, district):
    page = console.post(url("invite", district), {"email": "tanaka@riverbend.example"})
    assert "no-store" in page.headers["cache-control"]


def test_who_has_a_password_already_keeps_it_and_nobody_gets_a_link(console: Client, district, elsewhere):
    other = operators.add_operator(
        "else@cedar.example", operators.DISTRICT, elsewhere, password=PASSWORD
    ).account
    page = console.post(url("invite", district), {"email": other.email}, follow=True).content.decode()
    assert "now works in this district" in page
    assert "password-link" not in page
    other.refresh_from_db()
    assert other.check_password(PASSWORD)


def test_nobody_is_invited_twice(console: Client, administrator, district):
    page = console.post(url("invite", district), {"email": administrator.email})
    assert page.status_code == 422
    assert "already an operator here" in page.content.decode()


def test_what_is_no_address_is_refused(console: Client, district):
    page = console.post(url("invite", district), {"email": "not an address"})
    assert page.status_code == 422
    assert Operator.objects.count() == 1


def test_an_administrator_gives_a_colleague_a_new_password(console: Client, district):
    colleague = operators.add_operator("t@riverbend.example", operators.DISTRICT, district, password=PASSWORD)
    page = console.post(url("operator-password", district, colleague))
    set_password_by(Client(), link_on(page), "nine brass lanterns swing")
    colleague.account.refresh_from_db()
    assert colleague.account.check_password("nine brass lanterns swing")


def test_nobody_takes_over_an_account_that_is_responsible_for_more(console: Client, district, installer):
    """An installation operator who also has a post in the district."""
    post = operators.add_operator(installer.email, operators.DISTRICT, district)
    for page in ("operator-password", "operator-deactivate", "operator-reactivate"):
        answer = console.post(url(page, district, post), follow=True).content.decode()
        assert "This person also works where you do not" in answer
        assert "password-link" not in answer
    installer.refresh_from_db()
    assert installer.is_active


def test_an_operator_of_another_district_is_out_of_reach(console: Client, district, elsewhere):
    other = operators.add_operator("else@cedar.example", operators.DISTRICT, elsewhere)
    for page in ("operator-password", "operator-deactivate", "operator-reactivate"):
        assert console.post(url(page, district, other)).status_code == 404


def test_a_deactivated_colleague_signs_in_no_more_until_reactivated(console: Client, district):
    colleague = operators.add_operator("t@riverbend.example", operators.DISTRICT, district, password=PASSWORD)
    console.post(url("operator-deactivate", district, colleague))
    client = Client()
    sign_in(client, "t@riverbend.example")
    assert "_auth_user_id" not in client.session
    console.post(url("operator-reactivate", district, colleague))
    sign_in(client, "t@riverbend.example")
    assert "_auth_user_id" in client.session


def test_nobody_deactivates_themselves(console: Client, administrator, district):
    page = console.post(url("operator-deactivate", district, post_of(administrator)), follow=True)
    assert "You cannot deactivate yourself" in page.content.decode()
    administrator.refresh_from_db()
    assert administrator.is_active


def test_what_changes_something_is_never_done_by_a_link(console: Client, district, administrator):
    for page in ("operator-password", "operator-deactivate", "operator-reactivate"):
        assert console.get(url(page, district, post_of(administrator))).status_code == 405


def test_a_form_from_elsewhere_is_refused(administrator, district):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(administrator)
    assert strict.post(url("invite", district), {"email": "x@example.org"}).status_code == 403


def test_an_installation_operator_is_not_shown_to_a_district(console: Client, district, installer):
    assert installer.email not in console.get(url("operators", district)).content.decode()


def test_nobody_gets_into_a_partner_or_another_district_by_inviting_who_has_no_password_yet(
    console: Client, district, elsewhere
):
    developer = partners.employ(partners.add_partner("Quorndle"), "ines@quorndle.example").account
    other = operators.add_operator("else@cedar.example", operators.DISTRICT, elsewhere).account
    for account in (developer, other):
        answer = console.post(url("invite", district), {"email": account.email}, follow=True)
        assert "sends them a link" in answer.content.decode()
        assert "password/set/" not in answer.content.decode()
        post = Operator.objects.get(account=account, district=district)
        for page in ("operator-password", "operator-deactivate"):
            answer = console.post(url(page, district, post), follow=True).content.decode()
            assert "This person also works where you do not" in answer
            assert "password/set/" not in answer
