"""Second steps without a browser: adding one, being asked for it, codes that count once, and who may do nothing until they have one."""

import html
import re
import time

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rollbook.flows import administrators, audit, directory, operators, second_steps, sign_ins
from rollbook.store.models import Authenticator
from tests.console.conftest import PASSWORD
from tests.console.test_sign_in import READING_TABLES, sign_in
from tests.console.totp import code_of


def show_oneself(client: Client, page: str) -> str:
    """Opens a page that asks for the password once more; its text."""
    asked = client.get(page)
    if asked.status_code == 302:
        assert asked.url.startswith(reverse("account_reauthenticate"))
        client.post(asked.url, {"password": PASSWORD, "next": page})
    return client.get(page).content.decode()


def add_app(client: Client) -> tuple[str, list[str]]:
    """Sets up an authenticator app; its secret, and the recovery codes."""
    secret = re.search(r'id="secret">([A-Z2-7]+)<', show_oneself(client, reverse("mfa_activate_totp")))[1]
    page = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True).content.decode()
    return secret, re.findall(r"<li><code>(\d{8})</code>", page)


def second_step(client: Client, code: str):
    return client.post(reverse("mfa_authenticate"), {"code": code})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def acts(district, family: str) -> list[tuple[str, str]]:
    sign_ins.pour()
    found = audit.entries(district.pk, act=family).order_by("number")
    return list(found.values_list("act", "actor"))


def said(page) -> str:
    return html.unescape(page.content.decode())


@pytest.fixture
def secret(console: Client) -> str:
    """The administrator's authenticator app."""
    return add_app(console)[0]


def test_an_app_is_added_only_by_who_has_just_shown_who_they_are(console: Client, administrator):
    assert console.get(reverse("mfa_activate_totp")).url.startswith(reverse("account_reauthenticate"))
    _, codes = add_app(console)
    assert len(set(codes)) == 10
    assert [step.kind for step in second_steps.steps_of(administrator)] == [second_steps.APP]


def test_a_wrong_first_code_adds_nothing(console: Client, administrator):
    show_oneself(console, reverse("mfa_activate_totp"))
    page = console.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert page.status_code == 200
    assert "Incorrect code" in said(page)
    assert not second_steps.has_step(administrator)


def test_the_password_alone_does_not_let_in_and_the_code_does(client: Client, administrator, secret: str):
    assert sign_in(client, administrator.email).url == reverse("mfa_authenticate")
    assert not is_in(client)
    assert "Incorrect code" in said(second_step(client, "123456"))
    assert second_step(client, code_of(secret)).url == "/"
    assert is_in(client)


def test_a_code_that_was_seen_opens_nothing_a_second_time(client: Client, administrator, secret: str):
    # Of an app whose clock is ahead: such a code is good for longest, and half a minute may end in the middle of this.
    code = code_of(secret, time.time() + 30)
    sign_in(client, administrator.email)
    second_step(client, code)
    assert is_in(client)
    thief = Client()
    sign_in(thief, administrator.email)
    second_step(thief, code)
    assert not is_in(thief)


def test_a_recovery_code_stands_in_once(console: Client, administrator):
    _, codes = add_app(console)
    for is_let_in in (True, False):
        client = Client()
        sign_in(client, administrator.email)
        second_step(client, codes[0])
        assert is_in(client) is is_let_in
    assert second_steps.codes_left(administrator) == 9


def test_coming_in_by_any_second_step_writes_no_table_that_an_import_writes(console: Client, administrator):
    secret, codes = add_app(console)
    for code in (codes[0], code_of(secret)):
        client = Client()
        with CaptureQueriesContext(connections["default"]) as seen:
            sign_in(client, administrator.email)
            second_step(client, code)
        assert is_in(client)
        done = [query["sql"] for query in seen]
        writes = [sql for sql in done if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
        assert {re.search(r'"(\w+)"', sql)[1] for sql in writes} <= READING_TABLES, writes
        if connections["default"].vendor == "sqlite":
            # A savepoint is one of the test's own transaction; outside a test it would be the lock that an import holds.
            assert [sql for sql in done if not sql.startswith("SELECT")] == []


def test_after_five_wrong_codes_even_the_right_one_waits(client: Client, administrator, district, secret):
    sign_in(client, administrator.email)
    for _ in range(5):
        second_step(client, "000000")
    page = second_step(client, code_of(secret))
    assert "Too many" in said(page)
    assert not is_in(client)
    assert [act for act, _ in acts(district, "sign_in")].count("sign_in.fail_second_step") == 5


def test_secrets_are_encrypted_at_rest_and_stand_in_no_log(console: Client, administrator, district):
    secret, codes = add_app(console)
    client = Client()
    sign_in(client, administrator.email)
    second_step(client, codes[0])
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
    assert [act for act, _ in acts(district, "second_step")] == ["second_step.add", "second_step.make_codes"]
    entries = list(audit.entries(district.pk))
    written = str([audit.told(entry) for entry in entries])
    assert not [kept for kept in (secret, *codes) if kept in written]
    came_in = [audit.told(entry)["after"] for entry in entries if entry.act == "sign_in.succeed"]
    assert came_in[0]["by"] == ["password", "recovery_codes"]


def test_recovery_codes_are_shown_once_and_new_ones_end_the_former(console: Client, administrator):
    _, codes = add_app(console)
    again = console.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert codes[0] not in again
    page = console.post(reverse("codes-make"), follow=True).content.decode()
    new = re.findall(r"<li><code>(\d{8})</code>", page)
    assert len(new) == 10
    assert not set(new) & set(codes)


def test_removing_is_asked_for_once_more_and_goes_on_by_itself(
    console: Client, administrator, secret, signed_in
):
    (step,) = second_steps.steps_of(administrator)
    elsewhere = signed_in(administrator)
    asked = elsewhere.post(reverse("way-remove", args=[step.number]))
    assert second_steps.has_step(administrator)
    elsewhere.post(asked.url, {"password": PASSWORD, "next": reverse("way-remove", args=[step.number])})
    assert not Authenticator.objects.exists()


def test_a_step_of_somebody_else_is_not_there(console: Client, administrator, installer, signed_in, secret):
    (step,) = second_steps.steps_of(administrator)
    other = signed_in(installer)
    show_oneself(other, reverse("mfa_activate_totp"))
    page = other.post(reverse("way-remove", args=[step.number]), follow=True)
    assert "This account has no such sign-in method" in said(page)
    assert second_steps.has_step(administrator)


def test_where_one_is_required_nothing_opens_until_it_is_there(console: Client, administrator, district):
    console.post(reverse("second-step-require", args=[district.pk]), {"required": "yes"})
    dashboard = reverse("dashboard", args=[district.pk])
    assert console.get(dashboard).url == reverse("mfa_index")
    assert console.post(reverse("operators", args=[district.pk])).url == reverse("mfa_index")
    page = said(console.get(reverse("mfa_index")))
    assert "Set up a second step first" in page
    assert district.name in page
    add_app(console)
    assert console.get(dashboard).status_code == 200


def test_the_last_step_stays_where_one_is_required(console: Client, administrator, district, secret):
    second_steps.require_in_district(district, True)
    (step,) = second_steps.steps_of(administrator)
    page = console.post(reverse("way-remove", args=[step.number]), follow=True)
    assert "add another before you remove this one" in said(page)
    assert second_steps.has_step(administrator)


def test_a_district_binds_who_works_there_and_nobody_else(administrator, installer, district, elsewhere):
    second_steps.require_in_district(district, True)
    other = operators.add_operator("else@cedar.example", operators.DISTRICT, elsewhere).account
    assert second_steps.required_by(administrator) == district.name
    assert second_steps.required_by(installer) == district.name
    assert second_steps.required_by(other) is None
    second_steps.require_in_district(district, False)
    assert second_steps.required_by(administrator) is None


def test_an_organization_binds_its_administrators_and_its_products_support(db, signed_in):
    product = directory.add_product("Reader")
    northwind = directory.add_organization(product, "Northwind Schools")
    own = administrators.employ(product, northwind, "ines@northwind.example", password=PASSWORD).account
    support = administrators.employ(product, None, "help@reader.example", administrators.SUPPORT).account
    office = signed_in(own)
    settings_page = reverse("organization-settings", args=[northwind.pk])
    assert "Not required" in said(office.get(settings_page))
    office.post(reverse("organization-second-step", args=[northwind.pk]), {"required": "yes"})
    assert office.get(settings_page).url == reverse("mfa_index")
    assert second_steps.required_by(support) == northwind.name


def test_the_installation_binds_everybody(administrator, console: Client, settings):
    settings.REQUIRE_SECOND_STEP = True
    assert console.get("/").url == reverse("mfa_index")
    assert "of everybody who works in this console" in said(console.get(reverse("mfa_index")))


@pytest.mark.parametrize(
    ("url", "works"),
    [
        ("https://roster.example.org", True),
        ("http://roster.example.org", False),
        ("http://localhost:8000", True),
        ("https://192.0.2.1", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_passkeys_are_offered_where_browsers_let_them_be_used(settings, url: str, works: bool):
    settings.PUBLIC_URL = url
    assert second_steps.passkeys_work() is works


def test_a_passkey_that_is_none_lets_nobody_in(client: Client, administrator):
    shaped = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": %s}'
    parts = '{"userHandle": "AA", "clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA"}'
    for credential in ("", "[]", "{}", '{"id": "AA", "response": {"userHandle": "AA"}}', shaped % parts):
        client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
        assert client.post(reverse("mfa_login_webauthn"), {"credential": credential}).status_code == 302
        assert not is_in(client)
