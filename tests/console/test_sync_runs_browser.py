"""A sync's preview, progress and result in a real browser: in order wide and narrow, begun by keyboard, watched live, standing still."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PASSWORD
from tests.console.test_browser import Served, listen, open_context, tab_to, troubles_of
from tests.installation import fresh_installation

pytestmark = pytest.mark.browser

OFFICE = "ines@riverbend.example"
FIRST, SECOND = "{organization}/rostering/{first}", "{other}/rostering/{second}"
PAGES = {
    "history": f"{FIRST}/runs",
    "a result": f"{FIRST}/runs/{{done}}",
    "a result with failures": f"{FIRST}/runs/{{failed}}",
    "a run that stands still": f"{FIRST}/runs/{{still}}",
    "records": f"{FIRST}/runs/{{done}}/records?kind=members",
    "no record": f"{FIRST}/runs/{{done}}/records?search=zzzz",
    "explain": f"{FIRST}/explain/members?record=p1",
    "preview": f"{SECOND}/runs/{{preview}}/preview",
}


@dataclass(frozen=True)
class Runs(Served):
    """Two organizations with their runs, served; `numbers` are theirs."""

    numbers: dict[str, int]

    def at(self, path: str) -> str:
        return f"{self.url}/organizations/{path.format(**self.numbers)}"


@pytest.fixture(scope="module")
def served() -> Iterator[Runs]:
    with fresh_installation() as installation:
        made = installation.python("-m", "tests.console.make_sync_runs", PASSWORD)
        with installation.serving() as url:
            yield Runs(installation, url, json.loads(made))


def office(served: Runs, browser: Browser, scheme: str = "light", scripts: bool = True) -> Page:
    page = open_context(browser, scheme, scripts=scripts).new_page()
    page.goto(f"{served.url}/sign-in")
    page.get_by_label("E-mail address").fill(OFFICE)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(
        page.get_by_role("link", name="Sign out").or_(page.get_by_role("button", name="Sign out"))
    ).to_be_attached()
    return page


def test_every_page_is_in_order_wide_and_narrow_light_and_dark(served: Runs, browser: Browser):
    page = office(served, browser)
    said = listen(page)
    troubles = {}
    for name, path in PAGES.items():
        answer = page.goto(served.at(path))
        assert answer is not None
        assert answer.status == 200, name
        troubles[name] = troubles_of(page) + said[:]
        said.clear()
    page.context.close()
    assert {name: found for name, found in troubles.items() if found} == {}


def test_a_run_that_stands_still_says_so_live_and_is_resumed(served: Runs, browser: Browser):
    plain = office(served, browser, scripts=False)
    plain.goto(served.at(f"{FIRST}/runs/{{still}}"))
    expect(plain.get_by_role("progressbar")).to_be_visible()
    expect(plain.get_by_role("button", name="Resume")).to_be_visible()
    plain.get_by_role("link", name="Look again").click()
    expect(plain.get_by_text("200 of 800 in this step")).to_be_visible()
    plain.context.close()
    page = office(served, browser)
    page.goto(served.at(f"{FIRST}/runs/{{still}}"))
    expect(page.get_by_text("It has not come on for five minutes")).to_be_visible()
    expect(page.get_by_role("link", name="Ask for help").last).to_be_visible()
    tab_to(page, "Resume")
    page.keyboard.press("Enter")
    expect(page.locator(".alert-success").first).to_contain_text("given to another worker")
    expect(page.get_by_text("It has not come on for five minutes")).to_be_hidden()
    page.get_by_role("button", name="Cancel this sync").click()
    expect(page.get_by_text("Cancelled by ines@riverbend.example")).to_be_visible()
    page.context.close()


def test_a_preview_is_begun_by_keyboard_and_watched_on_two_machines(served: Runs, browser: Browser):
    page, other = office(served, browser), office(served, browser)
    page.goto(served.at(f"{SECOND}/runs/{{preview}}/preview"))
    expect(page.get_by_role("checkbox")).not_to_be_checked()
    page.get_by_role("checkbox").press("Space")
    page.get_by_role("button", name="Begin sync").press("Enter")
    expect(page.get_by_text("You may leave this page")).to_be_visible()
    other.goto(served.at(f"{SECOND}/runs/{{preview}}"))
    expect(other.locator("#step")).to_contain_text("no worker is running")
    with served.installation.working():
        for one in (page, other):
            expect(one.get_by_text("Show what would be taken back")).to_be_visible(timeout=30_000)
    assert served.installation.rows("SELECT state FROM store_member WHERE given_name = 'Olga'") == [
        ("archived",)
    ]
    page.context.close()
    other.context.close()
