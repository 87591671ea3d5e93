"""The launch pad in a real browser: a printed badge's address is opened, a PIN typed; a password chosen; the apps are those of the grants."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from rollbook.console.launch_pad_people import picture_of
from tests import cast
from tests.console.reader import its_pages
from tests.console.test_browser import EMAIL, PASSWORD, RIVERBEND, listen, open_context, sign_in, troubles_of
from tests.installation import Installation, fresh_installation

pytestmark = pytest.mark.browser

OWN = "violet tractor"


@dataclass(frozen=True)
class Served:
    installation: Installation
    url: str
    reader: str  # where the product behind a tile answers

    @property
    def pad(self) -> str:
        return f"{self.url}/launch/riverbend"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with its_pages() as reader, fresh_installation() as installation:
        rollbook = installation.rollbook
        rollbook("district", "add", "Riverbend Unified School District", "--time-zone", "America/Chicago")
        rollbook("import", "1", str(RIVERBEND), "--yes")
        rollbook("operator", "add", EMAIL, "--district", "1", "--password-stdin", stdin=f"{PASSWORD}\n")
        some = ("--permission", "basic", "--school", cast.RIVERBEND_HIGH)
        for app, rule in (("Reading Garden", ("--permission", "full")), ("High School Chess", some)):
            rollbook("app", "add", app)
            rollbook("grant", "1", app, *rule)
        rollbook("grant", "particulars", "1", "--start-url", f"{reader}/start?from=pad")
        rollbook("grant", "particulars", "2", "--start-url", "https://chess.example/")
        rollbook("launch-pad", "address", "1", "riverbend")
        rollbook("launch-pad", "ways", "1", "--way", "password", "--way", "badge")
        rollbook("launch-pad", "open", "1")
        rollbook("launch-pad", "password", "1", cast.AMARA, "--stdin", stdin=f"{OWN}\n")
        rollbook("launch-pad", "password", "1", cast.MS_LINDQVIST, "--stdin", "--lasting", stdin=f"{OWN}\n")
        with installation.serving() as url:
            yield Served(installation, url, reader)


def tiles(page: Page) -> list[str]:
    return [
        one.splitlines()[-1]
        for one in page.get_by_role("list", name="My apps").get_by_role("link").all_inner_texts()
    ]


def test_a_child_comes_in_by_the_badge_that_was_printed_and_launches_an_app(served: Served, browser: Browser):
    office = open_context(browser)
    page = office.new_page()
    sign_in(page, served.url)
    page.get_by_role("link", name="Launch pad").click()
    troubles = {"the district's page": troubles_of(page)}
    page.get_by_role("link", name="Badges by class").click()
    troubles["classes"] = troubles_of(page)
    page.get_by_role("link", name="Reading and Writing 3").click()
    troubles["a class"] = troubles_of(page)
    page.get_by_role("button", name="Make the sheet").click()
    kofi = page.locator(".badge-cards li", has_text="Kofi")
    code = kofi.locator("code").inner_text().replace(" ", "")
    printed = f"{served.url}/launch/1/badge#{code}"
    assert drawn(kofi.get_by_role("img").get_attribute("src")) == drawn(picture_of(printed))
    pin = page.get_by_role("row", name=re.compile("^Kofi")).locator("code").inner_text()
    troubles["the sheet"] = troubles_of(page)
    office.close()

    tablet = open_context(browser, width=390)
    page = tablet.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers.get('referer', '')}"))
    page.goto(printed)
    expect(page.get_by_label("My secret number (PIN)")).to_be_focused()
    troubles["the PIN"] = troubles_of(page)
    page.get_by_label("My secret number (PIN)").fill(pin)
    page.get_by_label("My secret number (PIN)").press("Enter")
    expect(page.get_by_role("heading", name="Hello, Kofi")).to_be_visible()
    assert tiles(page) == ["Reading Garden"]
    troubles["the apps"] = troubles_of(page)
    page.get_by_role("link", name="Reading Garden").click()
    expect(page.get_by_role("heading", name="Reader")).to_be_visible()
    assert page.url == f"{served.reader}/start?from=pad"
    assert not [one for one in asked if code in one]
    page.goto(served.pad)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Hello! Who are you?")).to_be_visible()
    tablet.close()
    assert {name: found for name, found in troubles.items() if found} == {}
    assert served.installation.rows("SELECT grant_id, launches FROM store_applaunch", "reading.db") == [
        (1, 1)
    ]


def drawn(picture: str | None) -> bytes:
    assert picture
    return base64.b64decode(picture.partition(",")[2])


def test_somebody_with_a_first_password_chooses_their_own_without_scripts(served: Served, browser: Browser):
    context = open_context(browser, scripts=False)
    page = context.new_page()
    page.goto(served.pad)
    username = served.installation.rows(f"SELECT username FROM store_user WHERE sourced_id = '{cast.AMARA}'")[0][0]  # fmt: skip
    for password in ("another one", OWN):
        page.get_by_label("My username").fill(username)
        page.get_by_label("My password").fill(password)
        page.get_by_role("button", name="Come in").click()
    page.get_by_label("My new password").fill("my own violet")
    page.get_by_label("The same once more").fill("my own violet")
    page.get_by_role("button", name="Keep it, and come in").click()
    assert tiles(page) == ["High School Chess", "Reading Garden"]
    context.close()


def test_the_pages_before_coming_in_and_a_teachers_are_in_order(served: Served, browser: Browser):
    context = open_context(browser)
    page = context.new_page()
    said = listen(page)
    troubles = {}
    for path in ("", "/badge", "/link"):
        page.goto(f"{served.pad}{path}")
        troubles[path] = troubles_of(page) + said[:]
    page.goto(served.pad)
    page.get_by_label("My username").fill("nobody")
    page.get_by_label("My password").fill("nothing at all")
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    troubles["refused"] = troubles_of(page)
    page.get_by_label("My username").fill("alindqvist")
    page.get_by_label("My password").fill(OWN)
    page.get_by_role("button", name="Come in").click()
    troubles["a teacher's apps"] = troubles_of(page)
    page.get_by_role("link", name="Reading and Writing 3").click()
    expect(page.get_by_role("heading", name="Kofi Okonkwo")).to_be_visible()
    troubles["a teacher's class"] = troubles_of(page)
    context.close()
    assert {name: found for name, found in troubles.items() if found} == {}
