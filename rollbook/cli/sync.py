"""`rollbook sync`: an organization's directory kept in step with a source. Here: its connections. Runs, mappings and people are beside."""

from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli import (
    sync_calendar,
    sync_help,
    sync_holds,
    sync_people,
    sync_runs,
    sync_schools,
    sync_settings,
    sync_target,
)
from rollbook.cli.columns import answer, show
from rollbook.cli.connection import Secret, Set, filled
from rollbook.cli.sync_changes import changes
from rollbook.connectors import SOURCES
from rollbook.connectors.own_folder import OWN_FOLDER
from rollbook.engine.sync.policy import presets
from rollbook.flows.directory import find_organization
from rollbook.flows.sync import connections, places
from rollbook.store.models import SyncConnection

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]
Why = Annotated[str, typer.Option("--why", help="Why; kept with it.")]
Settings = Annotated[
    Path | None,
    typer.Option(
        "--settings", help="A settings file (TOML) over the preset; docs/reference/sync-settings.md has them."
    ),
]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        help="One setting as SECTION.NAME=VALUE, as in a settings file: people.create=false. Repeat for more.",
    ),
]

verbs = typer.Typer(no_args_is_help=True, help="An organization's directory kept in step with a roster.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="sync")


@verbs.command()
def connect(
    organization: Annotated[str, typer.Argument(help="The organization's number or name.")],
    name: Annotated[str, typer.Argument(help="What you call it.")],
    kind: Annotated[str, typer.Option(help=f"The source: {', '.join(SOURCES)}.")],
    preset: Annotated[str, typer.Option(help=f"Settings to begin with: {', '.join(presets())}.")] = "",
    source: Set = None,
    secret: Secret = None,
    settings: Settings = None,
    with_: With = None,
    as_json: AsJson = False,
) -> None:
    """Connect a source. Nothing runs before `rollbook sync activate`."""
    made = connections.connect(
        find_organization(organization),
        name,
        kind,
        filled(source, secret),
        settings=preset,
        changes=changes(settings, with_),
    )
    answer(
        _row(made),
        f"{made.name} is sync connection {made.pk}. It is {made.state}: {_put(made)}test it, then activate it.",
        as_json,
    )


@verbs.command("list")
def list_connections(
    organization: Annotated[
        str, typer.Option(help="Only those of this organization: its number or name.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show the sync connections."""
    found = connections.connections(find_organization(organization) if organization else None)
    show([_row(one) for one in found], as_json, "`rollbook sync connect` makes one")


@verbs.command()
def edit(
    number: Number,
    source: Set = None,
    secret: Secret = None,
    settings: Settings = None,
    with_: With = None,
    name: Annotated[str, typer.Option(help="Another name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Change a sync connection. What is not named stays; a plan made before is out of date."""
    edited = connections.edit(
        connections.find_connection(number), filled(source, secret), changes(settings, with_), name
    )
    answer(_row(edited), f"Sync connection {edited.pk} is changed.", as_json)


@verbs.command("show")
def show_connection(number: Number, as_json: AsJson = False) -> None:
    """Show a sync connection with its settings; secrets are not shown."""
    found = connections.find_connection(number)
    source = places.asked_of(found)
    told = _row(found) | {"source": source, "settings": found.policy}
    lines = [f"{found.name}: {found.state}."]
    lines += [f"    {name}: {value}" for name, value in source.items()]
    lines += [
        f"    {section}.{name} = {value}"
        for section, values in found.policy.items()
        if isinstance(values, dict)
        for name, value in values.items()
    ]
    answer(told, "\n".join(lines), as_json)


@verbs.command("test")
def try_connection(number: Number, as_json: AsJson = False) -> None:
    """Say what is found at the source, or what is wrong. Nothing is read into the directory."""
    found = connections.test(connections.find_connection(number))
    answer(found, "\n".join(found), as_json)


@verbs.command("preset")
def begin_from(
    number: Number,
    preset: Annotated[str, typer.Argument(help=f"The settings: {', '.join(presets())}.")],
    as_json: AsJson = False,
) -> None:
    """Begin anew from settings that come with Rollbook, while nothing was synced yet. Roles you do not have are not mapped."""
    begun = connections.begin_from(connections.find_connection(number), preset)
    answer(_row(begun), f"Sync connection {begun.pk} has the settings {preset}.", as_json)


@verbs.command()
def drop(number: Number, as_json: AsJson = False) -> None:
    """Take away a sync connection that was only begun: its source never answered, and it never ran."""
    found = connections.find_connection(number)
    row = _row(found)
    connections.drop(found)
    answer(row, f"Sync connection {number} is gone.", as_json)


@verbs.command()
def activate(number: Number, why: Why = "", as_json: AsJson = False) -> None:
    """Let a sync connection run: one that was requested, is paused or was disconnected."""
    _tell(connections.activate(connections.find_connection(number), why), as_json)


@verbs.command()
def pause(number: Number, why: Why = "", as_json: AsJson = False) -> None:
    """Let nothing begin until it is activated again."""
    _tell(connections.pause(connections.find_connection(number), why), as_json)


@verbs.command()
def reconnect(number: Number, why: Why = "", as_json: AsJson = False) -> None:
    """Ask for a sync connection anew that was disconnected: it is tested and activated as the first time, and finds everybody."""
    _tell(connections.request_again(connections.find_connection(number), why), as_json)


@verbs.command()
def disconnect(number: Number, why: Why = "", as_json: AsJson = False) -> None:
    """End a sync connection. What it made stays, and is found again by who activates it."""
    _tell(connections.disconnect(connections.find_connection(number), why), as_json)


def _put(connection: SyncConnection) -> str:
    """Where its files go, if that is a folder of its own."""
    is_own = connection.source_kind == OWN_FOLDER.kind
    return f"put the files into {places.place_of(connection.organization)}, " if is_own else ""


def _tell(connection: SyncConnection, as_json: bool) -> None:
    answer(_row(connection), f"Sync connection {connection.pk} is {connection.state}.", as_json)


def _row(connection: SyncConnection) -> dict[str, object]:
    return {
        "connection": connection.pk,
        "organization": connection.organization.name,
        "name": connection.name,
        "kind": connection.source_kind,
        "preset": connection.preset,
        "state": str(connection.state),
        "target": connection.target_kind,
    }


for _beside in (
    sync_schools,
    sync_runs,
    sync_holds,
    sync_settings,
    sync_people,
    sync_calendar,
    sync_target,
    sync_help,
):
    _beside.add_to(verbs)
