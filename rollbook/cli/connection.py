"""`rollbook connection`: the ways in of a district."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import answer, show
from rollbook.cli.importing import EXITS, DespiteBlackout, say
from rollbook.cli.run import tell
from rollbook.connectors.contract import Connector
from rollbook.flows import connections, jobs
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.store.models import Connection

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]
Number = Annotated[int, typer.Argument(help="The connection's number: `rollbook connection list` shows it.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting as NAME=VALUE. Repeat for more; a list takes one line each."),
]
Secret = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        help="A secret as NAME=FILE, read from that file; - is standard input. Never on the command line itself.",
    ),
]
Every = Annotated[
    int | None,
    typer.Option(help="Hours within which an import is expected; 0 for no watch. Who is late is told of."),
]

verbs = typer.Typer(no_args_is_help=True, help="The ways in of a district.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="connection")


@verbs.command()
def kinds(as_json: AsJson = False) -> None:
    """Show the kinds of connections and their settings."""
    if as_json:
        typer.echo(json.dumps([_kind(kind) for kind in connections.ADDED.values()], ensure_ascii=False))
        return
    for kind in connections.ADDED.values():
        typer.echo(f"{kind.kind}: {kind.title}")
        for option in kind.options:
            marks = [word for word, on in (("required", option.required), ("secret", option.secret)) if on]
            marked = f" ({', '.join(marks)})" if marks else ""
            typer.echo(f"    {option.name}{marked}: {option.meaning}")


@verbs.command()
def add(
    district: DistrictName,
    name: Annotated[str, typer.Argument(help="What you call it.")],
    kind: Annotated[str, typer.Option(help="upload, sftp_drop, sftp_pull or oneroster_rest.")],
    settings: Set = None,
    secret: Secret = None,
    prefix: Annotated[
        str,
        typer.Option(help="Put in front of every sourcedId it serves, so that two connections cannot clash."),
    ] = "",
    expected_every_hours: Every = None,
    as_json: AsJson = False,
) -> None:
    """Add a way in."""
    made = connections.add_connection(
        find_district(district), kind, name, filled(settings, secret),
        prefix=prefix, expected_every_hours=expected_every_hours,
    )  # fmt: skip
    answer(_row(made), f"{made.name} is connection {made.pk}.", as_json)


@verbs.command("list")
def list_connections(district: DistrictName, as_json: AsJson = False) -> None:
    """Show a district's connections."""
    show(
        [_row(one) for one in connections.connections_of(find_district(district))],
        as_json,
        "`rollbook connection add` makes one",
    )


@verbs.command("test")
def try_connection(number: Number, as_json: AsJson = False) -> None:
    """Say what is found at the other end, or what is wrong."""
    found = connections.test_connection(connections.find_connection(number))
    answer(found, "\n".join(found), as_json)


@verbs.command()
def run(
    number: Number,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what would change: `rollbook changes` looks into it.")
    ] = False,
    despite_blackout: DespiteBlackout = False,
    as_json: AsJson = False,
) -> None:
    """Fetch what the other system has, and import it.

    Exit 0 when it came in, 1 when it did not, 3 when its plan is held, 5 when it is kept because of a blackout.
    """
    connection = connections.find_connection(number)
    with jobs.own_process() as process:
        waiting = jobs.enqueue_fetch(
            connection,
            actor().name,
            only_preview=preview,
            despite_blackout=despite_blackout,
            process=process,
        )
        ended = jobs.walk_here(waiting, say)
    tell(ended, as_json)
    raise typer.Exit(({"success": 0, "previewed": 0} | EXITS).get(ended.outcome, 1))


@verbs.command()
def edit(
    number: Number,
    settings: Set = None,
    secret: Secret = None,
    name: Annotated[str, typer.Option(help="Another name.")] = "",
    prefix: Annotated[str | None, typer.Option(help="Another prefix, while it has no records.")] = None,
    expected_every_hours: Every = None,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Switch it on or off.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a connection. What is not named stays; secrets too."""
    given = {
        "name": name or None,
        "prefix": prefix,
        "expected_every_hours": expected_every_hours,
        "enabled": enabled,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    edited = connections.edit_connection(
        connections.find_connection(number), filled(settings, secret), **changes
    )
    answer(_row(edited), f"Connection {edited.pk} is {'on' if edited.enabled else 'off'}.", as_json)


@verbs.command("change-way")
def change_way(
    number: Number,
    kind: Annotated[str, typer.Argument(help="upload, sftp_drop, sftp_pull or oneroster_rest.")],
    settings: Set = None,
    secret: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Let its deliveries come another way from now on. Its records, their ids, its runs, limits and preparation stay."""
    changed = connections.change_way(connections.find_connection(number), kind, filled(settings, secret))
    way = connections.KINDS[changed.kind].title
    answer(_row(changed), f"{changed.name}, connection {changed.pk}: {way}", as_json)


@verbs.command()
def remove(number: Number) -> None:
    """Remove a connection that has no records in the roster, with its packages and its runs."""
    connections.remove_connection(connections.find_connection(number))
    typer.echo(f"Connection {number} is removed.")


def filled(settings: list[str] | None, secrets: list[str] | None) -> dict[str, str]:
    """Texts by option name; the same name twice gives two lines."""
    found: dict[str, str] = {}
    for text in settings or []:
        name, _, value = text.partition("=")
        found[name] = f"{found[name]}\n{value}" if name in found else value
    for text in secrets or []:
        name, _, file = text.partition("=")
        found[name] = sys.stdin.read().rstrip("\r\n") if file == "-" else _read(Path(file))
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as fault:
        raise typer.BadParameter(f"{file}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise typer.BadParameter(f"{file}: this is no text in UTF-8") from fault


def _kind(kind: Connector) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "title": kind.title,
        "settings": [asdict(option) for option in kind.options],
    }


def _row(connection: Connection) -> dict[str, Any]:
    return {
        "connection": connection.pk,
        "name": connection.name,
        "kind": connection.kind,
        "prefix": connection.prefix,
        "enabled": connection.enabled,
        "expectedEveryHours": connection.expected_every_hours,
    }
