"""Setting up a sync in a real browser: a district is invited and connected, its schools mapped; every page judged, and clicks counted."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests.console.conftest import PASSWORD
from tests.console.northwind import BRANDT, INES, northwind_in
from tests.console.test_browser import WIDTHS, listen, open_context, too_wide, violations
from tests.installation import Installation, fresh_installation

pytestmark = pytest.mark.browser

MOST_CLICKS = 12
"""From signing in to the end of the first sync; acts of mapping by hand come on top, as many as there are schools of other names."""


@dataclass
class Hand:
    """Somebody at a browser, whose clicks are counted."""

    page: Page
    clicks: list[str] = field(default_factory=list)

    def click(self, what: Locator) -> None:
        self.clicks.append(what.first.inner_text().split("\n")[0])
        what.click()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Installation, str]]:
    with fresh_installation() as installation:
        northwind_in(installation, RIVERBEND)
        with installation.serving(worker=True) as url:
            yield installation, url


def sign_in(browser: Browser, url: str, email: str, scheme: str = "light", width: int = 1280) -> Hand:
    page = open_context(browser, scheme, width).new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    hand = Hand(page)
    hand.click(page.get_by_role("button", name="Sign in"))
    return hand


def test_a_district_is_invited_connected_and_mapped_and_every_page_is_in_order(
    served: tuple[Installation, str], browser: Browser
):
    installation, url = served
    ines, brandt = sign_in(browser, url, INES), sign_in(browser, url, BRANDT)
    page = ines.page
    ines.click(page.get_by_role("navigation", name="Main").get_by_role("link", name="Rostering"))
    ines.click(page.get_by_role("link", name="Set up sync").first)
    ines.click(page.get_by_role("link", name="Choose A district on this server"))
    page.get_by_label("Tenant ID").fill("1")
    ines.click(page.get_by_role("button", name="Ask this district"))
    expect(page.get_by_text("Waits for the district")).to_be_visible()

    brandt.page.reload()
    brandt.page.get_by_role("link", name="Look at it, and answer").click()
    in_order(brandt.page)
    brandt.page.get_by_role("button", name="Accept").click()
    expect(brandt.page.get_by_text("can read as soon as the organization connects")).to_be_visible()

    page.reload()
    ines.click(page.get_by_role("button", name="Connect"))
    expect(page.get_by_role("status").filter(has_text="Connected successfully")).to_be_visible()
    ines.click(page.get_by_role("button", name="Choose Classes and licences"))
    ines.click(page.get_by_role("button", name="Next: read the schools"))
    expect(page.get_by_role("heading", name="Schools not mapped yet")).to_be_visible(timeout=60_000)
    mapped = page.get_by_role("region", name="Mapped items")
    expect(mapped.get_by_text("Automatic: the same name")).to_have_count(1)
    expect(page.get_by_text("the same words, shortened")).to_be_visible()
    by_keyboard(page)
    expect(mapped.get_by_role("listitem").filter(has_text="Harbour Annex")).to_contain_text(
        f"Mapped by {INES}"
    )
    page.locator("[data-from] > li").first.drag_to(page.locator("[data-to] > li").filter(has_text="Elem."))
    expect(page.get_by_text("Every school is mapped")).to_be_visible()
    page.get_by_role("button", name="Take Riverbend Middle School off its site").click()
    expect(page.get_by_text("Will be created as Riverbend Middle School.")).to_be_visible()
    ines.click(page.get_by_role("button", name="Done mapping"))
    begin = page.get_by_role("button", name="Begin sync")
    expect(begin).to_be_visible(timeout=60_000)
    ines.click(begin)
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=60_000)
    assert len(ines.clicks) <= MOST_CLICKS, ines.clicks
    assert installation.rows("SELECT count(*) FROM store_membership") != [(0,)]


def by_keyboard(page: Page) -> None:
    """The middle school is mapped to the annex without a mouse."""
    page.get_by_role("checkbox", name="Riverbend Middle School").focus()
    page.keyboard.press("Space")
    page.get_by_role("radio", name="Harbour Annex").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Map schools").focus()
    page.keyboard.press("Enter")


def test_a_server_that_does_not_answer_says_why_and_where_help_is(
    served: tuple[Installation, str], browser: Browser
):
    _, url = served
    page = sign_in(browser, url, INES).page
    page.goto(f"{url}/organizations/1/rostering/add/oneroster")
    page.get_by_label("Address", exact=True).fill(url)
    page.get_by_label("Client id", exact=True).fill("nobody")
    page.get_by_label("Client secret", exact=True).fill("nothing")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert")).to_be_visible()
    in_order(page)
    page.get_by_role("link", name="How it is done").click()
    expect(page.get_by_role("heading", name="A OneRoster server")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Choose another source").click()
    expect(page.get_by_role("heading", name="Where is your roster?")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_every_page_of_setting_up_is_in_order_wide_and_narrow(
    served: tuple[Installation, str], browser: Browser, scheme: str, width: int
):
    """After the first test, which leaves a connection with schools to be mapped."""
    installation, url = served
    [(number,)] = installation.rows("SELECT min(id) FROM store_syncconnection")
    page = sign_in(browser, url, INES, scheme).page
    said = listen(page)
    add, there = "rostering/add", f"rostering/{number}"
    school = "school=org-middle"
    for path in (
        add, f"{add}/help", f"{add}/district", f"{add}/oneroster", f"{add}/partner", f"{add}/sftp", f"{there}/test", f"{there}/preset",
        f"{there}/first", f"{there}/schools", f"{there}/schools/split?{school}", f"{there}/roles", f"{there}/classes",
        f"{there}/classes/group?class=class-algebra-1",
    ):  # fmt: skip
        answer = page.goto(f"{url}/organizations/1/{path}")
        assert answer is not None
        assert answer.status == 200, path
        in_order(page, width)
    assert said == []


def in_order(page: Page, *widths: int) -> None:
    for width in widths or WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert (violations(page), max(too_wide(page), 0)) == ([], 0), f"{page.url} at {width}"
    page.set_viewport_size({"width": 1280, "height": 844})
