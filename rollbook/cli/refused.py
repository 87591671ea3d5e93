"""The one place where the command line translates a Refusal: its words, then what it was about; exit code 1."""

from typing import Any

import typer
from typer.core import TyperGroup

from rollbook.refusal import Refusal


class Verbs(TyperGroup):
    """The group of all verbs: whatever one of them refuses is said on stderr, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            about = f" ({refusal})" if str(refusal) else ""
            typer.echo(f"{refusal.words}{about}", err=True)
            raise typer.Exit(1) from refusal
