"""Takes the pictures of docs/screens.md that are about signing in: of the demo, with a sign-in service beside it. `script/screens` runs it.

Names on the command line say which pictures; without any, all of them are taken. It is no test: the browser's tests judge the pages.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console.oidc import CLIENT_ID, SECRET, provider, sign_in_there
from tests.console.totp import code_of
from tests.house.source import ROOT
from tests.installation import free_port, fresh_installation

FOLDER = ROOT / "docs" / "images"
WIDTH, HEIGHT, LOW = 1280, 860, 520
TEACHER, CLASS = "alindqvist", "Reading and Writing 3"
OPERATOR, ADMINISTRATOR, SUPPORTER = (
    "admin@riverbend.example",
    "rosters@riverbend.example",
    "support@quorndle.example",
)
SERVICE, HUB = "Riverbend accounts", "Rosterfield"
CONNECTING, WAITING = "Riverbend Reading Club", "Riverbend Robotics"
"""Customers that the demo does not have: one connects by signing in, one gave a Tenant ID and waits for the district."""

MEMBER = {"role": "student", "sourcedId": "student-001", "name": "Amara Okonkwo", "email_verified": True}
PEOPLE = {
    "amara": {**MEMBER, "email": "aokonkwo@students.riverbend.example"},
    "zoe": {"role": "student", "name": "Zoe Marsh", "email": "zmarsh@students.riverbend.example", "email_verified": True},
    "dana": {"classLink_tenant_id": 1, "classLink_role": "Tenant Administrator"},
    "pip": {"classLink_tenant_id": 1, "classLink_role": "Student"},
}  # fmt: skip
"""Who there is at the sign-in service, by what they type there."""


@dataclass
class Studio:
    """`url` is the server's, `card` what the demo says of itself; each picture that is `wanted` lies under its name in the folder."""

    browser: Browser
    url: str
    card: dict[str, Any]
    wanted: set[str]
    pages: dict[str, Page] = field(default_factory=dict)

    def page(self, who: str) -> Page:
        """The page of one browser; each of another person's."""
        if who not in self.pages:
            context = self.browser.new_context(
                locale="en-GB", viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
            )
            self.pages[who] = context.new_page()
        return self.pages[who]

    def works(self, email: str) -> Page:
        """The page of somebody who works in the console, signed in with the password of this start."""
        if email not in self.pages:
            self.types_password(email)
            expect(self.pages[email].get_by_role("heading", level=1)).not_to_have_text("Sign in")
        return self.pages[email]

    def types_password(self, email: str) -> None:
        page = self.page(email)
        page.goto(f"{self.url}/sign-in")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(self.password)
        page.get_by_role("button", name="Sign in", exact=True).click()

    @property
    def password(self) -> str:
        return str(self.card["operators"][0]["password"])

    def of(self, name: str) -> str:
        """The address of an organization's pages."""
        return f"{self.url}/organizations/{self.card[name]}"

    def take(self, page: Page, name: str, height: int = HEIGHT) -> None:
        """The picture is as wide as all of them; lower where there is little to see."""
        if not self.wanted or name in self.wanted:
            page.set_viewport_size({"width": WIDTH, "height": height})
            page.evaluate("document.activeElement?.blur()")
            page.screenshot(path=FOLDER / f"{name}.png", caret="hide")
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


# --- Scenes ---------------------------------------------------------------------------------------------------------------------------


def launch_pad(studio: Studio) -> None:
    """A district's people: the door, a teacher's apps and class, a badge with its PIN; and who sets it up and hands it out."""
    office, child, teacher = studio.works(OPERATOR), studio.page("child"), studio.page("teacher")
    child.goto(studio.card["signIn"]["launchPad"])
    studio.take(child, "launch-pad", 580)
    come_in(studio, teacher)
    studio.take(teacher, "launch-pad-apps", LOW)
    teacher.get_by_role("link", name=CLASS).click()
    studio.take(teacher, "launch-pad-class")
    office.goto(f"{studio.url}/districts/1/launch-pad")
    studio.take(office, "launch-pad-settings")
    office.get_by_role("link", name="Badges by class").click()
    office.locator("main").get_by_role("link", name=CLASS).click()
    office.get_by_role("button", name="Make the sheet").click()
    studio.take(office, "launch-pad-badges")
    code = office.locator(".badge-cards code").first.inner_text().replace(" ", "")
    child.goto(f"{studio.url}/launch/1/badge")
    studio.take(child, "launch-pad-badge", LOW)
    child.goto(f"{studio.url}/launch/1/badge#{code}")
    child.reload()
    expect(child.get_by_label("My secret number (PIN)")).to_be_visible()
    studio.take(child, "launch-pad-pin", LOW)


def come_in(studio: Studio, page: Page) -> None:
    who = next(one for one in studio.card["signIn"]["members"] if one["username"] == TEACHER)
    page.goto(studio.card["signIn"]["launchPad"])
    page.get_by_label("My username").fill(who["username"])
    page.get_by_label("My password").fill(who["password"])
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def own_account(studio: Studio) -> None:
    """Whoever works in the console: second steps, and where they are signed in."""
    page = studio.works(OPERATOR)
    page.goto(f"{studio.url}/account/app")
    show_oneself(studio, page)
    studio.take(page, "authenticator-app")
    page.get_by_text("It cannot be scanned").click()
    page.get_by_label("Code of six digits").fill(code_of(page.locator("#secret").inner_text()))
    page.get_by_role("button", name="Add the app").click()
    expect(page.locator("#codes li")).to_have_count(10)
    give_key(page)
    page.goto(f"{studio.url}/account/passkeys/add")
    page.get_by_label("Name, so that you know it again").fill("Computer at the office")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()
    page.goto(f"{studio.url}/account")
    studio.take(page, "sign-in-methods")
    page.goto(f"{studio.url}/account/sessions")
    studio.take(page, "sessions", LOW)
    page.get_by_role("button", name="Sign out").click()
    studio.take(page, "operator-sign-in", 720)
    studio.types_password(OPERATOR)
    expect(page.get_by_label("Code")).to_be_visible()
    studio.take(page, "second-step", 720)


def show_oneself(studio: Studio, page: Page) -> None:
    if page.get_by_label("Password").count():
        page.get_by_label("Password").fill(studio.password)
        page.get_by_role("button", name="Go on").click()


def give_key(page: Page) -> None:
    """The computer has a key that knows its user, and asks nobody."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    knows = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": key | knows})


def members_door(studio: Studio) -> None:
    """An organization's members: the door, somebody who is in and somebody who is not, and how the office finds out why."""
    member, office = studio.page("member"), studio.works(ADMINISTRATOR)
    home = studio.of("first")
    member.goto(f"{home}/enter")
    studio.take(member, "members-door", 600)
    for who, name in (("amara", "member-is-in"), ("zoe", "member-kept-out")):
        member.context.clear_cookies()
        member.goto(f"{home}/enter")
        member.get_by_role("link", name=SERVICE).click()
        sign_in_there(member, who)
        expect(member.get_by_role("heading", name=re.compile("^You are"))).to_be_visible()
        studio.take(member, name, 600)
    number = member.locator("strong.ident").inner_text()
    office.goto(f"{home}/sign-in")
    studio.take(office, "sign-in-services")
    office.get_by_role("link", name=SERVICE).click()
    studio.take(office, "sign-in-service")
    office.get_by_role("link", name="Test it").click()
    sign_in_there(office, "amara")
    expect(office.get_by_role("heading", name="Step by step")).to_be_visible()
    studio.take(office, "sign-in-tested")
    office.goto(f"{home}/sign-in/add")
    studio.take(office, "sign-in-add")
    office.goto(f"{home}/sign-in/reviews")
    studio.take(office, "sign-in-to-decide")
    office.goto(f"{home}/sign-in/attempts")
    office.get_by_label("Who could not come in?").fill("zmarsh@students.riverbend.example")
    office.get_by_role("button", name="Search").click()
    studio.take(office, "sign-in-troubleshoot")
    office.get_by_role("link", name=number).click()
    studio.take(office, "sign-in-attempt")


def own_service(studio: Studio) -> None:
    """A sign-in service for those who administer an organization."""
    page = studio.works(ADMINISTRATOR)
    page.goto(f"{studio.of('first')}/settings/own-sign-in")
    page.get_by_label("Kind").select_option("any")
    for label, text in (
        ("Issuer", studio.card["issuer"]),
        ("Client ID", CLIENT_ID),
        ("Client secret", SECRET),
    ):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()
    studio.take(page, "own-service")


def by_signing_in(studio: Studio) -> None:
    """The wizard, connected by signing in at the hub; refused first, as a pupil."""
    page = studio.works(ADMINISTRATOR)
    for who, name in (("pip", "connect-refused"), ("dana", "connect-connected")):
        page.context.clear_cookies(domain="127.0.0.1")  # nobody is signed in at the hub
        page.goto(f"{studio.of(CONNECTING)}/rostering/add")
        page.get_by_role("link", name=f"Connect {HUB}").click()
        sign_in_there(page, who)
        page.wait_for_url(f"{studio.url}/**")
        studio.take(page, name)


def products_side(studio: Studio) -> None:
    """The product's support: clients of the broker, roster hubs, and who gave a Tenant ID."""
    page = studio.works(SUPPORTER)
    product = f"{studio.url}/products/{studio.card['product']}"
    page.goto(f"{product}/sign-in")
    studio.take(page, "sign-in-clients")
    page.locator("main ul.lines a").first.click()
    studio.take(page, "sign-in-client")
    page.goto(f"{product}/support/hubs")
    studio.take(page, "roster-hubs")
    page.get_by_role("link", name=HUB).click()
    studio.take(page, "roster-hub")
    page.goto(f"{product}/support")
    studio.take(page, "support-tenant-id")


SCENES: tuple[Callable[[Studio], None], ...] = (
    launch_pad,
    members_door,
    own_service,
    by_signing_in,
    products_side,
    own_account,
)


# --- What they are taken of ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def demo() -> Iterator[tuple[str, dict[str, Any]]]:
    """The demo, served at a name, as passkeys need one; gone when the block ends. Gives its address and what it says of itself."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with fresh_installation(migrated=False) as installation:
        url = f"http://localhost:{installation.port}"
        installation.environ["ROLLBOOK_PUBLIC_URL"] = url
        for verb in (["rollbook", "migrate", "--quiet"], ["tests.house.make_screens", url, issuer]):
            said = run(verb, installation.environ)
        card = json.loads(said) | {"issuer": issuer}
        backs = [f"{url}/organizations/{card['first']}/enter/{number}/callback" for number in (1, 2, 3)]
        with provider(port, PEOPLE, f"{url}/connect/1/callback", *backs), installation.serving(worker=True):
            yield url, card


def run(module: list[str], environ: dict[str, str]) -> str:
    command = [sys.executable, "-m", *module]
    return subprocess.run(
        command, env=environ, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def main(wanted: set[str]) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright, demo() as (url, card):
        browser = playwright.chromium.launch(executable_path=program)
        studio = Studio(browser, url, card, wanted)
        for scene in SCENES:
            scene(studio)
        browser.close()


if __name__ == "__main__":
    main(set(sys.argv[1:]))
