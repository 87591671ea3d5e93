"""The customer's hands: what an organization's own people and programs may do with their sync connection by themselves.

Some of it is not theirs: which folder of this server is read, what their plan includes, and to lead a secret somewhere else.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rollbook.connectors import SOURCES
from rollbook.connectors.folder import FOLDER
from rollbook.flows.sync import connections
from rollbook.flows.sync.connections import NotFromHere, State
from rollbook.refusal import Refusal
from rollbook.store.models import SyncConnection

NOT_THEIRS = frozenset({("access", "entitlement")})
"""Settings that belong to the plan: what it has to include is said by whoever sells it."""


class NotByCustomer(Refusal):
    """A source that is a folder of this server is connected by those who run it: `rollbook sync connect`."""


class SecretsNeeded(Refusal):
    """Send the secrets too where the source changes: those that are kept go to nobody else."""


class NotInThePlan(Refusal):
    """What a plan has to include is said by whoever sells it, and not in an organization's settings."""


def go_on(connection: SyncConnection, why: str = "") -> SyncConnection:
    """One that is paused is active again. What was never activated waits for the product's support. Raises NotFromHere."""
    if connection.state != State.PAUSED:
        raise NotFromHere(connection.state)
    return connections.activate(connection, why)


def edit_source(connection: SyncConnection, filled: Mapping[str, str], name: str = "") -> SyncConnection:
    """Another name, another source, other secrets; a secret left empty stays, where everything else of the source does.

    Raises NotByCustomer, SecretsNeeded, BadSetting, NoSuchSyncOption, SyncNameNeeded.
    """
    secret = {option.name for option in SOURCES[connection.source_kind].options if option.secret}
    shown = {one: text.replace("\r\n", "\n").strip() for one, text in filled.items() if one not in secret}
    hidden = {one: text for one, text in filled.items() if one in secret and text}
    other = [one for one, text in shown.items() if _told(connection, one) != text]
    refuse_source(connection, other, hidden)
    wanted = {one: shown[one] for one in other}
    return connections.edit(connection, wanted | hidden, {}, name)


def refuse_source(connection: SyncConnection, changed: Iterable[str], secrets: Iterable[str]) -> None:
    """Raises NotByCustomer, SecretsNeeded; `changed` are settings of the source, `secrets` the names of those that are sent."""
    if not list(changed):
        return
    if connection.source_kind == FOLDER.kind:
        raise NotByCustomer
    if set(connections.secrets_of(connection)) - set(secrets):
        raise SecretsNeeded


def refuse_beyond_the_plan(changes: Mapping[str, Any]) -> None:
    """Raises NotInThePlan."""
    for section, name in NOT_THEIRS:
        values = changes.get(section)
        if isinstance(values, Mapping) and name in values:
            raise NotInThePlan(f"{section}.{name}")


def option_text(connection: SyncConnection, name: str, default: str = "") -> str:
    """What is kept of one setting of the source, as it is filled in."""
    kept = connection.source_settings.get(name, default)
    if isinstance(kept, list):
        return "\n".join(map(str, kept))
    return ("yes" if kept else "no") if isinstance(kept, bool) else str(kept)


def _told(connection: SyncConnection, name: str) -> str:
    defaults = {option.name: option.default for option in SOURCES[connection.source_kind].options}
    return option_text(connection, name, defaults.get(name, "")).strip()
