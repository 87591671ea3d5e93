"""The console in a real browser: light and dark, wide and narrow, by keyboard alone, without scripts, and judged by axe."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests.cast import riverbend_zip
from tests.console.conftest import PASSWORD
from tests.engine.test_pictures import png
from tests.installation import Installation, fresh_installation

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
JUDGE = "axe.run(%s).then(found => found.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | ')))"
OF_THE_LOOK = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What the scheme of colours can change; all else was judged in the light one."""
EMAIL = "brandt@riverbend.example"
PLAIN_DAYS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (/(^|\\s)\\d{4}-\\d\\d-\\d\\d/.test(node.data) && !node.parentElement.closest("code, pre, script, style"))
      found.push(node.data.trim());
  }
  return found;
}"""
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)

PAGES = {
    "dashboard": "",
    "roster": "roster",
    "people": "roster/users",
    "people, deleted too": "roster/users?status=all&sort=-givenName",
    "nothing found": "roster/users?q=zzzz",
    "enrollments": "roster/enrollments",
    "sessions": "roster/academicSessions",
    "a person": "roster/users/1",
    "a class": "roster/classes/1",
    "a school": "roster/orgs/2",
    "manual records": "manual",
    "a person to be added": "manual/users/add",
    "somebody to be enrolled": "manual/enrollments/add?userSourcedId=student-001",
    "apps": "apps",
    "imports": "imports",
    "an import": "imports/1",
    "every change": "imports/1/changes?search=okonkwo",
    "a change": "imports/1/changes/1",
    "a delivered line": "imports/1/line?file=users.csv&line=2",
    "changes by school": "imports/1/schools",
    "changes of one school": "imports/1/changes?school=org-high",
    "a held import": "imports/2",
    "snapshots": "snapshots",
    "compare": "compare",
    "findings of an import": "imports/2/findings",
    "what findings mean": "findings",
    "what a finding means": "findings/dates-reversed",
    "upload": "upload",
    "tokens": "tokens",
    "check a package": "../../validate",
    "what findings mean, for anybody": "../../validate/findings",
    "what a finding means, for anybody": "../../validate/findings/duplicate",
    "connections": "connections",
    "a connection": "connections/1",
    "a connection to be added": "connections/add/oneroster_rest",
    "another way in": "connections/1/way/sftp_drop",
    "preparation": "connections/1/preparation",
    "a step to be added": "connections/1/preparation/add?do=map&file=users",
    "calendar": "calendar",
    "a schedule": "calendar/connections/1",
    "rehearsals": "calendar/rehearsals",
    "limits": "limits",
    "limits of people": "limits/users",
    "operators": "operators",
    "an app to be chosen": "apps/add?dev=on",
    "an app to be added": "apps/add/2",
    "an app": "apps/1",
    "permissions": "apps/1/permissions",
    "permissions for one school": "apps/2/permissions",
    "permissions under way": "apps/1/permissions/edit",
    "versions of permissions": "apps/1/history",
    "opt-outs": "apps/1/opt-outs",
    "approvals": "apps/approvals",
    "particulars of an app": "apps/1/edit",
    "an app to be renamed": "apps/1/rename",
    "an app to be removed": "apps/1/remove",
    "keys of an app": "apps/1/keys",
    "a key": "apps/1/keys/1",
    "access history": "apps/1/access",
    "e-mail developer": "apps/1/email",
    "catalogue": "../../catalogue?development=1",
    "an app of the catalogue": "../../catalogue/1",
    "who received somebody": "disclosures/1",
    "find in an app": "apps/1/find?q=okonkwo",
    "a person as an app sees them": "apps/1/find/users?id=student-001",
    "a class as an app sees it": "apps/2/find/classes?id=class-algebra-1",
    "explain": "apps/1/explain?q=guardian-001",
    "sanity check": "apps/1/sanity",
    "apps that see a person": "roster/users/1/apps",
    "packages of an app": "apps/1/export?way=push",
    "files of an app's own": "apps/1/export/files",
    "a file of an app's own": "apps/1/export/files/1",
    "a delivery": "apps/1/deliveries/1",
    "audit log": "audit",
    "settings": "settings",
}


OWN = "pupils.csv from users\nkeep enabledUser is true\nNumber = sourcedId\nSchool = primaryOrgSourcedId.name"


@dataclass(frozen=True)
class Served:
    """Riverbend, imported and served; `url` is the server's address."""

    installation: Installation
    url: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with fresh_installation() as installation:
        installation.rollbook(
            "district", "add", "Riverbend Unified School District", "--time-zone", "America/Chicago"
        )
        installation.rollbook("import", "1", str(RIVERBEND), "--yes")
        short = installation.data_dir / "short"
        shutil.copytree(RIVERBEND, short)
        rows = (short / "enrollments.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        (short / "enrollments.csv").write_text("".join(rows[:60]), encoding="utf-8")
        installation.rollbook("import", "1", str(short), "--yes", expect=3)
        installation.rollbook(
            "operator", "add", EMAIL, "--district", "1", "--password-stdin", stdin=f"{PASSWORD}\n"
        )
        installation.rollbook("app", "add", "Reading Garden", "--vendor", "Garden Ltd")
        installation.rollbook("app", "add", "MathTrail", "--vendor", "Trail Ltd")
        installation.rollbook("grant", "1", "Reading Garden", "--permission", "full")
        installation.rollbook(
            "key", "add", "1", "--oauth1", "--name", "Server", "--address", "203.0.113.0/24"
        )
        installation.rollbook("sanity", "run", "1")
        installation.rollbook("app", "add", "High School Chess")
        some = ("--permission", "basic", "--school", "org-high", "--unenrolled")
        installation.rollbook("grant", "1", "High School Chess", *some)
        own = (
            "delivery",
            "set",
            "1",
            "--way",
            "pickup",
            "--set",
            "login=reading-app",
            "--set",
            f"template={OWN}",
        )
        installation.rollbook(*own, "--secret", "password=-", stdin="correct horse battery\n")
        installation.rollbook("export", "1", str(installation.data_dir / "package.zip"))
        with installation.serving() as url:
            yield Served(installation, url)


def open_context(
    browser: Browser, scheme: str = "light", width: int = 1280, scripts: bool = True
) -> BrowserContext:
    return browser.new_context(
        locale="en-GB", color_scheme=scheme, viewport={"width": width, "height": 844}, java_script_enabled=scripts,
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Riverbend Unified School District")).to_be_visible()


def listen(page: Page) -> list[str]:
    """What the console says from now on, errors and warnings."""
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def violations(page: Page, only: dict[str, object] | None = None) -> list[str]:
    """What axe finds. Through the debugger: the pages' own policy lets no such script in."""
    session = page.context.new_cdp_session(page)
    known = session.send("Runtime.evaluate", {"expression": "typeof axe"})["result"]["value"]
    if known == "undefined":
        session.send("Runtime.evaluate", {"expression": AXE})
    judge = JUDGE % json.dumps(only or {})
    found = session.send(
        "Runtime.evaluate", {"expression": judge, "awaitPromise": True, "returnByValue": True}
    )
    session.detach()
    return found["result"]["value"]


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def test_every_page_is_in_order_wide_and_narrow_light_and_dark(served: Served, browser: Browser):
    context = open_context(browser)
    page = context.new_page()
    said = listen(page)
    page.goto(f"{served.url}/sign-in")
    troubles = {"sign-in": troubles_of(page)}
    sign_in(page, served.url)
    for name, path in PAGES.items():
        answer = page.goto(f"{served.url}/districts/1/{path}")
        assert answer is not None
        assert answer.status == 200, name
        troubles[name] = troubles_of(page) + said[:]
        said.clear()
    context.close()
    assert {name: found for name, found in troubles.items() if found} == {}


def troubles_of(page: Page) -> list[str]:
    """What axe finds in each width, in the light and in the dark, and by how much the page is wider than that."""
    found = [f"a day not written as people write it: {one}" for one in page.evaluate(PLAIN_DAYS)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        found += [f"{width}: {one}" for one in violations(page)]
        if too_wide(page) > 0:
            found.append(f"{width}: {too_wide(page)} pixels too wide")
    look_at(page, "dark")
    found += [f"dark: {one}" for one in violations(page, OF_THE_LOOK)]
    look_at(page, "light")
    return found


def look_at(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Colours that are on their way from one scheme to the other would be judged as neither."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")


@pytest.fixture
def signed_in(served: Served, browser: Browser) -> Iterator[Page]:
    context = open_context(browser)
    page = context.new_page()
    sign_in(page, served.url)
    yield page
    context.close()


def test_the_tenant_id_is_copied_and_said_aloud(signed_in: Page):
    button = signed_in.get_by_role("button", name="Copy Tenant ID")
    button.focus()
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator("#said")).to_have_text("Copied")
    assert signed_in.evaluate("navigator.clipboard.readText()") == "1"


def test_a_search_shows_what_is_found_while_typing(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/roster/users")
    box = signed_in.get_by_role("searchbox")
    box.fill("okonkwo ama")
    expect(signed_in.get_by_role("row")).to_have_count(2)
    expect(signed_in.locator("#found")).to_have_text(re.compile("1–1 of 1"))
    expect(box).to_be_focused()
    assert "q=okonkwo" in signed_in.url


def test_a_heading_sorts_without_leaving_the_page_and_says_so(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/roster/users")
    signed_in.get_by_role("link", name="Given name").click()
    heading = signed_in.get_by_role("columnheader", name="Given name")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    signed_in.get_by_role("link", name="Given name").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    signed_in.go_back()
    expect(heading).to_have_attribute("aria-sort", "ascending")


def test_demographics_appear_only_when_asked_for(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/roster/users?q=student-001")
    signed_in.get_by_role("link", name="Okonkwo").click()
    expect(signed_in.get_by_text("birthDate")).to_have_count(0)
    signed_in.get_by_role("button", name="Show demographics").click()
    expect(signed_in.get_by_text("birthDate")).to_be_visible()
    assert violations(signed_in) == []


def test_light_or_dark_is_chosen_and_kept(signed_in: Page, served: Served):
    root = signed_in.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "light")
    signed_in.get_by_label("Appearance").select_option("dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    signed_in.goto(f"{served.url}/districts/1/apps")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    expect(signed_in.get_by_label("Appearance")).to_have_value("dark")


def test_the_keyboard_alone_leads_from_signing_in_to_a_class(served: Served, browser: Browser):
    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{served.url}/sign-in")
    tab_to(page, "Email", by="type")
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Riverbend Unified School District")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page, "Roster")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Roster")).to_be_visible()
    tab_to(page, "Classes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Classes")).to_be_visible()
    tab_to(page, "Algebra I, Period 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Algebra I, Period 2")).to_be_visible()
    context.close()


def tab_to(page: Page, name: str, by: str = "text") -> None:
    """Presses Tab until what has the focus says `name` (or is an input of that type); fails when it never does."""
    read = "document.activeElement.textContent.trim()" if by == "text" else "document.activeElement.type"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(read).lower() == name.lower():
            assert outline(page) != "none", f"the focus on {name} is not seen"
            return
    raise AssertionError(f"Tab never came to {name}")


def outline(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.activeElement).outlineStyle")


def test_the_menu_of_a_small_screen_opens_and_closes_by_keyboard(served: Served, browser: Browser):
    context = open_context(browser, width=390)
    page = context.new_page()
    sign_in(page, served.url)
    menu = page.get_by_role("button", name="Menu")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("link", name="Imports")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(menu).to_be_focused()
    context.close()


def test_the_tab_of_a_page_is_in_sight_on_a_small_screen(served: Served, browser: Browser):
    context = open_context(browser, width=390)
    page = context.new_page()
    sign_in(page, served.url)
    page.goto(f"{served.url}/districts/1/apps/1/edit")
    expect(page.get_by_role("link", name="Edit", exact=True)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("heading", name="Reading Garden")).to_be_in_viewport()
    context.close()


def test_everything_works_without_scripts(served: Served, browser: Browser):
    context = open_context(browser, scheme="dark", width=390, scripts=False)
    page = context.new_page()
    sign_in(page, served.url)
    page.get_by_role("link", name="Roster", exact=True).click()
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("searchbox").fill("student-001")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Okonkwo").click()
    page.get_by_role("button", name="Show demographics").click()
    expect(page.get_by_text("birthDate")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    context.close()


def test_a_step_is_added_and_tried_on_rows_of_the_last_delivery(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/connections/1")
    signed_in.get_by_role("link", name="Preparation").click()
    signed_in.get_by_label("A further step").select_option("upper")
    signed_in.get_by_label("For the file").select_option("courses")
    signed_in.get_by_role("button", name="Add").click()
    signed_in.get_by_label("Field", exact=True).fill("title")
    signed_in.get_by_role("button", name="Add this step").click()
    signed_in.get_by_role("button", name="Try on the last delivery").click()
    expect(signed_in.get_by_text("Waiting")).to_be_visible()
    assert violations(signed_in) == []
    with served.installation.working():
        expect(signed_in.get_by_text("MATHEMATICS 3", exact=True)).to_be_visible(timeout=120_000)
    assert violations(signed_in) == []
    signed_in.get_by_role("button", name="Drop the changes").click()
    expect(signed_in.get_by_text("deliveries are taken as they come")).to_be_visible()


def test_an_invited_colleague_comes_in(signed_in: Page, served: Served, browser: Browser):
    signed_in.goto(f"{served.url}/districts/1/operators")
    signed_in.get_by_label("E-mail address").fill("tanaka@riverbend.example")
    signed_in.get_by_role("button", name="Invite").click()
    link = signed_in.locator("#password-link").inner_text()
    assert violations(signed_in) == []
    context = open_context(browser)
    page = context.new_page()
    page.goto(link)
    page.get_by_label("New Password", exact=True).fill("nine brass lanterns swing")
    page.get_by_label("New Password (again)").fill("nine brass lanterns swing")
    assert violations(page) == []
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()
    context.close()


def test_an_invited_developer_registers_an_app_and_their_pages_are_in_order(
    served: Served, browser: Browser, tmp_path: Path
):
    served.installation.rollbook("partner", "add", "Quorndle")
    invited = served.installation.rollbook("partner", "invite", "Quorndle", "ines@quorndle.example", "--json")
    (tmp_path / "logo.png").write_bytes(png())
    context = open_context(browser, "dark", 390)
    page = context.new_page()
    said = listen(page)
    page.goto(json.loads(invited.stdout)["wayIn"].split()[-1])
    page.get_by_label("New Password", exact=True).fill("nine brass lanterns swing")
    page.get_by_label("New Password (again)").fill("nine brass lanterns swing")
    page.get_by_role("button", name="Set the password").click()
    page.goto(f"{served.url}/sign-in")
    page.get_by_label("E-mail address").fill("ines@quorndle.example")
    page.get_by_label("Password").fill("nine brass lanterns swing")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Register an app").first.click()
    page.get_by_label("Name", exact=True).fill("Quorndle Reader")
    page.get_by_label("Data it needs").fill("required users.email: pupils sign in with it")
    page.get_by_label("Logo").set_input_files(tmp_path / "logo.png")
    troubles = {"register": violations(page)}
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("No district has added it yet")).to_be_visible()
    expect(page.locator(".mark", has_text="DEV")).to_be_visible()
    troubles["registered"] = violations(page)
    page.goto(f"{served.url}/partner/1/developers")
    page.get_by_label("E-mail address").fill("sol@quorndle.example")
    page.get_by_label("Product support").check()
    page.get_by_role("button", name="Invite").click()
    expect(page.locator(".mark", has_text="Product support")).to_be_visible()
    page.goto(f"{served.url}/partner/1/keys")
    page.get_by_label("Which program uses it").fill("Nightly")
    page.get_by_label("Last day it holds").last.fill("2101-12-31")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#partner-key")).to_be_visible()
    for name in ("a key", "apps", "developers", "keys"):
        if name != "a key":
            page.goto(f"{served.url}/partner/1/{name}")
        troubles[name] = violations(page) + said[:]
        if too_wide(page) > 0:
            troubles[name].append(f"{too_wide(page)} pixels too wide")
        said.clear()
    context.close()
    assert {name: found for name, found in troubles.items() if found} == {}


def test_somebody_is_enrolled_by_hand_with_the_keyboard_alone(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/manual/enrollments/add?userSourcedId=staff-008")
    said = listen(signed_in)
    signed_in.locator("#find-classSourcedId").focus()
    signed_in.keyboard.type("art studio")
    choice = signed_in.locator("#choices-classSourcedId input")
    expect(choice).to_have_count(1)
    expect(signed_in.locator("#find-classSourcedId")).to_be_focused()
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.press("Space")
    expect(choice).to_be_checked()
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.type("Teach")
    signed_in.get_by_role("button", name="Show what will change").press("Enter")
    expect(signed_in.get_by_role("heading", name="What will change")).to_be_visible()
    assert violations(signed_in) + said == []
    signed_in.get_by_role("button", name="Yes, do this").press("Enter")
    expect(signed_in.get_by_text("The record was added")).to_be_visible()
    assert violations(signed_in) == []


def test_a_package_is_uploaded_with_a_bar_and_refusals_in_words(
    signed_in: Page, served: Served, tmp_path: Path
):
    package, letter = riverbend_zip(tmp_path / "riverbend.zip"), tmp_path / "letter.zip"
    letter.write_bytes(b"a letter")
    signed_in.goto(f"{served.url}/districts/1/upload")
    signed_in.get_by_label("The zip file").set_input_files(letter)
    signed_in.get_by_role("button", name="Upload").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("This is not a zip file")
    assert violations(signed_in) == []
    signed_in.evaluate("document.getElementById('upload').dataset.limit = 10")
    signed_in.get_by_label("The zip file").set_input_files(package)
    expect(signed_in.get_by_role("alert")).to_contain_text("larger than this installation takes")
    signed_in.evaluate("document.getElementById('upload').dataset.limit = 1e9")
    signed_in.get_by_label("Only show me what would change").check()
    signed_in.get_by_role("button", name="Upload").click()
    signed_in.wait_for_url("**/imports/*")
    expect(signed_in.get_by_role("heading", name="Import", exact=False).first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_anybody_checks_a_package_and_takes_the_findings_along(
    served: Served, browser: Browser, tmp_path: Path, scripts: bool
):
    edits = {"users": {"student-001": {"enabledUser": "TRUE"}}}
    context = open_context(browser, "dark", 390, scripts)
    page = context.new_page()
    said = listen(page)
    page.goto(f"{served.url}/validate")
    page.get_by_label("The zip file").set_input_files(riverbend_zip(tmp_path / "riverbend.zip", edits))
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("heading", name="By the letter of the standard")).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Findings as CSV").first.click()
    assert "boolean-case" in Path(taken.value.path()).read_text(encoding="utf-8")
    page.get_by_text("One by one").first.click()
    expect(page.get_by_text("users.csv:").first).to_be_visible()
    assert said == []
    if scripts:
        assert violations(page) == []
        assert too_wide(page) <= 0
    context.close()


def test_a_list_is_compared_and_what_was_found_is_taken_home(signed_in: Page, served: Served, tmp_path: Path):
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("Mail,Name\nAOKONKWO@students.riverbend.example,Amara\nx@y.example,Nobody\n")
    signed_in.goto(f"{served.url}/districts/1/compare")
    signed_in.get_by_label("The list, as CSV with a heading").set_input_files(accounts)
    signed_in.get_by_role("button", name="Compare the list").press("Enter")
    expect(signed_in.get_by_role("heading", name="Compared")).to_be_visible()
    assert violations(signed_in) == []
    signed_in.set_viewport_size({"width": 390, "height": 844})
    assert too_wide(signed_in) <= 0
    with signed_in.expect_download() as taken:
        signed_in.get_by_role("link", name="1 only in what you brought").click()
    assert "Nobody" in taken.value.path().read_text(encoding="utf-8")


def test_a_blackout_is_planned_and_removed_and_a_year_is_rehearsed(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/calendar")
    next_year = datetime.now(UTC).year + 1
    signed_in.get_by_label("First day").fill(f"{next_year}-06-06")
    signed_in.get_by_label("Last day").fill(f"{next_year}-08-09")
    signed_in.get_by_label("Why").fill("Roll-over")
    signed_in.get_by_role("button", name="Put into the calendar").click()
    row = signed_in.get_by_role("row").filter(has_text="Roll-over")
    expect(row).to_contain_text("Ahead")
    assert violations(signed_in) == []
    row.get_by_text("Remove").first.click()
    row.get_by_role("button", name="Yes, remove").click()
    expect(signed_in.get_by_text("Nothing is planned")).to_be_visible()
    signed_in.get_by_role("link", name="Rehearse the roll-over").click()
    signed_in.get_by_label("As it would be on").fill(f"{next_year}-09-01")
    signed_in.get_by_role("button", name="Rehearse").click()
    left = signed_in.get_by_role("heading", name="Who would be left without a class")
    with served.installation.working():
        expect(left).to_be_visible(timeout=120_000)
    assert violations(signed_in) == []


ENQUEUE = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from pathlib import Path
from rollbook.flows.jobs import enqueue_delivery
from rollbook.flows.jobs.turns import give_turns
from rollbook.flows.progress import note
from rollbook.store.models import Connection, Run
Run.objects.filter(outcome="").update(outcome="cancelled")  # what other tests left waiting, for there is no worker here
run = enqueue_delivery(Connection.objects.get(kind="upload", district=1), Path(sys.argv[1]), "a test")
give_turns()
note(run.pk, "planning", 30, 120)
print(run.pk)
"""


def test_an_import_under_way_is_in_order_in_every_look_and_shows_its_end_by_itself(
    served: Served, browser: Browser
):
    run = served.installation.python("-c", ENQUEUE, str(RIVERBEND)).strip()
    for scheme in SCHEMES:
        context = open_context(browser, scheme)
        page = context.new_page()
        said = listen(page)
        sign_in(page, served.url)
        page.goto(f"{served.url}/districts/1/imports/{run}")
        expect(page.locator("#step")).to_have_text("Comparing with the roster")
        expect(page.get_by_text("30 of 120 rows in this step")).to_be_visible()
        assert troubles_of(page) + said == [], scheme
        if scheme == SCHEMES[-1]:
            # Nobody touches the page from here on.
            served.installation.rollbook("run", "cancel", run)
            expect(page.get_by_text("Nothing of it was applied.")).to_be_visible(timeout=20_000)
        context.close()


def test_a_sanity_check_shows_what_it_found_as_soon_as_it_is_there(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/apps/1/sanity")
    signed_in.get_by_role("button", name="Check now").click()
    expect(signed_in.get_by_text("It waits for a worker.")).to_be_visible()
    with served.installation.working():
        expect(signed_in.get_by_text("as before").first).to_be_visible(timeout=60_000)
    assert violations(signed_in) == []
    signed_in.get_by_role("link", name="class-advisory-11-12").click()
    expect(signed_in.get_by_role("heading", name="Students")).to_be_visible()


def test_a_file_of_an_apps_own_is_chosen_and_shown_as_it_will_be(signed_in: Page, served: Served):
    signed_in.goto(f"{served.url}/districts/1/apps/1/export/files")
    said = listen(signed_in)
    signed_in.get_by_label("A further file, made of").select_option("roles")
    signed_in.get_by_role("button", name="Add").click()
    signed_in.get_by_label("Name of the file").fill("seats.csv")
    signed_in.get_by_role("checkbox", name="Organization").press("Space")
    first_rows = signed_in.locator("#first-rows")
    expect(first_rows.get_by_role("columnheader", name="orgSourcedId")).to_be_visible()
    signed_in.get_by_label("A column from a file that this one refers to").select_option(
        "userSourcedId.givenName"
    )
    signed_in.get_by_role("button", name="Add the column").press("Enter")
    up = signed_in.get_by_role("button", name="Person: Given name: up")
    up.press("Enter")
    expect(signed_in.locator("#said")).to_contain_text("is now number")
    expect(up).to_be_focused()
    expect(first_rows.get_by_role("columnheader")).to_have_text(["userSourcedId.givenName", "orgSourcedId"])
    for name in ("Person: Given name", "Organization"):
        signed_in.get_by_label(f"Name in the export: {name}").fill("First name")
    add_condition_before_the_rows_come(signed_in)
    signed_in.get_by_label("Field", exact=True).select_option("role")
    signed_in.get_by_label("Value").fill("principal")
    signed_in.get_by_role("button", name="Save").press("Enter")
    expect(signed_in.get_by_role("alert")).to_contain_text("two columns called “First name”")
    assert violations(signed_in) == []
    signed_in.get_by_label("Name in the export: Organization").fill("Where")
    signed_in.get_by_label("Name in the export: Organization").press("Tab")
    expect(first_rows.get_by_role("columnheader")).to_have_text(["First name", "Where"])
    signed_in.get_by_role("button", name="Save").press("Enter")
    row = signed_in.get_by_role("row").filter(has_text="seats.csv")
    expect(row).to_contain_text("First name, Where")
    expect(row).to_contain_text("Role is “Principal”")
    assert [one for one in said if "422" not in one] + violations(signed_in) == []
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)


def add_condition_before_the_rows_come(page: Page) -> None:
    """The first rows that were asked for before are answered when the form around them is another already."""
    asked: list[Route] = []
    held = "**/export/files**"

    def hold(route: Route) -> None:
        if route.request.headers.get("hx-target") == "first-rows":
            asked.append(route)
        else:
            route.continue_()

    page.route(held, hold)
    with page.expect_request(lambda one: one.headers.get("hx-target") == "first-rows"):
        page.get_by_label("Name of the file").focus()
    page.get_by_role("button", name="Add a condition").press("Enter")
    expect(page.get_by_label("Field", exact=True)).to_be_visible()
    with page.expect_response(lambda one: one.request.headers.get("hx-target") == "first-rows"):
        for route in asked:
            route.continue_()
    page.unroute(held)


def test_the_way_to_an_app_is_tested_by_a_worker_and_the_page_shows_what_it_found(
    signed_in: Page, served: Served
):
    signed_in.goto(f"{served.url}/districts/1/apps/1/export")
    signed_in.get_by_role("button", name="Test connection").click()
    expect(signed_in.locator("#step")).to_have_text("It waits for a worker.")
    assert violations(signed_in) == []
    with served.installation.working():
        expect(signed_in.get_by_text("can sign in with its password")).to_be_visible(timeout=60_000)
    assert violations(signed_in) == []
