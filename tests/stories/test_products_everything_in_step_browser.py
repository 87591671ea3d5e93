"""Everything in step, at the screen: support helps to begin, only the district's system changes anything, and one page shows it all."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stories.a_year import GUARDIANS, STAFF
from tests.stories.at_the_screen import (
    DESK,
    DISTRICT,
    INES,
    Story,
    a_story,
    ask_the_district,
    begin,
    done,
    found,
    has_succeeded,
    in_order,
    map_south_school,
    menu,
    number,
    preview,
    roster_of_today,
    settings_of_the_account,
    tiles,
)

pytestmark = pytest.mark.browser

EVERYBODY = {name for name, *_ in STAFF} - GUARDIANS | {f"{place}{number}" for place in "ns" for number in range(1, 7)}  # fmt: skip


@pytest.fixture(scope="module")
def story(browser: Browser) -> Iterator[Story]:
    with a_story(browser, roster_of_today()) as story:
        yield story


def test_accounts_classes_and_enrollments_follow_the_district_by_what_stands_on_the_screen(
    story: Story,
) -> None:
    _support_is_asked(story)
    _the_rostering_is_set_up(story)
    _accounts_and_classes_are_there(story)
    _a_change_in_the_districts_system_is_reflected(story)
    _nothing_is_adjusted_by_hand(story)
    _rostering_is_checked(story)
    assert story.complaints() == {}


def _support_is_asked(story: Story) -> None:
    """Their system is none of those on offer: support looks at it with them, and names the district."""
    page = story.signed_in(INES)
    to_rostering(page)
    expect(page.get_by_text("No roster is connected yet")).to_be_visible()
    page.get_by_role("link", name="Set up sync").first.click()
    page.get_by_role("link", name="Ask for help Something else").click()
    page.get_by_label("What do you need help with?").fill("Our system is called Pinecone. Can you read it?")
    page.get_by_role("button", name="Send to product support").click()
    desk = story.signed_in(DESK)
    desk.get_by_role("link", name="Answer Northwind Schools").click()
    desk.get_by_label("What the organization reads").fill(
        "Your district is here already: its Tenant ID is 1."
    )
    desk.get_by_role("button", name="Answer").click()
    to_rostering(page)
    expect(page.get_by_text("its Tenant ID is 1.")).to_be_visible()
    assert story.rows("SELECT count(*) FROM store_helprequest WHERE answered_by = 'desk@garden.example'") == [(1,)]  # fmt: skip


def _the_rostering_is_set_up(story: Story) -> None:
    """At the level of the district: its office accepts; who is there already is recognised, and the rest is created once it was looked at."""
    page = story.signed_in(INES)
    page.get_by_role("link", name="Set up sync").first.click()
    ask_the_district(story)
    page.get_by_role("button", name="Choose Everything in step").click()
    map_south_school(story)
    before, shown = story.counts(), preview(page)
    assert {kind: one["Before"] for kind, one in shown.items() if kind in before} == before
    assert {kind: (one["Created"], one["Recognised"]) for kind, one in shown.items() if kind in before} == {
        "Sites": (0, 2),
        "Members": (len(EVERYBODY) - 1, 1),
        "Classes and groups": (5, 0),
        "Enrollments": (21, 0),
    }
    assert shown["Members"]["Archived"] == 0
    expect(page.get_by_role("row").filter(has_text="South Campus → South School")).to_have_count(1)
    begin(page)
    told = done(page)
    assert (told["Classes and groups"], told["Enrollments"]) == ("5 created", "21 created")
    assert story.counts() == {kind: one["After"] for kind, one in shown.items() if kind in before}
    assert story.mapped() == {"north": "North School", "south": "South School"}


def _accounts_and_classes_are_there(story: Story) -> None:
    """Everybody but guardians, by status and role; classes with who is in them. What was made by hand is left alone."""
    page = story.signed_in(INES)
    menu(page, "Members")
    for (state, role), many in story.members().items():
        assert found(page, state=state.capitalize(), role=role.capitalize()) == many, (state, role)
    menu(page, "Members")
    for grade, many in story.rows("SELECT grade, count(*) FROM store_member WHERE grade <> '' GROUP BY 1"):
        assert found(page, grade=grade) == many == 6
    menu(page, "Classes and groups")
    rows = page.get_by_role("table", name="Classes and groups").get_by_role("row")
    taught = story.taught()
    expect(rows).to_have_count(1 + len(taught))
    for title, roles in taught.items():
        row = rows.filter(has_text=title)
        shown = [number(row.locator(f"[data-label={name}]")) for name in ("Teachers", "Pupils")]
        assert shown == [roles.total() - roles["student"], roles["student"]], title
    assert story.groups()["Chess club"] == {"ada", "olga"}
    assert {story.member(name)["state"] for name in ("ben", "n1", "pam")} == {"active"}
    assert {name for name in GUARDIANS if story.member(name)} == set()


def _a_change_in_the_districts_system_is_reflected(story: Story) -> None:
    """A pupil moves up a grade, one comes, one's account is closed, a class is new: one sync has it all. Who is missing has time."""
    roster = story.roster
    roster.put("users", "n1", grades="06")
    roster.person("n7", "student", "north", grades="05")
    roster.enroll("r5", "student", "n7")
    roster.put("users", "n6", enabledUser="false")
    roster.leave("s6")
    roster.lesson("h5", "History 5", "north", "ben", "n1 n2")
    story.delivered()
    before, page = story.counts(), story.signed_in(INES)
    to_rostering(page)
    page.get_by_role("button", name="Sync now").click()
    has_succeeded(page)
    assert done(page) == {
        "Members": "1 archived, 1 created, 1 missing: its time runs, 1 updated",
        "Classes and groups": "1 created",
        "Enrollments": "4 created",
    }
    assert story.member("n1")["grade"] == "06"
    assert [story.member(name)["state"] for name in ("n6", "n7", "s6")] == ["archived", "active", "active"]
    assert story.groups()["History 5"] == {"ben", "n1", "n2"}
    assert story.groups()["Reading 5"] == {"cid", "n4", "n5", "n7"}
    after = story.counts()
    assert (after["Members"], after["Classes and groups"]) == (before["Members"], before["Classes and groups"] + 1)  # fmt: skip


def _nothing_is_adjusted_by_hand(story: Story) -> None:
    """A pupil's page has the new grade, and from where; a class says that it is kept centrally, and offers nothing to change."""
    page = story.signed_in(INES)
    menu(page, "Members")
    assert found(page, q="n1@school.example") == 1
    page.get_by_role("link", name="N1 Ofn1").click()
    grade = page.locator(".facts > div", has=page.locator("dt", has_text="Grade"))
    expect(grade).to_contain_text("06")
    expect(grade).to_contain_text(DISTRICT)
    page.get_by_role("link", name="History 5").click()
    expect(page.get_by_text(f"kept centrally by the roster “{DISTRICT}”")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("button", name=re.compile("Put in|Take out|Save"))).to_have_count(0)  # fmt: skip
    expect(page.get_by_text("Change the title")).to_have_count(0)
    in_order(page)
    menu(page, "Members")
    assert found(page, state="Archived") == 1
    expect(page.get_by_role("link", name="N6 Ofn6")).to_be_visible()


def _rostering_is_checked(story: Story) -> None:
    """Initial, Settings, Integrations, Rostering: which district, how fresh, when next, and every figure as the database has it."""
    page = story.signed_in(INES)
    to_rostering(page)
    state = page.get_by_role("region", name="State")
    for words in (f"{DISTRICT} (Tenant ID 1)", "It keeps the directory in step", "0 holds", "0 cases"):
        expect(state).to_contain_text(words)
    expect(state.locator("div", has_text="Next sync").last).not_to_contain_text("first")
    [(taken,)] = story.rows("SELECT seats_taken FROM store_organization")
    expect(state).to_contain_text(f"{taken} of 100 bought")
    assert tiles(page) == story.counts()
    expect(page.get_by_role("region", name="Statistics of the last sync")).to_contain_text("1 archived")
    in_order(page)
    for kind in ("Sites", "Members", "Classes and groups"):
        page.locator(".tile", has_text=kind).first.click()
        assert found(page) == story.counts()[kind]
        page.go_back()


def to_rostering(page: Page) -> None:
    settings_of_the_account(page, "Settings")
    page.get_by_role("region", name="Integrations").get_by_role("link", name="Rostering").click()
