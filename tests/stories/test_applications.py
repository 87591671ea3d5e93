"""An administrator adds an app in the browser, and a stranger's client reads what was chosen: no more, no less; until the app is removed."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from aiosmtpd.controller import Controller
from oneroster.classlink import ClasslinkAPI, ClasslinkConnector
from playwright.sync_api import Browser, Locator, Page, expect

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests import cast
from tests.connectors.sshd import Sshd, a_sshd
from tests.console.conftest import PASSWORD
from tests.console.test_browser import EMAIL, open_context, sign_in, violations
from tests.installation import Installation, free_port, fresh_installation
from tests.mailbox import Kept, Mailbox

pytestmark = pytest.mark.browser

READ = ("users", "classes", "demographics", "resources")


class Client:
    """A product's program, made by strangers for OneRoster 1.1 and OAuth 1.0a: it knows an address, a key and a secret."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        self.connector = ClasslinkConnector(f"{url}/ims/oneroster/v1p1/", key, secret)
        self.connector.classlink_api = ClasslinkAPI(key, secret)
        self.calls = 0

    def read(self, collection: str) -> list[dict[str, object]]:
        """Raises requests.RequestException, with the status in its words, where the answer is not 200."""
        self.calls += 1
        return self.connector.make_call(
            self.connector.construct_url(collection, None, "", None), collection, None
        )

    def counts(self) -> tuple[int, ...]:
        """How many of each collection of READ are active."""
        return tuple(self.statuses(collection)["active"] for collection in READ)

    def statuses(self, collection: str) -> Counter[object]:
        return Counter(record["status"] for record in self.read(collection))


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
def installation(mailbox: Mailbox) -> Iterator[Installation]:
    post = Controller(Kept(mailbox), hostname="127.0.0.1", port=free_port())
    post.start()
    with fresh_installation(ROLLBOOK_EMAIL_URL=f"smtp://127.0.0.1:{post.port}?tls=none") as made:
        made.rollbook(
            "district", "add", "Riverbend Unified School District", "--time-zone", "America/Chicago"
        )
        made.rollbook("import", "1", str(RIVERBEND), "--yes")
        made.rollbook(
            "catalogue", "add", "Reading Garden", "--vendor", "Garden Ltd", "--contact-email", "dev@garden.example"
        )  # fmt: skip
        made.rollbook("catalogue", "add", "Beta Maths", "--vendor", "Trail Ltd", "--development")
        made.rollbook("operator", "add", EMAIL, "--district", "1", "--password-stdin", stdin=f"{PASSWORD}\n")
        yield made
    post.stop()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = a_sshd(tmp_path_factory.mktemp("sshd") / "server")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, installation: Installation) -> Iterator[Page]:
    with installation.serving() as url:
        context = open_context(browser)
        page = context.new_page()
        sign_in(page, url)
        yield page
        context.close()


def test_an_app_is_added_read_edited_delivered_to_and_removed(
    page: Page, installation: Installation, sshd: Sshd, mailbox: Mailbox, tmp_path: Path
):
    look_for(page)
    choose(page)
    client = make_key(page, installation.url)
    assert client.counts() == (0, 0, 0, 0)
    permissions_change_what_it_reads(page, client)
    look(page)
    with installation.working():
        check(page)
        deliver(page, sshd, tmp_path)
    levels_and_counts(page, client)
    client = rotate(page, installation.url, client)
    write(page, mailbox)
    disable(page)
    refused(client, "403")
    page.get_by_role("button", name="Enable now").click()
    assert client.read("classes")
    remove(page)
    refused(client, "401")


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
    page.get_by_role("link", name="Add Reading Garden").click()


def choose(page: Page) -> None:
    """Type, ADD: an app that sees nothing yet."""
    expect(page.get_by_role("radio", name="Basic")).to_be_checked()
    page.get_by_role("radio", name="None").check()
    page.get_by_role("button", name="Next").last.click()
    page.get_by_role("switch", name="Enable now").check()
    page.get_by_role("button", name="ADD").click()
    expect(page.get_by_text("All done!")).to_be_visible()
    expect(page.get_by_text("NO ACCESS")).to_have_count(2)
    assert violations(page) == []
    page.get_by_role("link", name="Permissions").first.click()


def permissions_change_what_it_reads(page: Page, client: Client) -> None:
    """Each toggle by itself, at the high school; then everything; then the high school again."""
    open_permissions(page)
    page.get_by_role("radio", name="Basic").check()
    for toggle in ("Demographics", "Resources"):
        switch(page, toggle).uncheck()
    page.get_by_role("button", name="Next").last.click()
    page.get_by_role("radio", name="Only what I choose").check()
    page.get_by_role("searchbox").fill("high")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("checkbox", name="Riverbend High School School").check()
    assert violations(page) == []
    page.get_by_role("button", name="Next", exact=True).last.click()
    expect(page.get_by_role("radio", name="All courses")).to_be_checked()
    page.get_by_role("button", name="Next", exact=True).last.click()
    expect(page.get_by_role("heading", name="Real records, as the app will see them")).to_be_visible()
    assert violations(page) == []
    save(page)
    assert client.counts() == (24, 8, 0, 0)
    for toggle, counts in (
        ("Demographics", (24, 8, 20, 0)),
        ("Resources", (24, 8, 20, 2)),
        ("Guardians", (31, 8, 20, 2)),
        ("Unenrolled users", (32, 8, 20, 2)),
    ):
        edit(page, toggle)
        assert client.counts() == counts, toggle
    edit(page, "Deleted records")
    edit(page, "Demographics", on=False)
    assert client.statuses("demographics") == {"tobedeleted": 20}
    edit(page, level="Full")
    assert client.counts() == (58, 19, 45, 2)
    page.get_by_role("link", name="History", exact=True).first.click()
    page.get_by_role("button", name="Save this again version 8").click()
    assert client.counts() == (32, 8, 0, 2)


def edit(page: Page, toggle: str = "", on: bool = True, level: str = "Basic") -> None:
    open_permissions(page)
    page.get_by_role("radio", name=level).check()
    if toggle:
        switch(page, toggle).set_checked(on)
    page.get_by_role("button", name="To the last page").click()
    save(page)


def open_permissions(page: Page) -> None:
    page.get_by_role("link", name="Permissions", exact=True).first.click()
    page.get_by_role("link", name="Edit permissions").click()


def switch(page: Page, name: str) -> Locator:
    return page.get_by_role("switch", name=re.compile(f"^{name}"))


def save(page: Page) -> None:
    page.get_by_role("textbox", name="Why").fill("They asked for it")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The permissions are saved")).to_be_visible()


def make_key(page: Page, url: str) -> Client:
    page.get_by_role("link", name="API key and secret").first.click()
    page.get_by_label("What to call it").fill("Server")
    page.get_by_label(re.compile("^Also for OAuth 1.0a")).check()
    page.get_by_role("button", name="Make a key").click()
    return client_shown(page, url)


def client_shown(page: Page, url: str) -> Client:
    """A client with the key and secret that stand on the page."""
    return Client(url, page.locator("#client-id").inner_text(), page.locator("#client-secret").inner_text())


def look(page: Page) -> None:
    """Who the app sees, and why somebody else is not there."""
    page.get_by_role("link", name="Find", exact=True).first.click()
    page.get_by_role("searchbox").fill("okonkwo")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Amara")).to_be_visible()
    page.get_by_role("searchbox").fill(cast.KOFI)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Explain").click()
    expect(page.get_by_text("Its school Riverbend Elementary School is not chosen.")).to_be_visible()
    expect(page.get_by_text("Who may: installation operator, district administrator.")).to_be_visible()


def check(page: Page) -> None:
    page.get_by_role("link", name="Run sanity check").first.click()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("heading", name="What this app is given")).to_be_visible(timeout=60_000)
    assert violations(page) == []


def deliver(page: Page, sshd: Sshd, folder: Path) -> None:
    """A package is brought to the app's own server."""
    page.get_by_role("link", name="Export (SFTP) settings").first.click()
    page.locator("a[href='?way=push']").click()
    for label, text in (
        ("Server", "127.0.0.1"), ("Port", str(sshd.port)), ("Login", sshd.login), ("Private key", sshd.client_key),
        ("Folder", str(folder)), ("Accepted host key", sshd.host_key()),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Switched on").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Deliver now").click()
    expect(page.get_by_text("Succeeded")).to_be_visible(timeout=60_000)
    assert [file.suffix for file in folder.iterdir()] == [".zip"]


def levels_and_counts(page: Page, client: Client) -> None:
    """What the card says after these reads and one delivery."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Applications").click()
    card = page.get_by_role("article")
    expect(card).to_contain_text("LIMITED ACCESS")
    expect(card).to_contain_text("FULL ACCESS")
    expect(card).to_contain_text("127.0.0.1")
    expect(card.get_by_text("Never")).to_have_count(0)
    accesses = str(client.calls + 1)
    expect(card.locator(".app-count")).to_contain_text(accesses)
    card.locator(".app-count").click()
    expect(page.get_by_text(f"{accesses} accesses")).to_be_visible()


def rotate(page: Page, url: str, former: Client) -> Client:
    """The secret is shown again; a new one holds beside it, then alone."""
    page.get_by_role("link", name="API key and secret").first.click()
    page.get_by_role("link", name="Manage Server").click()
    page.get_by_label("Your own password").fill(PASSWORD)
    page.get_by_role("button", name="Show the secret").click()
    assert client_shown(page, url).read("classes")
    page.get_by_role("link", name="Back to the keys").click()
    page.get_by_role("link", name="Manage Server").click()
    page.get_by_role("button", name="Make a new secret").click()
    client = client_shown(page, url)
    assert len(client.read("classes")) == len(former.read("classes"))
    page.get_by_role("link", name="Back to the keys").click()
    expect(page.get_by_text("Two secrets hold")).to_be_visible()
    page.get_by_role("link", name="Manage Server").click()
    page.get_by_role("button", name="End it now").click()
    refused(former, "401")
    assert client.read("classes")
    return client


def write(page: Page, mailbox: Mailbox) -> None:
    page.get_by_role("link", name="E-mail developer").first.click()
    page.get_by_label("What it is about").select_option("permissions")
    page.get_by_role("button", name="Show the message").click()
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("Sent", exact=True)).to_be_visible()
    assert mailbox.recipients == ["dev@garden.example"]


def disable(page: Page) -> None:
    page.get_by_role("link", name="Overview").click()
    page.get_by_text("Disable", exact=True).click()
    page.get_by_role("button", name="Yes, disable").click()
    expect(page.get_by_text("gets nothing from now on")).to_be_visible()


def remove(page: Page) -> None:
    page.get_by_role("link", name="Remove", exact=True).first.click()
    page.get_by_role("button", name="Yes, remove").click()
    expect(page.get_by_text("its keys open nothing any more")).to_be_visible()
    expect(page.get_by_text("No app may read this roster yet")).to_be_visible()


def refused(client: Client, status: str) -> None:
    with pytest.raises(requests.RequestException, match=status):
        client.read("users")
