"""An organization's pages answer who administers it, and are not there for anybody else."""

from pathlib import Path
from typing import NamedTuple

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.console.organization import urls
from rollbook.flows import administrators, directory, operators
from rollbook.flows.districts import add_district
from rollbook.flows.roles import Act
from rollbook.store.models import Account, Organization
from tests.console.conftest import PASSWORD
from tests.kept import kept

ROUTES = urls.organization + urls.product
ANY = {"kind": "members", "step": "source", "collection": "members", "code": "missing", "turn": "activate"}
"""What stands in the addresses of pages; where nothing is said, 1."""


class Customers(NamedTuple):
    """Two organizations of a product, the first one's administrator, and that of a district beside them."""

    northwind: Organization
    southwind: Organization
    ines: Account
    brandt: Account


def two_customers(_: Path) -> Customers:
    northwind = directory.add_organization(directory.add_product("Reader"), "Northwind Schools")
    made = administrators.employ(northwind.product, northwind, "ines@northwind.example", password=PASSWORD)
    district = add_district("Riverbend Unified School District", "America/Chicago")
    brandt = operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district).account
    southwind = directory.add_organization(northwind.product, "Southwind Schools")
    return Customers(northwind, southwind, made.account, brandt)


customers = kept(two_customers)


@pytest.fixture
def northwind(customers: Customers) -> Organization:
    return customers.northwind


@pytest.fixture
def office(customers: Customers, signed_in) -> Client:
    """A client signed in as the organization's administrator."""
    return signed_in(customers.ines)


def path_of(route, place: int) -> str:
    names = route.pattern.regex.groupindex
    return reverse(
        route.name,
        kwargs={name: ANY.get(name, 1) for name in names}
        | {"organization_id" if route in urls.organization else "product_id": place},
    )


def ask(client: Client, path: str):
    """What answers who comes to this page; a form that is sent answers to no other way of coming."""
    answer = client.get(path)
    return client.post(path) if answer.status_code == 405 else answer


@pytest.mark.parametrize("route", ROUTES, ids=[route.name for route in ROUTES])
def test_every_page_begins_by_asking_who_may(route):
    assert isinstance(route.callback.act, Act)


@pytest.mark.parametrize("route", ROUTES, ids=[route.name for route in ROUTES])
def test_strangers_and_other_administrators_do_not_get_in(
    client: Client, office: Client, northwind, customers: Customers, signed_in, route
):
    assert ask(client, path_of(route, northwind.pk)).url.startswith(reverse("account_login"))
    place = customers.southwind.pk if route in urls.organization else northwind.product_id
    assert ask(office, path_of(route, place)).status_code == 404
    assert ask(signed_in(customers.brandt), path_of(route, northwind.pk)).status_code == 404


def test_who_administers_one_organization_comes_straight_to_it(office: Client, northwind):
    assert office.get("/").url == reverse("organization", kwargs={"organization_id": northwind.pk})
    page = office.get(office.get("/").url)
    assert page.status_code == 200
    assert northwind.name in page.content.decode()


def test_who_has_left_does_not_get_in(office: Client, northwind, django_user_model):
    administrators.employ(northwind.product, northwind, "second@northwind.example")
    found = administrators.find_administrator(
        administrators.administrators_of(northwind), "ines@northwind.example"
    )
    administrators.let_go(found, found.created_at)
    assert office.get(reverse("rostering", kwargs={"organization_id": northwind.pk})).status_code == 404


def test_the_last_administrator_stays(office: Client, northwind):
    (found,) = administrators.administrators_of(northwind)
    with pytest.raises(administrators.LastAdministrator):
        administrators.let_go(found, found.created_at)


def test_a_districts_administrator_cannot_take_over_an_organizations(office: Client, northwind, district):
    operators.add_operator("ines@northwind.example", operators.DISTRICT, district)
    account = administrators.administrators_of(northwind).get().account
    with pytest.raises(operators.NotYours):
        operators.judge_reach(account, {district.pk})


def test_a_site_administrator_works_in_sites_of_the_organization(northwind):
    site = directory.add_site(northwind, "North School")
    with pytest.raises(administrators.SitesForSites):
        administrators.employ(
            northwind.product, northwind, "a@b.example", administrators.SITE, sites=[site.id + 5]
        )
    made = administrators.employ(
        northwind.product, northwind, "a@b.example", administrators.SITE, sites=[site.id]
    )
    assert made.sites == [site.id]
