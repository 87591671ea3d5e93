"""User import, resync, holds, cases and support in a real browser: in order wide and narrow, light and dark, by keyboard, judged by axe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.decided import DESK, EMAIL, PASSWORD, fill
from tests.console.test_browser import Served, listen, tab_to, too_wide, violations
from tests.installation import fresh_installation

pytestmark = pytest.mark.browser

LOOKS = (("light", 1280), ("dark", 390))
A_WHILE = 60_000


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with fresh_installation() as installation:
        fill(installation)
        with installation.serving(worker=True) as url:
            yield Served(installation, url)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    yield context.new_page()
    context.close()


def sign_in(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign in")).to_have_count(0)


def is_in_order(page: Page) -> None:
    """Nothing found by axe, and no wider than the window, in each look."""
    found = []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 844})
        found += [f"{scheme} {width}: {one}" for one in violations(page)]
        if too_wide(page) > 0:
            found.append(f"{scheme} {width}: {too_wide(page)} pixels too wide")
    assert found == []
    page.set_viewport_size({"width": 1280, "height": 844})


def test_people_are_imported_one_and_all_and_one_is_synced_again(served: Served, page: Page):
    said = listen(page)
    sign_in(page, served.url, EMAIL)
    here = f"{served.url}/organizations/1/rostering/1"
    page.goto(f"{here}/import")
    expect(page.get_by_text("2 people can be imported")).to_be_visible(timeout=A_WHILE)
    is_in_order(page)
    page.get_by_role("link", name="View Tess Ames").click()
    expect(page.get_by_role("heading", name="Import this person")).to_be_visible()
    is_in_order(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("All of them are imported")).to_be_visible(timeout=A_WHILE)
    is_in_order(page)
    page.get_by_role("link", name="Import others").click()
    assert said == []
    page.get_by_role("link", name="Bulk import").click()
    page.get_by_role("button", name="Import users").click()
    expect(page.get_by_text("Choose at least one person")).to_be_visible()
    is_in_order(page)
    page.get_by_label("Select all").check()
    page.get_by_label("Role").select_option("aide")
    page.get_by_role("button", name="Import users").click()
    expect(page.get_by_text("All of them are imported")).to_be_visible(timeout=A_WHILE)
    page.get_by_role("link", name="Resync", exact=True).click()
    page.get_by_role("searchbox").fill("t2@school.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sync selected user")).to_be_visible()
    is_in_order(page)
    page.get_by_role("button", name="Sync selected user").click()
    expect(page.get_by_text("What changed")).to_be_visible(timeout=A_WHILE)
    is_in_order(page)


def test_a_hold_is_let_through_with_a_reason_and_a_case_decided_by_keyboard(served: Served, page: Page):
    sign_in(page, served.url, EMAIL)
    here = f"{served.url}/organizations/2/rostering/2"
    page.goto(f"{here}/holds")
    is_in_order(page)
    page.get_by_role("link", name="2 of 3 members would be removed").click()
    expect(page.get_by_text("Petra Eck")).to_be_visible()
    is_in_order(page)
    page.get_by_role("button", name="Let it through once").click()
    assert page.get_by_label("Why you decide so").evaluate("field => field.validity.valueMissing")
    page.get_by_label("Why you decide so").fill("They moved away.")
    page.get_by_role("button", name="Let it through once").click()
    expect(page.get_by_text("It is being carried out, this once")).to_be_visible()
    for _ in range(60):
        if served.installation.rows("SELECT count(*) FROM store_member WHERE state = 'archived'") == [(2,)]:
            break
        page.wait_for_timeout(500)
    page.reload()
    expect(page.get_by_text("Nothing is held")).to_be_visible()

    page.goto(f"{here}/cases")
    is_in_order(page)
    page.get_by_role("link", name="Compare t1").press("Enter")
    expect(page.get_by_text("differs")).to_be_visible()
    is_in_order(page)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "decision":
            break
    page.keyboard.press("Space")
    tab_to(page, "Decide")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is kept that they are the same")).to_be_visible()

    page.get_by_role("link", name="Compare t2").click()
    expect(page.get_by_role("heading", name="Two of these members are one person")).to_be_visible()
    is_in_order(page)
    page.get_by_role("button", name="Merge the two").click()
    expect(page.get_by_text("The two are one member now")).to_be_visible()
    is_in_order(page)
    page.get_by_text("Undo merge").click()
    page.get_by_role("button", name="Yes, undo").click()
    expect(page.get_by_text("Both members are there again")).to_be_visible()


def test_support_answers_activates_and_gives_a_reason_before_it_looks(served: Served, page: Page):
    sign_in(page, served.url, DESK)
    expect(page.get_by_role("heading", name="Support")).to_be_visible()
    is_in_order(page)
    page.get_by_role("link", name="Westwind Schools", exact=True).click()
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("The connection is active")).to_be_visible()
    page.get_by_role("link", name="Support").first.click()
    page.get_by_role("link", name="Answer Eastwind Schools").click()
    expect(page.get_by_role("heading", name="Eastwind Schools asks for help")).to_be_visible()
    is_in_order(page)
    page.get_by_label("What the organization reads").fill("They have left, by your roster.")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("The answer is with Eastwind Schools")).to_be_visible()
    is_in_order(page)
    page.get_by_label("Why you have to look").fill("Their question")
    page.get_by_role("button", name="Keep the reason and look").click()
    expect(page.get_by_role("heading", name="Records of people")).to_be_visible()
    is_in_order(page)
