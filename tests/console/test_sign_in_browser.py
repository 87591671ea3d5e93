"""Members sign in through real providers, each a process of its own, in a real browser; and who could not is found by their number."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.oidc import provider, sign_in_there
from tests.console.signed_up import PASSWORD
from tests.console.test_browser import listen, open_context, troubles_of
from tests.installation import Installation, free_port, fresh_installation

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parent
PUPIL = {"role": "student", "email_verified": True}
AT_SCHOOL = {
    "ana": {**PUPIL, "name": "Ana Silva", "sourcedId": "u1"},
    "ben": {**PUPIL, "name": "Ben Ortiz", "email": "ben@school.example"},
    "zoe": {**PUPIL, "name": "Zoe Marsh", "email": "zoe@school.example"},
    "ines": {"name": "Ines", "email": "ines@riverbend.example", "email_verified": True},
}
ELSEWHERE = {"silva": {**PUPIL, "name": "Ana Silva", "email": "ana@school.example"}}


@dataclass(frozen=True)
class Served:
    installation: Installation
    url: str
    issuer: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    ports = free_port(), free_port()
    with fresh_installation() as installation, contextlib.ExitStack() as providers:
        issuers = [f"http://127.0.0.1:{port}" for port in ports]
        installation.python("-m", "tests.console.signed_up", *issuers)
        for number, (port, people) in enumerate(zip(ports, (AT_SCHOOL, ELSEWHERE), strict=True), start=1):
            back = f"{installation.url}/organizations/1/enter/{number}/callback"
            own = f"{installation.url}/sign-in/by/organization-1/callback"
            providers.enter_context(provider(port, people, back, own))
        with installation.serving() as url:
            yield Served(installation, url, issuers[0])


def sign_in(page: Page, url: str, way: str, who: str) -> None:
    """By a sign-in service, as somebody there, to wherever that ends."""
    page.goto(f"{url}/organizations/1/enter")
    page.get_by_role("link", name=way).click()
    sign_in_there(page, who)
    page.wait_for_url(f"{url}/**")


def administer(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill("ines@riverbend.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Riverbend", level=1)).to_be_visible()


def test_a_first_sign_in_takes_the_seat_and_a_second_provider_reaches_the_same_account(
    served: Served, browser: Browser
):
    for way, who in (("School", "ana"), ("Other", "silva")):
        context = open_context(browser)
        page = context.new_page()
        sign_in(page, served.url, way, who)
        expect(page.get_by_role("heading", name="You are in")).to_be_visible()
        expect(page.get_by_text("Ana Silva")).to_be_visible()
        expect(page.get_by_text("Riverbend High")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name=way)).to_be_visible()
        context.close()
    identities = served.installation.rows("SELECT account_id, rung FROM store_identity ORDER BY id")
    assert [rung for _, rung in identities] == ["sourced-id", "email"]
    assert len({account for account, _ in identities}) == 1
    assert served.installation.rows("SELECT seats_taken FROM store_organization") == [(1,)]


def test_who_is_kept_out_is_found_by_their_number_step_by_step(served: Served, browser: Browser):
    outside, inside = open_context(browser), open_context(browser)
    page, office = outside.new_page(), inside.new_page()
    said = listen(office)
    page.goto(f"{served.url}/organizations/1/enter")
    troubles = {"door": troubles_of(page)}
    sign_in(page, served.url, "School", "zoe")
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    troubles["refused"] = troubles_of(page)
    number = page.locator("strong.ident").inner_text()
    administer(office, served.url)
    for path in PLACES:
        answer = office.goto(f"{served.url}/organizations/1/{path}")
        assert answer is not None
        assert answer.status == 200, path
        troubles[path] = troubles_of(office)
    office.goto(f"{served.url}/organizations/1/sign-in/attempts")
    office.get_by_label("Who could not come in?").fill(number)
    office.get_by_role("button", name="Search").click()
    office.get_by_role("link", name=number).click()
    expect(office.get_by_role("heading", name="Step by step")).to_be_visible()
    expect(office.get_by_text("No step recognised anybody.")).to_be_visible()
    troubles["attempt"] = troubles_of(office) + said
    assert all(in_sight(office, tab) for tab in ("Troubleshoot sign-in", "Sign-in services"))
    outside.close()
    inside.close()
    assert {name: found for name, found in troubles.items() if found} == {}


def in_sight(page: Page, tab: str) -> bool:
    """Whether the tab is whole when the keyboard comes to it, on a telephone."""
    page.set_viewport_size({"width": 390, "height": 844})
    link = page.locator(".tabs").get_by_role("link", name=tab)
    link.focus()
    place = link.bounding_box()
    assert place
    return place["x"] >= 0 and place["x"] + place["width"] <= 390


def test_where_no_seat_is_left_the_attempt_says_so(served: Served, browser: Browser):
    outside, inside = open_context(browser), open_context(browser)
    page, office = outside.new_page(), inside.new_page()
    sign_in(page, served.url, "School", "ben")
    number = page.locator("strong.ident").inner_text()
    administer(office, served.url)
    office.goto(f"{served.url}/organizations/1/sign-in/attempts/{number}")
    expect(office.get_by_text("No seat is free.")).to_be_visible()
    outside.close()
    inside.close()


PLACES = (
    "settings",
    "sign-in",
    "sign-in/add",
    "sign-in/add/entra",
    "sign-in/1",
    "sign-in/reviews",
    "sign-in/attempts?q=Ana",
)


def test_a_service_is_tried_out_in_the_console_and_nobody_is_signed_in_by_it(
    served: Served, browser: Browser
):
    context = open_context(browser)
    page = context.new_page()
    administer(page, served.url)
    page.goto(f"{served.url}/organizations/1/sign-in/1")
    page.get_by_role("link", name="Test it").click()
    sign_in_there(page, "ben")
    expect(page.get_by_text("would take a seat")).to_be_visible()
    expect(page.get_by_text("b…@school.example")).to_be_visible()
    assert troubles_of(page) == []
    context.close()


def test_who_administers_comes_by_a_service_of_their_own_and_a_password_opens_no_page_once_it_is_required(
    served: Served, browser: Browser
):
    set_up, own, typed = (open_context(browser) for _ in range(3))
    page = set_up.new_page()
    administer(page, served.url)
    page.goto(f"{served.url}/organizations/1/settings/own-sign-in")
    page.get_by_label("Kind").select_option("any")
    page.get_by_label("Issuer").fill(served.issuer)
    page.get_by_label("Client ID").fill("rollbook")
    page.get_by_label("Client secret").fill("a secret between two processes")
    page.get_by_label("E-mail domains, one a line").fill("riverbend.example")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Switch on").click()
    troubles = {"set up": troubles_of(page)}

    page = came = own.new_page()
    page.goto(f"{served.url}/sign-in")
    page.get_by_role("link", name="own service").click()
    page.get_by_label("E-mail address").fill("ines@riverbend.example")
    page.get_by_role("button", name="Find it").click()
    troubles["find"] = troubles_of(page)
    page.get_by_role("link", name="Sign in with Riverbend").click()
    page.locator("input[name=login]").fill("ines")
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("heading", name="Riverbend", level=1)).to_be_visible()
    page.goto(f"{served.url}/organizations/1/settings/own-sign-in")
    page.get_by_role("button", name="Require it").click()
    expect(page.get_by_text("Yes: a password does not open these pages.")).to_be_visible()

    page = typed.new_page()
    page.goto(f"{served.url}/sign-in")
    page.get_by_label("E-mail address").fill("ines@riverbend.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("requires the sign-in service of its own")).to_be_visible()
    troubles["shut"] = troubles_of(page)
    came.get_by_role("button", name="Do not require it any more").click()
    expect(came.get_by_text("No: a password opens these pages too.")).to_be_visible()
    for one in (set_up, own, typed):
        one.close()
    assert {name: found for name, found in troubles.items() if found} == {}
