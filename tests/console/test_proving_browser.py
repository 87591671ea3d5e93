"""Connecting by sign-in in a real browser, with real redirects to a provider that is a process of its own; and one wizard, both ways round."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.connectors.provider import LISTING, PARTNER_KEY, Provider, serving
from tests.connectors.test_partner_listing import listed
from tests.console.connecting_up import INES, OTTO, customers_in
from tests.console.oidc import CLIENT_ID, SECRET, provider, sign_in_there
from tests.console.test_browser import troubles_of
from tests.console.test_setting_up_browser import sign_in
from tests.installation import Installation, free_port, fresh_installation

pytestmark = pytest.mark.browser

WORKS, LEARNS = {"classLink_role": "Tenant Administrator"}, {"classLink_role": "Student"}
PEOPLE = {
    "dana": {**WORKS, "classLink_tenant_id": 42},
    "olga": {**WORKS, "classLink_tenant_id": 43},
    "pip": {**LEARNS, "classLink_tenant_id": 42},
}


@dataclass(frozen=True)
class Served:
    installation: Installation
    url: str
    issuer: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    hub = Provider(version="1.1", prefix=f"{LISTING}/7", listing=[listed(42), listed(43)])
    with fresh_installation() as installation, contextlib.ExitStack() as beside:
        beside.enter_context(serving(hub))
        customers_in(installation, issuer, f"http://127.0.0.1:{hub.port}{LISTING}", PARTNER_KEY)
        backs = ["connect/1/callback", *(f"organizations/2/enter/{number}/callback" for number in (1, 2))]
        beside.enter_context(provider(port, PEOPLE, *(f"{installation.url}/{one}" for one in backs)))
        with installation.serving() as url:
            yield Served(installation, url, issuer)


def begin(page: Page, served: Served, organization: int) -> None:
    page.goto(f"{served.url}/organizations/{organization}/rostering/add")
    page.get_by_role("link", name="Connect School").click()


def test_roster_first_a_pupil_and_who_cancels_are_told_and_then_sign_in_follows(
    served: Served, browser: Browser
):
    page = sign_in(browser, served.url, INES).page
    troubles = {}
    page.goto(f"{served.url}/organizations/1/rostering/add")
    troubles["sources"] = troubles_of(page)
    begin(page, served, 1)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("it was cancelled there")).to_be_visible()
    troubles["refused"] = troubles_of(page)

    page.get_by_role("link", name="Try again").click()
    sign_in_there(page, "pip")
    expect(page.get_by_text("You signed in there as a pupil.")).to_be_visible()
    assert served.installation.rows("SELECT count(*) FROM store_syncconnection") == [(0,)]

    sign_out_there(page, served)
    begin(page, served, 1)
    sign_in_there(page, "dana")
    expect(page.get_by_role("status").filter(has_text="Connected successfully")).to_be_visible()
    page.get_by_role("button", name="Choose Classes and licences").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Waiting for activation.")).to_be_visible()
    troubles["offer"] = troubles_of(page)

    page.get_by_role("link", name="Set up sign-in").click()
    for label, known in (("Issuer", served.issuer), ("Client ID", CLIENT_ID), ("Tenants, one a line", "42")):
        expect(page.get_by_label(label)).to_have_value(known)
    expect(page.get_by_label("Goes with the roster")).to_have_value("1")
    troubles["filled in"] = troubles_of(page)
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Members can sign in by it now.")).to_be_visible()
    rows = served.installation.rows("SELECT issuer, connection_id, is_active FROM store_identityprovider")
    assert [(issuer, roster, bool(is_on)) for issuer, roster, is_on in rows] == [(served.issuer, 1, True)]

    page.get_by_role("button", name="Switch off").click()
    page.goto(f"{served.url}/organizations/1/enter/1")
    expect(page.get_by_text("This way of signing in is switched off.")).to_be_visible()
    assert {name: found for name, found in troubles.items() if found} == {}


def sign_out_there(page: Page, served: Served) -> None:
    """Its sessions are forgotten, and ours stays."""
    for one in ("s", "i", "r"):
        page.context.clear_cookies(name=f"{one}{served.issuer.rpartition(':')[2]}")


def test_sign_in_first_the_wrong_district_is_refused_and_who_is_signed_in_there_is_connected_at_once(
    served: Served, browser: Browser
):
    page = sign_in(browser, served.url, OTTO).page
    page.goto(f"{served.url}/organizations/2/sign-in/add/classlink")
    for label, typed in (
        ("Name", "School"), ("Issuer", served.issuer), ("Client ID", CLIENT_ID), ("Client secret", SECRET), ("Tenants, one a line", "43"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(typed)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Also bring its roster")).to_be_visible()
    troubles = {"offer": troubles_of(page)}
    service = page.url
    page.get_by_role("link", name="Connect School").click()
    sign_in_there(page, "dana")
    expect(page.get_by_text("for another district than the one")).to_be_visible()

    sign_out_there(page, served)
    tab = page.context.new_page()
    tab.goto(service)
    tab.get_by_role("link", name="Test it").click()
    sign_in_there(tab, "olga")
    expect(tab.get_by_role("heading", name="Step by step")).to_be_visible()
    page.goto(service)
    page.get_by_role("link", name="Connect School").click()
    expect(page.get_by_role("status").filter(has_text="Connected successfully")).to_be_visible()
    page.goto(service)
    expect(page.get_by_label("Goes with the roster")).not_to_have_value("")
    expect(page.get_by_role("heading", name="Also bring its roster")).to_have_count(0)
    assert {name: found for name, found in troubles.items() if found} == {}
