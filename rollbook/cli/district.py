"""`rollbook district`: the districts of this installation."""

import json
from typing import Annotated

import typer

from rollbook.cli import invitations, own_sign_in
from rollbook.cli.columns import answer, show
from rollbook.flows import districts, second_steps
from rollbook.store.models import District

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

verbs = typer.Typer(no_args_is_help=True, help="The districts of this installation.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.add_typer(invitations.of_district, name="invitation")
    verbs.add_typer(own_sign_in.of_district, name="own-sign-in")
    app.add_typer(verbs, name="district")


@verbs.command()
def add(
    name: Annotated[str, typer.Argument(help="The district's name.")],
    time_zone: Annotated[str, typer.Option(help="Its time zone, for example America/Chicago.")] = "UTC",
    as_json: AsJson = False,
) -> None:
    """Add a district. Its Tenant ID is what every other command, and every app, names it by."""
    district = districts.add_district(name, time_zone)
    typer.echo(json.dumps(_row(district)) if as_json else f"{district.name} has the Tenant ID {district.pk}.")


@verbs.command("list")
def list_districts(as_json: AsJson = False) -> None:
    """Show all districts."""
    show(
        [_row(district) for district in District.objects.order_by("id")],
        as_json,
        "`rollbook district add` makes one",
    )


@verbs.command("require-mfa")
def require_mfa(
    district: Annotated[str, typer.Argument(help="The Tenant ID or name of the district.")],
    off: Annotated[bool, typer.Option("--off", help="Require it no more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Require a second step, beside the password, of everybody who works in the district."""
    place = districts.find_district(district)
    second_steps.require_in_district(place, not off)
    words = f"{place.name} requires {'no' if off else 'a'} second step of who works there."
    answer(_row(place), words, as_json)


def _row(district: District) -> dict[str, object]:
    return {
        "tenantId": district.pk,
        "name": district.name,
        "timeZone": district.time_zone,
        "publication": district.publication,
        "requiresSecondStep": district.requires_second_step,
    }
