"""Sign-in clients in the console and on the command line: whose they are, shown once, and what is refused in words."""

import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.engine.broker.telling import TELLS, USUAL
from rollbook.flows import administrators, partners
from rollbook.flows.apps import add_app
from rollbook.flows.broker import clients, keys
from rollbook.flows.directory import add_product, set_app
from rollbook.store.models import Account, AuditEntry, Product, SignInClient
from tests.command import rollbook
from tests.console.test_broker import quick_keys

__all__ = ["quick_keys"]

FORM = {
    "name": "Reader web",
    "redirect_uris": "https://r.example/a\nhttps://r.example/b",
    "tell": ["name", "roles"],
}


@pytest.fixture
def product(db) -> Product:
    return add_product("Reader")


@pytest.fixture
def support(product: Product, client: Client) -> Client:
    administrators.employ(product, None, "sam@reader.example", administrators.SUPPORT)
    client.force_login(Account.objects.get(email="sam@reader.example"), "allauth.account.auth_backends.AuthenticationBackend")  # fmt: skip
    return client


def words(answer) -> str:
    return " ".join(re.sub("<[^>]+>", " ", answer.content.decode()).split())


def test_support_adds_a_client_and_sees_its_secret_once(support, product):
    first = support.get(reverse("product-sign-in", args=[product.pk]))
    assert "Add the first" in words(first)
    made = support.post(reverse("product-sign-in-add", args=[product.pk]), FORM)
    (one,) = clients.clients(product)
    secret = re.search(r'id="client-secret">([^<]+)<', made.content.decode()).group(1)
    assert clients.has_secret(one, secret, one.created_at)
    assert (one.name, one.redirect_uris, one.tells) == (
        "Reader web",
        FORM["redirect_uris"].split(),
        ["name", "roles"],
    )
    page = support.get(reverse("product-sign-in-client", args=[product.pk, one.client_id]))
    assert secret not in page.content.decode()
    logged = "".join(AuditEntry.objects.values_list("after", flat=True))
    assert one.client_id in "".join(AuditEntry.objects.values_list("object", flat=True))
    assert secret not in logged


def test_what_cannot_be_is_said_and_what_was_typed_stays(support, product):
    typed = FORM | {"redirect_uris": "http://r.example/a"}
    refused = support.post(reverse("product-sign-in-add", args=[product.pk]), typed)
    assert refused.status_code == 422
    assert "begins with https://" in words(refused)
    assert "http://r.example/a" in words(refused)
    assert not clients.clients().exists()


def test_a_client_gets_another_secret_and_is_revoked(support, product):
    one = clients.add_client(product).client
    renewed = support.post(
        reverse("product-sign-in-renew", args=[product.pk, one.client_id]), {"hours": "24"}
    )
    assert "former secret holds until" in words(renewed)
    support.post(reverse("product-sign-in-revoke", args=[product.pk, one.client_id]))
    assert not clients.clients(product).exists()
    assert support.get(reverse("product-sign-in-client", args=[product.pk, one.client_id])).status_code == 404
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert {"sign_in_client.add", "sign_in_client.renew", "sign_in_client.revoke"} <= acts


def test_nobody_of_another_product_finds_it(support, product):
    other = add_product("Other")
    one = clients.add_client(other).client
    assert support.get(reverse("product-sign-in", args=[other.pk])).status_code == 404
    assert support.get(reverse("product-sign-in-client", args=[product.pk, one.client_id])).status_code == 404


def test_a_partners_developer_keeps_the_clients_of_its_apps_whose_redirects_stand_with_the_app(db, client):
    partner = partners.add_partner("Garden Ltd")
    app = add_app("Garden")
    app.partner, app.redirect_uris = partner, ["https://garden.example/in"]
    app.save()
    partners.employ(partner, "dev@garden.example")
    client.force_login(Account.objects.get(email="dev@garden.example"), "allauth.account.auth_backends.AuthenticationBackend")  # fmt: skip
    page = client.get(reverse("partner-sign-in", args=[partner.pk, app.pk]))
    assert "https://garden.example/in" in words(page)
    made = client.post(reverse("partner-sign-in-add", args=[partner.pk, app.pk]), {"tell": ["roles"]})
    assert "shown only now" in words(made)
    (one,) = clients.clients(app=app)
    assert clients.redirects_of(one) == ["https://garden.example/in"]
    with pytest.raises(clients.RedirectsElsewhere):
        clients.edit_client(one, redirect_uris=["https://elsewhere.example/in"])


def test_who_keeps_the_catalogue_keeps_the_clients_of_apps_without_a_partner(
    installer, administrator, signed_in
):
    app = add_app("Garden")
    app.redirect_uris = ["https://garden.example/in"]
    app.save()
    operator, pages = signed_in(installer), reverse("catalogue-sign-in", args=[app.pk])
    assert pages in operator.get(reverse("catalogue-entry", args=[app.pk])).content.decode()
    assert "https://garden.example/in" in words(operator.get(pages))
    made = operator.post(f"{pages}/add", {"logout_uri": "https://garden.example/out", "tell": ["roles"]})
    assert "shown only now" in words(made)
    (one,) = clients.clients(app=app)
    assert (clients.redirects_of(one), one.logout_uri) == (app.redirect_uris, "https://garden.example/out")
    assert "former secret holds until" in words(
        operator.post(f"{pages}/{one.client_id}/renew", {"hours": "1"})
    )
    assert operator.post(f"{pages}/{one.client_id}/revoke").url == pages
    assert not clients.clients(app=app).exists()
    assert signed_in(administrator).get(pages).status_code == 404
    app.partner = partners.add_partner("Garden Ltd")
    app.save()
    assert operator.get(pages).status_code == 404
    assert pages not in operator.get(reverse("catalogue-entry", args=[app.pk])).content.decode()


def test_the_redirects_of_a_product_that_is_an_app_are_the_apps(product):
    app = add_app("Reader")
    app.redirect_uris = ["https://reader.example/in"]
    app.save()
    set_app(product, app)
    one = clients.add_client(product).client
    assert clients.redirects_of(one) == ["https://reader.example/in"]
    assert clients.client_of(app) == one


def test_the_commands_do_the_same(product):
    made = json.loads(rollbook("broker", "add", "--product", "Reader", "--redirect", "https://r.example/a", "--json").stdout)  # fmt: skip
    assert set(made) == {"issuer", "clientId", "clientSecret"}
    rollbook("broker", "change", made["clientId"], "--tell", "email", "--hears", "https://r.example/out")
    (row,) = json.loads(rollbook("broker", "list", "--json").stdout)
    assert (row["tells"], row["logoutUri"]) == (["email"], "https://r.example/out")
    again = json.loads(rollbook("broker", "renew-secret", made["clientId"], "--json").stdout)
    assert again["clientSecret"] != made["clientSecret"]
    rotated = json.loads(rollbook("broker", "rotate-keys", "--json").stdout)
    listed = json.loads(rollbook("broker", "keys", "--json").stdout)
    assert next(one["kid"] for one in listed) == rotated["kid"]
    assert json.loads(rollbook("broker", "describe", "--json").stdout)["issuer"] == made["issuer"]
    rollbook("broker", "revoke", made["clientId"])
    assert json.loads(rollbook("broker", "list", "--json").stdout) == []
    assert json.loads(rollbook("broker", "notices", "--json").stdout) == []


def test_the_tables_hold_no_secret_in_clear(product):
    made = clients.add_client(product)
    kept = SignInClient.objects.values_list("secret", flat=True).get()
    assert made.secret not in kept
    assert keys.SigningKey.objects.get().public.keys() == {"kty", "use", "alg", "kid", "n", "e"}
    assert set(USUAL) < set(TELLS)
