"""`rollbook sign-in`: a provider set up, an attempt told step by step, and a sign-in decided, all from the command line."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rollbook.flows.directory import find_organization
from rollbook.flows.signing_in import entering, providers
from tests.command import rollbook

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


def told(*words: str, stdin: str = "") -> Any:
    return json.loads(rollbook("sign-in", *words, "--json", stdin=stdin).output)


@pytest.fixture
def way() -> dict[str, Any]:
    rollbook("product", "add", "Reader")
    rollbook("organization", "add", "Reader", "Riverbend", "--domain", "school.example")
    rollbook(
        "member", "add", "Riverbend", "--given", "Ana", "--family", "Silva", "--email", "ana@school.example"
    )
    return told(
        "add", "Riverbend", "any", "--name", "School", "--issuer", "https://idp.example", "--client-id", "x", "--secret-stdin",
        "--claim", "tenant=district", "--tenant", "17", stdin="hush\n",
    )  # fmt: skip


def came(**said: object) -> entering.Entered:
    provider = providers.find_provider(find_organization("Riverbend"), "School")
    return entering.enter(provider, {"iss": "https://idp.example", "sub": "s", "district": 17, **said}, NOW)


def test_a_provider_from_the_first_word_to_the_last(way):
    assert way["on"] is False
    assert way["by"] == ["sourced-id", "identifier", "email"]
    rollbook("sign-in", "enable", "Riverbend", "School")
    assert told("change", "Riverbend", "School", "--match", "email", "--tenant", "17", "--tenant", "18")["tenants"] == ["17", "18"]  # fmt: skip
    assert [(one["on"], one["by"]) for one in told("list", "Riverbend")] == [(True, ["email"])]
    assert "hush" not in rollbook("sign-in", "list", "Riverbend").output
    rollbook("sign-in", "disable", "Riverbend", "School")
    rollbook("sign-in", "remove", "Riverbend", "School")
    assert told("list", "Riverbend") == []


def test_who_was_not_let_in_is_explained_and_decided_about(way):
    assert "nobody has tried to sign in" in rollbook("sign-in", "attempts", "Riverbend").output
    refused = came(name="Ana S.")
    explained = told("explain", "Riverbend", refused.reference)
    assert (explained["outcome"], explained["steps"][-1]["said"]) == ("unknown", "ask")
    assert refused.reference in rollbook("sign-in", "attempts", "Riverbend", "--search", "s").output
    (waiting,) = told("waiting", "Riverbend")
    assert waiting["name"] == "Ana S."
    told("decide", "Riverbend", str(waiting["number"]), "ana@school.example")
    assert came().is_in
    (theirs,) = told("identities", "Riverbend", "ana@school.example")
    assert theirs["rung"] == "hand"
    told("end", "Riverbend", "ana@school.example", str(theirs["number"]))
    assert came().outcome == "unknown"
    told("dismiss", "Riverbend", str(told("waiting", "Riverbend")[0]["number"]))
    assert told("waiting", "Riverbend") == []


def test_every_preset_is_told_with_what_one_has_to_know():
    assert {one["preset"] for one in told("presets")} == {
        "classlink", "clever", "google", "entra", "launch-pad", "any",
    }  # fmt: skip
