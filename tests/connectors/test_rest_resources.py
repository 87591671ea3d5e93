"""Resources of another server: read with who has them where it shares them, and missed nowhere where it does not."""

from pathlib import Path

import pytest

from rollbook.oneroster.csv_rows import link_id
from tests.cast import ALGEBRA, ALGEBRA_TEXTBOOK, ATLAS
from tests.connectors.packages import modes_of, rows_of
from tests.connectors.provider import CLIENT, Ask, Provider, Reply, serving

FILES = {"resources", "classResources", "courseResources", "userResources"}
NOT_SHARED = "this provider does not share resources"
OAUTH2 = {"sign_in": "oauth2", "client_id": CLIENT}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_resources_are_read_with_who_has_them(version: str, tmp_path: Path):
    with serving(Provider(version)) as provider:
        package = provider.pulled(tmp_path).path
    rows = rows_of(package)
    assert set(rows["resources"]) == {ALGEBRA_TEXTBOOK, ATLAS}
    assert rows["resources"][ATLAS]["vendorResourceId"] == "atlas/world-history"
    link = link_id(ALGEBRA, ALGEBRA_TEXTBOOK)
    assert len(link) == 37
    assert rows["classResources"][link] == {
        "sourcedId": link, "classSourcedId": ALGEBRA, "resourceSourcedId": ALGEBRA_TEXTBOOK,
    }  # fmt: skip
    assert (len(rows["classResources"]), len(rows["courseResources"])) == (2, 1)
    people = [row["userSourcedId"] for row in rows.get("userResources", {}).values()]
    assert people == (["student-003"] if version == "1.2" else [])
    assert {modes_of(package)[file] for file in FILES & set(rows)} == {"bulk"}


@pytest.mark.parametrize("status", [401, 403, 404, 501])
def test_a_provider_that_shares_none_is_read_whole(status: int, tmp_path: Path):
    with serving(Provider("1.2" if status == 404 else "1.1", missing={"resources": status})) as provider:
        fetched = provider.pulled(tmp_path)
    assert fetched.certificate is not None
    assert fetched.certificate["complete"]
    told = fetched.certificate["collections"]["resources"]
    assert (told["mode"], told["why"]) == ("absent", [NOT_SHARED])
    assert fetched.notes == (f"resources: {NOT_SHARED}.",)
    modes = modes_of(fetched.path)
    assert not FILES & set(modes)
    assert set(modes.values()) == {"bulk"}


def test_resources_that_are_not_wanted_are_not_asked_for(tmp_path: Path):
    with serving(Provider()) as provider:
        fetched = provider.pulled(tmp_path, resources="no")
    assert "resources" not in {ask.collection for ask in provider.asked}
    assert not FILES & set(modes_of(fetched.path))


# --- Scopes ---


def _needs_the_scope(provider: Provider) -> None:
    def spoil(ask: Ask, reply: Reply) -> Reply:
        may = "resource.readonly" in provider.tokens[-1]["scope"]
        return reply if ask.collection != "resources" or may else Reply(403, {})

    provider.spoil = spoil


def test_the_scope_of_resources_is_asked_for_where_they_are_refused_without(tmp_path: Path):
    with serving(Provider()) as provider:
        _needs_the_scope(provider)
        fetched = provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token")
    assert [len(form["scope"].split()) for form in provider.tokens] == [3, 4]
    assert fetched.certificate is not None
    assert fetched.certificate["complete"]
    assert set(rows_of(fetched.path)["resources"]) == {ALGEBRA_TEXTBOOK, ATLAS}


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_server_that_gives_no_token_for_a_scope_it_does_not_know_is_read_as_before(
    status: int, tmp_path: Path
):
    with serving(Provider()) as provider:
        _needs_the_scope(provider)
        provider.token = lambda form, headers: (
            Reply(status, {"error": "invalid_scope"}) if "resource.readonly" in form["scope"] else None
        )
        fetched = provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token")
    assert fetched.certificate is not None
    assert fetched.certificate["complete"]
    assert fetched.certificate["collections"]["resources"]["mode"] == "absent"
    assert "the scope of resources refused" in fetched.certificate["quirks"]
