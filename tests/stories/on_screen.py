"""Somebody at a browser who only clicks what stands on screen, and the figures of a directory as the database has them."""

import re
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PASSWORD
from tests.console.test_browser import open_context
from tests.installation import Installation

A_WHILE = 60_000
"""Milliseconds within which a sync of a small roster has long ended."""


def signed_in(browser: Browser, url: str, email: str) -> Page:
    """The only address that is typed."""
    page = open_context(browser).new_page()
    page.goto(url)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out").first).to_be_attached()
    return page


def go(page: Page, *names: str) -> None:
    """Through the menu at the side, and on by links of these names."""
    first, *others = names
    page.get_by_role("navigation", name="Main").get_by_role("link", name=first, exact=True).click()
    for name in others:
        page.get_by_role("link", name=name, exact=True).first.click()


def narrow(page: Page, label: str, option: str) -> None:
    """Until the list has come anew."""
    page.get_by_label(label, exact=True).select_option(label=option)
    expect(page.locator("#results")).not_to_have_class(re.compile("htmx-request"))


def lists(page: Page, number: int) -> None:
    """The list on the page says that it has so many."""
    words = re.compile(rf"of {number}\s*$") if number else re.compile("Nothing fits")
    expect(page.locator("#found")).to_have_text(words)


def sync_now(page: Page, outcome: str) -> None:
    """From the first page of rostering; waits until the sync has ended so."""
    go(page, "Rostering")
    page.get_by_role("button", name="Sync now").click()
    ended = page.get_by_role("region", name=re.compile("^Sync [0-9]+$"))
    expect(ended.get_by_text(outcome, exact=True)).to_be_visible(timeout=A_WHILE)


def row(page: Page, name: str) -> list[str]:
    """The figures in the row of a table that begins with this."""
    line = page.get_by_role("row").filter(has=page.get_by_role("cell", name=name, exact=True))
    return [text.strip() for text in line.get_by_role("cell").all_inner_texts()[1:]]


@dataclass(frozen=True)
class Directory:
    """An organization's directory in the database."""

    installation: Installation
    organization: int = 1

    def members(self, where: str = "state <> 'archived'") -> int:
        return self._count("member", where)

    def groups(self, where: str = "state = 'active'") -> int:
        return self._count("group", where)

    def sites(self) -> int:
        return self._count("site", "state = 'active'")

    def enrollments(self) -> int:
        """Rows of who is in what."""
        return self._count("membership", "state = 'active'")

    def seats(self) -> int:
        [(taken,)] = self.installation.rows(
            f"SELECT seats_taken FROM store_organization WHERE id = {self.organization}"
        )
        return int(taken)

    def stands_on(self, page: Page) -> None:
        """The figures of the rostering's first page are these."""
        for words, number in (
            ("Sites", self.sites()),
            ("Members", self.members()),
            ("Classes and groups", self.groups()),
            ("Enrollments", self.enrollments()),
        ):
            tile = page.get_by_role("region", name="In the directory").get_by_role(
                "link", name=re.compile(words)
            )
            expect(tile.locator("b")).to_have_text(str(number))

    def _count(self, table: str, where: str) -> int:
        [(found,)] = self.installation.rows(
            f"SELECT count(*) FROM store_{table} WHERE organization_id = {self.organization} AND {where}"
        )
        return int(found)
