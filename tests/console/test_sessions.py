"""Where somebody is signed in: listed with browser and address, ended one by one, and all others at once."""

from django.test import Client
from django.urls import reverse

from rollbook.flows import open_sessions, operators
from rollbook.flows.browsers import browser_of
from rollbook.store.models import OpenSession
from tests.console.conftest import PASSWORD
from tests.console.test_second_steps import acts, said
from tests.console.test_sign_in import sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"


def came_in(email: str, agent: str) -> Client:
    client = Client(headers={"user-agent": agent})
    sign_in(client, email)
    return client


def is_open(client: Client, district) -> bool:
    return client.get(reverse("dashboard", args=[district.pk])).status_code == 200


def test_a_session_says_where_and_with_which_browser(administrator, district):
    desk = came_in(administrator.email, FIREFOX)
    came_in(administrator.email, PHONE)
    page = said(desk.get(reverse("sessions")))
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert page.count("This one") == 1
    assert "127.0.0.1" in page


def test_one_session_is_ended_and_the_others_go_on(administrator, district):
    desk, phone = came_in(administrator.email, FIREFOX), came_in(administrator.email, PHONE)
    [other] = [one for one in open_sessions.sessions_of(administrator) if "iPhone" in one.agent]
    desk.post(reverse("session-end", args=[other.pk]))
    assert (is_open(desk, district), is_open(phone, district)) == (True, False)
    assert acts(district, "session") == [("session.end", administrator.email)]
    again = desk.post(reverse("session-end", args=[other.pk]), follow=True)
    assert "This session has ended already" in said(again)


def test_all_others_are_ended_at_once(administrator, district):
    others = [came_in(administrator.email, PHONE) for _ in range(2)]
    desk = came_in(administrator.email, FIREFOX)
    page = desk.post(reverse("sessions-end-others"), follow=True)
    assert "2 other sessions have ended" in said(page)
    assert "You are signed in nowhere else" in said(page)
    assert [is_open(one, district) for one in (desk, *others)] == [True, False, False]


def test_nobody_ends_a_session_of_somebody_else(administrator, installer, district):
    desk, other = came_in(administrator.email, FIREFOX), came_in(installer.email, PHONE)
    [mine] = open_sessions.sessions_of(administrator)
    other.post(reverse("session-end", args=[mine.pk]))
    assert is_open(desk, district)
    assert "Firefox" not in said(other.get(reverse("sessions")))


def test_a_session_that_has_ended_is_not_listed_and_its_row_goes(administrator):
    desk = came_in(administrator.email, FIREFOX)
    desk.post("/sign-out")
    assert open_sessions.sessions_of(administrator) == []
    came_in(administrator.email, PHONE)
    assert OpenSession.objects.count() == 1


def test_a_new_password_gives_the_session_another_key_and_it_stays_the_same_session(administrator, district):
    desk = came_in(administrator.email, FIREFOX)
    [before] = open_sessions.sessions_of(administrator)
    new = "nine brass lanterns swing"
    desk.post("/password/change", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_open(desk, district)
    [after] = open_sessions.sessions_of(administrator)
    assert after.key != before.key
    assert after.signed_in_at.replace(microsecond=0) == before.signed_in_at.replace(microsecond=0)


def test_browsers_are_told_by_what_they_say_of_themselves():
    assert browser_of("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0") == (
        "Edge",
        "Windows",
    )
    assert browser_of("Mozilla/5.0 (X11; CrOS x86_64) Chrome/126.0 Safari/537.36") == ("Chrome", "ChromeOS")
    assert browser_of("something of my own") == ("", "")


def test_a_deactivated_person_is_signed_in_nowhere_any_more(administrator, district):
    desk = came_in(administrator.email, FIREFOX)
    operators.deactivate(administrator, by=None)
    assert not is_open(desk, district)
