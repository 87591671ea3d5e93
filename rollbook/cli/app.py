"""`rollbook app`: the catalogue of apps that districts may grant something."""

import json
from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.flows import apps
from rollbook.store.models import App

verbs = typer.Typer(no_args_is_help=True, help="The catalogue of apps that districts may grant something.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="app")


@verbs.command()
def add(
    name: Annotated[str, typer.Argument(help="The app's name, as its users know it.")],
    vendor: Annotated[str, typer.Option(help="Who makes it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Add an app to the catalogue. It sees nothing until a district grants it something."""
    entered = apps.add_app(name, vendor)
    typer.echo(json.dumps(_row(entered)) if as_json else f"{entered.name} is app {entered.pk}.")


@verbs.command("list")
def list_apps(as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False) -> None:
    """Show the catalogue."""
    show(
        [_row(entered) for entered in App.objects.order_by("name")],
        as_json,
        "`rollbook app add` puts one into the catalogue",
    )


def _row(entered: App) -> dict[str, object]:
    return {"app": entered.pk, "name": entered.name, "vendor": entered.vendor}
