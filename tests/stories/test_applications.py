"""An administrator adds an app in the browser, and a stranger's client reads what was chosen: no more, no less; until the app is removed."""

import csv
import io
import re
import zipfile
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
from tests.connectors.sshd import Sshd
from tests.console.conftest import PASSWORD
from tests.console.test_browser import EMAIL, open_context, sign_in, violations
from tests.installation import Installation, free_port, fresh_installation
from tests.mailbox import Kept, Mailbox

pytestmark = pytest.mark.browser

READ = ("orgs", "courses", "classes", "users", "enrollments", "demographics", "resources")
NOTHING = (0, 0, 0, 0, 0, 0, 0)


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

    def one(self, collection: str, sourced_id: str) -> dict[str, object]:
        """Raises as `read` does."""
        self.calls += 1
        found, _ = self.connector.get_url(f"{self.connector.host}{collection}/{sourced_id}")
        return found

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
        made.rollbook("catalogue", "add", "Word Orchard", "--vendor", "Orchard Ltd")
        made.rollbook("catalogue", "add", "Beta Maths", "--vendor", "Trail Ltd", "--development")
        made.rollbook("operator", "add", EMAIL, "--district", "1", "--password-stdin", stdin=f"{PASSWORD}\n")
        yield made
    post.stop()


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
    choose(page, installation)
    client = make_key(page, installation.url)
    refused(client, "403")
    enable(page)
    assert client.counts() == NOTHING
    not_there(client, "classes", cast.ALGEBRA)
    permissions_change_what_it_reads(page, client)
    look(page)
    with installation.working():
        check(page)
        package = deliver(page, sshd, tmp_path)
    levels_and_counts(page, client)
    holds_what_is_read(package, client, installation)
    client = rotate(page, installation.url, client)
    write(page, mailbox)
    disable(page)
    refused(client, "403")
    enable(page)
    assert client.read("classes")
    remove(page)
    refused(client, "401")
    history_stays(page, installation)


def look_for(page: Page) -> None:
    """Browse, search by company and by app, and what is in development."""
    page.get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Add application").click()
    expect(page.get_by_role("heading", name="Word Orchard")).to_be_visible()
    expect(page.get_by_role("link", name="Add Word Orchard")).to_be_visible()
    expect(page.get_by_role("heading", name="Beta Maths")).to_have_count(0)
    page.get_by_label("Development apps").check()
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Beta Maths")).to_contain_text("DEV")
    page.get_by_role("searchbox").fill("trail")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Word Orchard")).to_have_count(0)
    expect(page.get_by_role("heading", name="Beta Maths")).to_be_visible()
    page.get_by_role("searchbox").fill("garden")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Beta Maths")).to_have_count(0)
    page.get_by_role("link", name="Add Reading Garden").click()


def choose(page: Page, installation: Installation) -> None:
    """Type, ADD: an app that sees nothing, and is not enabled. Nothing is stored before."""
    expect(page.get_by_role("radio", name="Basic")).to_be_checked()
    page.get_by_role("radio", name="None").check()
    page.get_by_role("button", name="Next").last.click()
    expect(page.get_by_role("switch", name="Enable now")).not_to_be_checked()
    assert installation.rows("SELECT count(*) FROM store_grant") == [(0,)]
    page.get_by_role("button", name="ADD").click()
    expect(page.get_by_text("All done!")).to_be_visible()
    expect(page.get_by_text("it gets nothing until you enable it")).to_be_visible()
    expect(page.get_by_text("NO ACCESS")).to_have_count(2)
    assert violations(page) == []
    page.get_by_role("link", name="Permissions").first.click()


def enable(page: Page) -> None:
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Enable now").click()
    expect(page.get_by_role("button", name="Enable now")).to_have_count(0)


def permissions_change_what_it_reads(page: Page, client: Client) -> None:
    """Each toggle by itself, at the high school; one course of it; then everything; then the high school again."""
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
    assert client.counts() == (2, 7, 8, 24, 76, 0, 0)
    not_there(client, "classes", cast.MATH_7)
    choose_a_course(page)
    assert client.counts() == (2, 1, 2, 12, 13, 0, 0)
    choose_all_courses(page)
    for toggle, counts in (
        ("Demographics", (2, 7, 8, 24, 76, 20, 0)),
        ("Resources", (2, 7, 8, 24, 76, 20, 2)),
        ("Guardians", (2, 7, 8, 31, 76, 20, 2)),
        ("Unenrolled users", (2, 7, 8, 32, 76, 20, 2)),
    ):
        edit(page, toggle)
        assert client.counts() == counts, toggle
    edit(page, "Deleted records")
    edit(page, "Demographics", on=False)
    assert client.statuses("demographics") == {"tobedeleted": 20}
    edit(page, level="Full")
    assert client.counts() == (4, 16, 19, 58, 165, 45, 2)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("FULL ACCESS")).to_have_count(2)
    page.get_by_role("link", name="History", exact=True).first.click()
    page.get_by_role("button", name="Save this again version 10").click()
    assert client.counts() == (2, 7, 8, 32, 76, 0, 2)


def choose_a_course(page: Page) -> None:
    """The high school's Algebra alone: of its 24 people those in its two classes."""
    open_permissions(page)
    page.get_by_role("button", name="Next").last.click()
    page.get_by_role("button", name="Next", exact=True).last.click()
    page.get_by_role("radio", name="Only what I choose").check()
    page.get_by_role("searchbox").fill("algebra")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("checkbox", name="Algebra I").check()
    page.get_by_role("button", name="Next", exact=True).last.click()
    save(page)


def choose_all_courses(page: Page) -> None:
    open_permissions(page)
    page.get_by_role("button", name="Next").last.click()
    page.get_by_role("button", name="Next", exact=True).last.click()
    page.get_by_role("radio", name="All courses").check()
    page.get_by_role("button", name="Next", exact=True).last.click()
    save(page)


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
    expect(page.get_by_text("Tenant ID", exact=True).first).to_be_visible()
    expect(page.get_by_text(f"{url}/oauth2/token", exact=True)).to_be_visible()
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
    given = page.get_by_role("region", name="What this app is given")
    expect(given).to_contain_text(re.compile(r"Classes\s*8"), timeout=60_000)
    expect(page.get_by_role("row", name=re.compile("Courses without classes"))).to_contain_text("1 of 7")
    assert violations(page) == []


def deliver(page: Page, sshd: Sshd, folder: Path) -> Path:
    """A package is brought to the app's own server, by OpenSSH."""
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
    [package] = folder.iterdir()
    return package


def holds_what_is_read(package: Path, client: Client, installation: Installation) -> None:
    """The package has the records that the client reads, and our own validator finds no error in it."""
    installation.rollbook("validate", str(package))
    with zipfile.ZipFile(package) as archive:
        rows = {
            name.removesuffix(".csv"): len(list(csv.reader(io.TextIOWrapper(archive.open(name), "utf-8"))))
            - 1
            for name in archive.namelist()
        }
    assert tuple(rows.get(collection, 0) for collection in READ) == client.counts()


def levels_and_counts(page: Page, client: Client) -> None:
    """What the card says after these reads and one delivery."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Applications").click()
    card = page.get_by_role("article")
    expect(card).to_contain_text("LIMITED ACCESS")
    expect(card).to_contain_text("FULL ACCESS")
    expect(card).to_contain_text(re.compile(r"Recent REST access.*Delivered\s*2 records · 127\.0\.0\.1"))
    expect(card).to_contain_text(
        re.compile(r"Recent SFTP access.*Delivered\s*[0-9]+ records · .*@127\.0\.0\.1")
    )
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
    expect(page.get_by_text("Never", exact=True)).to_have_count(0)
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
    [letter] = mailbox.letters
    assert "Reading Garden" in str(letter["Subject"])
    assert not re.search("Okonkwo|Amara|student-", letter.as_string())


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


def history_stays(page: Page, installation: Installation) -> None:
    """What it took is still known; nothing more is delivered."""
    page.goto(f"{installation.url}/districts/1/apps/1/access")
    expect(page.get_by_text(re.compile("[0-9]+ accesses"))).to_be_visible()
    asked = installation.rollbook("delivery", "push", "1", expect=1)
    assert "The app was removed." in asked.stdout


def not_there(client: Client, collection: str, sourced_id: str) -> None:
    with pytest.raises(requests.RequestException, match="404"):
        client.one(collection, sourced_id)


def refused(client: Client, status: str) -> None:
    with pytest.raises(requests.RequestException, match=status):
        client.read("users")
