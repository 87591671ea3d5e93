"""Partner listing: a roster hub lists to its partner which districts added the partner's app, each with a bearer that opens its reads.

The list is asked anew for each pull, for bearers change. The reads lie below the listed application, behind one address for all districts.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rollbook.connectors.contract import (
    BadSetting,
    CannotFetch,
    Connector,
    Fetched,
    Filled,
    Option,
    Progress,
    Secrets,
    Settings,
)
from rollbook.connectors.filled import text
from rollbook.connectors.oneroster_rest import ONEROSTER_REST
from rollbook.connectors.oneroster_rest.address import refused_unless_web
from rollbook.connectors.oneroster_rest.configuration import Configuration, configured
from rollbook.connectors.oneroster_rest.pull import fetch as pull
from rollbook.connectors.oneroster_rest.wire import Wire

PAGE = 100
MOST_PAGES = 1_000
ENABLED, ACTIVE = "true", "active"

OPTIONS = (
    Option(
        "listing",
        "Address of the list",
        "Where the hub lists its partner's applications, as https://hub.example/applications.",
        required=True,
    ),
    Option("tenant", "Tenant ID", "The district's number at the hub.", required=True),
    Option("key", "Partner key", "The key of the partner, which opens the list.", required=True, secret=True),
    Option(
        "application",
        "Application",
        "The number of the application (application_id), where the district added several of this partner.",
    ),
    Option(
        "version",
        "OneRoster version",
        "1.1 or 1.2; empty: the newer there is.",
        choices=("", "1.1", "1.2"),
    ),
    Option("page_size", "Records a page", "How many to ask for at once, 1 to 10000.", default="2000"),
    Option("insecure", "Unencrypted", "yes: allow an address that begins with http://.", default="no", choices=("no", "yes")),
)  # fmt: skip
OWN = frozenset({"listing", "tenant", "application"})


@dataclass(frozen=True)
class Application:
    """One line of the list: a district that added an app."""

    number: str
    app: str
    tenant: str
    tenant_name: str
    is_open: bool
    bearer: str


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """What is kept. Raises BadSetting."""
    listing, tenant = text(settings, "listing").rstrip("/"), text(settings, "tenant")
    if not tenant:
        raise BadSetting("The Tenant ID is missing: the hub shows it beside the district's name.")
    if not secrets.get("key"):
        raise BadSetting("The partner's key is missing.")
    kept = {name: value for name, value in settings.items() if value not in ("", [])}
    kept |= {"listing": listing, "tenant": tenant}
    found = _configuration(kept, secrets)
    refused_unless_web(listing, found.insecure)
    return kept, {"key": secrets["key"]}


def fetch(
    settings: Settings, secrets: Secrets, work_folder: Path, now: datetime, progress: Progress
) -> Fetched:
    """Everything the district's application opens. Raises BadSetting, CannotFetch."""
    progress(f"finding the application of {settings['tenant']}")
    application = _application(settings, secrets)
    return pull(_below(settings, application), {"token": application.bearer}, work_folder, now, progress)


def tested(settings: Settings, secrets: Secrets) -> list[str]:
    """The application that was found, and what it opens. Raises BadSetting, CannotFetch."""
    application = _application(settings, secrets)
    found = f"Application {application.number} of {application.tenant_name or application.tenant} is open."
    return [found, *ONEROSTER_REST.tested(_below(settings, application), {"token": application.bearer})]


PARTNER_LISTING = Connector(
    "partner_listing", "A district listed by a roster hub to its partners", OPTIONS, checked, fetch, tested
)


def _below(settings: Settings, application: Application) -> Settings:
    """The settings of a pull from below the application."""
    passed = {name: value for name, value in settings.items() if name not in OWN}
    return passed | {"url": f"{settings['listing']}/{application.number}", "sign_in": "bearer"}


def _application(settings: Settings, secrets: Secrets) -> Application:
    tenant, app = text(settings, "tenant"), text(settings, "application")
    found = [one for one in _listed(settings, secrets) if one.tenant == tenant and app in ("", one.app)]
    if not found:
        raise CannotFetch(f"The list has no district {tenant}: it has not added the app, or has removed it.")
    opened = [one for one in found if one.is_open and one.bearer]
    if not opened:
        raise CannotFetch(f"District {tenant} is in the list, and its application is not enabled.")
    if len(opened) > 1:
        apps = ", ".join(sorted({one.app for one in opened}))
        raise CannotFetch(
            f"District {tenant} has several applications of this partner ({apps}): say which one."
        )
    return opened[0]


def _listed(settings: Settings, secrets: Secrets) -> Iterator[Application]:
    """The whole list, page by page."""
    headers = {"Authorization": f"Bearer {secrets['key']}"}
    with Wire(_configuration(settings, secrets)) as wire:
        offset = 0
        for _ in range(MOST_PAGES):
            url = f"{settings['listing']}?limit={PAGE}&offset={offset}"
            answer = wire.patiently(lambda url=url: wire.send("GET", url, headers))  # type: ignore[misc]  # called before the next url
            if answer.status in (401, 403):
                raise CannotFetch(f"The hub does not accept this partner's key ({answer.status}).")
            if answer.status != 200:
                raise CannotFetch(f"The list could not be read: {answer.words}.")
            page = _applications(answer.body)
            yield from map(_read, page)
            if not page:
                return
            offset += len(page)


def _applications(body: bytes) -> list[dict[str, Any]]:
    try:
        said = json.loads(body)
    except ValueError:
        raise CannotFetch("The list could not be read: it is no JSON.") from None
    found = said.get("applications") if isinstance(said, dict) else said
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise CannotFetch("The list could not be read: it has no applications.")
    return found


def _read(said: dict[str, Any]) -> Application:
    return Application(
        str(said.get("oneroster_application_id") or said.get("id") or ""),
        str(said.get("application_id", "")),
        str(said.get("tenant_id", "")),
        str(said.get("tenant_name", "")),
        str(said.get("enabled", "")).casefold() == ENABLED
        and str(said.get("tenant_status", "")).casefold() == ACTIVE,
        str(said.get("bearer") or ""),
    )


def _configuration(settings: Settings, secrets: Secrets) -> Configuration:
    passed = {name: value for name, value in settings.items() if name not in OWN}
    return configured(passed | {"url": settings["listing"], "sign_in": "bearer"}, {"token": secrets["key"]})
