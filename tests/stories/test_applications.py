"""An administrator adds an app in the browser, and a client reads what was chosen: no more, no less; until the app is removed."""

import json
import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests import cast
from tests.console.conftest import PASSWORD
from tests.console.test_browser import EMAIL, open_context, sign_in, violations
from tests.installation import Installation, fresh_installation

pytestmark = pytest.mark.browser


class Client:
    """A product's own program: it knows an address and a key."""

    def __init__(self, url: str, key: dict[str, str]) -> None:
        self.url, self.key = url, key
        self.token = ""

    def sign_in(self) -> int:
        answer = requests.post(
            f"{self.url}/oauth2/token", auth=(self.key["clientId"], self.key["clientSecret"]),
            data={"grant_type": "client_credentials"}, timeout=30,
        )  # fmt: skip
        self.token = answer.json().get("access_token", self.token)
        return answer.status_code

    def read(self, path: str) -> requests.Response:
        return requests.get(
            f"{self.url}/ims/oneroster/v1p1{path}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )

    def count(self, path: str) -> int:
        return int(self.read(path).headers["X-Total-Count"])


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with fresh_installation() as made:
        made.rollbook(
            "district", "add", "Riverbend Unified School District", "--time-zone", "America/Chicago"
        )
        made.rollbook("import", "1", str(RIVERBEND), "--yes")
        made.rollbook("app", "add", "Reading Garden", "--vendor", "Garden Ltd")
        made.rollbook("catalogue", "add", "Beta Maths", "--vendor", "Trail Ltd", "--development")
        made.rollbook("operator", "add", EMAIL, "--district", "1", "--password-stdin", stdin=f"{PASSWORD}\n")
        yield made


@pytest.fixture
def page(browser: Browser, installation: Installation) -> Iterator[Page]:
    with installation.serving() as url:
        context = open_context(browser)
        page = context.new_page()
        sign_in(page, url)
        yield page
        context.close()


def test_an_app_is_added_read_edited_disabled_and_removed(page: Page, installation: Installation):
    look_for(page)
    choose(page)
    key = json.loads(installation.rollbook("key", "add", "1", "--json").stdout)
    client = Client(installation.url, key)
    assert client.sign_in() == 200
    enrolled = client.count("/users")
    assert client.read(f"/users/{cast.AMARA}").status_code == 200
    assert client.read(f"/users/{cast.KOFI}").status_code == 404
    assert client.count("/demographics") == 0
    assert client.count("/schools") == 1
    edit(page)
    assert client.count("/users") > enrolled
    assert client.count("/demographics") > 0
    disable(page)
    assert client.read("/users").status_code == 403
    page.get_by_role("button", name="Enable now").click()
    assert client.read("/users").status_code == 200
    page.goto(page.url.rsplit("/", 1)[0])
    expect(page.locator(".app-count").get_by_text("accesses in 30 days")).to_be_visible()
    remove(page)
    assert client.read("/users").status_code == 403
    assert client.sign_in() == 401


def look_for(page: Page) -> None:
    """Search, browse, and what is in development."""
    page.get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Add application").click()
    expect(page.get_by_role("heading", name="Beta Maths")).to_have_count(0)
    page.get_by_label("Development apps").check()
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Beta Maths")).to_contain_text("DEV")
    page.get_by_role("searchbox").fill("garden")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Beta Maths")).to_have_count(0)
    assert violations(page) == []
    page.get_by_role("link", name="Add Reading Garden").click()


def choose(page: Page) -> None:
    """Type, organizations, courses, ADD."""
    expect(page.get_by_role("radio", name="Basic")).to_be_checked()
    page.get_by_role("switch", name="Demographics").uncheck()
    assert violations(page) == []
    page.get_by_role("button", name="Next").last.click()
    page.get_by_role("searchbox").fill("high")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("checkbox", name="Riverbend High School School").check()
    assert violations(page) == []
    page.get_by_role("button", name="Next", exact=True).last.click()
    expect(page.get_by_role("radio", name="All courses")).to_be_checked()
    page.get_by_role("button", name="Next", exact=True).last.click()
    expect(page.get_by_role("heading", name="Real records, as the app will see them")).to_be_visible()
    page.get_by_role("switch", name="Enable now").check()
    assert violations(page) == []
    page.get_by_role("button", name="ADD").click()
    expect(page.get_by_text("All done!")).to_be_visible()
    expect(page.get_by_text("LIMITED ACCESS")).to_be_visible()
    assert violations(page) == []


def edit(page: Page) -> None:
    page.get_by_role("link", name="Permissions").first.click()
    page.get_by_role("link", name="Edit permissions").click()
    page.get_by_role("switch", name="Demographics").check()
    page.get_by_role("switch", name=re.compile("^Unenrolled users")).check()
    page.get_by_role("button", name="To the last page").click()
    page.get_by_role("textbox", name="Why").fill("The counselors use it too")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The permissions are saved")).to_be_visible()
    assert violations(page) == []


def disable(page: Page) -> None:
    page.get_by_role("link", name="Overview").click()
    page.get_by_text("Disable", exact=True).click()
    page.get_by_role("button", name="Yes, disable").click()
    expect(page.get_by_text("gets nothing from now on")).to_be_visible()


def remove(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Applications").click()
    page.get_by_role("group").filter(has_text="Actions").locator("summary").click()
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Yes, remove").click()
    expect(page.get_by_text("its keys open nothing any more")).to_be_visible()
    expect(page.get_by_text("No app may read this roster yet")).to_be_visible()
