"""Teachers' groups, at the screen: users created by themselves, one's groups synced again, users imported singly and many at a time."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stories.a_year import Roster
from tests.stories.at_the_screen import (
    A_WHILE,
    BRANDT,
    INES,
    PRODUCT,
    Story,
    a_story,
    ask_the_district,
    begin,
    done,
    found,
    in_order,
    map_south_school,
    menu,
    preview,
    roster_of_today,
    tiles,
)

pytestmark = pytest.mark.browser

PUPILS = {f"{place}{number}" for place in "ns" for number in range(1, 7)}


def roster() -> Roster:
    """Besides: a teacher without an address, with a class; and some (dee too) whose only class has nobody in it yet."""
    made = roster_of_today()
    made.person("eve", "teacher", "north", email="")
    made.person("n8", "student", "north", grades="05")
    made.lesson("sci", "Science 5", "north", "eve", "n8")
    for name in ("gil", "hal", "ida"):
        made.person(name, "teacher", "north")
        made.lesson(f"l-{name}", f"Lesson of {name}", "north", name)
    return made


@pytest.fixture(scope="module")
def story(browser: Browser) -> Iterator[Story]:
    with a_story(browser, roster()) as story:
        yield story


def test_teachers_get_their_accounts_and_groups_by_what_stands_on_the_screen(story: Story) -> None:
    _connect_and_create(story)
    _what_is_under_options(story)
    _one_users_groups(story)
    _by_hand_from_now_on(story)
    _one_teacher(story)
    _all_the_others(story)
    _the_districts_side(story)
    assert story.complaints() == {}


def _connect_and_create(story: Story) -> None:
    """Whoever teaches a class with pupils and has an address gets an account, named by the address, with the default role."""
    page = story.signed_in(INES)
    menu(page, "Rostering")
    page.get_by_role("link", name="Set up sync").first.click()
    ask_the_district(story)
    page.get_by_role("button", name="Choose Teachers' groups").click()
    expect(page.get_by_role("switch", name="Automatically create users")).to_be_checked()
    expect(page.get_by_label("Default role")).to_have_value("teacher")
    before = story.counts()
    assert before == {"Sites": 3, "Members": 2, "Classes and groups": 1, "Enrollments": 2}
    map_south_school(story)
    shown = preview(page)
    assert {kind: one["Before"] for kind, one in shown.items() if kind in before} == before
    assert {kind: (one["Created"], one["Recognised"]) for kind, one in shown.items() if kind in before} == {
        "Sites": (0, 2),
        "Members": (14, 1),
        "Classes and groups": (4, 0),
        "Enrollments": (19, 0),
    }
    waits = page.get_by_role("region", name="What is not done")
    expect(waits.get_by_role("listitem").filter(has_text="no e-mail address")).to_contain_text("1 record")
    begin(page)
    assert done(page)["Members"] == "1 recognised, 14 created"
    assert story.counts() == {kind: one["After"] for kind, one in shown.items() if kind in before}
    assert story.mapped() == {"north": "North School", "south": "South Campus"}
    assert story.members() == {
        ("active", "teacher"): 2,
        ("active", "student"): 12,
        ("inactive", "teacher"): 2,
    }
    assert [story.member(name) for name in ("dee", "eve", "gil", "pam")] == [{}] * 4
    assert story.member("ben")["username"] == "ben@school.example"
    assert story.member("olga")["connection_id"] == 0
    assert story.groups()["Chess club"] == {"ada", "olga"}
    assert story.groups()["Reading 5"] == {"cid", "n4", "n5", "n6"}


def _what_is_under_options(story: Story) -> None:
    """Below the statistics of the roster; the figures there are those of the database, and each is a way to the list."""
    page = story.signed_in(INES)
    menu(page, "Rostering")
    assert tiles(page) == story.counts()
    statistics = page.get_by_role("region", name="Statistics of the last sync")
    expect(statistics).to_contain_text("14 created")
    statistics.get_by_role("link", name="Settings").click()
    people = page.get_by_role("region", name="Who becomes a member")
    expect(people.locator("div", has_text="Automatically create users").first).to_contain_text("Yes")
    expect(people.locator("div", has_text="Default role").first).to_contain_text("Teacher")
    menu(page, "Members")
    for (state, role), number in story.members().items():
        assert found(page, state=state.capitalize(), role=role.capitalize()) == number, (state, role)
    menu(page, "Members")
    assert found(page, q="dee") == 0
    menu(page, "Classes and groups")
    assert found(page, form="Group") == story.counts()["Classes and groups"]
    menu(page, "Sites")
    expect(page.locator("#found")).to_have_text("1–3 of 3")


def _one_users_groups(story: Story) -> None:
    """Found by the address, queued, and told: one enrollment more. What else has changed waits."""
    roster = story.roster
    roster.enroll("m5", "student", "n4")
    roster.enroll("m6", "student", "n5")
    for name in ("gil", "hal", "ida"):
        roster.enroll(f"l-{name}", "student", "n1")
    story.delivered()
    page = story.signed_in(INES)
    options(page, "Resync")
    page.get_by_role("searchbox").fill("ada@school.example")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("radio", name=re.compile("Ada"))).to_be_checked()
    page.get_by_role("button", name="Sync selected user").click()
    changed = page.locator(".facts div", has_text="What changed")
    expect(changed).to_contain_text("Enrollments: 1 created", timeout=A_WHILE)
    assert story.groups()["Mathematics 5"] == {"ada", "n1", "n2", "n3", "n4"}
    assert "n5" not in story.groups()["Mathematics 6"]
    assert story.member("gil") == {}


def _by_hand_from_now_on(story: Story) -> None:
    """The setting is switched off: what that does is shown first, and creates nobody."""
    page = story.signed_in(INES)
    options(page, "User import")
    expect(page.get_by_role("heading", name="People come by themselves")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Settings").last.click()
    page.get_by_role("link", name=re.compile("Change.*Who becomes a member")).click()
    page.get_by_label("Automatically create users").select_option(label="No")
    page.get_by_role("button", name="Show what it would do").click()
    shown = preview(page)
    assert (shown["Members"]["Created"], shown["Enrollments"]["Created"]) == (0, 1)
    members = story.members()
    begin(page)
    assert story.members() == members
    assert "n5" in story.groups()["Mathematics 6"]


def _one_teacher(story: Story) -> None:
    """Only teachers of classes with pupils are offered. While somebody else has paused the sync, the reason stands left of the button."""
    page = story.signed_in(INES)
    options(page, "User import")
    expect(page.get_by_role("heading", name="3 people can be imported")).to_be_visible(timeout=A_WHILE)
    expect(page.get_by_role("table", name="3 people can be imported").get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("table")).not_to_contain_text("Dee")
    page.get_by_role("link", name="View Gil Ofgil").click()
    page.get_by_label("Role").select_option("aide")
    page.get_by_label("Site").select_option(label="South Campus")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Overview").last.click(modifiers=["Control"])
    colleague = opened.value
    colleague.locator("summary", has_text="Pause").click()
    colleague.get_by_role("button", name="Yes, pause").click()
    expect(colleague.get_by_text("It is paused: nothing begins by itself")).to_be_visible()
    button = page.get_by_role("button", name="Import", exact=True)
    button.click()
    wrong = page.get_by_role("alert")
    expect(wrong).to_contain_text("is not active")
    left, right = wrong.bounding_box(), button.bounding_box()
    assert left
    assert right
    assert left["x"] + left["width"] <= right["x"]
    expect(page.get_by_label("Role")).to_have_value("aide")
    in_order(page)
    colleague.get_by_role("button", name="Go on").click()
    expect(colleague.get_by_text("It goes on")).to_be_visible()
    colleague.close()
    button.click()
    expect(page.get_by_text("All of them are imported")).to_be_visible(timeout=A_WHILE)
    assert (story.member("gil")["roles"], story.member("gil")["username"]) == (
        '["aide"]',
        "gil@school.example",
    )
    page.get_by_role("region", name="Syncs of their groups").get_by_role("link").click()
    expect(page.locator(".facts div", has_text="What changed")).to_be_visible(timeout=A_WHILE)
    assert story.groups()["Lesson of gil"] == {"gil", "n1"}


def _all_the_others(story: Story) -> None:
    """Two are left; one of them got an account by hand meanwhile: the overview says of each what became of them, and why."""
    page = story.signed_in(INES)
    options(page, "User import")
    expect(page.get_by_role("heading", name="2 people can be imported")).to_be_visible(timeout=A_WHILE)
    page.get_by_role("link", name="Bulk import").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Members", exact=True).click(modifiers=["Control"])
    _add_by_hand(opened.value)
    page.get_by_role("button", name="Import users").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one person")
    page.get_by_label("Select all").check()
    page.get_by_label("Role").select_option("teacher")
    page.get_by_label("Site").select_option(label="North School")
    page.get_by_role("button", name="Import users").click()
    expect(page.get_by_text("1 person was not imported")).to_be_visible(timeout=A_WHILE)
    told = page.get_by_role("region", name="What became of each")
    failed, imported = told.get_by_role("row").all()[1:]
    expect(failed).to_contain_text("Ida")
    expect(failed).to_contain_text("Not imported")
    expect(failed).to_contain_text("Another member has this value")
    expect(imported).to_contain_text("Hal")
    expect(imported).to_contain_text("Imported")
    in_order(page)
    assert (story.member("hal")["roles"], story.member("ida")["family_name"]) == ('["teacher"]', "Elsewhere")
    page.get_by_role("region", name="Syncs of their groups").get_by_role("link").click()
    expect(page.locator(".facts div", has_text="What changed")).to_be_visible(timeout=A_WHILE)
    assert story.groups()["Lesson of hal"] == {"hal", "n1"}
    assert "Lesson of ida" not in story.groups()
    menu(page, "Rostering")
    assert tiles(page) == story.counts()


def _add_by_hand(colleague: Page) -> None:
    colleague.get_by_role("link", name="Add a member by hand").click()
    colleague.get_by_label("Given name").fill("Ida")
    colleague.get_by_label("Family name").fill("Elsewhere")
    colleague.get_by_label("E-mail address").fill("ida@school.example")
    colleague.get_by_label("Site").select_option(label="Harbour Annex")
    colleague.get_by_role("button", name="Add").click()
    expect(colleague.get_by_role("heading", name="Ida Elsewhere")).to_be_visible()
    colleague.close()


def _the_districts_side(story: Story) -> None:
    """The app stands among the district's; its office enters what the customer told them."""
    office = story.signed_in(BRANDT)
    menu(office, "Applications")
    office.get_by_role("link", name=PRODUCT, exact=True).click()
    office.get_by_role("link", name="Edit").first.click()
    office.get_by_label("Start address").fill("https://garden.example/begin")
    office.get_by_role("button", name="Save", exact=True).click()
    assert story.rows("SELECT count(*) FROM store_grant WHERE enabled") == [(1,)]


def options(page: Page, name: str) -> None:
    """One of those below the statistics of the roster."""
    menu(page, "Rostering")
    page.get_by_role("region", name="Statistics of the last sync").get_by_role("link", name=name).click()
