"""`rollbook sync target`: where a sync goes, if not to the organization's own directory."""

from typing import Annotated

import typer

from rollbook.cli.columns import answer
from rollbook.cli.connection import Secret, Set, filled
from rollbook.flows.sync import targets
from rollbook.flows.sync.connections import find_connection

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]


def add_to(verbs: typer.Typer) -> None:
    """Adds the verb."""
    verbs.command("target")(target)


def target(
    number: Number,
    kind: Annotated[
        str, typer.Argument(help=f"Where it goes: {', '.join(targets.TARGETS)}. None: say where, and try it.")
    ] = "",
    settings: Set = None,
    secret: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Let a sync go to another directory: a SCIM server. Before it has brought anybody anywhere."""
    connection = find_connection(number)
    if kind:
        connection = targets.aim(connection, kind, filled(settings, secret))
        told = {"connection": connection.pk, "target": connection.target_kind} | connection.target_settings
        answer(told, f"Sync connection {connection.pk} goes to: {connection.target_kind}.", as_json)
        return
    found = targets.try_target(connection)
    answer(found, "\n".join(found), as_json)
