"""`rollbook app`, `grant` and `key`, as an operator types them."""

import json

import pytest
from typer.testing import CliRunner

from rollbook.cli.main import app
from rollbook.flows.districts import add_district
from rollbook.store.models import Credential, District, Grant
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
