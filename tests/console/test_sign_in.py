"""Signing in, and getting a password: by e-mail, from another administrator, by changing it."""

import re
from ipaddress import ip_network

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from rollbook.flows import audit, operators, sign_ins
from rollbook.store.models import LastSignIn
from tests.console.conftest import PASSWORD

SIGN_IN = "/sign-in"
READING_TABLES = {
    "django_session",
    "mfa_authenticator",
    "store_auditnote",
    "store_lastsignin",
    "store_opensession",
    "store_throttle",
}


def sign_in(client: Client, email: str, password: str = PASSWORD):
    return client.post(SIGN_IN, {"login": email, "password": password})


def set_password_by(client: Client, link: str, password: str):
    """Opens a password link and fills in its form; gives the page that follows."""
    opened = client.get(link, follow=True)
    form = re.search(r'action="([^"]*)"', opened.content.decode())
    if form is None:
        return opened
    return client.post(form[1], {"password1": password, "password2": password}, follow=True)


def test_an_operator_signs_in_with_address_and_password(client: Client, administrator):
    answer = sign_in(client, "Brandt@Riverbend.example")
    assert (answer.status_code, answer.url) == (302, "/")
    assert client.session["_auth_user_id"] == str(administrator.pk)


def test_a_wrong_password_and_an_unknown_address_answer_alike(client: Client, administrator):
    wrong = sign_in(client, administrator.email, "not this one at all")
    unknown = sign_in(client, "nobody@riverbend.example", "not this one at all")
    errors = [
        re.search(r'role="alert">.*?</div></div>', page.content.decode(), re.S) for page in (wrong, unknown)
    ]
    assert errors[0][0] == errors[1][0]


def test_the_last_sign_in_is_noted(client: Client, administrator):
    sign_in(client, administrator.email)
    assert LastSignIn.objects.get().account_id == administrator.pk


def test_signing_in_writes_no_table_that_an_import_writes(client: Client, administrator):
    with CaptureQueriesContext(connections["default"]) as seen:
        sign_in(client, administrator.email)
    writes = [query["sql"] for query in seen if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    tables = {re.search(r'"(\w+)"', statement)[1] for statement in writes}
    assert tables <= READING_TABLES, writes
    if connections["default"].vendor == "sqlite":
        assert not writes


def test_passwords_are_kept_by_argon2(administrator):
    assert administrator.password.startswith("argon2")


def test_after_five_wrong_passwords_even_the_right_one_waits(client: Client, administrator):
    for _ in range(5):
        sign_in(client, administrator.email, "not this one at all")
    answer = sign_in(client, administrator.email)
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_nobody_can_sign_up(db, client: Client):
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    assert "sign up" not in client.get(SIGN_IN).content.decode().lower()


def test_a_deactivated_operator_is_told_so(client: Client, administrator):
    operators.deactivate(administrator, by=None)
    answer = client.post(SIGN_IN, {"login": administrator.email, "password": PASSWORD}, follow=True)
    assert "This account is deactivated" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_signing_out_ends_the_session(console: Client):
    answer = console.post("/sign-out")
    assert answer.url == SIGN_IN
    assert "_auth_user_id" not in console.session


def test_a_forgotten_password_is_set_by_a_link_in_the_mail(client: Client, administrator):
    client.post("/password/reset", {"email": administrator.email})
    (message,) = mail.outbox
    assert message.to == [administrator.email]
    link = re.search(r"http://testserver(/\S+)", message.body)[1]
    assert (
        "Your password is set" in set_password_by(client, link, "nine brass lanterns swing").content.decode()
    )
    assert sign_in(client, administrator.email, "nine brass lanterns swing").status_code == 302


def test_asking_for_an_unknown_address_says_the_same_and_sends_nothing(client: Client, administrator):
    known = client.post("/password/reset", {"email": administrator.email}, follow=True)
    mail.outbox.clear()
    unknown = client.post("/password/reset", {"email": "nobody@riverbend.example"}, follow=True)
    assert known.content == unknown.content
    assert mail.outbox == []


def test_a_password_link_works_once(client: Client, administrator):
    link = operators.password_link(administrator).removeprefix("http://testserver")
    set_password_by(client, link, "nine brass lanterns swing")
    again = set_password_by(Client(), link, "eight iron kettles whistle")
    assert "This link no longer works" in again.content.decode()
    assert sign_in(Client(), administrator.email, "nine brass lanterns swing").status_code == 302


def test_a_password_link_is_refused_when_it_was_tampered_with(client: Client, administrator):
    link = operators.password_link(administrator).removeprefix("http://testserver")
    assert "This link no longer works" in client.get(f"{link}0").content.decode()


def test_a_new_password_ends_the_sessions_that_were_open(console: Client, administrator, district):
    operators.set_password(administrator, "nine brass lanterns swing")
    assert console.get(f"/districts/{district.pk}/").status_code == 302


def test_an_operator_changes_the_password_and_stays_signed_in(console: Client, administrator):
    new = "nine brass lanterns swing"
    page = console.get("/password/change").content.decode()
    assert "Current" in page
    console.post("/password/change", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert console.get("/").status_code == 302
    assert console.get("/").url != SIGN_IN
    administrator.refresh_from_db()
    assert administrator.check_password(new)


@pytest.mark.parametrize("password", ["short", "1234567890123", "password123"])
def test_a_weak_password_is_refused(client: Client, administrator, password: str):
    link = operators.password_link(administrator).removeprefix("http://testserver")
    set_password_by(client, link, password)
    administrator.refresh_from_db()
    assert administrator.check_password(PASSWORD)


def test_a_page_after_signing_in_is_the_one_that_was_asked_for(client: Client, administrator, district):
    asked = f"/districts/{district.pk}/imports"
    page = client.get(asked, follow=True)
    hidden = re.search(r'name="next" value="([^"]+)"', page.content.decode())
    answer = client.post(SIGN_IN, {"login": administrator.email, "password": PASSWORD, "next": hidden[1]})
    assert answer.url == asked


def test_an_address_outside_is_never_where_signing_in_leads(client: Client, administrator):
    form = {"login": administrator.email, "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post(SIGN_IN, form).url == "/"


def log_of(district) -> list[tuple[str, str]]:
    """What the audit log of the district says of signing in: acts and actors, the oldest first."""
    sign_ins.pour()
    found = audit.entries(district.pk, act="sign_in").order_by("number")
    return list(found.values_list("act", "actor"))


def test_coming_in_going_out_and_failing_stand_in_the_audit_log(client: Client, administrator, district):
    sign_in(client, administrator.email, "not this one at all")
    sign_in(client, administrator.email)
    client.post("/sign-out")
    client.post("/password/reset", {"email": administrator.email})
    assert log_of(district) == [
        ("sign_in.fail", sign_ins.NOT_SIGNED_IN),
        ("sign_in.succeed", administrator.email),
        ("sign_in.end", administrator.email),
        ("sign_in.ask_password", sign_ins.NOT_SIGNED_IN),
    ]
    entries = audit.entries(district.pk, act="sign_in")
    assert {audit.told(entry)["after"]["address"] for entry in entries} == {"127.0.0.1"}
    written = str(list(entries.values()))
    assert PASSWORD not in written
    assert "not this one" not in written


def test_who_is_kept_out_after_too_many_tries_is_told_of_once(client: Client, administrator, district):
    for _ in range(8):
        sign_in(client, administrator.email, "not this one at all")
    acts = [act for act, _ in log_of(district)]
    assert acts == ["sign_in.fail"] * 5 + ["sign_in.throttle"]


def test_a_deactivated_account_that_knows_its_password_is_told_of(client: Client, administrator, district):
    operators.deactivate(administrator, by=None)
    sign_in(client, administrator.email)
    assert log_of(district) == [("sign_in.refuse", administrator.email)]


def test_a_password_that_was_set_by_a_link_is_told_of_with_the_address(
    client: Client, administrator, district
):
    link = operators.password_link(administrator).removeprefix("http://testserver")
    set_password_by(client, link, "nine brass lanterns swing")
    entry = audit.entries(district.pk, act="operator.set_password")[0]
    assert (entry.actor, audit.told(entry)["after"]) == (administrator.email, {"address": "127.0.0.1"})


def test_tries_are_counted_by_the_address_a_trusted_proxy_speaks_for(client: Client, administrator, settings):
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]

    def fail(number: int, address: str) -> str:
        typed = {"login": f"nobody-{number}@riverbend.example", "password": "not this one at all"}
        return client.post(SIGN_IN, typed, headers={"X-Forwarded-For": address}).content.decode()

    pages = [fail(number, "203.0.113.7") for number in range(11)]
    assert "Too many failed login attempts" not in pages[9]
    assert "Too many failed login attempts" in pages[10]
    assert "Too many failed login attempts" not in fail(12, "203.0.113.8")
