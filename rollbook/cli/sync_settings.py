"""`rollbook sync change`, `withdraw` and `settings`: settings that are shown as a plan before they count, and who changed what."""

from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.columns import answer, show
from rollbook.cli.sync_changes import changes
from rollbook.cli.sync_runs import tell
from rollbook.flows.acting import actor
from rollbook.flows.sync import connections, own, runs, settings

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]


def add_to(verbs: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.command()(change)
    verbs.command()(withdraw)
    verbs.command("settings")(show_settings)


def change(
    number: Number,
    file: Annotated[
        Path | None,
        typer.Option("--settings", help="A settings file (TOML); docs/reference/sync-settings.md has them."),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with", help="One setting as SECTION.NAME=VALUE: people.create=false. Repeat for more."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a sync would do by other settings. `rollbook sync approve` does it, and they count from then on.

    Before the first sync was carried out they are kept at once.
    """
    connection = connections.find_connection(number)
    with own.own_process() as process:
        run = settings.change(connection, changes(file, with_), actor().name, process)
        if run is not None:
            tell(own.walk_here(run, lambda words: typer.echo(words, err=True)), as_json)
    words = f"Sync connection {number} is changed: nothing of it was carried out yet."
    answer({"connection": number, "kept": True}, words, as_json)


def withdraw(
    number: Annotated[int, typer.Argument(help="The sync run: `rollbook sync status` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Drop a change of settings that was shown. They stay as they are."""
    run = settings.withdraw(runs.find_run(number), actor().name)
    answer({"run": run.pk, "outcome": run.outcome}, run.message, as_json)


def show_settings(number: Number, as_json: AsJson = False) -> None:
    """Show who changed which settings of a sync connection, and when: the latest first."""
    entries = settings.history(connections.find_connection(number), number=200)
    rows: list[dict[str, object]] = [
        {
            "at": f"{entry.at:%Y-%m-%d %H:%M}",
            "by": entry.by,
            "setting": one.name,
            "old": one.old,
            "new": one.new,
        }
        for entry in entries
        for one in entry.changes
    ]
    show(rows, as_json, "nothing was changed since it was connected")
