"""Applications: the cards, what each says of its app, and the menu that leads to its pages."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.flows import applications, apps, operators
from rollbook.flows.access_history import count
from rollbook.flows.keys import add_key
from rollbook.store.accesses import since
from rollbook.store.models import Credential, Delivery, Grant
from tests import cast
from tests.console.test_dashboard import access, text_of


@pytest.fixture
def grant(ids, district) -> Grant:
    return apps.grant_app(district, apps.add_app("Reading Garden", "Garden Ltd"), "full", [])


def path_to(route: str, grant: Grant, **rest: int) -> str:
    return reverse(route, kwargs={"tenant": grant.district_id, "grant_id": grant.pk, **rest})


def of_district(route: str, district, **rest: int) -> str:
    return reverse(route, kwargs={"tenant": district.pk, **rest})


def test_a_card_says_how_much_its_app_sees_and_what_it_took(console: Client, district, grant):
    basic = apps.grant_app(district, apps.add_app("MathTrail", "Trail Ltd"), "basic", [cast.RIVERBEND_HIGH])
    apps.disable(basic)
    for ago in (5, 60, 29 * 86_400, 31 * 86_400):
        access(grant, "users", 200, ago, seconds_ago=ago)
    text = text_of(console.get(of_district("apps", district)))
    trail, garden = (
        text[text.index("MathTrail") : text.index("Reading Garden")],
        text[text.index("Reading Garden") :],
    )
    assert "0 accesses in 30 days" in trail
    assert re.search(r"Org access LIMITED ACCESS Course access FULL ACCESS .*Never.*Never Disabled", trail)
    assert "3 accesses in 30 days" in garden
    assert count(grant, since(timezone.now())) == 3
    assert re.search(r"Org access FULL ACCESS .*Recent REST access .*Delivered 5 records .*Enabled", garden)


def test_a_card_says_how_the_last_package_by_sftp_went(console: Client, district, grant):
    for way, outcome, reason in (
        ("push", "failed", "The server does not answer."),
        ("download", "success", ""),
    ):
        Delivery.objects.create(
            district_id=district.pk, grant_id=grant.pk, way=way, version="1.2", mode="bulk",
            counts={"users.csv": 66}, outcome=outcome, reason=reason, address="sftp.garden.example",
        )  # fmt: skip
    text = text_of(console.get(of_district("apps", district)))
    assert re.search(
        r"SFTP access \S.* Not delivered 66 records · sftp.garden.example The server does not answer", text
    )
    assert "2 accesses in 30 days" in text
    assert count(grant, since(timezone.now())) == 2


def test_an_empty_list_leads_to_the_catalogue(console: Client, district):
    page = console.get(of_district("apps", district)).content.decode()
    assert "Choose an app" in page
    assert of_district("app-add", district) in page


def test_an_apps_page_leads_to_every_other(console: Client, grant):
    page = console.get(path_to("app", grant)).content.decode()
    for route in ("app-permissions", "app-optouts", "app-history", "app-edit", "app-rename", "app-remove"):
        assert f'href="{path_to(route, grant)}"' in page
        assert console.get(path_to(route, grant)).status_code == 200, route


def test_the_app_of_another_district_is_not_there(console: Client, district, elsewhere):
    other = apps.grant_app(elsewhere, apps.add_app("Other"), "full", [])
    mine = reverse("app", kwargs={"tenant": district.pk, "grant_id": other.pk})
    assert console.get(mine).status_code == 404
    assert console.get(path_to("app", other)).status_code == 404


def test_an_app_is_disabled_and_enabled(console: Client, grant):
    console.post(path_to("app-switch", grant), {"to": "off"})
    grant.refresh_from_db()
    assert not grant.enabled
    console.post(path_to("app-switch", grant), {"to": "on"})
    grant.refresh_from_db()
    assert grant.enabled


def test_a_name_of_the_districts_own_stands_beside_that_of_the_catalogue(console: Client, grant):
    console.post(path_to("app-rename", grant), {"name": "  Reading for  grade 3 "})
    text = text_of(console.get(path_to("app", grant)))
    assert "Reading for grade 3" in text
    assert "In the catalogue Reading Garden" in text
    console.post(path_to("app-rename", grant), {"name": ""})
    grant.refresh_from_db()
    assert (grant.name, grant.title) == ("", "Reading Garden")


def test_particulars_are_entered_by_hand_and_taken_from_the_catalogue_again(console: Client, grant):
    typed = {
        "from": "hand", "start_url": "https://garden.example/riverbend", "website": "", "contact_name": "Ana",
        "redirect_uris": "https://garden.example/in\r\nhttps://garden.example/back", "contact_email": "ana@garden.example",
        "instructions": "Ask for Ana.",
    }  # fmt: skip
    assert console.post(path_to("app-edit", grant), typed).status_code == 302
    grant.refresh_from_db()
    said = applications.particulars(grant)
    assert said["start_url"] == "https://garden.example/riverbend"
    assert said["redirect_uris"] == ["https://garden.example/in", "https://garden.example/back"]
    refused = console.post(path_to("app-edit", grant), typed | {"start_url": "javascript:alert(1)"})
    assert refused.status_code == 422
    assert "https://" in text_of(refused)
    console.post(path_to("app-edit", grant), {"from": "catalogue"})
    grant.refresh_from_db()
    assert grant.own == {}


def test_a_removed_app_has_no_keys_and_keeps_its_history(console: Client, district, grant):
    add_key(grant, name="nightly")
    access(grant, "users", 200, 66, seconds_ago=5)
    assert "Its key opens nothing" in text_of(console.get(path_to("app-remove", grant)))
    console.post(path_to("app-remove", grant))
    grant.refresh_from_db()
    assert (grant.enabled, grant.removed_at is None) == (False, False)
    assert not Credential.objects.filter(grant=grant, revoked_at=None).exists()
    text = text_of(console.get(of_district("apps", district)))
    assert "Apps that were removed" in text
    assert "Removed" in text_of(console.get(path_to("app", grant)))
    assert console.get(path_to("app-permissions-edit", grant)).status_code == 404
    assert path_to("app-keys", grant) not in console.get(path_to("app", grant)).content.decode()
    assert "Holds" not in text_of(console.get(path_to("app-history", grant)))
    again = apps.grant_app(district, grant.app, "full", [])
    assert again.pk != grant.pk


def test_a_school_administrator_asks_for_an_app_and_an_administrator_adds_it(
    ids, console: Client, district, signed_in
):
    app = apps.add_app("MathTrail")
    high = [cast.RIVERBEND_HIGH]
    post = operators.add_operator("delgado@riverbend.example", "school administrator", district, schools=high)
    asking = signed_in(post.account)
    page = text_of(asking.get(of_district("app-add", district)))
    assert "Ask for it" in page
    assert asking.get(of_district("app-add-one", district, app_id=app.pk)).status_code == 404
    asking.post(of_district("app-request", district, app_id=app.pk), {"why": "For grade 9"})
    text = text_of(console.get(of_district("apps", district)))
    assert re.search(
        r"MathTrail .*Asked for delgado@riverbend.example For grade 9 Org access NO ACCESS", text
    )
    assert console.get(of_district("app-add-one", district, app_id=app.pk)).status_code == 200
