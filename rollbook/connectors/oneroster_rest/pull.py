"""The pull: sign in, find out which version answers, read every collection to its end, judge what was seen, write the package.

And the test of a connection, which reads one record of each collection and changes nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rollbook.connectors.contract import (
    AskedToWait,
    CannotFetch,
    Connector,
    Fetched,
    Progress,
    Secrets,
    Settings,
)
from rollbook.connectors.oneroster_rest.address import Rostering, candidates
from rollbook.connectors.oneroster_rest.certificate import NOT_SHARED, Part, certificate, certified, modes
from rollbook.connectors.oneroster_rest.configuration import OPTIONS, Configuration, checked, configured
from rollbook.connectors.oneroster_rest.envelope import NoEnvelope, page_of
from rollbook.connectors.oneroster_rest.focus import read_focus
from rollbook.connectors.oneroster_rest.package import write
from rollbook.connectors.oneroster_rest.paging import NOT_OFFERED, NOT_PERMITTED, read_collection
from rollbook.connectors.oneroster_rest.server import Server
from rollbook.connectors.oneroster_rest.sign_in import SignInRefused, sign_in_of
from rollbook.connectors.oneroster_rest.spool import Spool
from rollbook.connectors.oneroster_rest.token_address import likely_token_addresses
from rollbook.connectors.oneroster_rest.wire import GaveUp, Wire

TEST_SECONDS, TEST_WAIT, LONGEST_TEST = 10.0, 2.0, 20.0
"""How long a test waits for an answer, before it asks again, and from when on it looks at nothing more: somebody sits before it."""

NOT_LOOKED_AT = "not looked at, the server took too long"

SYSTEM = "OneRoster {version} of {host}"


class NothingRead(CannotFetch):
    """The server answered, and yet not one record could be read."""


def fetch(
    settings: Settings, secrets: Secrets, work_folder: Path, now: datetime, progress: Progress
) -> Fetched:
    """Pulls everything into a package folder inside `work_folder`. Raises BadSetting, CannotFetch."""
    configuration = configured(settings, secrets)
    with (
        Spool(work_folder / "pull.db", configuration.collections) as spool,
        _reached(configuration) as server,
    ):
        if configuration.focus:
            parts, quirks = read_focus(server, spool, configuration, now, progress)
        else:
            parts, quirks = _read_all(server, spool, configuration, now, progress)
        is_part = bool(configuration.focus or configuration.since)
        if not is_part:
            _refuse_nothing(parts)
        chosen = dict.fromkeys(parts, "delta") if is_part else modes(parts)
        progress("writing the package")
        folder = work_folder / "package"
        moment = _moment(now)
        write(folder, server.rostering.version, spool, chosen, moment, _system(server.rostering))
        notes = [*dict.fromkeys(server.sign_in.notes)]
        about = _about(server, moment)
    (work_folder / "pull.db").unlink()
    said = certificate(parts, chosen, about, [*quirks, *notes])
    return Fetched(folder, said, tuple(_notes(parts)))


def tested(settings: Settings, secrets: Secrets) -> list[str]:
    """What the server lets us see, a line each. Raises BadSetting, CannotFetch."""
    configuration = replace(
        configured(settings, secrets),
        attempts=2,
        time_out=TEST_SECONDS,
        longest_wait=TEST_WAIT,
        gives_way=True,
    )
    until = time.monotonic() + LONGEST_TEST
    if configuration.sign_in == "oauth2" and not configuration.token_url:
        raise CannotFetch(_where_tokens_may_be(configuration))
    with _reached(configuration) as server:
        lines = [f"OneRoster {server.rostering.version} answers at {server.rostering.base}."]
        for collection in configuration.collections:
            late = time.monotonic() > until
            lines.append(f"{collection}: {NOT_LOOKED_AT}." if late else _look_at(server, collection))
        return lines


ONEROSTER_REST = Connector(
    "oneroster_rest", "Another OneRoster server (REST)", OPTIONS, checked, fetch, tested
)


# --- Reaching the server ------------------------------------------------------------------------------------------------------------------


@contextmanager
def _reached(configuration: Configuration) -> Iterator[Server]:
    """The service that answers, signed in to; where the address leaves the version open, both are tried, the newer first."""
    with Wire(configuration) as wire:
        services = candidates(configuration.url, configuration.version, configuration.insecure)
        if configuration.sign_in == "oauth1":
            services = [rostering for rostering in services if rostering.version == "1.1"]
        yield _first_that_answers(services, configuration, wire)


def _first_that_answers(services: list[Rostering], configuration: Configuration, wire: Wire) -> Server:
    """Where a version refuses the sign-in it may only not be there, and another answers; where none does, that refusal is what is told."""
    refused: Server | None = None
    for rostering in services:
        server = Server(rostering, sign_in_of(configuration, rostering.version, wire), wire)
        if rostering is services[-1] and refused is None:
            return server
        looked = _look(server)
        if looked == "answers":
            return server
        if looked == "refuses":
            refused = refused or server
    if refused is None:
        raise CannotFetch("OAuth 1 is a matter of OneRoster 1.1, and the address is one of 1.2.")
    return refused


def _look(server: Server) -> str:
    """Whether this version answers, refuses the sign-in, or is absent: unknown, or a page that holds something else."""
    try:
        answer = server.ask(lambda: server.rostering.url("orgs?limit=1&offset=0"))
    except SignInRefused:
        return "refuses"
    if answer.status in NOT_PERMITTED:
        return "refuses"
    if answer.status != 200:
        return "absent" if answer.status in NOT_OFFERED else "answers"
    try:
        page_of(answer, "orgs")
    except NoEnvelope:
        return "absent"
    return "answers"


# --- Reading ------------------------------------------------------------------------------------------------------------------------------


def _read_all(
    server: Server, spool: Spool, configuration: Configuration, now: datetime, progress: Progress
) -> tuple[dict[str, Part], set[str]]:
    """Every collection read and judged, and what is odd about the server."""
    parts: dict[str, Part] = {}
    quirks: set[str] = set()
    today = now.astimezone(UTC).date().isoformat()
    for collection in configuration.collections:
        progress(f"{collection}: reading")
        walk = read_collection(server, collection, spool, configuration, today, progress)
        records, active = spool.counts(collection)
        parts[collection] = certified(
            collection, walk, records, active, configuration.accepted.get(collection, 0)
        )
        if not parts[collection].shared:
            progress(f"{collection}: {NOT_SHARED}")
        quirks |= {f"{collection}: {quirk}" for quirk in walk.quirks}
    return parts, quirks


def _refuse_nothing(parts: dict[str, Part]) -> None:
    """Where nothing was read at all there is no delivery: the first trouble says why."""
    if not any(part.read for part in parts.values()):
        reasons = [f"{name}: {'; '.join(part.reasons)}" for name, part in parts.items() if part.reasons]
        reason = reasons[0].rstrip(".") if reasons else "Every collection is empty"
        raise NothingRead(f"Nothing could be read. {reason}.")


def _notes(parts: dict[str, Part]) -> Iterator[str]:
    for name, part in parts.items():
        if not part.shared:
            yield f"{name}: {'; '.join(part.reasons)}."
        elif not part.complete:
            yield f"{name} is not proved to be complete: {'; '.join(part.reasons)}."


def _about(server: Server, moment: str) -> dict[str, Any]:
    return {
        "version": server.rostering.version,
        "address": server.rostering.base,
        "at": moment,
        "requests": server.wire.requests,
        "waits": server.wire.waited,
    }


def _system(rostering: Rostering) -> str:
    return SYSTEM.format(version=rostering.version, host=rostering.base.split("/")[2])


def _moment(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


# --- Testing ------------------------------------------------------------------------------------------------------------------------------


def _look_at(server: Server, collection: str) -> str:
    """One line on one collection."""
    try:
        answer = server.ask(lambda: server.rostering.url(f"{collection}?limit=1&offset=0"))
    except AskedToWait as asked:
        if asked.seconds:
            return f"{collection}: the server asks to be left alone for {asked.seconds:.0f} seconds (429)."
        return f"{collection}: the server asks to be left alone (429)."
    except GaveUp as trouble:
        return f"{collection}: {trouble.words}"
    if answer.status in NOT_OFFERED:
        return f"{collection}: not offered."
    if answer.status in NOT_PERMITTED:
        return f"{collection}: this sign-in may not read it."
    if answer.status != 200:
        return f"{collection}: {answer.words}."
    try:
        page = page_of(answer, collection)
    except NoEnvelope as found:
        return f"{collection}: the answer is no page of records: {found}."
    if page.total is not None:
        return f"{collection}: {page.total:,} records."
    return (
        f"{collection}: {'there are records' if page.records else 'no records'}; the server gives no total."
    )


def _where_tokens_may_be(configuration: Configuration) -> str:
    with Wire(configuration) as wire:
        services = candidates(configuration.url, configuration.version, configuration.insecure)
        found = likely_token_addresses(services[0], wire)
    if found:
        return f"The token address is missing. It may be {' or '.join(found)}: write it down if you trust it."
    return "The token address is missing, and none of the usual places answers: ask whoever runs the server."
