"""Every refusal that somebody can meet at the members' door, by really signing in at a provider of its own process; and each is found by its
number.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PASSWORD
from tests.console.oidc import provider, sign_in_there
from tests.console.test_browser import open_context, troubles_of
from tests.console.test_sign_in_browser import administer, sign_in
from tests.installation import Installation, free_port, fresh_installation

pytestmark = pytest.mark.browser


def pupil(**said: object) -> dict[str, object]:
    return {"classLink_tenant_id": 2170, "classLink_role": "Student", "role": "student", **said}


def by_address(address: str) -> dict[str, object]:
    return pupil(email=address, email_verified=True)


def by_id(sourced_id: str, **said: object) -> dict[str, object]:
    return pupil(classLink_sourcedId=sourced_id, **said)


# Whoever is kept out goes by the code of the refusal there; who they are here stands in make_kept_out.py.
PEOPLE = {
    "pia": by_id("p1"),
    "foreign-tenant": by_id("p2", classLink_tenant_id=2171),
    "unknown": by_address("zoe@school.example"),
    "not-synced": by_id("p9"),
    "outside-scope": by_id("g1", classLink_role="Parent"),
    "archived": by_id("p4"),
    "suspended": by_id("p5"),
    "pending": by_address("penny@school.example"),
    "ambiguous": pupil(identifier="7001"),
    "role-differs": by_address("t1@school.example"),
    "second-subject": by_id("p1-2026"),
    "no-seat": by_id("p2"),
    "other-provider": by_address("p3@school.example"),
    "disabled-provider": by_id("p3"),
}
KEEPER = "Ask whoever gave you the account you signed in with, or whoever administers Riverbend."
OFFICE = "Ask your school's office whether you are in its roster, or whoever administers Riverbend."
OURS = "Ask whoever administers Riverbend."

REFUSALS = {
    "foreign-tenant": ("belongs to another school or district", KEEPER),
    "unknown": ("Nobody in this organization could be recognised", OURS),
    "outside-scope": ("in the school's roster, and not among the people", OURS),
    "archived": ("no longer a member of this organization", OURS),
    "suspended": ("Your access is suspended.", OURS),
    "pending": ("You have not been accepted into this organization yet.", OURS),
    "ambiguous": ("More than one person could be meant", OURS),
    "role-differs": ("do not agree on whether you are staff or a pupil", OURS),
    "no-seat": ("All licences of this organization are in use.", OURS),
}
LOOKED_UP = {
    "not-synced": ("after the next sync it may", OFFICE, "does not have this sourcedId"),
    "second-subject": (
        "Another sign-in of the same service is yours already.", OURS, "another sign-in of the same issuer",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Door:
    """`page` is a browser that anybody comes by, `office` that of the administrator, and `pia` what Pia read, who came first."""

    installation: Installation
    url: str
    page: Page
    office: Page
    pia: str

    def away(self, who: str, way: str = "School") -> None:
        """Somebody else, who was never here or there, comes back from the provider."""
        self.page.context.clear_cookies()
        sign_in(self.page, self.url, way, who)

    def kept_out(self, code: str, says: str, asks: str) -> str:
        """That this is what the page tells; gives the number on it."""
        expect(self.page.get_by_role("heading", name="You are not signed in")).to_be_visible()
        told = self.page.locator("main").inner_text()
        assert says in told, told
        assert asks in told.splitlines(), told
        number = self.page.locator("strong.ident").inner_text()
        found = "SELECT outcome FROM store_signinattempt WHERE reference = '{}'"
        assert self.rows(found.format(number), "reading.db") == [(code,)]
        inside = self.page.request.get(f"{self.url}/organizations/1/me", max_redirects=0)
        assert (inside.status, inside.headers["location"]) == (302, "/organizations/1/enter")
        return number

    def rows(self, statement: str, file: str = "roster.db") -> list[tuple[Any, ...]]:
        return self.installation.rows(statement, file)


@pytest.fixture(scope="module")
def door(browser: Browser) -> Iterator[Door]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with fresh_installation() as installation, contextlib.ExitStack() as stack:
        installation.python("-m", "tests.console.make_kept_out", issuer, PASSWORD)
        back = [f"{installation.url}/organizations/1/enter/{number}/callback" for number in (1, 2)]
        stack.enter_context(provider(port, PEOPLE, *back))
        url = stack.enter_context(installation.serving())
        page, office = (stack.enter_context(open_context(browser)).new_page() for _ in range(2))
        sign_in(page, url, "School", "pia")
        expect(page.get_by_role("heading", name="You are in")).to_be_visible()
        came = page.locator("main").inner_text()
        administer(office, url)
        yield Door(installation, url, page, office, came)


def test_who_comes_by_an_id_that_was_followed_by_another_is_who_they_were(door: Door):
    assert "Pia Cole" in door.pia
    assert "North School" in door.pia
    assert door.rows("SELECT rung FROM store_identity") == [("sourced-id",)]
    [[steps]] = door.rows("SELECT steps FROM store_signinattempt WHERE outcome = 'in'", "reading.db")
    assert '"former"' in steps
    assert door.rows("SELECT seats_taken FROM store_organization") == [(1,)]


@pytest.mark.parametrize("code", REFUSALS)
def test_who_is_kept_out_reads_why_whom_to_ask_and_a_number(door: Door, code: str):
    door.away(code)
    door.kept_out(code, *REFUSALS[code])


@pytest.mark.parametrize("code", LOOKED_UP)
def test_the_office_finds_by_the_number_what_happened(door: Door, code: str):
    says, asks, why = LOOKED_UP[code]
    door.away(code)
    troubles = troubles_of(door.page)
    number = door.kept_out(code, says, asks)
    office = door.office
    office.goto(f"{door.url}/organizations/1/sign-in/attempts")
    office.get_by_label("Who could not come in?").fill(number.lower())
    office.get_by_role("button", name="Search").click()
    office.get_by_role("link", name=number).click()
    expect(office.get_by_role("heading", name="Step by step")).to_be_visible()
    expect(office.get_by_text(why)).to_be_visible()
    assert troubles == []


def test_who_has_no_seat_yet_gets_none_by_a_service_that_gives_none(door: Door):
    door.away("other-provider", "Other")
    door.kept_out("other-provider", "Your first sign-in has to be by another sign-in service.", OURS)


def test_who_cancels_there_is_told_so(door: Door):
    door.page.context.clear_cookies()
    door.page.goto(f"{door.url}/organizations/1/enter")
    door.page.get_by_role("link", name="School").click()
    door.page.get_by_role("link", name="Cancel").click()
    door.kept_out("denied", "it was cancelled there, or is not allowed for you", KEEPER)


def test_a_service_that_is_switched_off_while_somebody_is_there_lets_them_in_no_more(door: Door):
    page, office = door.page, door.office
    page.context.clear_cookies()
    page.goto(f"{door.url}/organizations/1/enter")
    page.get_by_role("link", name="School").click()
    expect(page.locator("input[name=login]")).to_be_visible()
    office.goto(f"{door.url}/organizations/1/sign-in/1")
    office.get_by_role("button", name="Switch off").click()
    expect(office.get_by_text("Nobody can sign in by it any more.")).to_be_visible()
    sign_in_there(page, "disabled-provider")
    door.kept_out("disabled-provider", "This way of signing in is switched off.", OURS)
    page.goto(f"{door.url}/organizations/1/enter")
    expect(page.get_by_role("link", name="Other")).to_be_visible()
    expect(page.get_by_role("link", name="School")).to_have_count(0)
    office.get_by_role("button", name="Switch on").click()
    expect(office.get_by_text("Members can sign in by it now.")).to_be_visible()
