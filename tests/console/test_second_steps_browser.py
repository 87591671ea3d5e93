"""Second steps in a real browser: an app's code and a passkey (of Chromium's virtual authenticator) are added, asked for, and let in."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PASSWORD
from tests.console.test_browser import open_context, troubles_of
from tests.console.totp import code_of
from tests.installation import fresh_installation

pytestmark = pytest.mark.browser

EMAILS = ("brandt@riverbend.example", "tanaka@riverbend.example")
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Riverbend, which requires a second step, at an address that browsers let passkeys be used at."""
    with fresh_installation() as installation:
        installation.rollbook("district", "add", "Riverbend Unified School District")
        for email in EMAILS:
            operator = ("operator", "add", email, "--district", "1", "--password-stdin")
            installation.rollbook(*operator, stdin=f"{PASSWORD}\n")
        installation.rollbook("district", "require-mfa", "1")
        url = f"http://localhost:{installation.port}"
        with installation.serving(ROLLBOOK_PUBLIC_URL=url):
            yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = open_context(browser)
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")  # colours change at once when the scheme does
    yield page
    context.close()


def test_from_the_password_alone_to_an_authenticator_app(page: Page, url: str):
    type_password(page, url, EMAILS[0])
    expect(page.get_by_text("Set up a second step first.")).to_be_visible()
    page.goto(f"{url}/districts/1/operators")
    expect(page).to_have_url(f"{url}/account")
    in_order(page)

    page.get_by_role("link", name="Add an authenticator app").click()
    show_oneself(page)
    page.get_by_text("It cannot be scanned").click()
    secret = page.locator("#secret").inner_text()
    in_order(page)
    page.get_by_label("Code of six digits").fill(code_of(secret))
    page.get_by_role("button", name="Add the app").click()
    expect(page.locator("#codes li")).to_have_count(10)
    recovery = page.locator("#codes li").first.inner_text()
    in_order(page)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Add a passkey").click()
    in_order(page)
    sign_out(page)

    type_password(page, url, EMAILS[0])
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    in_order(page)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Go on").click()
    is_in(page)
    page.goto(f"{url}/districts/1/settings")
    in_order(page)
    page.goto(f"{url}/account/sessions")
    expect(page.get_by_text("Chrome on Linux")).to_be_visible()
    in_order(page)


def test_a_passkey_is_the_second_step_and_then_signs_in_by_itself(page: Page, url: str):
    give_key(page)
    type_password(page, url, EMAILS[1])
    page.get_by_role("link", name="Add a passkey").click()
    show_oneself(page)
    page.get_by_label("Name, so that you know it again").fill("Desk")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()
    sign_out(page)

    type_password(page, url, EMAILS[1])
    page.get_by_role("button", name="Use a passkey").click()
    is_in(page)
    sign_out(page)

    page.get_by_role("button", name="Sign in with a passkey").click()
    is_in(page)
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_role("cell", name="Signs in by itself")).to_be_visible()
    # From here on the virtual key is gone: it ends with the first look of axe.
    in_order(page)
    sign_out(page)
    in_order(page)


def test_who_closes_the_browsers_question_reads_it_on_the_page(page: Page, url: str):
    page.goto(f"{url}/sign-in")
    page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('closed', 'NotAllowedError')) }"
    )
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("The passkey did not answer.")).to_be_visible()


def give_key(page: Page) -> None:
    """The computer has a key that knows its user, and asks nobody."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


def type_password(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def show_oneself(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def is_in(page: Page) -> None:
    expect(page.get_by_role("heading", name="Riverbend Unified School District")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def in_order(page: Page) -> None:
    """Nothing is wrong with the page, wide and narrow, light and dark."""
    assert troubles_of(page) == []
    page.set_viewport_size({"width": 1280, "height": 844})
