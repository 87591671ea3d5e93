"""`rollbook limits`: the numbers above which a plan is held."""

from dataclasses import asdict
from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.engine.safeguards import Limits
from rollbook.flows import limits
from rollbook.flows.districts import find_district

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]

verbs = typer.Typer(no_args_is_help=True, help="The numbers above which a plan is held.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="limits")


@verbs.command("show")
def show_limits(district: DistrictName, as_json: AsJson = False) -> None:
    """Show the limits of every collection; a dash is no limit."""
    rows = limits.limits_of(find_district(district))
    show([_row(collection, own) for collection, own in rows.items()], as_json)


@verbs.command("set")
def set_limits(
    district: DistrictName,
    collection: Annotated[str, typer.Argument(help="orgs, users, enrollments …, or all.")],
    values: Annotated[
        list[str],
        typer.Argument(
            help="NAME=VALUE, for example delete_percent=5 or delete_number=off; or just: default."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Change limits of a collection. Names are those that `rollbook limits show --json` shows; off is no limit."""
    place = find_district(district)
    collections = list(limits.LOAD_ORDER) if collection == "all" else [collection]
    for one in collections:
        if values == ["default"]:
            limits.reset_limits(place, one)
        else:
            limits.set_limits(place, one, dict(_value(text) for text in values))
    kept = limits.limits_of(place)
    show([_row(one, kept[one]) for one in collections], as_json)


def _value(text: str) -> tuple[str, int | bool | str | None]:
    name, _, written = text.partition("=")
    if written in ("on", "off"):
        return name, written == "on" if name in limits.RULES else (None if written == "off" else written)
    return name, int(written) if written.isdecimal() else written


def _row(collection: str, own: Limits) -> dict[str, object]:
    return {"collection": collection, **asdict(own)}
