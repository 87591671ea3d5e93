"""`rollbook app`, `grant` and `key`, as an operator types them."""

import json

import pytest
from typer.testing import CliRunner

from rollbook.cli.main import app
from rollbook.flows import operators
from rollbook.flows.apps import add_app
from rollbook.flows.districts import add_district
from rollbook.flows.partners import add_partner
from rollbook.store.models import (
    App,
    AuditEntry,
    Connection,
    Credential,
    Developer,
    District,
    Grant,
    Operator,
    OperatorToken,
    Partner,
    PartnerKey,
)
from tests.api.calls import ask_token
from tests.api.roster import fill


def rollbook(*words: str, expect: int = 0) -> str:
    """What the command says on either stream."""
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == expect, done.output
    return done.output


@pytest.fixture
def district(db) -> District:
    made = add_district("Riverbend")
    fill(made)
    return made


def test_an_app_is_added_once(db):
    assert "Reading App" in rollbook("app", "add", "Reading App", "--vendor", "Readers Inc")
    assert rollbook("app", "list").splitlines()[1].split() == [
        str(json.loads(rollbook("app", "list", "--json"))[0]["app"]), "Reading", "App", "Readers", "Inc",
    ]  # fmt: skip
    assert "already" in rollbook("app", "add", " Reading App ", expect=1)


def test_an_app_is_granted_everything_or_chosen_schools(district):
    rollbook("app", "add", "Full App")
    rollbook("app", "add", "South App")
    rollbook("grant", "Riverbend", "Full App", "--permission", "full")
    rollbook("grant", str(district.pk), "South App", "--permission", "basic", "--school", "school-south")
    full, south = json.loads(rollbook("grant", "list", "--json"))
    assert (full["permission"], full["schools"], full["enabled"]) == ("full", [], True)
    assert (south["permission"], south["schools"], south["tenantId"]) == (
        "basic",
        ["school-south"],
        district.pk,
    )
    assert "school-south" in rollbook("grant", "list")


def test_a_grant_may_be_changed(district):
    rollbook("app", "add", "App")
    rollbook("grant", "Riverbend", "App", "--permission", "full")
    rollbook(
        "grant",
        "Riverbend",
        "App",
        "--permission",
        "basic",
        "--school",
        "school-north",
        "--school",
        "school-south",
    )
    [grant] = json.loads(rollbook("grant", "list", "--json"))
    assert (grant["permission"], grant["schools"]) == ("basic", ["school-north", "school-south"])
    before = Grant.objects.get().version
    rollbook(
        "grant",
        "Riverbend",
        "App",
        "--permission",
        "basic",
        "--school",
        "school-south",
        "--school",
        "school-north",
    )
    assert Grant.objects.get().version == before == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("Riverbend", "Nobody's App", "--permission", "full"), "app list"),
        (("Nowhere", "App", "--permission", "full"), "district list"),
        (("Riverbend", "App", "--permission", "basic"), "at least one"),
        (("Riverbend", "App", "--permission", "full", "--school", "school-south"), "every school"),
        (("Riverbend", "App", "--permission", "basic", "--school", "nowhere"), "nowhere"),
        (("enable", "99"), "grant list"),
        (("disable", "99"), "grant list"),
    ],
)
def test_what_cannot_be_granted_is_said_in_words(district, words, says):
    rollbook("app", "add", "App")
    assert says in rollbook("grant", *words, expect=1)
    assert not Grant.objects.exists()


def test_a_permission_that_is_none_is_refused_with_those_there_are(district):
    told = rollbook("grant", "Riverbend", "App", "--permission", "some", expect=2)
    assert "full" in told
    assert "basic" in told


def test_a_key_is_shown_once_and_opens_the_door(district):
    rollbook("app", "add", "App")
    grant = json.loads(rollbook("grant", "Riverbend", "App", "--permission", "full", "--json"))["grant"]
    told = rollbook("key", "add", str(grant), "--name", "nightly sync")
    client_id, secret = (line.split()[-1] for line in told.splitlines()[:2])
    assert (
        ask_token(
            {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        ).status_code
        == 200
    )
    listed = rollbook("key", "list", "--grant", str(grant))
    assert client_id in listed
    assert "nightly sync" in listed
    assert secret not in listed + rollbook("key", "list", "--json")


def test_a_key_may_sign_by_oauth_1_only_when_asked_for(district):
    rollbook("app", "add", "App")
    rollbook("grant", "Riverbend", "App", "--permission", "full")
    grant = str(Grant.objects.get().pk)
    with_oauth1 = json.loads(rollbook("key", "add", grant, "--oauth1", "--json"))
    without = json.loads(rollbook("key", "add", grant, "--json"))
    assert (with_oauth1["oauth1"], without["oauth1"]) == (True, False)
    assert (
        Credential.objects.get(client_id=with_oauth1["clientId"]).oauth1_secret == with_oauth1["clientSecret"]
    )
    assert Credential.objects.get(client_id=without["clientId"]).oauth1_secret == ""


def test_a_revoked_key_is_shown_as_such_and_its_readable_secret_is_gone(district):
    rollbook("app", "add", "App")
    rollbook("grant", "Riverbend", "App", "--permission", "full")
    key = json.loads(rollbook("key", "add", str(Grant.objects.get().pk), "--oauth1", "--json"))
    for _ in range(2):
        assert key["clientId"] in rollbook("key", "revoke", key["clientId"])
    [listed] = json.loads(rollbook("key", "list", "--json"))
    assert (listed["revoked"], listed["oauth1"]) == (True, False)
    assert "key list" in rollbook("key", "revoke", "nobody", expect=1)


def test_a_grant_is_disabled_and_enabled(district):
    rollbook("app", "add", "App")
    rollbook("grant", "Riverbend", "App", "--permission", "full")
    grant = str(Grant.objects.get().pk)
    rollbook("grant", "disable", grant)
    assert "no" in rollbook("grant", "list").splitlines()[1]
    rollbook("grant", "enable", grant)
    assert json.loads(rollbook("grant", "list", "--json"))[0]["enabled"] is True


def test_a_field_key_is_one():
    assert len(rollbook("key", "new-field-key").strip()) == 44


LONG = "x" * 201


@pytest.mark.parametrize(
    "words",
    [
        ("app", "add", LONG),
        ("app", "add", "Reader", "--vendor", LONG),
        ("catalogue", "add", LONG),
        ("partner", "add", LONG),
        ("partner", "key", "add", "Quorndle", "--name", LONG),
        ("partner", "invite", "Quorndle", "ines@quorndle.example", "--name", LONG),
        ("district", "add", LONG),
        ("operator", "add", "kim@riverbend.example", "--district", "Riverbend", "--name", LONG),
        ("operator", "token", "add", "kim@riverbend.example", "--district", "Riverbend", "--name", LONG),
        ("connection", "add", "Riverbend", LONG, "--kind", "upload"),
        ("key", "add", "1", "--name", LONG),
        ("grant", "rename", "1", LONG),
    ],
    ids=lambda words: " ".join(words[:3]).replace(LONG, "…"),
)
def test_a_name_longer_than_its_place_is_refused_in_words_and_nothing_is_kept(db, words: tuple[str, ...]):
    district = add_district("Riverbend")
    add_partner("Quorndle")
    operators.add_operator("kim@riverbend.example", operators.PRIVACY, district)
    Grant.objects.create(pk=1, district=district, app=add_app("App"), permission="none", rule="{}")
    before = counted()
    assert "at most 200 characters" in rollbook(*words, expect=1)
    assert counted() == before


def counted() -> list[int]:
    kinds = (
        App,
        Partner,
        PartnerKey,
        Developer,
        District,
        Operator,
        OperatorToken,
        Connection,
        Credential,
        AuditEntry,
    )
    return [kind.objects.count() for kind in kinds]


def test_a_number_that_no_number_has_is_nobodys(db):
    assert "No district" in rollbook("grant", "9" * 30, "App", "--permission", "full", expect=1)
    assert "No app" in rollbook("catalogue", "show", "9" * 30, expect=1)


def test_a_name_is_kept_on_one_line_and_there_must_be_one(db):
    assert "Reading App is app" in rollbook("app", "add", "  Reading\n App ")
    assert "needs a name" in rollbook("app", "add", "  ", expect=1)
    assert "needs a name" in rollbook("district", "add", "", expect=1)
    assert "at most 40 characters" in rollbook(
        "connection",
        "add",
        str(add_district("Riverbend").pk),
        "Nightly",
        "--kind",
        "upload",
        "--prefix",
        "p" * 41,
        expect=1,
    )


def test_a_readable_secret_is_shown_again_and_where_keys_are_used(district):
    rollbook("app", "add", "App")
    rollbook("grant", "Riverbend", "App", "--permission", "full")
    made = json.loads(rollbook("key", "add", str(Grant.objects.get().pk), "--oauth1", "--json"))
    assert json.loads(rollbook("key", "secret", made["clientId"], "--json")) == made
    assert "in the audit log" in rollbook("key", "secret", made["clientId"])
    plain = json.loads(rollbook("key", "add", str(Grant.objects.get().pk), "--json"))
    assert "kept as a hash only" in rollbook("key", "secret", plain["clientId"], expect=1)
    told = json.loads(rollbook("key", "endpoints", "--json"))
    assert told["endpoints"]["token"].endswith("/oauth2/token")
    assert "scope " in rollbook("key", "endpoints")
