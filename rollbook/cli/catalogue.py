"""`rollbook catalogue`: what is said of the apps that districts may add."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import show
from rollbook.engine import needs
from rollbook.engine.pictures import MOST_BYTES
from rollbook.flows import catalogue
from rollbook.flows.apps import find_app
from rollbook.flows.partners import find_developer, find_partner
from rollbook.store.models import App

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
AppName = Annotated[str, typer.Argument(help="The app's name or number.")]
Vendor = Annotated[str | None, typer.Option(help="The company that makes it.")]
Website = Annotated[str | None, typer.Option(help="Its page for people; begins with https://.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
Instructions = Annotated[str | None, typer.Option(help="What a district has to do or to know.")]
ContactName = Annotated[str | None, typer.Option(help="The developer to write to: name.")]
ContactEmail = Annotated[str | None, typer.Option(help="The developer to write to: e-mail address.")]
StartUrl = Annotated[str | None, typer.Option(help="Where a person begins to use it.")]
Redirects = Annotated[
    list[str] | None,
    typer.Option("--redirect-uri", help="Where a sign-in may lead back to. Repeat for more."),
]
Needs = Annotated[
    list[str] | None,
    typer.Option(
        "--need",
        help="Such as “required users.email: pupils sign in with it”. Repeat for more; all of them are said anew.",
    ),
]
Development = Annotated[
    bool | None, typer.Option("--development/--released", help="Whether it is still in development.")
]

verbs = typer.Typer(no_args_is_help=True, help="What is said of the apps that districts may add.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="catalogue")


@verbs.command("list")
def list_apps(
    search: Annotated[str, typer.Option(help="Only those with these words in their name or company.")] = "",
    development: Annotated[bool, typer.Option(help="Those in development as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the catalogue as a district sees it."""
    found = catalogue.browse(search, with_development=development)
    show([_row(entry) for entry in found], as_json, "`rollbook catalogue add` puts one in")


@verbs.command("show")
def show_app(app: AppName, as_json: AsJson = False) -> None:
    """Show all that is said of an app."""
    entry = _whole(find_app(app))
    if as_json:
        typer.echo(json.dumps(entry, ensure_ascii=False))
        return
    for name, value in entry.items():
        for line in value if isinstance(value, list) else [value]:
            typer.echo(f"{name:<14}  {line if line not in ('', None) else '-'}")


@verbs.command()
def add(
    name: Annotated[str, typer.Argument(help="The app's name, as its users know it.")],
    vendor: Vendor = None,
    website: Website = None,
    description: Description = None,
    instructions: Instructions = None,
    contact_name: ContactName = None,
    contact_email: ContactEmail = None,
    start_url: StartUrl = None,
    redirect_uri: Redirects = None,
    need: Needs = None,
    development: Development = None,
    partner: Annotated[
        str, typer.Option(help="The name or number of the partner whose app it is; then say --registered-by.")
    ] = "",
    registered_by: Annotated[
        str, typer.Option(help="Which of its developers registers it: e-mail address.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Enter an app. It sees nothing until a district adds it."""
    entry = _entry(
        vendor=vendor, website=website, description=description, instructions=instructions, contact_name=contact_name,
        contact_email=contact_email, start_url=start_url, redirect_uris=redirect_uri, needs=_needs(need),
        in_development=development,
    )  # fmt: skip
    if bool(partner) != bool(registered_by):
        raise typer.BadParameter("say --partner and --registered-by together")
    developer = find_developer(find_partner(partner), registered_by) if partner else None
    app = catalogue.enter({"name": name, **entry}, developer)
    typer.echo(json.dumps(_row(app)) if as_json else f"{app.name} is app {app.pk}.")


@verbs.command()
def edit(
    app: AppName,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    vendor: Vendor = None,
    website: Website = None,
    description: Description = None,
    instructions: Instructions = None,
    contact_name: ContactName = None,
    contact_email: ContactEmail = None,
    start_url: StartUrl = None,
    redirect_uri: Redirects = None,
    need: Needs = None,
    development: Development = None,
) -> None:
    """Say something else of an app; what is not named stays. Districts' own settings stay too."""
    entry = _entry(
        name=name, vendor=vendor, website=website, description=description, instructions=instructions,
        contact_name=contact_name, contact_email=contact_email, start_url=start_url, redirect_uris=redirect_uri,
        needs=_needs(need), in_development=development,
    )  # fmt: skip
    changed = catalogue.edit(find_app(app), entry)
    typer.echo(f"What the catalogue says of {changed.name} is changed.")


@verbs.command()
def logo(
    app: AppName,
    file: Annotated[
        Path | None,
        typer.Argument(help="A PNG or JPEG, square, at most 500 kB.", exists=True, dir_okay=False),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Show no logo.")] = False,
) -> None:
    """Show an app with a picture, or without."""
    entry = find_app(app)
    if file is not None:
        with file.open("rb") as opened:
            catalogue.set_logo(entry, opened.read(MOST_BYTES + 1))
        typer.echo(f"{entry.name} is shown with {file.name}.")
    elif remove:
        catalogue.remove_logo(entry)
        typer.echo(f"{entry.name} is shown without a logo.")
    else:
        raise typer.BadParameter("Name a picture, or say --remove.")


@verbs.command()
def remove(app: AppName) -> None:
    """Take an app out of the catalogue, unless a district ever added it."""
    entry = find_app(app)
    catalogue.remove(entry)
    typer.echo(f"{entry.name} is no longer in the catalogue.")


def _entry(**said: Any) -> dict[str, Any]:
    """What was named on the command line."""
    return {name: value for name, value in said.items() if value is not None}


def _needs(lines: list[str] | None) -> tuple[needs.Need, ...] | None:
    return None if lines is None else needs.parse_lines("\n".join(lines))


def _row(app: App) -> dict[str, object]:
    return {
        "app": app.pk,
        "name": app.name,
        "vendor": app.vendor,
        "development": app.in_development,
        "partner": app.partner.name if app.partner else None,
    }


def _whole(app: App) -> dict[str, Any]:
    by = app.registered_by
    return _row(app) | {
        "registeredBy": by.account.email if by else None,
        "description": app.description,
        "website": app.website,
        "contactName": app.contact_name,
        "contactEmail": app.contact_email,
        "startUrl": app.start_url,
        "redirectUris": app.redirect_uris,
        "needs": [need.line for need in catalogue.needs_of(app)],
        "instructions": app.instructions,
    }
