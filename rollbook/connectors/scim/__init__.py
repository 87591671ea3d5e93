"""SCIM 2.0 servers as directories that a sync keeps in step (RFC 7643, RFC 7644): people as Users, classes as Groups."""

from rollbook.connectors.contract import Connector
from rollbook.connectors.scim.configuration import OPTIONS, checked
from rollbook.connectors.scim.target import ScimTarget, tested

__all__ = ["SCIM", "ScimTarget"]

SCIM = Connector("scim", "SCIM 2.0", OPTIONS, checked, None, tested)
"""A target, and no source: nothing is fetched from it."""
