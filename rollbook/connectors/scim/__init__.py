"""SCIM 2.0 servers as directories that a sync keeps in step (RFC 7643, RFC 7644): people as Users, classes as Groups."""

from importlib import import_module
from typing import Any

from rollbook.connectors.contract import Connector, Secrets, Settings
from rollbook.connectors.scim.configuration import OPTIONS, checked
from rollbook.engine.sync.target import Target


def _loaded() -> Any:
    # Only when a sync goes to a SCIM server: its models take as long to load as all the rest of a process that has none.
    return import_module("rollbook.connectors.scim.target")


def scim_target(settings: Settings, secrets: Secrets) -> Target:
    """The server of these settings as a target."""
    target: Target = _loaded().ScimTarget(settings, secrets)
    return target


def _tested(settings: Settings, secrets: Secrets) -> list[str]:
    found: list[str] = _loaded().tested(settings, secrets)
    return found


SCIM = Connector("scim", "SCIM 2.0", OPTIONS, checked, None, _tested)
"""A target, and no source: nothing is fetched from it."""
