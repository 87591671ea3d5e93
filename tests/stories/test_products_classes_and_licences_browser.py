"""Classes and licences, in the browser: a district shares classrooms, support activates, seats stay free until somebody signs in.

Step by step as such a product's customers are told to do it. That a first sign-in takes a seat is shown where signing in is.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import cast
from tests.installation import Installation, fresh_installation
from tests.stories import customers
from tests.stories.customers import BRANDT, DESK, INES
from tests.stories.on_screen import A_WHILE, Directory, go, lists, narrow, row, signed_in, sync_now

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Installation, str]]:
    with fresh_installation() as installation:
        customers.make(installation, "video_studio", str(installation.data_dir / "harbour"))
        with installation.serving(worker=True) as url:
            yield installation, url


def test_a_studio_s_customer_from_the_district_s_share_to_the_next_night(
    served: tuple[Installation, str], browser: Browser, tmp_path: Path
) -> None:
    installation, url = served
    district, office, desk = (signed_in(browser, url, who) for who in (BRANDT, INES, DESK))
    northwind, harbour = Directory(installation), Directory(installation, 2)
    the_district_adds_the_app(district)
    the_customer_gives_the_tenant_id(office)
    support_activates(desk)
    the_customer_begins_the_first_sync(office, northwind)
    nobody_new_takes_a_seat(office, northwind)
    classes_are_made_and_filled(office, northwind)
    an_older_connection_is_switched(office, desk, harbour)
    teachers_and_above_are_teachers(office, northwind)
    what_changes_in_the_district_is_here_after_the_next_sync(office, northwind, tmp_path)


def the_district_adds_the_app(page: Page) -> None:
    """Open the console's Apps, and add: search for the product, let it read, choose the classrooms."""
    go(page, "Applications", "Add application")
    page.get_by_role("searchbox").fill("video")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Word Orchard")).to_have_count(0)
    page.get_by_role("link", name="Add Video Studio").click()
    page.get_by_role("radio", name="Class by class").check()
    page.get_by_role("button", name="Next").last.click()
    page.get_by_role("button", name="Tick all 19 found").click()
    page.get_by_role("checkbox", name="Español II").uncheck()
    page.get_by_role("button", name="Next", exact=True).last.click()
    page.get_by_role("switch", name="Enable now").check()
    page.get_by_role("button", name="ADD").click()
    expect(page.get_by_text("Tell the support of Video Studio your Tenant ID, 1")).to_be_visible()


def the_customer_gives_the_tenant_id(page: Page) -> None:
    """Give support the district's Tenant ID."""
    page.get_by_role("link", name="Northwind Schools").click()
    go(page, "Rostering")
    page.get_by_role("link", name="Set up sync").first.click()
    page.get_by_role("link", name="Choose A district on this server").click()
    page.get_by_label("Tenant ID").fill("1")
    page.get_by_role("button", name="Ask this district").click()
    expect(page.get_by_text("Waits for the district")).to_be_visible()


def support_activates(page: Page) -> None:
    """A support agent activates the sync for the customer."""
    go(page, "Support")
    given = page.get_by_role("region", name="A Tenant ID was given")
    expect(given.get_by_role("listitem")).to_contain_text("Northwind Schools · Tenant ID 1")
    given.get_by_role("button", name="Activate Northwind Schools").click()
    expect(page.get_by_text("The connection is active.")).to_be_visible()


def the_customer_begins_the_first_sync(page: Page, directory: Directory) -> None:
    go(page, "Rostering")
    page.get_by_role("link", name="Choose the kind of sync").click()
    page.get_by_role("button", name="Choose Classes and licences").click()
    page.get_by_role("button", name="Next: read the schools").click()
    expect(page.get_by_text("Will be created as Riverbend High School.")).to_be_visible(timeout=A_WHILE)
    page.get_by_role("button", name="Done mapping").click()
    expect(page.get_by_role("button", name="Begin sync")).to_be_visible(timeout=A_WHILE)
    kinds = ("Sites", "Members", "Classes and groups", "Enrollments")
    foretold = [int(row(page, kind)[-1]) for kind in kinds]
    assert [row(page, kind)[0] for kind in kinds] == ["1", "1", "0", "0"]
    page.get_by_role("button", name="Begin sync").click()
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=A_WHILE)
    assert foretold == [
        directory.sites(),
        directory.members(),
        directory.groups(),
        directory.enrollments(),
    ]


def nobody_new_takes_a_seat(page: Page, directory: Directory) -> None:
    """Whoever came by the sync is inactive and takes no seat. The filter of the members' page, Status: active or inactive."""
    page.get_by_role("link", name="Look at the members").click()
    lists(page, directory.members())
    expect(page.get_by_text("Seats used: 1 of 60.")).to_be_visible()
    narrow(page, "Status", "Inactive")
    lists(page, directory.members("state = 'inactive'"))
    narrow(page, "Status", "Active")
    lists(page, directory.members("state = 'active'"))
    expect(page.get_by_role("link", name="Vera Lund")).to_be_visible()
    narrow(page, "Status", "Inactive")
    page.get_by_role("link", name="Amara Okonkwo").click()
    expect(page.get_by_text("Known, and holds no seat. The first sign-in takes one.")).to_be_visible()
    assert (directory.seats(), directory.members("state = 'active'")) == (1, 1)
    page.get_by_role("button", name="Activate: take a seat").click()
    expect(page.get_by_text("Active, and holds a seat.")).to_be_visible()
    go(page, "Members")
    expect(page.get_by_text("Seats used: 2 of 60.")).to_be_visible()
    assert (directory.seats(), directory.members("state = 'active'")) == (2, 2)


def classes_are_made_and_filled(page: Page, directory: Directory) -> None:
    """Classes are made by the roster, and people put into them; assignments are not synced, and teachers are told."""
    go(page, "Classes and groups")
    lists(page, directory.groups())
    narrow(page, "Form", "Class")
    lists(page, directory.groups("state = 'active' AND form = 'class'"))
    expect(page.get_by_role("link", name="Español II")).to_have_count(0)
    page.get_by_role("link", name="Biology, Period 3").click()
    number = directory.members(
        "id IN (SELECT member_id FROM store_membership JOIN store_group ON store_group.id = group_id"
        " WHERE store_membership.organization_id = 1 AND store_group.organization_id = 1 AND code = 'SC-201-3')"
    )
    people = page.get_by_role("region", name="Who is in it")
    expect(people.get_by_role("row")).to_have_count(number + 1)
    go(page, "Rostering")
    directory.stands_on(page)
    expect(page.get_by_text("Assignments, marks and what people have made are not.")).to_be_visible()


def an_older_connection_is_switched(office: Page, desk: Page, directory: Directory) -> None:
    """One connected long ago makes groups. Its people ask support for classes instead, and support switches."""
    groups, enrollments = directory.groups(), directory.enrollments()
    office.get_by_role("link", name="Other organizations").click()
    office.get_by_role("link", name="Harbour Schools").click()
    go(office, "Classes and groups")
    narrow(office, "Form", "Group")
    lists(office, groups)
    go(office, "Rostering", "Ask for help")
    office.get_by_role("textbox").fill("We have groups, and would rather have classes.")
    office.get_by_role("button", name="Send to product support").click()

    go(desk, "Support")
    desk.get_by_role("link", name="Answer Harbour Schools").click()
    desk.get_by_label("What the organization reads").fill("They are classes from today on.")
    desk.get_by_role("button", name="Answer").click()
    desk.get_by_role("button", name="Preview a switch to classes").click()
    look_until(desk, "The switch was planned")
    desk.get_by_role("button", name="Begin this switch").click()
    look_until(desk, "Makes classes")

    go(office, "Classes and groups")
    narrow(office, "Form", "Class")
    lists(office, directory.groups("state = 'active' AND form = 'class'"))
    assert (directory.groups("form = 'class'"), directory.enrollments()) == (groups, enrollments)
    office.get_by_role("link", name="Other organizations").click()
    office.get_by_role("link", name="Northwind Schools").click()


def look_until(page: Page, words: str) -> None:
    """By the link that stands there while it waits."""
    for _ in range(100):
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(200)
        page.get_by_role("link", name="Look again").first.click()
    raise AssertionError(f"never said: {words}")


def teachers_and_above_are_teachers(page: Page, directory: Directory) -> None:
    """Teacher and above come as teachers; an administrator is made by hand, over the role of the sync."""
    go(page, "Members")
    narrow(page, "Role", "Teacher")
    lists(page, directory.members("roles LIKE '%\"teacher\"%'"))
    expect(page.get_by_role("row", name=re.compile("Ngozi Umeh"))).to_contain_text("Teacher")
    page.get_by_role("link", name="Emeka Okafor").click()
    page.get_by_text("Make administrator").first.click()
    page.get_by_role("button", name="Make administrator").click()
    expect(page.get_by_text("Is an administrator now. Syncs keep that.")).to_be_visible()


def what_changes_in_the_district_is_here_after_the_next_sync(
    page: Page, directory: Directory, folder: Path
) -> None:
    """It is synced every night. A name, a role, somebody new, somebody gone, another classroom: here after the update."""
    go(page, "Rostering", "Auto-sync")
    expect(page.get_by_role("radio", name="Every night")).to_be_checked()
    expect(page.get_by_role("region", name="The next three starts").get_by_role("listitem")).to_have_count(3)
    the_year_goes_on(directory.installation, folder)
    sync_now(page, "Succeeded")
    assert row(page, "Members") == ["5", "3 updated, 1 created, 1 archived", "0"]
    assert row(page, "Enrollments") == ["3", "2 created, 1 archived", "0"]
    go(page, "Members")
    lists(page, directory.members())
    for name, words in (
        ("Amara Okonkwo-Bell", "Student"),  # another name
        ("Seán O'Riordan", "Aide"),  # another role
        ("Noah Bergström", "Inactive"),  # new in a classroom
        ("Emeka Okafor", "Administrator"),  # whatever the roster says
    ):
        expect(page.get_by_role("row", name=re.compile(name))).to_contain_text(words)
    narrow(page, "Status", "Archived")
    lists(page, directory.members("state = 'archived'"))
    expect(page.get_by_role("link", name="Thabo Mokoena")).to_be_visible()
    go(page, "Classes and groups", "Algebra I, Period 6")
    expect(page.get_by_role("link", name="Liam Smith")).to_be_visible()
    go(page, "Rostering")
    directory.stands_on(page)


def the_year_goes_on(installation: Installation, folder: Path) -> None:
    """A marriage, another post, somebody put into a class, somebody gone, and one who changes classrooms."""
    gone = "student-044"
    into = as_another("enrollment-math-3-02", userSourcedId=cast.NOAH)
    moved = as_another("enrollment-algebra-1-06", classSourcedId="class-algebra-2")
    edits: cast.Edits = {
        "users": {cast.AMARA: {"familyName": "Okonkwo-Bell"}, gone: None},
        "roles": {
            "role-staff-009-1": {"role": "aide"},
            "role-staff-005-1": {"role": "aide"},
            "role-student-044-1": None,
        },
        "demographics": {gone: None},
        "enrollments": {
            "enrollment-advisory-m-13": None,
            "enrollment-english-8-07": None,
            "enrollment-science-8-07": None,
            "enrollment-algebra-1-06": None,
            "enrollment-algebra-2-90": moved,
            "enrollment-math-3-90": into,
        },
    }
    installation.rollbook("import", "1", str(cast.riverbend(folder, edits)), "--yes")


def as_another(enrollment: str, **values: str) -> dict[str, str]:
    row = cast.record("enrollments", enrollment) | values
    return {name: text for name, text in row.items() if name != "sourcedId"}
