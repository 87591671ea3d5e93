"""What proves that somebody signed in at a provider, and everything that nearly does and is not taken."""

import base64
import hashlib
import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from jwcrypto.jwk import JWK

from rollbook.connectors.contract import BadSetting
from rollbook.connectors.openid_connect.journey import Client, Setting, address_there, came_back, set_out
from rollbook.connectors.openid_connect.server import (
    ProviderTrouble,
    clean_issuer,
    forget_servers,
    server_of,
)
from rollbook.connectors.openid_connect.tokens import NotTrusted, proved
from tests.connectors.identity import CLIENT_ID, ENDPOINTS, SECRET, Replayed, replayed

NOW = 1_790_000_000
CLIENT = Client(CLIENT_ID, SECRET, "https://roster.example/back")


@pytest.fixture(scope="module")
def running():
    with replayed() as one:
        yield one


@pytest.fixture
def idp(running: Replayed):
    forget_servers()
    running.said, running.raw, running.info, running.algorithm = {}, "", None, "RS256"
    running.told_issuer, running.endpoints, running.ways = running.issuer, dict(ENDPOINTS), []
    running.asked.clear()
    keys = dict(running.keys)
    yield running
    running.keys = keys


def prove(idp: Replayed, raw: str, now: int = NOW) -> dict:
    return proved(server_of(idp.issuer, now), raw, CLIENT_ID, "n-1", now)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_signed_by_a_key_of_the_provider_is_taken(idp: Replayed, algorithm: str):
    idp.algorithm = algorithm
    assert prove(idp, idp.token(NOW, nonce="n-1"))["sub"] == "s-1"


def usual(idp: Replayed) -> dict[str, object]:
    return {"iss": idp.issuer, "aud": CLIENT_ID, "sub": "s", "nonce": "n-1", "iat": NOW, "exp": NOW + 60}


BAD: dict[str, Callable[[Replayed], str]] = {
    "of another issuer": lambda one: one.token(NOW, nonce="n-1", iss="https://evil.example"),
    "of no issuer": lambda one: one.token(NOW, nonce="n-1", iss=None),
    "about nobody": lambda one: one.token(NOW, nonce="n-1", sub=None),
    "for nobody": lambda one: one.token(NOW, nonce="n-1", aud=None),
    "for another application": lambda one: one.token(NOW, nonce="n-1", aud="another"),
    "for several, and not for us first": lambda one: one.token(NOW, nonce="n-1", aud=[CLIENT_ID, "other"]),
    "asked for by another": lambda one: one.token(NOW, nonce="n-1", azp="another"),
    "of another sign-in": lambda one: one.token(NOW, nonce="n-2"),
    "without a nonce": lambda one: one.token(NOW),
    "of no time": lambda one: one.token(NOW, nonce="n-1", iat=None),
    "over": lambda one: one.token(NOW - 421, nonce="n-1"),
    "of a time to come": lambda one: one.token(NOW + 121, nonce="n-1"),
    "that holds for ever": lambda one: one.token(NOW, nonce="n-1", exp=None),
    "not yet good": lambda one: one.token(NOW, nonce="n-1", nbf=NOW + 200),
    "signed by somebody else": lambda one: one.signed(
        usual(one), JWK.generate(kty="RSA", size=2048, kid=one.keys["RS256"].get("kid"))
    ),
    "signed by somebody else on a curve": lambda one: one.signed(
        usual(one), JWK.generate(kty="EC", crv="P-256", kid=one.keys["ES256"].get("kid")), alg="ES256"
    ),
    "signed with the secret": lambda one: one.signed(
        usual(one),
        JWK(kty="oct", k=base64.urlsafe_b64encode(SECRET.encode() * 3).decode().rstrip("="), kid="x"),
        alg="HS256",
    ),
    "not signed": lambda one: f"{part({'alg': 'none'})}.{part(usual(one))}.",
    "no token": lambda _: "no token",
    "nothing": lambda _: "",
}


def part(told: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


@pytest.mark.parametrize("kind", BAD)
def test_a_token_is_not_taken_that_is(idp: Replayed, kind: str):
    with pytest.raises(NotTrusted):
        prove(idp, BAD[kind](idp))


def test_clocks_may_differ_by_two_minutes(idp: Replayed):
    assert prove(idp, idp.token(NOW + 119, nonce="n-1"))
    assert prove(idp, idp.token(NOW - 300 - 119, nonce="n-1"))


def test_a_key_that_is_new_is_asked_for_and_the_old_one_opens_nothing_then(idp: Replayed):
    old = idp.token(NOW, nonce="n-1")
    assert prove(idp, old)
    idp.rotate()
    assert prove(idp, idp.token(NOW, nonce="n-1"), NOW + 11)
    with pytest.raises(NotTrusted):
        prove(idp, old, NOW + 12)
    assert idp.asked.count("/keys") == 2
    assert idp.asked.count("/.well-known/openid-configuration") == 1


def test_a_key_made_while_somebody_is_there_opens_their_token(idp: Replayed):
    assert prove(idp, idp.token(NOW, nonce="n-1"))
    setting, asked = journey(idp)
    idp.rotate()
    assert back(idp, setting, asked, 30)["sub"] == "s-1"
    assert idp.asked.count("/keys") == 2


def test_without_a_key_id_the_only_key_of_its_kind_opens_the_token(idp: Replayed):
    idp.keys = {"RS256": JWK.generate(kty="RSA", size=2048)}
    assert prove(idp, idp.signed(usual(idp)))


def test_without_a_key_id_none_of_several_keys_is_tried(idp: Replayed):
    assert prove(idp, idp.signed(usual(idp), kid=""))
    idp.keys["another"] = JWK.generate(kty="RSA", size=2048, kid="another")
    forget_servers()
    with pytest.raises(NotTrusted):
        prove(idp, idp.signed(usual(idp), kid=""))


def test_a_provider_that_says_it_is_another_is_not_used(idp: Replayed):
    idp.told_issuer = "https://evil.example"
    with pytest.raises(ProviderTrouble):
        server_of(idp.issuer, NOW)


def test_one_address_may_serve_many_tenants_and_each_token_is_of_its_own(idp: Replayed):
    idp.told_issuer = idp.issuer + "/{tenantid}/v2.0"
    server = server_of(f"{idp.issuer}/organizations/v2.0", NOW)
    good = idp.token(NOW, nonce="n-1", tid="t-1", iss=f"{idp.issuer}/t-1/v2.0")
    assert proved(server, good, CLIENT_ID, "n-1", NOW)["tid"] == "t-1"
    with pytest.raises(NotTrusted):
        proved(
            server,
            idp.token(NOW, nonce="n-1", tid="t-1", iss=f"{idp.issuer}/t-2/v2.0"),
            CLIENT_ID,
            "n-1",
            NOW,
        )


def journey(idp: Replayed) -> tuple[Setting, dict[str, str]]:
    setting = set_out(NOW)
    there = address_there(server_of(idp.issuer, NOW), CLIENT, setting)
    return setting, {name: one[0] for name, one in parse_qs(urlsplit(there).query).items()}


def back(
    idp: Replayed, setting: Setting, asked: dict[str, str], later: int = 5, client: Client = CLIENT
) -> dict:
    """Whoever went there comes back so many seconds later."""
    idp.said |= {"nonce": asked["nonce"], "iat": NOW, "exp": NOW + 60}
    answer = {"code": "c-1", "state": asked["state"]}
    return came_back(server_of(idp.issuer, NOW), client, setting, answer, NOW + later)


def test_where_to_go_and_whom_to_ask_is_what_the_provider_says_of_itself(idp: Replayed):
    idp.endpoints = {
        "authorization_endpoint": "sign/in",
        "token_endpoint": "sign/token",
        "jwks_uri": "sign/keys",
    }
    setting = set_out(NOW)
    there = urlsplit(address_there(server_of(idp.issuer, NOW), CLIENT, setting))
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{idp.issuer}/sign/in"
    assert back(idp, setting, setting.kept())["sub"] == "s-1"
    assert idp.asked == ["/.well-known/openid-configuration", "/sign/token", "/sign/keys"]


@pytest.mark.parametrize(
    ("ways", "is_in_body"),
    [
        ([], False),
        (["client_secret_post", "client_secret_basic"], False),
        (["client_secret_post", "none"], True),
    ],
)
def test_the_secret_stands_in_the_header_unless_it_is_taken_in_the_body_alone(
    idp: Replayed, ways: list[str], is_in_body: bool
):
    idp.ways = ways
    setting, asked = journey(idp)
    assert back(idp, setting, asked)
    form = idp.forms[-1]
    assert form.get("client_secret", "") == (SECRET if is_in_body else "")
    assert form["authorization"] == ("" if is_in_body else f"{CLIENT_ID}:a%20secret%20of%20the%20tests")


def test_what_the_scopes_stand_for_is_asked_of_userinfo_with_the_token_in_the_header(idp: Replayed):
    idp.info = {"sub": "s-1", "name": "Ana Silva", "preferred_username": "ana", "email": "a@b.example"}
    setting, asked = journey(idp)
    claims = back(idp, setting, asked)
    assert asked["scope"] == "openid profile email"
    assert {name: claims[name] for name in idp.info} == idp.info
    assert idp.shown["/me"] == ("Bearer for the tests", "")


def test_the_way_there_and_back_proves_itself_by_pkce(idp: Replayed):
    setting, asked = journey(idp)
    idp.said = {"nonce": asked["nonce"], "iat": NOW, "exp": NOW + 60}
    claims = came_back(
        server_of(idp.issuer, NOW), CLIENT, setting, {"code": "c-1", "state": asked["state"]}, NOW + 5
    )
    form = idp.forms[-1]
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert (form["code"], form["redirect_uri"], asked["code_challenge_method"]) == ("c-1", CLIENT.redirect_uri, "S256")  # fmt: skip
    assert form["authorization"] == f"{CLIENT_ID}:a%20secret%20of%20the%20tests"
    assert claims["sub"] == "s-1"
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
    assert asked["redirect_uri"] == CLIENT.redirect_uri


@pytest.mark.parametrize(
    ("answer", "later"), [({"state": "another"}, 5), ({}, 601), ({"iss": "https://evil.example"}, 5)]
)
def test_an_answer_to_another_sign_in_or_too_late_or_of_another_is_not_taken(
    idp: Replayed, answer, later: int
):
    setting, asked = journey(idp)
    with pytest.raises(NotTrusted):
        came_back(
            server_of(idp.issuer, NOW),
            CLIENT,
            setting,
            {"code": "c", "state": asked["state"]} | answer,
            NOW + later,
        )


@pytest.mark.parametrize(
    ("info", "address", "vouched"),
    [
        ({"sub": "s-1", "email": "a@b.example", "email_verified": True}, "a@b.example", True),
        ({"sub": "s-2", "email": "a@b.example", "email_verified": True}, None, None),
    ],
)
def test_userinfo_adds_what_the_token_leaves_out_of_the_same_subject_alone(
    idp: Replayed, info, address, vouched
):
    idp.info = info
    setting, asked = journey(idp)
    idp.said = {"nonce": asked["nonce"], "iat": NOW, "exp": NOW + 60}
    claims = came_back(
        server_of(idp.issuer, NOW), CLIENT, setting, {"code": "c", "state": asked["state"]}, NOW
    )
    assert (claims.get("email"), claims.get("email_verified")) == (address, vouched)


@pytest.mark.parametrize(("told", "is_taken"), [({"UserId": 7}, True), ({"UserId": 7, "sub": "s-2"}, False)])
def test_another_claim_stands_in_for_the_subject_only_where_userinfo_has_none(
    idp: Replayed, told, is_taken: bool
):
    idp.info = told | {"email": "a@b.example"}
    idp.said = {"UserId": "7"}
    setting, asked = journey(idp)
    client = Client(CLIENT_ID, SECRET, CLIENT.redirect_uri, subject=("sub", "UserId"))
    assert ("email" in back(idp, setting, asked, client=client)) == is_taken


def test_userinfo_vouches_for_no_address_but_its_own(idp: Replayed):
    idp.info = {"sub": "s-1", "email": "other@b.example", "email_verified": True}
    setting, asked = journey(idp)
    idp.said = {"nonce": asked["nonce"], "iat": NOW, "exp": NOW + 60, "email": "a@b.example"}
    claims = came_back(
        server_of(idp.issuer, NOW), CLIENT, setting, {"code": "c", "state": asked["state"]}, NOW
    )
    assert (claims["email"], "email_verified" in claims) == ("a@b.example", False)


def test_an_issuer_is_written_as_its_address_and_never_unencrypted():
    assert clean_issuer(" https://idp.example/.well-known/openid-configuration ") == "https://idp.example"
    assert clean_issuer("idp.example/realm/") == "https://idp.example/realm/"
    for bad in ("http://idp.example", "https://u:p@idp.example", "ftp://idp.example"):
        with pytest.raises(BadSetting):
            clean_issuer(bad)
