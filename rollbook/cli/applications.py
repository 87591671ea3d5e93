"""`rollbook grant`, the part about the app itself: what it is called here, what is said of it, asking for one, and removing it."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer
from django.utils import timezone

from rollbook.cli.columns import answer
from rollbook.engine.scope import Rule, access
from rollbook.flows import applications
from rollbook.flows.acting import actor
from rollbook.flows.apps import find_app, find_grant
from rollbook.flows.districts import find_district
from rollbook.flows.launching.apps import launch_now, set_launch_date
from rollbook.store.accesses import Taken, access_counts, last_calls, last_packages
from rollbook.store.models import Grant

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]


def register(verbs: typer.Typer) -> None:
    """Adds the commands to those of `rollbook grant`."""
    for name, command in COMMANDS.items():
        verbs.command(name)(command)


def show(number: Number, as_json: AsJson = False) -> None:
    """Show an app of a district: how much it sees, what it took in 30 days, and what is said of it."""
    told = told_of(find_grant(number))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, value in told.items():
        typer.echo(f"{name:<16}{_text(value)}")


def rename(
    number: Number,
    name: Annotated[
        str, typer.Argument(help="What the app is called in this district; empty: as in the catalogue.")
    ],
) -> None:
    """Call an app by another name in its district."""
    grant = find_grant(number)
    applications.rename(grant, name, by=actor().name)
    typer.echo(f"Grant {number} is called {grant.title}.")


def particulars(
    number: Number,
    start_url: Annotated[str | None, typer.Option(help="Where people begin with the app.")] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where a sign-in may lead back to. Repeat for more.")
    ] = None,
    website: Annotated[str | None, typer.Option(help="The maker's site.")] = None,
    contact_name: Annotated[str | None, typer.Option(help="Who to ask.")] = None,
    contact_email: Annotated[str | None, typer.Option(help="Their e-mail address.")] = None,
    instructions: Annotated[str | None, typer.Option(help="What to know when setting it up.")] = None,
    from_catalogue: Annotated[
        bool,
        typer.Option("--from-catalogue", help="First forget what was entered here: all as in the catalogue."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say something else of an app than the catalogue does, in this district; without options, show what is said."""
    grant = find_grant(number)
    given = {
        "start_url": start_url,
        "redirect_uris": redirect_uri,
        "website": website,
        "contact_name": contact_name,
        "contact_email": contact_email,
        "instructions": instructions,
    }
    entry: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if from_catalogue:
        entry = {field: getattr(grant.app, field) for field in applications.OWN} | entry
    if entry:
        applications.edit_particulars(grant, entry, by=actor().name)
    said = applications.particulars(grant)
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    for name, value in said.items():
        typer.echo(f"{name:<16}{_text(value)}")


def launch(
    number: Number,
    on: Annotated[
        str | None,
        typer.Option(help="The first day on which people find it; empty: from the day it is switched on."),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="From today on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say from when on people find an app on their launch pad; without options, show it."""
    grant = find_grant(number)
    if now:
        launch_now(grant, by=actor().name)
    elif on is not None:
        set_launch_date(grant, on, by=actor().name)
    since = f"from {grant.launches_on} on" if grant.launches_on else "from the day it is switched on"
    answer({"grant": number, "launchDate": grant.launches_on}, f"People find {grant.title} {since}.", as_json)


def remove(
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an app from its district: its keys open nothing any more, nothing is delivered to it. Its history stays."""
    grant = find_grant(number)
    if not yes and not typer.confirm(f"Remove {grant.title}? Its keys cannot be brought back."):
        raise typer.Exit(1)
    applications.remove_application(grant, by=actor().name)
    typer.echo(f"{grant.title} is removed.")


def ask(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID, or its name.")],
    app: Annotated[str, typer.Argument(help="The app's name or number.")],
    why: Annotated[str, typer.Option(help="What for.")] = "",
) -> None:
    """Ask the district's administrators for an app. It sees nothing before one of them adds it."""
    grant = applications.request_application(find_district(district), find_app(app), by=actor().name, why=why)
    typer.echo(f"{grant.title} is asked for: grant {grant.pk}.")


def told_of(grant: Grant) -> dict[str, Any]:
    """An app of a district, as programs read it."""
    orgs, courses = access(Rule.parse(grant.rule))
    return {
        "grant": grant.pk,
        "tenantId": grant.district_id,
        "app": grant.app_id,
        "name": grant.title,
        "catalogueName": grant.app.name,
        "vendor": grant.app.vendor,
        "inDevelopment": grant.app.in_development,
        "enabled": grant.enabled,
        "requested": applications.is_requested(grant),
        "removed": grant.removed_at is not None,
        "permission": grant.permission,
        "orgAccess": str(orgs),
        "courseAccess": str(courses),
        "startsOn": grant.starts_on,
        "endsOn": grant.ends_on,
        "launchDate": grant.launches_on,
        "version": grant.version,
        "accessCount": access_counts([grant.pk], timezone.now()).get(grant.pk, 0),
        "lastCall": _last(last_calls([grant.pk]).get(grant.pk)),
        "lastPackage": _last(last_packages([grant.pk]).get(grant.pk)),
    }


def _last(taken: Taken | None) -> dict[str, object] | None:
    return taken.told if taken else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(str(one) for one in value.values() if one not in (None, ""))
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value) if value not in (None, "") else "-"


COMMANDS: dict[str, Callable[..., None]] = {
    "show": show,
    "rename": rename,
    "particulars": particulars,
    "launch": launch,
    "remove": remove,
    "ask": ask,
}
