"""Teachers and schools, in the browser: connected with credentials, schools mapped, looked at, begun, watched, and by itself from then on.

Step by step as such a product's customers are told to do it.
"""

import contextlib
import json
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.installation import Installation, fresh_installation
from tests.stories import customers
from tests.stories.customers import INES, NORA
from tests.stories.on_screen import A_WHILE, Directory, go, lists, narrow, row, signed_in, sync_now
from tests.warm import Forked

pytestmark = pytest.mark.browser
HIGH, MIDDLE, ELEMENTARY = (f"Riverbend {one} School" for one in ("High", "Middle", "Elementary"))


@dataclass(frozen=True)
class Served:
    """The installation, its worker, its address, and the credentials that the district gave."""

    installation: Installation
    worker: Forked
    url: str
    client_id: str
    secret: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with fresh_installation() as installation:
        key = json.loads(customers.make(installation, "classroom_visits"))
        with installation.serving() as url, installation.working() as worker:
            yield Served(installation, worker, url, key["id"], key["secret"])


def test_a_district_s_schools_and_teachers_from_connecting_to_the_month_s_sync(
    served: Served, browser: Browser
) -> None:
    directory = Directory(served.installation, 2)
    page = signed_in(browser, served.url, INES)
    only_whose_plan_has_it(page, signed_in(browser, served.url, NORA))
    connect(page, served)
    map_schools(page)
    look_and_correct(page, directory)
    begin_and_watch(page, served)
    what_it_came_to(page, directory)
    by_itself_and_at_once(page, directory)
    a_mistake_is_taken_back(page, directory)


def only_whose_plan_has_it(page: Page, other: Page) -> None:
    """Only for who administers a district, with a plan for the whole district."""
    page.get_by_role("link", name="Cedar Valley Schools").click()
    go(page, "Rostering")
    expect(page.get_by_text("The plan of this organization does not include rostering.")).to_be_visible()
    expect(page.get_by_role("link", name="Set up sync")).to_have_count(0)
    page.get_by_role("link", name="Other organizations").click()
    page.get_by_role("link", name="Northwind Schools").click()
    go(other, "Rostering")
    expect(other.get_by_text("Only an organization administrator can change this")).to_be_visible()
    expect(other.get_by_role("link", name="Set up sync")).to_have_count(0)
    other.context.close()


def connect(page: Page, served: Served) -> None:
    """Settings, then the roster's settings, then Connect. Credentials are asked for; a green notice says that it is connected."""
    page.get_by_label("Your account and the settings").click()
    page.locator(".avatar-menu").get_by_role("link", name="Settings").click()
    page.get_by_role("main").get_by_role("link", name="Rostering").click()
    page.get_by_role("link", name="Set up sync").first.click()
    page.get_by_role("link", name="Choose A OneRoster server").click()
    page.get_by_label("Address", exact=True).fill(served.url)
    page.get_by_label("Token address", exact=True).fill(f"{served.url}/oauth2/token")
    page.get_by_label("Client id", exact=True).fill(served.client_id)
    page.get_by_label("Client secret", exact=True).fill("not this one")
    page.get_by_text("More settings").click()
    page.get_by_label("Unencrypted", exact=True).select_option("yes")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert").first).to_contain_text("does not accept")
    page.get_by_label("Client secret", exact=True).fill(served.secret)
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("status").first).to_contain_text("Connected successfully")


def map_schools(page: Page) -> None:
    """At the left schools of other names, at the right one's own; schools of the same name are mapped. Map schools; done mapping."""
    page.get_by_role("button", name="Choose Teachers and schools").click()
    page.get_by_role("button", name="Next: read the schools").click()
    left = page.get_by_role("region", name="Schools not mapped yet")
    expect(left.get_by_role("checkbox")).to_have_count(2, timeout=A_WHILE)
    mapped = page.get_by_role("region", name="Mapped items")
    expect(mapped.get_by_role("listitem")).to_contain_text(f"{ELEMENTARY} → {ELEMENTARY}")
    expect(mapped).to_contain_text("Automatic: the same name")
    expect(left).to_contain_text(f"Will be created as {MIDDLE}.")
    for school, site in ((HIGH, "RHS Campus"), (MIDDLE, "Evening School")):
        left.get_by_role("checkbox", name=school).check()
        page.get_by_role("radio", name=site).check()
        page.get_by_role("button", name="Map schools").click()
    expect(mapped.get_by_role("listitem")).to_have_count(3)
    page.get_by_role("button", name="Done mapping").click()


def look_and_correct(page: Page, directory: Directory) -> None:
    """The preview: an X takes a school off its site, Edit leads back to the mapping. What is not mapped is created."""
    mapped = page.get_by_role("region", name="Mapped items")
    expect(mapped.get_by_role("listitem")).to_have_count(3, timeout=A_WHILE)
    mapped.get_by_role("button", name=f"Take {MIDDLE} off its site").click()
    expect(mapped).to_contain_text(f"{MIDDLE} is created", timeout=A_WHILE)
    mapped.get_by_role("link", name="Edit Mapped items").click()
    expect(page.get_by_role("region", name="Schools not mapped yet")).to_contain_text(MIDDLE)
    page.get_by_role("button", name="Done mapping").click()
    expect(mapped).to_contain_text(f"{MIDDLE} is created", timeout=A_WHILE)
    assert row(page, "Sites")[:2] == [str(directory.sites()), "1"]
    assert row(page, "Members")[0] == str(directory.members()) == "4"


def begin_and_watch(page: Page, served: Served) -> None:
    """Begin sync: a bar, with the percentage. The page may be left while it runs, and help asked for."""
    page.get_by_role("checkbox", name=re.compile("Archive 2 records too")).check()
    with standing_still(served):
        page.get_by_role("button", name="Begin sync").click()
        expect(page.get_by_role("heading", name="data is syncing")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_text("You may leave this page, close the browser")).to_be_visible()
        expect(page.get_by_role("link", name="Ask for help").first).to_be_visible()
        go(page, "Members")
        go(page, "Rostering", "See how far it is")
        expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=A_WHILE)


@contextlib.contextmanager
def standing_still(served: Served) -> Iterator[None]:
    """The worker does nothing while the block runs, and writes nothing just then."""
    for _ in range(100):
        served.worker.send_signal(signal.SIGSTOP)
        if all(is_free(file) for file in served.installation.data_dir.glob("*.db")):
            break
        served.worker.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    try:
        yield
    finally:
        served.worker.send_signal(signal.SIGCONT)


def is_free(file: object) -> bool:
    with contextlib.closing(sqlite3.connect(str(file), timeout=0.2, isolation_level=None)) as own:
        try:
            own.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        own.execute("ROLLBACK")
    return True


def what_it_came_to(page: Page, directory: Directory) -> None:
    """Schools are made, teachers added or updated by their e-mail address, whom the roster lacks is in the archive."""
    assert (directory.sites(), directory.groups(), directory.enrollments()) == (4, 0, 0)
    page.get_by_role("link", name="Look at the members").click()
    lists(page, directory.members())
    expect(page.get_by_text("Asa Lindquist")).to_have_count(0)
    expect(page.get_by_role("row", name="alindqvist")).to_contain_text("Åsa Lindqvist")
    narrow(page, "Role", "Teacher")
    lists(page, directory.members("roles LIKE '%\"teacher\"%' AND state <> 'archived'"))
    narrow(page, "Role", "All")
    for option, state in (("Active", "active"), ("Inactive", "inactive"), ("Archived", "archived")):
        narrow(page, "Status", option)
        lists(page, directory.members(f"state = '{state}'"))
    for name in ("Ola Berg", "Rolf Dahl"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
    go(page, "Members", "Emeka Okafor")
    sites = page.get_by_role("region", name="Sites")
    expect(sites).to_contain_text(MIDDLE)
    expect(sites).to_contain_text("RHS Campus")
    go(page, "Sites")
    expect(page.get_by_role("row")).to_have_count(directory.sites() + 1)
    go(page, "Rostering")
    directory.stands_on(page)


def by_itself_and_at_once(page: Page, directory: Directory) -> None:
    """After the first sync it can be set to run by itself, each month; or begun at once."""
    page.get_by_role("link", name="Set up Auto-sync").click()
    expect(page.get_by_role("radio", name="Every month")).to_be_checked()
    page.get_by_role("button", name="Set these times").click()
    expect(page.get_by_text("Auto-sync is set: Every month on day 1")).to_be_visible()
    [(kept,)] = directory.installation.rows("SELECT policy FROM store_syncconnection")
    assert json.loads(kept)["timing"]["every"] == "month"
    sync_now(page, "Nothing to do")


def a_mistake_is_taken_back(page: Page, directory: Directory) -> None:
    """Who is in the archive by mistake is taken out of it, and stays."""
    go(page, "Members")
    narrow(page, "Status", "Archived")
    page.get_by_role("link", name="Rolf Dahl").click()
    page.get_by_text("Unarchive").first.click()
    page.get_by_role("button", name="Unarchive").click()
    expect(page.get_by_text("Back, with all they were in. Syncs leave them here.")).to_be_visible()
    sync_now(page, "Nothing to do")
    go(page, "Members")
    lists(page, directory.members())
    expect(page.get_by_role("link", name="Rolf Dahl")).to_be_visible()
