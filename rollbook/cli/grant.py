"""`rollbook grant`: what an app may see of a district."""

import json
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rollbook.cli.columns import show
from rollbook.flows import apps
from rollbook.flows.districts import find_district
from rollbook.store.models import Grant, Org
from rollbook.store.visibility import Rule

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]


class GrantOrVerb(TyperGroup):
    """`rollbook grant 1 "Reading app" …` grants; `rollbook grant list` and the others are verbs of their own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        verb = args if args[0] in self.commands else ["add", *args]
        return super().resolve_command(ctx, verb)


verbs = typer.Typer(cls=GrantOrVerb, no_args_is_help=True, help="What an app may see of a district.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="grant")


@verbs.command()
def add(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID, or its name.")],
    app: Annotated[str, typer.Argument(help="The app's name or number.")],
    permission: Annotated[
        Grant.Permission,
        typer.Option(help="full: everything but guardians; basic: chosen schools, enrolled people."),
    ],
    school: Annotated[
        list[str] | None, typer.Option(help="For basic: a school's sourcedId. Repeat for more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let an app see a district, or see it otherwise than before. It reads with a key: `rollbook key add`."""
    grant = apps.grant_app(find_district(district), apps.find_app(app), permission, school or [], enabled=True)
    if as_json:
        typer.echo(json.dumps(_row(grant)))
    else:
        typer.echo(f"{grant.app.name} sees {grant.district.name}: grant {grant.pk}, {grant.permission}.")


@verbs.command("list")
def list_grants(
    district: Annotated[int | None, typer.Option(help="Only those of this district.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what has been granted."""
    grants = Grant.objects.select_related("app", "district").order_by("pk")
    if district is not None:
        grants = grants.filter(district_id=district)
    show([_row(grant) for grant in grants], as_json)


@verbs.command()
def enable(number: Number) -> None:
    """Let the app read again, with the keys it has."""
    apps.enable(apps.find_grant(number))
    typer.echo(f"Grant {number} is enabled.")


@verbs.command()
def disable(number: Number) -> None:
    """Give the app nothing from now on: no token, and 403 for those it holds."""
    apps.disable(apps.find_grant(number))
    typer.echo(f"Grant {number} is disabled.")


def _row(grant: Grant) -> dict[str, object]:
    return {
        "grant": grant.pk,
        "tenantId": grant.district_id,
        "district": grant.district.name,
        "app": grant.app.name,
        "permission": grant.permission,
        "schools": _schools(grant),
        "enabled": grant.enabled,
    }


def _schools(grant: Grant) -> list[str]:
    """The sourcedIds of the schools chosen; none for a grant to all."""
    chosen = Rule.parse(grant.rule).orgs or ()
    orgs = Org.objects.filter(district_id=grant.district_id, id__in=chosen)
    return list(orgs.order_by("sourced_id").values_list("sourced_id", flat=True))
