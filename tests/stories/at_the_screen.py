"""What stories in a real browser share: a district with its roster, a product's customer with a directory of their own, and people at screens.

What the story presupposes is made in one process; after that everything is done by what stands on the screen. `directory` is what the
database has, to be held against what the screen says.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from playwright.sync_api import Browser, Locator, Page, expect

from rollbook.flows import administrators, apps, directory, groups, members, operators
from rollbook.flows.districts import add_district
from tests.console.conftest import PASSWORD
from tests.console.test_browser import listen, open_context, too_wide, violations
from tests.delivered import deliver as deliver_to_district
from tests.flows.sync.organizations import deliver
from tests.installation import Installation, fresh_installation
from tests.stories.a_year import Roster, two_schools

INES, BRANDT, DESK = "ines@northwind.example", "brandt@riverbend.example", "desk@garden.example"
"""The customer's office, the district's, and the product's support."""

DISTRICT, CUSTOMER, PRODUCT = "Riverbend Unified School District", "Northwind Schools", "Reading Garden"
SITES = ("North School", "South Campus", "Harbour Annex")
A_WHILE = 60_000
EXPECTED = re.compile("htmx:(sendAbort|afterRequest)|Failed to load resource: .* status of 422")
CODE = "import sys; from tests.stories.at_the_screen import fill; fill(sys.argv[1])"

KINDS = {"Sites": "site", "Members": "member", "Classes and groups": "group", "Enrollments": "membership"}


# --- What is presupposed ------------------------------------------------------------------------------------------------------------


def roster_of_today() -> Roster:
    """Two schools in a school year that today lies in."""
    made = two_schools()
    today = datetime.now(UTC).date()
    first, last = today - timedelta(100), today + timedelta(200)
    about = {"startDate": first.isoformat(), "endDate": last.isoformat(), "schoolYear": str(last.year)}
    made.put("academicSessions", "2026", **about)
    return made


def fill(package: str) -> None:
    """What the process does: `package` is the roster that the district has."""
    district = add_district(DISTRICT, "America/Chicago")
    deliver_to_district(district, Path(package))
    operators.add_operator(BRANDT, operators.DISTRICT, district, "Helen Brandt", PASSWORD)
    product = directory.add_product(PRODUCT, ["administrator", "teacher", "aide", "student"])
    directory.set_app(product, apps.add_app(PRODUCT, "Garden Ltd"))
    customer = directory.add_organization(
        product, CUSTOMER, seats=100, domains=["school.example"], time_zone="America/Chicago"
    )
    north, _south, annex = (directory.add_site(customer, name) for name in SITES)
    ada = {"given_name": "Ada", "family_name": "Lovage", "email": "ada@school.example"}
    olga = {"given_name": "Olga", "family_name": "Hand", "email": "olga@school.example"}
    known = members.add_member(customer, ada, ["teacher"], [north])
    own = members.add_member(customer, olga, ["teacher"], [annex])
    club = groups.add_group(customer, "Chess club", annex)
    groups.put_in(club, own)
    groups.put_in(club, known)
    administrators.employ(product, customer, INES, name="Ines Ruiz", password=PASSWORD)
    administrators.employ(product, None, DESK, administrators.SUPPORT, password=PASSWORD)


@dataclass
class Story:
    """One installation, and who sits before it. `roster` is the district's, as its office has it."""

    installation: Installation
    url: str
    roster: Roster
    browser: Browser
    people: dict[str, Page] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)

    # --- People ---

    def signed_in(self, email: str) -> Page:
        """Their page; the first time they come they sign in: the only address that anybody types."""
        if email not in self.people:
            page = open_context(self.browser).new_page()
            self.people[email], self.said[email] = page, listen(page)
            page.goto(f"{self.url}/sign-in")
            page.get_by_label("E-mail address").fill(email)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")
        return self.people[email]

    def delivered(self) -> None:
        """The district's office uploads the roster as it is now."""
        package = self.packed()
        page = self.signed_in(BRANDT)
        menu(page, "Imports")
        page.get_by_role("link", name="Upload a package").click()
        page.get_by_label("The zip file").set_input_files(package)
        page.get_by_role("button", name="Upload").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Import ")
        expect(page.get_by_role("main").get_by_text("Succeeded").first).to_be_visible(timeout=A_WHILE)

    def packed(self) -> Path:
        folder = self.installation.data_dir / "office"
        deliver(folder, {name: rows.values() for name, rows in self.roster.tables.items() if rows})
        return Path(shutil.make_archive(str(folder), "zip", folder))

    def complaints(self) -> dict[str, list[str]]:
        """What the browsers' consoles said; not that a form came back with words, nor that a look at progress was given up
        because its page was left.
        """
        return {
            name: told
            for name, said in self.said.items()
            if (told := [one for one in said if not EXPECTED.match(one)])
        }

    # --- What the database has ---

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.installation.rows(statement)

    def counts(self) -> dict[str, int]:
        """Of each kind what is not archived."""
        return {
            words: self.rows(f"SELECT count(*) FROM store_{table} WHERE state <> 'archived'")[0][0]
            for words, table in KINDS.items()
        }

    def members(self) -> Counter[tuple[str, str]]:
        """{(state, role): members}"""
        pairs = "SELECT state, one.value FROM store_member, json_each(store_member.roles) one"
        return Counter((state, role) for state, role in self.rows(pairs))

    def groups(self) -> dict[str, set[str]]:
        """{title: who is in it, by the address's name}, of what holds."""
        found: dict[str, set[str]] = {}
        for title, email in self.rows(
            "SELECT g.title, m.email FROM store_group g JOIN store_membership s ON s.group_id = g.id"
            " JOIN store_member m ON m.id = s.member_id"
            " WHERE g.state = 'active' AND s.state = 'active' AND m.state <> 'archived'"
        ):
            found.setdefault(title, set()).add(email.partition("@")[0])
        return found

    def taught(self) -> dict[str, Counter[str]]:
        """{title: {role in it: how many}}, of what holds."""
        found: dict[str, Counter[str]] = {}
        for title, role in self.rows(
            "SELECT g.title, s.role FROM store_group g JOIN store_membership s ON s.group_id = g.id"
            " JOIN store_member m ON m.id = s.member_id"
            " WHERE g.state = 'active' AND s.state = 'active' AND m.state <> 'archived'"
        ):
            found.setdefault(title, Counter())[role] += 1
        return found

    def member(self, name: str) -> dict[str, Any]:
        """The member whose address begins so; empty where there is none."""
        names = ("given_name", "family_name", "username", "grade", "roles", "state", "connection_id")
        found = self.rows(
            f"SELECT {', '.join(names)} FROM store_member WHERE email = '{name}@school.example'"
        )
        return dict(zip(names, found[0], strict=True)) if found else {}

    def mapped(self) -> dict[str, str]:
        """{sourcedId of a school: the site it is}"""
        return dict(
            self.rows(
                "SELECT l.source_id, s.name FROM store_link l JOIN store_site s ON CAST(s.id AS text) = l.target"
                " WHERE l.kind = 'sites' AND l.ended_at IS NULL"
            )
        )


@contextmanager
def a_story(browser: Browser, roster: Roster) -> Iterator[Story]:
    with fresh_installation() as installation:
        story = Story(installation, "", roster, browser)
        installation.python("-c", CODE, str(story.packed()))
        with installation.serving(worker=True) as url:
            story.url = url
            yield story
            for page in story.people.values():
                page.context.close()


# --- What is done at a screen ---------------------------------------------------------------------------------------------------------


def menu(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()


def settings_of_the_account(page: Page, name: str) -> None:
    """By the initial at the top right."""
    page.get_by_label("Your account and the settings").click()
    page.get_by_role("link", name=name).first.click()


def ask_the_district(story: Story) -> None:
    """From the page that offers sources: the district is asked by its Tenant ID, and its office accepts."""
    page, office = story.signed_in(INES), story.signed_in(BRANDT)
    page.get_by_role("link", name="Choose A district on this server").click()
    page.get_by_label("Tenant ID").fill("1")
    page.get_by_role("button", name="Ask this district").click()
    expect(page.get_by_text("Waits for the district")).to_be_visible()
    office.reload()
    office.get_by_role("link", name="Look at it, and answer").click()
    office.get_by_role("button", name="Accept").click()
    expect(office.get_by_text("can read as soon as the organization connects")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("status").filter(has_text="Connected successfully")).to_be_visible()


def map_south_school(story: Story) -> None:
    """From the first settings on: the schools are read; one is mapped by its name, the other by hand. Behind it stands the preview."""
    page = story.signed_in(INES)
    page.get_by_role("button", name="Next: read the schools").click()
    expect(page.get_by_role("heading", name="Schools not mapped yet")).to_be_visible(timeout=A_WHILE)
    items = page.get_by_role("region", name="Mapped items")
    expect(items.get_by_role("listitem")).to_have_count(1)
    expect(items.get_by_role("listitem")).to_contain_text("North School → North School")
    expect(items).to_contain_text("Automatic: the same name")
    page.get_by_role("checkbox", name="South School").check()
    page.get_by_role("radio", name="South Campus").check()
    page.get_by_role("button", name="Map schools").click()
    expect(page.get_by_text("Every school is mapped")).to_be_visible()
    expect(items.get_by_role("listitem").filter(has_text="South School → South Campus")).to_contain_text(INES)
    expect(page.get_by_text("No school of the roster: it is left alone.")).to_have_count(1)
    page.get_by_role("button", name="Done mapping").click()


def begin(page: Page) -> None:
    """What is shown is carried out."""
    button = page.get_by_role("button", name="Begin sync")
    expect(button).to_be_visible(timeout=A_WHILE)
    button.click()
    has_succeeded(page)


def has_succeeded(page: Page) -> None:
    ended = page.get_by_role("region", name=re.compile(r"^(Sync|Change of settings) \d"))
    expect(ended.get_by_text("Succeeded")).to_be_visible(timeout=A_WHILE)


# --- What stands on a screen ----------------------------------------------------------------------------------------------------------


def preview(page: Page) -> dict[str, dict[str, int]]:
    """{kind: {column: figure}} of what a sync would do."""
    expect(page.get_by_role("button", name="Begin sync")).to_be_visible(timeout=A_WHILE)
    rows = page.get_by_role("table", name="Before and after").get_by_role("row").all()[1:]
    found = {}
    for row in rows:
        kind, *figures = row.locator("td[data-label]").all()
        found[kind.inner_text().split("\n")[0]] = {
            one.get_attribute("data-label") or "": number(one) for one in figures
        }
    return found


def done(page: Page) -> dict[str, str]:
    """{kind: what was done, in the order of the alphabet} of a sync that has ended."""
    rows = page.get_by_role("region", name="What was done").get_by_role("row").all()[1:]
    told = [[cell.inner_text().strip() for cell in row.get_by_role("cell").all()] for row in rows]
    return {
        kind: ", ".join(sorted(" ".join(one.split()) for one in words.split(",")))
        for kind, _planned, words, _failed in told
    }


def tiles(page: Page) -> dict[str, int]:
    """{kind: figure} of the directory, on the page of a roster."""
    tiles = page.locator(".tile").all()
    return {tile.locator("span").first.inner_text(): number(tile.locator("b")) for tile in tiles}


def found(page: Page, **filters: str) -> int:
    """How many the open list says it found, by these filters (name in the form: words to be chosen)."""
    for name, words in filters.items():
        field = page.locator(f"#filters [name={name}]")
        if name == "q":
            field.fill(words)
            field.press("Enter")
            page.wait_for_url(re.compile(rf"[?&]q={re.escape(quote_plus(words))}"))
        else:
            chosen = field.select_option(label=words)[0]
            page.wait_for_url(re.compile(rf"[?&]{name}={re.escape(chosen)}"))
    said = page.locator("#found").inner_text()
    return 0 if said == "Nothing fits" else int(said.rpartition(" ")[2])


def number(place: Locator) -> int:
    return int(re.sub(r"\D", "", place.inner_text()))


def in_order(page: Page, *, width: int = 390) -> None:
    """Nothing found by axe, and no wider than the window: narrow and dark."""
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    troubles = (violations(page), max(too_wide(page), 0))
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 844})
    assert troubles == ([], 0), page.url
