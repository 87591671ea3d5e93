"""`rollbook check`: says whether this installation is in order, and what to write where it is not."""

import typer
from django.core.checks import ERROR, Tags, run_checks


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(check)


def check() -> None:
    """Say what is wrong with the settings and the database, and what to write instead. Exit 1 when something is."""
    if not in_order():
        raise typer.Exit(1)
    typer.echo("In order.")


def in_order() -> bool:
    """Prints every message of our system checks; true when none is an error."""
    messages = run_checks(tags=[Tags.security], databases=None) + run_checks(
        tags=[Tags.database], databases=["default"]
    )
    ours = [message for message in messages if str(message.id).startswith("rollbook.")]
    for message in ours:
        hint = f" {message.hint}" if message.hint else ""
        typer.echo(f"{message.id}: {message.msg}{hint}", err=True)
    return all(message.level < ERROR for message in ours)
