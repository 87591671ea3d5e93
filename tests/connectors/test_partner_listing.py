"""A district found in the list that a roster hub shows its partner, and read through the bearer that stands there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollbook.connectors.contract import BadSetting, CannotFetch
from rollbook.connectors.partner_listing import PARTNER_LISTING
from tests.connectors.provider import LISTING, NOW, PARTNER_KEY, STATIC, Provider, serving

SECRETS = {"key": PARTNER_KEY}


def listed(tenant: int, number: int = 7, **other: Any) -> dict[str, Any]:
    known = {"id": number, "oneroster_application_id": str(number), "application_id": 3, "tenant_id": tenant}
    about = {"tenant_name": "Riverbend", "tenant_status": "Active", "enabled": "true", "bearer": STATIC}
    return known | about | other


@pytest.fixture
def hub() -> Iterator[Provider]:
    strangers = [listed(1000 + number, number, bearer="another's") for number in range(8, 130)]
    with serving(Provider(version="1.1", prefix=f"{LISTING}/7", listing=[*strangers, listed(42)])) as found:
        yield found


def settings(hub: Provider, **other: str) -> dict[str, Any]:
    filled = {"listing": f"http://127.0.0.1:{hub.port}{LISTING}/", "tenant": "42", "version": "1.1"}
    kept, _ = PARTNER_LISTING.checked(filled | other, SECRETS)
    return kept | {"first_wait": 0.001, "longest_wait": 0.01}


def fetched(hub: Provider, folder: Path, **other: str) -> dict[str, Any]:
    assert PARTNER_LISTING.fetch
    found = PARTNER_LISTING.fetch(settings(hub, **other), SECRETS, folder, NOW, lambda words: None)
    assert found.certificate
    return found.certificate


def test_a_district_is_found_pages_behind_and_read_whole(hub: Provider, tmp_path: Path) -> None:
    assert fetched(hub, tmp_path)["complete"] is True
    assert PARTNER_LISTING.tested(settings(hub), SECRETS)[0] == "Application 7 of Riverbend is open."


@pytest.mark.parametrize(
    "change, words",
    [
        ({"tenant_id": 43}, "has not added the app"),
        ({"enabled": "false"}, "is not enabled"),
        ({"tenant_status": "Inactive"}, "is not enabled"),
    ],
)
def test_what_is_not_open_is_not_read(
    hub: Provider, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    hub.listing[-1] |= change
    with pytest.raises(CannotFetch) as refusal:
        fetched(hub, tmp_path)
    assert words in refusal.value.words


def test_of_several_applications_one_has_to_be_named(hub: Provider, tmp_path: Path) -> None:
    hub.listing.append(listed(42, 200, application_id=4, bearer="another's"))
    with pytest.raises(CannotFetch) as refusal:
        fetched(hub, tmp_path)
    assert "several applications" in refusal.value.words
    assert fetched(hub, tmp_path, application="3")["complete"] is True


def test_a_key_that_is_not_accepted_is_said_and_not_shown(hub: Provider, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch) as refusal:
        PARTNER_LISTING.tested(settings(hub), {"key": "wrong"})
    assert "does not accept" in refusal.value.words
    assert "wrong" not in refusal.value.words


def test_a_listing_without_a_tenant_or_a_key_is_no_setting() -> None:
    with pytest.raises(BadSetting):
        PARTNER_LISTING.checked({"listing": "https://hub.example/applications"}, SECRETS)
    with pytest.raises(BadSetting):
        PARTNER_LISTING.checked({"listing": "https://hub.example/applications", "tenant": "42"}, {})
