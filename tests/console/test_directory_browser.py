"""Members, classes, sites and administrators in a real browser: in order wide and narrow, light and dark, by keyboard, judged by axe."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PASSWORD
from tests.console.test_browser import Served, listen, open_context, troubles_of
from tests.installation import fresh_installation

pytestmark = pytest.mark.browser

NAME, OFFICE, NORTH = "Riverbend Schools", "ines@riverbend.example", "nora@riverbend.example"
PAGES = {
    "overview": "",
    "members": "members",
    "nobody fits": "members?q=zzzz",
    "somebody to be added": "members/add",
    "a member": "members/{member}",
    "a member, edited": "members/{member}/edit",
    "what happened to a member": "members/{member}/history",
    "classes": "groups",
    "a class": "groups/{group}",
    "sites": "sites",
    "a site": "sites/{site}",
    "administrators": "administrators",
    "an administrator": "administrators/1",
}


@dataclass(frozen=True)
class Directory(Served):
    """An organization's directory, synced and served; `numbers` are those of records in it."""

    numbers: dict[str, int]


@pytest.fixture(scope="module")
def served() -> Iterator[Directory]:
    with fresh_installation() as installation:
        made = installation.python("-m", "tests.console.make_directory", PASSWORD)
        with installation.serving() as url:
            yield Directory(installation, url, json.loads(made))


def sign_in(page: Page, url: str, email: str = OFFICE) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()


def test_every_page_is_in_order_wide_and_narrow_light_and_dark(served: Directory, browser: Browser):
    context = open_context(browser)
    page = context.new_page()
    said = listen(page)
    sign_in(page, served.url)
    troubles = {}
    for name in PAGES:
        answer = page.goto(f"{served.url}/organizations/1/{PAGES[name].format(**served.numbers)}")
        assert answer is not None
        assert answer.status == 200, name
        troubles[name] = troubles_of(page) + said[:]
        said.clear()
    context.close()
    assert {name: found for name, found in troubles.items() if found} == {}


@pytest.fixture
def office(served: Directory, browser: Browser) -> Iterator[Page]:
    context = open_context(browser)
    page = context.new_page()
    sign_in(page, served.url)
    yield page
    context.close()


def test_a_member_is_found_by_typing_and_seats_are_taken_until_none_is_left(office: Page, served: Directory):
    office.goto(f"{served.url}/organizations/1/members")
    office.get_by_role("searchbox").fill("okonkwo ama")
    expect(office.locator("#found")).to_have_text("1–1 of 1")
    expect(office.locator("#results")).not_to_have_class(re.compile("htmx-"))  # the list that has come stays
    office.get_by_role("link", name="Amara Okonkwo").press("Enter")
    office.get_by_role("link", name="Explain").press("Enter")
    expect(office.get_by_text("student-001").first).to_be_visible()
    office.go_back()
    expect(office.get_by_text("Inactive", exact=True)).to_be_visible()
    office.get_by_role("button", name="Activate: take a seat").press("Enter")
    expect(office.locator(".alert-success")).to_contain_text("Active, and holds a seat")
    numbers = served.installation.rows("SELECT id FROM store_member WHERE state = 'inactive' ORDER BY id")
    for (number,), refused in zip(numbers, (False, True), strict=False):
        office.goto(f"{served.url}/organizations/1/members/{number}")
        office.get_by_role("button", name="Activate: take a seat").click()
        if refused:
            expect(office.get_by_role("alert")).to_contain_text("All seats of this organization are taken")
        else:
            expect(office.locator(".alert-success")).to_contain_text("Active, and holds a seat")
    office.get_by_text("Make administrator").first.press("Enter")
    office.get_by_role("textbox", name="Why (kept with it)").fill("Runs the library")
    office.get_by_role("button", name="Make administrator").press("Enter")
    expect(office.get_by_text("Runs the library").first).to_be_visible()


def test_who_administers_a_site_sees_its_people_alone(served: Directory, browser: Browser):
    context = open_context(browser)
    page = context.new_page()
    sign_in(page, served.url, NORTH)
    page.goto(f"{served.url}/organizations/1/members")
    expect(page.get_by_text("Nobody is at your sites")).to_be_visible()
    expect(page.get_by_role("link", name="Administrators")).to_have_count(0)
    page.goto(f"{served.url}/organizations/1/groups")
    expect(page.get_by_role("link", name="Chess club")).to_be_visible()
    assert page.goto(f"{served.url}/organizations/1/members/{served.numbers['member']}").status == 404
    context.close()
