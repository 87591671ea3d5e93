"""`rollbook key`: the credentials an app reads a district with."""

import json
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from rollbook.cli.columns import show
from rollbook.flows import apps
from rollbook.store.models import Credential

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

verbs = typer.Typer(no_args_is_help=True, help="The credentials an app reads a district with.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="key")


@verbs.command()
def add(
    grant: Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")],
    oauth1: Annotated[
        bool, typer.Option("--oauth1", help="The key also signs OAuth 1.0a requests (OneRoster 1.1).")
    ] = False,
    name: Annotated[str, typer.Option(help="What to call it, for example the server that uses it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and show its secret, this once."""
    key = apps.add_key(apps.find_grant(grant), oauth1=oauth1, name=name)
    if as_json:
        shown = {"clientId": key.client_id, "clientSecret": key.client_secret, "oauth1": key.oauth1}
        typer.echo(json.dumps(shown))
    else:
        typer.echo(f"Client id      {key.client_id}")
        typer.echo(f"Client secret  {key.client_secret}")
        typer.echo("The secret is not shown again.")


@verbs.command("list")
def list_keys(
    grant: Annotated[int | None, typer.Option(help="Only those of this grant.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the keys there are, without their secrets."""
    keys = Credential.objects.select_related("grant__app", "grant__district").order_by("pk")
    if grant is not None:
        keys = keys.filter(grant_id=grant)
    show([_row(key) for key in keys], as_json)


@verbs.command()
def revoke(client_id: Annotated[str, typer.Argument(help="The key's client id.")]) -> None:
    """Make a key open nothing from now on. It cannot be undone: add another instead."""
    apps.revoke_key(client_id)
    typer.echo(f"{client_id} is revoked.")


@verbs.command("new-field-key")
def new_field_key() -> None:
    """Print a key for ROLLBOOK_FIELD_KEYS, to be put in front of those there are."""
    typer.echo(Fernet.generate_key().decode())


def _row(key: Credential) -> dict[str, object]:
    return {
        "clientId": key.client_id,
        "name": key.name,
        "grant": key.grant_id,
        "app": key.grant.app.name,
        "tenantId": key.grant.district_id,
        "oauth1": bool(key.oauth1_secret),
        "revoked": key.revoked_at is not None,
    }
