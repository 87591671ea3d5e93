"""The door of a sign-in service of one's own: finding it, coming in by it, what it opens, and pages that stay shut without it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.connectors.openid_connect.server import forget_servers
from rollbook.flows import administrators, audit, operators, second_steps, sign_ins
from rollbook.flows.directory import add_organization, add_product
from rollbook.flows.own_sign_in import setting_up
from rollbook.store.models import WorkIdentity
from tests.connectors.identity import CLIENT_ID, SECRET, Replayed, replayed
from tests.console.conftest import PASSWORD
from tests.console.test_sign_in import sign_in


@pytest.fixture(scope="module")
def running():
    with replayed() as one:
        yield one


@pytest.fixture
def idp(running: Replayed) -> Replayed:
    forget_servers()
    running.said, running.raw, running.algorithm, running.end_session = {}, "", "ES256", ""
    return running


@pytest.fixture
def own(district, idp: Replayed):
    about = {"issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "domains": ["riverbend.example"]}  # fmt: skip
    return setting_up.switch(setting_up.keep(district, "any", **about), True)


def back(client: Client, own, idp: Replayed, asked, email: str = "brandt@riverbend.example", **said):
    known = {"nonce": asked["nonce"], "sub": email, "email": email, "email_verified": True}
    idp.said = known | said
    return client.get(reverse("own-door-back", args=[own.key]), {"code": "c", "state": asked["state"]})


def there(client: Client, own, address: str = "") -> dict[str, str]:
    answer = client.get(address or reverse("own-door-go", args=[own.key]))
    assert answer.status_code == 302, answer.content.decode()
    assert answer.url.startswith(own.issuer)
    return {name: one[0] for name, one in parse_qs(urlsplit(answer.url).query).items()}


def come(client: Client, own, idp: Replayed, **said):
    return back(client, own, idp, there(client, own), **said)


def words(answer) -> str:
    return " ".join(re.sub("<[^>]+>", " ", answer.content.decode()).split())


def test_the_service_is_found_by_the_domain_of_an_address_whosever_it_is(client: Client, own, district):
    page = client.get(reverse("account_login"))
    assert reverse("own-door") in page.content.decode()
    found = client.post(reverse("own-door"), {"email": "anybody@riverbend.example"})
    assert f"Sign in with {district.name}" in words(found)
    assert "sign in with your password" in words(
        client.post(reverse("own-door"), {"email": "a@mail.example"})
    )


def test_who_works_here_comes_in_and_it_is_kept_how(client: Client, own, idp, administrator, district):
    client.post(reverse("own-door"), {"email": "brandt@riverbend.example"})
    asked = there(client, own)
    assert asked["login_hint"] == "brandt@riverbend.example"
    assert back(client, own, idp, asked).status_code == 302
    assert client.get(reverse("dashboard", args=[district.pk])).status_code == 200
    sign_ins.pour()
    entry = audit.entries(district.pk, act="sign_in").get()
    assert (entry.actor, "openid_connect" in entry.after) == (administrator.email, True)


def test_an_answer_is_taken_once_and_from_the_browser_that_set_out_alone(client, own, idp, administrator):
    asked = there(client, own)
    assert back(Client(), own, idp, asked).status_code == 403
    assert back(client, own, idp, asked).status_code == 302
    assert back(client, own, idp, asked).status_code == 403


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"email": "zoe@riverbend.example"}, "Nobody who works here"),
        ({"email_verified": False}, "Nobody who works here"),
        ({"nonce": "another"}, "could not be trusted"),
        ({"aud": "another"}, "could not be trusted"),
        ({"exp": 1}, "could not be trusted"),
    ],
)
def test_who_is_not_let_in_reads_why_and_whom_to_ask(client: Client, own, idp, administrator, said, told):
    refused = come(client, own, idp, **said)
    assert refused.status_code == 403
    assert told in words(refused)
    assert "whoever administers Riverbend" in words(refused)
    assert "_auth_user_id" not in client.session


def test_one_goes_on_to_the_page_one_wanted_and_to_no_other_site(client, own, idp, administrator, district):
    go, wanted = reverse("own-door-go", args=[own.key]), reverse("operators", args=[district.pk])
    assert back(client, own, idp, there(client, own, f"{go}?next={wanted}")).url == wanted
    assert back(Client(), own, idp, there(client, own), email="x@y.example").status_code == 403
    client.logout()
    assert back(client, own, idp, there(client, own, f"{go}?next=https://evil.example/")).url == "/"


def test_the_session_ends_when_the_service_is_switched_off(client: Client, own, idp, administrator, district):
    come(client, own, idp)
    setting_up.switch(own, False)
    out = client.get(reverse("dashboard", args=[district.pk]), follow=True)
    assert "lets you in no more" in words(out)
    assert "_auth_user_id" not in client.session
    shut = client.get(reverse("own-door-go", args=[own.key]))
    assert (shut.status_code, "switched off" in words(shut)) == (403, True)
    client.get(reverse("own-door-go", args=[own.key]))
    sign_ins.pour()
    assert audit.entries(district.pk, act="own_sign_in.keep_out").count() == 1


def test_required_means_that_a_password_opens_no_page_of_the_district_until_the_service_has_said_who_it_is(
    client: Client, own, idp, administrator, installer, district, elsewhere
):
    come(client, own, idp)
    setting_up.require(district, True)
    dashboard = reverse("dashboard", args=[district.pk])
    assert client.get(dashboard).status_code == 200
    typed = Client()
    sign_in(typed, administrator.email)
    shut = typed.get(dashboard)
    assert (shut.status_code, f"Sign in with {district.name}" in words(shut)) == (403, True)
    assert (
        typed.post(reverse("second-step-require", args=[district.pk]), {"required": "yes"}).status_code == 403
    )
    go = re.search(r'href="(/sign-in/by/district-\d+\?next=[^"]+)"', shut.content.decode())[1]
    assert back(typed, own, idp, there(typed, own, go)).url == dashboard
    assert typed.get(dashboard).status_code == 200

    root = Client()
    sign_in(root, installer.email)
    assert root.get(dashboard).status_code == 403
    assert root.get(reverse("dashboard", args=[elsewhere.pk])).status_code == 200
    installer.operators.update(is_break_glass=True)
    assert root.get(dashboard).status_code == 200


def test_who_has_shown_it_by_the_service_needs_no_second_step_of_the_same_district(
    client: Client, own, idp, administrator, district, elsewhere
):
    second_steps.require_in_district(district, True)
    come(client, own, idp)
    dashboard = reverse("dashboard", args=[district.pk])
    assert client.get(dashboard).status_code == 200
    typed = Client()
    sign_in(typed, administrator.email)
    assert typed.get(dashboard).url == reverse("mfa_index")
    operators.add_operator(administrator.email, operators.DISTRICT, elsewhere)
    second_steps.require_in_district(elsewhere, True)
    back(typed, own, idp, there(typed, own))
    assert typed.get(dashboard).url == reverse("mfa_index")


def test_it_is_set_up_tried_switched_on_and_required_in_the_console(
    console: Client, idp, administrator, district
):
    page, turn = reverse("own-sign-in", args=[district.pk]), reverse("own-sign-in-turn", args=[district.pk])
    form = {"preset": "any", "issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "domains": "riverbend.example"}  # fmt: skip
    assert "Name the issuer" in words(console.post(page, form | {"issuer": ""}))
    assert f"It is the issuer {idp.issuer}" in words(console.post(page, form, follow=True))
    own = setting_up.the_own_of(district)
    assert SECRET not in console.get(page).content.decode()

    test = console.get(reverse("own-sign-in-test", args=[district.pk]))
    asked = {name: one[0] for name, one in parse_qs(urlsplit(test.url).query).items()}
    tried = console.get(back(console, own, idp, asked).url)
    assert "You would come in." in words(tried)
    assert "b…@riverbend.example" in words(tried)
    assert not WorkIdentity.objects.exists()

    console.post(turn, {"on": "1"})
    assert "sign in by it once yourself" in words(console.post(turn, {"require": "1"}, follow=True))
    back(console, own, idp, there(console, own))
    assert "a password opens these pages no more" in words(console.post(turn, {"require": "1"}, follow=True))
    assert "stop requiring it first" in words(console.post(turn, {"remove": "1"}, follow=True))
    console.post(turn, {"not-require": "1"})
    console.post(turn, {"remove": "1"})
    assert setting_up.own_of(district) is None


def test_only_who_lets_people_work_there_sets_it_up(district, signed_in):
    office = operators.add_operator(
        "help@riverbend.example", operators.HELP_DESK, district, password=PASSWORD
    )
    client = signed_in(office.account)
    for page in ("own-sign-in", "own-sign-in-test"):
        assert client.get(reverse(page, args=[district.pk])).status_code == 404
    assert client.post(reverse("own-sign-in-turn", args=[district.pk]), {"on": "1"}).status_code == 404


def test_an_organization_requires_it_of_its_administrators_too(client: Client, idp, db):
    organization = add_organization(add_product("Reader"), "Northwind", domains=["northwind.example"])
    office = administrators.employ(
        organization.product, organization, "ines@northwind.example", password=PASSWORD
    )
    about = {"issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET}
    own = setting_up.switch(setting_up.keep(organization, "any", **about), True)
    come(client, own, idp, email=office.account.email)
    setting_up.require(organization, True)
    home = reverse("organization", args=[organization.pk])
    assert client.get(home).status_code == 200
    typed = Client()
    sign_in(typed, office.account.email)
    assert "Sign in with Northwind" in words(typed.get(home))


def test_who_signs_out_may_sign_out_at_the_service_too_and_comes_back_with_the_state_alone(
    client: Client, own, idp, administrator, district
):
    come(client, own, idp)
    assert client.post(reverse("account_logout")).url == reverse("account_login")
    idp.end_session = f"{idp.issuer}/out"
    forget_servers()
    come(client, own, idp)
    left = client.post(reverse("account_logout"), follow=True)
    assert "_auth_user_id" not in client.session
    assert f"Sign out at the service of {district.name} too" in words(left)
    assert 'http-equiv="refresh"' not in left.content.decode()
    out = reverse("own-door-out", args=[own.key])
    assert client.get(out).url == f"{idp.issuer}/out?client_id={CLIENT_ID}"
    setting_up.keep(district, "any", leads_back=True)
    asked = parse_qs(urlsplit(client.get(out).url).query)
    done = reverse("own-door-out-back", args=[own.key])
    assert asked["post_logout_redirect_uri"] == [f"http://testserver{done}"]
    [state] = asked["state"]
    for browser, told in ((client, "x"), (Client(), state)):
        assert "did not set out for there" in words(browser.get(done, {"state": told}, follow=True))
    back_here = client.get(done, {"state": state}, follow=True)
    assert f"You are signed out at the sign-in service of {district.name} too." in words(back_here)
    assert "did not set out for there" in words(client.get(done, {"state": state}, follow=True))
    assert Client().get(out).url == reverse("own-door-left")


def test_where_the_service_is_required_signing_out_leads_there_at_once_and_only_once(
    client: Client, own, idp, administrator, district
):
    idp.end_session = f"{idp.issuer}/out"
    forget_servers()
    come(client, own, idp)
    setting_up.require(district, True)
    left = client.post(reverse("account_logout"), follow=True)
    there = reverse("own-door-out", args=[own.key])
    assert f'<meta http-equiv="refresh" content="0;url={there}">' in left.content.decode()
    assert client.get(there).url.startswith(idp.end_session)
    assert 'http-equiv="refresh"' not in client.get(reverse("own-door-left")).content.decode()
