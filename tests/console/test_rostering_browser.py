"""Rostering in a real browser: its pages in order wide and narrow, light and dark; Auto-sync by keyboard; a change of settings, shown first."""

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

OFFICE = "ines@riverbend.example"
PAGES = {
    "nothing is connected": "{empty}/rostering",
    "a roster at a glance": "{organization}/rostering/{roster}",
    "a roster that was only requested": "{organization}/rostering/{waiting}",
    "Auto-sync": "{organization}/rostering/{roster}/auto",
    "settings": "{organization}/rostering/{roster}/settings",
    "settings of people": "{organization}/rostering/{roster}/settings/people",
    "limits": "{organization}/rostering/{roster}/settings/limits",
    "a source": "{organization}/rostering/{waiting}/settings/source",
    "asking for help": "{organization}/rostering/help?page=sync-auto&run={first}",
}


@dataclass(frozen=True)
class Rostering(Served):
    """An organization with rosters in several states, served; `numbers` are theirs."""

    numbers: dict[str, int]

    def at(self, path: str) -> str:
        return f"{self.url}/organizations/{path.format(**self.numbers)}"


@pytest.fixture(scope="module")
def served() -> Iterator[Rostering]:
    with fresh_installation() as installation:
        made = installation.python("-m", "tests.console.make_rostering", PASSWORD)
        with installation.serving() as url:
            yield Rostering(installation, url, json.loads(made))


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill(OFFICE)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_every_page_is_in_order_wide_and_narrow_light_and_dark(served: Rostering, browser: Browser):
    context = open_context(browser)
    page = context.new_page()
    said = listen(page)
    sign_in(page, served.url)
    troubles = {}
    for name, path in PAGES.items():
        answer = page.goto(served.at(path))
        assert answer is not None
        assert answer.status == 200, name
        troubles[name] = troubles_of(page) + said[:]
        said.clear()
    context.close()
    assert {name: found for name, found in troubles.items() if found} == {}


def test_times_are_set_by_keyboard_and_what_cannot_be_is_told_beside_its_field(
    served: Rostering, browser: Browser
):
    context = open_context(browser)
    page = context.new_page()
    sign_in(page, served.url)
    page.goto(served.at("{organization}/rostering/{roster}/auto"))
    expect(page.get_by_label("Day of the month", exact=True)).to_be_hidden()
    page.get_by_role("radio", name=re.compile("Every night")).press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("Every month"))).to_be_checked()
    page.get_by_label("Day of the month", exact=True).fill("31")
    page.get_by_label("Day of the month", exact=True).press("Enter")
    expect(page.get_by_label("Day of the month", exact=True)).to_have_accessible_description(
        "Write a day from 1 to 28, which every month has."
    )
    page.get_by_label("Day of the month", exact=True).fill("28")
    page.get_by_label("Day of the month", exact=True).press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Every month on day 28 at 2 a.m.")
    expect(page.get_by_role("region", name="The next three starts").get_by_role("listitem")).to_have_count(3)
    context.close()


def test_the_text_for_teachers_is_copied_and_a_waiting_change_is_withdrawn(
    served: Rostering, browser: Browser
):
    context = open_context(browser)
    page = context.new_page()
    sign_in(page, served.url)
    page.goto(served.at("{organization}/rostering/{roster}"))
    page.get_by_text("A text to hand to teachers").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#said")).to_have_text("Copied")
    assert "Assignments are not synced" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("link", name="A preview").click()
    expect(page.get_by_text("Staff only")).to_be_visible()
    expect(page.get_by_text("nothing is removed on days of additions only").first).to_be_visible()
    page.get_by_role("link", name="Settings").last.click()
    page.get_by_role("button", name="Withdraw the change").click()
    expect(page.get_by_role("status").first).to_contain_text("The change is withdrawn")
    expect(page.get_by_role("heading", name="A change waits")).to_have_count(0)
    context.close()
