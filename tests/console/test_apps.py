"""Applications: the cards, what each says of its app, and the menu that leads to its pages."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.flows import apps
from rollbook.store.models import Grant
from tests import cast
from tests.console.test_dashboard import access, text_of


@pytest.fixture
def grant(ids, district) -> Grant:
    return apps.grant_app(district, apps.add_app("Reading Garden", "Garden Ltd"), "full", [])


def path_to(route: str, grant: Grant) -> str:
    return reverse(route, kwargs={"tenant": grant.district_id, "grant_id": grant.pk})


def test_a_card_says_how_much_its_app_sees_and_what_it_took(console: Client, district, grant):
    basic = apps.grant_app(district, apps.add_app("MathTrail", "Trail Ltd"), "basic", [cast.RIVERBEND_HIGH])
    apps.disable(basic)
    for ago in (5, 60, 29 * 86_400, 31 * 86_400):
        access(grant, "users", 200, ago, seconds_ago=ago)
    text = text_of(console.get(reverse("apps", kwargs={"tenant": district.pk})))
    cards = {words.split()[0]: words for words in re.split(r"(?=MathTrail|Reading Garden)", text)}
    assert "Reading Garden Garden Ltd 3 accesses in 30 days" in text
    assert re.search(
        r"FULL ACCESS .* Recent REST access .* Delivered .* Recent SFTP access Never .*Enabled", text
    )
    assert "LIMITED ACCESS" in text
    assert "Disabled" in text
    assert cards


def test_an_apps_page_leads_to_every_other(console: Client, grant):
    page = console.get(path_to("app", grant)).content.decode()
    assert "Reading Garden" in page
    assert "Org access" in page


def test_the_app_of_another_district_is_not_there(console: Client, elsewhere):
    other = apps.grant_app(elsewhere, apps.add_app("Other"), "full", [])
    mine = path_to("app", other).replace(f"/{elsewhere.pk}/", "/1/", 1)
    assert console.get(mine).status_code == 404
    assert console.get(path_to("app", other)).status_code == 404
