"""Sign-in that the launch pad begins: what a tile adds to an app's start address (OpenID Connect Core 1.0, §4).

Only an app with a sign-in client here gets it; every other is opened at its start address as it stands.
"""

from rollbook.flows.broker.addresses import issuer
from rollbook.flows.broker.clients import client_of
from rollbook.flows.broker.subjects import hint_of
from rollbook.flows.launching.standing import LaunchPerson
from rollbook.store.models import Grant


def initiation_of(grant: Grant, person: LaunchPerson, start_url: str) -> dict[str, str]:
    """`iss`, `login_hint` and `target_link_uri`; empty where the app does not sign in by us. The hint names a district and no person."""
    if client_of(grant.app) is None:
        return {}
    return {"iss": issuer(), "login_hint": hint_of(person.tenant), "target_link_uri": start_url}
