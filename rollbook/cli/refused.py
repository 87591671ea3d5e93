"""The threshold of the command line: it says who acts, and translates a Refusal: its words, then what it was about; exit code 1."""

import getpass
from typing import Any

import typer
from typer.core import TyperGroup

from rollbook.flows.acting import COMMAND_LINE, acting
from rollbook.refusal import Refusal

LONGEST_NAME = 100
"""Characters of who acts: it is kept in many places."""


class Verbs(TyperGroup):
    """The group of all verbs: whatever one of them refuses is said on stderr, without a traceback.

    Who acts is said before the verb, once for all of them (`rollbook --as NAME …`); else it is who sits at the server.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            with acting(_name(ctx.params.get("name") or ""), COMMAND_LINE):
                return super().invoke(ctx)
        except Refusal as refusal:
            about = f" ({refusal})" if str(refusal) else ""
            typer.echo(f"{refusal.words}{about}", err=True)
            raise typer.Exit(1) from refusal


def _name(said: str) -> str:
    try:
        return f"{said[:LONGEST_NAME].strip() or getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"  # the system has no name for them, as in a container
