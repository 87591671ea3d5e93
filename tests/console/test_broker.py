"""The broker as a product's server and a browser meet it: codes, tokens, ends; each line of the table in docs/reference/openid-connect.md."""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jws import JWS

from rollbook.connectors.openid_connect.server import forget_servers
from rollbook.flows import members
from rollbook.flows.broker import addresses, clients, keys, visits
from rollbook.flows.broker.subjects import MEMBER
from rollbook.flows.directory import add_organization, add_product, add_site
from rollbook.flows.signing_in import entering, identities, providers
from rollbook.store.models import (
    Identity,
    IdentityProvider,
    Link,
    LogoutNotice,
    Member,
    Organization,
    SignInClient,
    SignInCode,
    SigningKey,
    SyncConnection,
    Visit,
    VisitToken,
)
from tests.connectors.identity import replayed

BACK, OUT = "https://reader.example/back?from=rollbook", "https://reader.example/bye"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PAIR = JWK.generate(kty="RSA", size=2048, use="sig", alg="RS256", kid="tests")


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch):
    """Keys of 2048 bits take their time to be found: the tests share one, under another name each time."""

    def generate(**about):
        return JWK(**{**PAIR.export(as_dict=True), "kid": about["kid"]})

    monkeypatch.setattr(keys.JWK, "generate", staticmethod(generate))


@pytest.fixture
def organization(db) -> Organization:
    return add_organization(add_product("Reader"), "Riverbend", domains=["school.example"])


@pytest.fixture
def way(organization: Organization) -> IdentityProvider:
    roster = SyncConnection.objects.create(organization=organization, name="District", source_kind="rest")
    about = {"name": "School", "issuer": "https://idp.example", "client_id": "x", "connection": roster}
    return providers.switch(providers.add_provider(organization, "any", **about), True)


@pytest.fixture
def ana(organization: Organization, way: IdentityProvider) -> Member:
    fields = {
        "given_name": "Ana",
        "family_name": "Silva",
        "email": "ana@school.example",
        "username": "asilva",
    }
    made = members.add_member(organization, fields, ["student"], [add_site(organization, "North School")])
    Link.objects.create(
        organization=organization, connection=way.connection, kind="members", source_id="u1", target=str(made.id),
        linked_at=datetime.now(UTC),
    )  # fmt: skip
    return made


@dataclass
class Reader:
    """A product's server, and what it keeps of a sign-in that is under way."""

    client: SignInClient
    secret: str
    browser: Client
    verifier: str = ""
    nonce: str = ""
    state: str = ""

    def address(self, **other) -> str:
        self.verifier, self.nonce, self.state = (secrets.token_urlsafe(48) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code", "client_id": self.client.client_id, "redirect_uri": BACK, "scope": "openid profile",
            "state": self.state, "nonce": self.nonce, "code_challenge": challenge.decode(), "code_challenge_method": "S256",
        } | other  # fmt: skip
        return f"/openid/authorize?{urlencode({name: one for name, one in asked.items() if one is not None})}"

    def ask(self, **other):
        return self.browser.get(self.address(**other))

    def answer(self, **other) -> dict[str, str]:
        """What the browser brings back."""
        gone = self.ask(**other)
        assert gone.status_code == 302, gone.content.decode()
        assert gone["Location"].startswith(BACK), gone["Location"]
        return {name: one[0] for name, one in parse_qs(urlsplit(gone["Location"]).query).items()}

    def post(self, secret: str = "", **form):
        pair = base64.b64encode(f"{self.client.client_id}:{secret or self.secret}".encode()).decode()
        return sent("/openid/token", form, {"Authorization": f"Basic {pair}"})

    def exchange(self, code: str, **other):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": self.verifier} | other  # fmt: skip
        return self.post(**form)

    def refresh(self, token: str):
        return self.post(grant_type="refresh_token", refresh_token=token)

    def enter(self, **other) -> dict[str, str]:
        answer = self.exchange(self.answer(**other)["code"])
        assert answer.status_code == 200, answer.content
        return answer.json()


@pytest.fixture
def reader(organization: Organization, client: Client) -> Reader:
    about = {
        "redirect_uris": [BACK],
        "post_logout_uris": [OUT],
        "tells": ["name", "roles", "sites", "sourced-id"],
    }
    made = clients.add_client(product=organization.product, **about)
    return Reader(made.client, made.secret, client)


@pytest.fixture
def inside(reader: Reader, ana: Member, way: IdentityProvider) -> Identity:
    """Ana is in at the members' door, in this browser."""
    return come_in(reader.browser, way, ana)


def come_in(browser: Client, way: IdentityProvider, member: Member, at: float = 0) -> Identity:
    said = {"iss": way.issuer, "sub": f"s{member.id}", "sourcedId": "u1"}
    entered = entering.enter(way, said, datetime.now(UTC))
    assert entered.is_in
    browser.force_login(entered.account, BACKEND)
    session = browser.session
    session[MEMBER] = {
        "organization": member.organization_id,
        "identity": entered.identity.pk,
        "at": int(at or time.time()),
    }
    session.save()
    return entered.identity


def sent(address: str, form: dict[str, str], headers: dict[str, str] | None = None):
    """A form as servers send it."""
    kind = "application/x-www-form-urlencoded"
    return Client().post(address, urlencode(form), content_type=kind, headers=headers or {})


def claims_in(token: str) -> dict:
    """Verified by what is published, as a product verifies."""
    published = JWKSet.from_json(json.dumps(Client().get("/openid/keys").json()))
    proof = JWS()
    proof.deserialize(token)
    proof.verify(published.get_key(proof.jose_header["kid"]))
    return json.loads(proof.payload)


def about(token: str):
    return Client().get("/openid/userinfo", headers={"Authorization": f"Bearer {token}"})


# --- What is told -------------------------------------------------------------------------------------------------------------------


def test_who_is_in_already_comes_at_once_and_the_token_tells_what_the_client_may_know(
    reader, inside, ana, organization
):
    back = reader.answer()
    assert (back["state"], back["iss"], back["from"]) == (reader.state, addresses.issuer(), "rollbook")
    given = reader.exchange(back["code"]).json()
    claims = claims_in(given["id_token"])
    site = ana.organization.pk
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (
        addresses.issuer(),
        reader.client.client_id,
        reader.nonce,
    )
    assert claims["sub"] == f"{site}.{ana.id}"
    assert claims["organization"] == {"id": str(organization.pk), "name": "Riverbend"}
    assert (claims["member_id"], claims["sourcedId"], claims["role"]) == (str(ana.id), "u1", "student")
    assert [one["name"] for one in claims["sites"]] == ["North School"]
    assert (claims["name"], claims.get("email")) == ("Ana Silva", None)
    told = about(given["access_token"]).json()
    assert told == {name: claims[name] for name in told}
    assert {"sub", "name", "organization"} <= set(told)
    posted = Client().post("/openid/userinfo", headers={"Authorization": f"Bearer {given['access_token']}"})
    assert posted.json() == told


def test_the_highest_role_is_the_role(reader, inside, ana):
    Member.objects.update(roles='["student", "aide", "teacher"]')
    claims = claims_in(reader.enter()["id_token"])
    assert (claims["role"], claims["roles"]) == ("teacher", ["teacher", "aide", "student"])


def test_an_address_is_told_where_the_client_may_know_it_and_asks_for_it(reader, inside):
    clients.edit_client(reader.client, tells=["email"])
    assert "email" not in claims_in(reader.enter()["id_token"])
    claims = claims_in(reader.enter(scope="openid email profile")["id_token"])
    assert claims["email"] == "ana@school.example"
    assert {"name", "role", "sites", "sourcedId"}.isdisjoint(claims)


def test_the_issuer_describes_itself_and_publishes_no_private_part(reader):
    told = Client().get("/openid/.well-known/openid-configuration").json()
    assert told["issuer"] == addresses.issuer()
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert all(told[name].startswith(f"{addresses.issuer()}/") for name in addresses.ENDPOINTS)
    (key,) = Client().get("/openid/keys").json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}


# --- What is refused ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"redirect_uri": "https://reader.example/back"}, "invalid_request"),
        ({"redirect_uri": BACK + "&more=1"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"client_id": "signin-nobody"}, "invalid_request"),
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(reader, inside, other, error):
    refused = reader.ask(**other)
    assert refused.status_code == 400
    assert error in refused.content.decode()
    assert "Location" not in refused


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unauthorized_client"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"nonce": "n" * 501}, "invalid_request"),
        ({"nonce": "\0"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://reader.example/r"}, "request_uri_not_supported"),
    ],
)
def test_a_question_that_is_not_answered_leads_back_with_the_error_and_the_state(
    reader, inside, other, error
):
    back = reader.answer(**other)
    assert (back["error"], back["state"], "code" in back) == (error, reader.state, False)


@pytest.mark.parametrize("query", ["", "%zz", "a={", "client_id=%00", "client_id=a&client_id=b", "state=%ff"])
def test_what_is_no_question_is_answered_with_a_page(db, query):
    assert Client().get(f"/openid/authorize?{query}").status_code == 400


@pytest.mark.parametrize("body", ["", "%zz", "a={", "grant_type=authorization_code&code=%00", "x" * 70_000])
def test_what_is_no_form_gets_no_token(db, body):
    kind = "application/x-www-form-urlencoded"
    answer = Client().post("/openid/token", body, content_type=kind)
    assert answer.status_code in (400, 401)
    assert set(answer.json()) <= {"error", "error_description"}


@pytest.mark.parametrize("hint", ["", "a", "a.b.c", "eyJraWQiOiJcdTAwMDAiLCJhbGciOiJSUzI1NiJ9.e30.AAAA"])
def test_what_is_no_token_of_ours_is_about_nobody(db, hint):
    assert keys.ours(hint) is None
    left = Client().get("/openid/logout", {"id_token_hint": hint, "post_logout_redirect_uri": OUT})
    assert (left.status_code, "Location" in left) == (200, False)


def test_who_sends_no_nonce_gets_none(reader, inside):
    assert "nonce" not in claims_in(reader.enter(nonce=None)["id_token"])


def test_a_scope_that_nobody_knows_is_passed_over(reader, inside):
    assert reader.enter(scope="openid roster profile")["scope"] == "openid profile"


def test_a_code_is_good_once_and_a_second_use_ends_what_came_of_it(reader, inside):
    code = reader.answer()["code"]
    given = reader.exchange(code).json()
    again = reader.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert about(given["access_token"]).status_code == 401
    assert reader.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "other",
    [{"code_verifier": "x" * 43}, {"code_verifier": ""}, {"redirect_uri": "https://reader.example/other"}, {"code": "unknown"}],
)  # fmt: skip
def test_a_code_is_good_for_its_verifier_and_its_redirect_alone(reader, inside, other):
    code = reader.answer()["code"]
    assert reader.exchange(**{"code": code} | other).status_code == 400
    assert VisitToken.objects.count() == 0


def test_a_code_is_good_for_a_minute_and_for_its_own_client(reader, inside, organization):
    code = reader.answer()["code"]
    made = clients.add_client(product=organization.product, redirect_uris=[BACK])
    other = Reader(made.client, made.secret, reader.browser, reader.verifier)
    assert other.exchange(code).json()["error"] == "invalid_grant"
    SignInCode.objects.update(expires_at=datetime.now(UTC))
    assert reader.exchange(code).json()["error"] == "invalid_grant"


def test_a_client_proves_itself_by_its_secret_and_two_hold_while_it_is_changed(reader, inside):
    code = reader.answer()["code"]
    refused = reader.exchange(code, secret="guessed")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    renewed = clients.renew_secret(reader.client, timedelta(hours=1))
    assert reader.exchange(code).status_code == 200
    in_form = {"client_id": reader.client.client_id, "client_secret": renewed.secret}
    form = {"grant_type": "authorization_code", "code": reader.answer()["code"], "redirect_uri": BACK}
    assert sent("/openid/token", {**form, **in_form, "code_verifier": reader.verifier}).status_code == 200
    SignInClient.objects.update(former_until=datetime.now(UTC))
    assert reader.exchange(reader.answer()["code"]).status_code == 401


def test_a_key_of_oneroster_is_no_sign_in_client_and_the_other_way_round(reader, inside):
    pair = base64.b64encode(f"{reader.client.client_id}:{reader.secret}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    there = sent("/oauth2/token", form, {"Authorization": f"Basic {pair}"})
    assert (there.status_code, there.json()["error"]) == (401, "invalid_client")
    assert reader.post(**form).json()["error"] == "unsupported_grant_type"


# --- Signing in, silently or again ----------------------------------------------------------------------------------------------------


def test_without_anybody_there_a_silent_question_is_answered_login_required(reader, way):
    assert reader.answer(prompt="none")["error"] == "login_required"


def test_with_somebody_there_a_silent_question_is_answered_with_a_code(reader, inside):
    assert "code" in reader.answer(prompt="none")


def test_who_is_somebody_else_than_the_hint_says_is_not_taken_for_them(reader, inside, way, organization):
    hint = reader.enter()["id_token"]
    assert "code" in reader.answer(prompt="none", id_token_hint=hint)
    ben = members.add_member(organization, {"given_name": "Ben"}, ["student"])
    Link.objects.update(target=str(ben.id))
    come_in(reader.browser, way, ben)
    assert reader.answer(prompt="none", id_token_hint=hint)["error"] == "login_required"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}, {"prompt": "select_account"}])
def test_who_has_to_sign_in_again_is_led_to_the_door_and_back_once(reader, ana, way, organization, asked):
    come_in(reader.browser, way, ana, at=time.time() - 3600)
    address = reader.address(**asked)
    assert reader.browser.get(address)["Location"] == reverse("enter-by", args=[organization.pk, way.pk])
    onward = reader.browser.session["onward"]
    assert (onward["to"], onward["anew"]) == (address, True)
    kept = dict(reader.browser.session)
    come_in(reader.browser, way, ana)
    session = reader.browser.session
    session["onward"] = kept["onward"]
    session.save()
    assert reader.browser.get(address)["Location"].startswith(BACK)
    if "prompt" in asked:
        again = reader.browser.get(address)
        assert again["Location"] == reverse("enter-by", args=[organization.pk, way.pk])


def test_who_it_may_be_and_that_they_have_to_sign_in_again_is_passed_on(reader, ana, way):
    forget_servers()
    with replayed() as idp:
        IdentityProvider.objects.update(issuer=idp.issuer)
        door = reader.ask(login_hint=ana.email, prompt="login")["Location"]
        there = parse_qs(urlsplit(reader.browser.get(door)["Location"]).query)
    assert (there["login_hint"], there["prompt"]) == ([ana.email], ["login"])


def test_the_time_of_signing_in_is_told_and_stays_at_a_refresh(reader, ana, way):
    at = int(time.time()) - 30
    come_in(reader.browser, way, ana, at=at)
    given = reader.enter(max_age="600")
    assert claims_in(given["id_token"])["auth_time"] == at
    again = claims_in(reader.refresh(given["refresh_token"]).json()["id_token"])
    assert (again["auth_time"], "nonce" in again) == (at, False)


def test_a_question_that_is_posted_is_answered_as_one_that_is_not(reader, inside):
    query = urlsplit(reader.address()).query
    posted = reader.browser.post("/openid/authorize", {name: one[0] for name, one in parse_qs(query).items()})
    assert posted.status_code == 303
    assert reader.browser.get(posted["Location"])["Location"].startswith(BACK)


# --- Refreshing -------------------------------------------------------------------------------------------------------------------------


def test_a_refresh_token_is_good_once_and_a_second_use_ends_its_family(reader, inside):
    first = reader.enter()
    second = reader.refresh(first["refresh_token"]).json()
    assert claims_in(second["id_token"])["sub"] == claims_in(first["id_token"])["sub"]
    assert second["refresh_token"] != first["refresh_token"]
    assert reader.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert reader.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert about(second["access_token"]).status_code == 401


def test_a_refresh_token_is_its_own_clients_alone(reader, inside, organization):
    token = reader.enter()["refresh_token"]
    made = clients.add_client(product=organization.product)
    other = Reader(made.client, made.secret, reader.browser)
    assert other.refresh(token).json()["error"] == "invalid_grant"
    assert reader.refresh(token).status_code == 200


@pytest.mark.parametrize("how", ["archive", "suspend", "switch off", "end", "revoke"])
def test_who_may_not_be_in_any_more_gets_no_refresh_no_userinfo_and_no_code(reader, inside, ana, way, how):
    clients.edit_client(reader.client, logout_uri="https://reader.example/logout")
    given = reader.enter()
    ana.refresh_from_db()
    {
        "archive": lambda: members.archive(ana),
        "suspend": lambda: members.suspend(ana, datetime.now(UTC)),
        "switch off": lambda: providers.switch(way, False),
        "end": lambda: identities.end(inside, datetime.now(UTC)),
        "revoke": lambda: clients.revoke_client(reader.client),
    }[how]()
    assert visits.end_what_is_over(datetime.now(UTC)) == 1
    assert LogoutNotice.objects.count() == 1
    assert about(given["access_token"]).status_code == 401
    assert reader.refresh(given["refresh_token"]).status_code in (400, 401)
    if how != "revoke":
        assert "error" in reader.answer(prompt="none")


def test_without_waiting_for_a_worker_who_is_archived_gets_nothing(reader, inside, ana):
    given = reader.enter()
    ana.refresh_from_db()
    members.archive(ana)
    assert about(given["access_token"]).status_code == 401
    assert reader.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"


# --- Signing out ------------------------------------------------------------------------------------------------------------------------


def test_a_product_signs_somebody_out_here_and_they_come_back_to_it(reader, inside):
    given = reader.enter()
    told = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": OUT, "state": "s 1"}
    assert reader.browser.get("/openid/logout", told)["Location"] == OUT + "?state=s+1"
    assert reader.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
    assert reader.answer(prompt="none")["error"] == "login_required"


@pytest.mark.parametrize(
    "other", [{"id_token_hint": "a.b.c"}, {"id_token_hint": ""}, {"client_id": "signin-other"}]
)
def test_without_proof_one_is_asked_before_one_is_signed_out(reader, inside, other):
    given = reader.enter()
    told = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": OUT} | other
    asked = reader.browser.get("/openid/logout", told)
    assert "Sign out?" in asked.content.decode()
    assert "code" in reader.answer(prompt="none")
    assert "signed out" in reader.browser.post(reverse("broker-leave")).content.decode()
    assert reader.refresh(given["refresh_token"]).status_code == 400


def test_nobody_is_led_away_by_an_address_that_is_not_registered(reader, inside):
    given = reader.enter()
    told = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": "https://elsewhere.example/"}
    left = reader.browser.get("/openid/logout", told)
    assert (left.status_code, "Location" in left) == (200, False)
    assert Visit.objects.get().why == visits.SIGNED_OUT


def test_signing_out_at_the_members_door_ends_what_was_given_out(reader, inside, organization):
    given = reader.enter()
    reader.browser.post(reverse("me-leave", args=[organization.pk]))
    assert reader.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"


# --- Keys -------------------------------------------------------------------------------------------------------------------------------


def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_last_token_is_out(reader, inside):
    first = reader.enter()
    now = datetime.now(UTC)
    made = keys.rotate(now)
    assert len(keys.published(now)) == 2
    assert keys.signing(now).kid != made.kid
    later = now + keys.KNOWN_BEFORE
    assert keys.signing(later).kid == made.kid
    assert len(keys.published(later + keys.KNOWN_AFTER - timedelta(seconds=1))) == 2
    assert [one["kid"] for one in keys.published(later + keys.KNOWN_AFTER)] == [made.kid]
    assert keys.ours(first["id_token"])["sub"] == claims_in(first["id_token"])["sub"]


def test_a_key_that_others_know_vanishes_at_once(reader, inside):
    first = reader.enter()
    keys.rotate(datetime.now(UTC), at_once=True)
    assert keys.ours(first["id_token"]) is None
    assert SigningKey.objects.count() == 1
    assert claims_in(reader.enter()["id_token"])["name"] == "Ana Silva"
