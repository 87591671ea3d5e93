"""Sign-in clients in a real browser: support makes one, a pupil comes through it from the launch pad's form to the product, and out again."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests import cast
from tests.console.conftest import PASSWORD
from tests.console.reader import OWN, SAM, its_pages, reader_in
from tests.console.test_broker_served import name_of
from tests.console.test_browser import listen, open_context, troubles_of
from tests.installation import Installation, fresh_installation

pytestmark = pytest.mark.browser

CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class Served:
    installation: Installation
    url: str
    client: dict[str, str]
    back: str

    def authorize(self, **other: str) -> str:
        asked = {
            "response_type": "code", "client_id": self.client["id"], "redirect_uri": self.back, "scope": "openid", "state": "st",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        } | other  # fmt: skip
        return f"{self.url}/openid/authorize?{urlencode(asked)}"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with its_pages() as own, fresh_installation() as installation:
        client = reader_in(installation, RIVERBEND, f"{own}/back", f"{own}/bye")
        with installation.serving() as url:
            yield Served(installation, url, client, f"{own}/back")


def looked_at(page: Page, name: str, troubles: dict[str, list[str]]) -> None:
    troubles[name] = troubles_of(page)


def test_support_makes_a_client_and_its_pages_are_in_order(served: Served, browser: Browser):
    page = open_context(browser).new_page()
    said, troubles = listen(page), {}
    page.goto(f"{served.url}/sign-in")
    page.get_by_label("E-mail address").fill(SAM)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Sign-in clients").click()
    looked_at(page, "clients", troubles)
    page.get_by_label("Name", exact=True).fill("Reader for tablets")
    page.get_by_label("Back-channel logout address").fill("http://reader.example/out")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("begins with https://")
    page.get_by_label("Back-channel logout address").fill("https://reader.example/out")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("The secret is shown only now")).to_be_visible()
    looked_at(page, "secret", troubles)
    page.get_by_role("link", name="Back to the client").click()
    expect(page.get_by_role("heading", name="Reader for tablets", level=1)).to_be_visible()
    looked_at(page, "client", troubles)
    page.get_by_role("button", name="New secret").click()
    expect(page.get_by_text("The former secret holds until")).to_be_visible()
    assert not any(troubles.values()), troubles
    assert [one for one in said if "422" not in one] == []


def test_a_pupil_goes_from_the_form_of_the_launch_pad_to_the_product_and_out_again(
    served: Served, browser: Browser
):
    context = open_context(browser)
    page, troubles = context.new_page(), {}
    said = listen(page)
    page.goto(served.authorize(redirect_uri="https://elsewhere.example/"))
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    looked_at(page, "refused", troubles)
    page.goto(served.authorize())
    page.goto(f"{served.url}/openid/elsewhere")
    looked_at(page, "choose", troubles)
    page.get_by_role("link", name="Riverbend").click()
    page.get_by_label("My username").fill(name_of(served.installation, cast.AMARA))
    page.get_by_label("My password").fill(OWN)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", name="Reader")).to_be_visible()
    assert page.url.startswith(f"{served.back}?code=")
    page.goto(f"{served.url}/openid/logout")
    looked_at(page, "leave", troubles)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.goto(served.authorize(prompt="none"))
    assert "error=login_required" in page.url
    assert not any(troubles.values()), troubles
    assert [one for one in said if "400" not in one] == []
