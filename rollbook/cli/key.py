"""`rollbook key`: the credentials an app reads a district with."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from rollbook.cli.columns import show
from rollbook.flows import apps, keys
from rollbook.oneroster import scopes
from rollbook.store.models import Credential, KeyUse

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
ClientId = Annotated[str, typer.Argument(help="The key's client id.")]

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
    days: Annotated[int | None, typer.Option(help="For how many days it holds.", min=1)] = None,
    address: Annotated[
        list[str] | None, typer.Option(help="An address or network it may be used from. Repeat for more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show its secret, this once."""
    end = datetime.now(UTC) + timedelta(days=days) if days else None
    key = keys.add_key(
        apps.find_grant(grant), oauth1=oauth1, name=name, expires_at=end, addresses=address or ()
    )
    _tell(key, as_json)


@verbs.command()
def rotate(
    client_id: ClientId,
    keep_hours: Annotated[int, typer.Option(help="For how many hours the former secret still holds.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Make a new secret for a key and show it, this once; the former one still holds for a while."""
    _tell(keys.renew_secret(keys.find_key(client_id), timedelta(hours=keep_hours)), as_json)


@verbs.command("end-former")
def end_former(client_id: ClientId) -> None:
    """End the former secret of a key now: everybody has the new one."""
    keys.end_former_secret(keys.find_key(client_id))
    typer.echo(f"{client_id} opens with its latest secret only.")


@verbs.command()
def expire(
    client_id: ClientId,
    days: Annotated[int | None, typer.Option(help="It ends in so many days.", min=1)] = None,
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="It ends at this moment of UTC."),
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="It has no end.")] = False,
) -> None:
    """Give a key an end, or take it away."""
    if (days is not None) + (at is not None) + never != 1:
        raise typer.BadParameter("say one of --days, --at and --never")
    end = datetime.now(UTC) + timedelta(days=days) if days else None
    end = at.replace(tzinfo=UTC) if at else end
    key = keys.set_end(keys.find_key(client_id), end)
    typer.echo(f"{client_id} ends at {_when(key.expires_at)}." if end else f"{client_id} has no end.")


@verbs.command()
def allow(
    client_id: ClientId,
    addresses: Annotated[
        list[str] | None,
        typer.Argument(help="Addresses and networks, such as 203.0.113.7 or 203.0.113.0/24."),
    ] = None,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="From every address.")] = False,
) -> None:
    """Say from which addresses a key may be used: these, and no others."""
    if bool(addresses) == anywhere:
        raise typer.BadParameter("name addresses, or say --anywhere")
    key = keys.set_addresses(keys.find_key(client_id), addresses or ())
    where = ", ".join(key.addresses.split()) or "everywhere"
    typer.echo(f"{client_id} may be used from {where}.")


@verbs.command()
def secret(client_id: ClientId, as_json: AsJson = False) -> None:
    """Show the secret of a key for OAuth 1.0a, which is kept readable. That it was looked at is audited."""
    key = keys.find_key(client_id)
    _tell(keys.Key(key.pk, key.client_id, keys.read_secret(key), True), as_json, again=True)


@verbs.command()
def endpoints(as_json: AsJson = False) -> None:
    """Show where a key is used: the addresses of OneRoster 1.1 and 1.2, and where it gets a token with which scopes."""
    told = keys.endpoints()
    if as_json:
        typer.echo(json.dumps({"endpoints": told, "scopes": sorted(scopes.ALL)}))
        return
    for name, address in told.items():
        typer.echo(f"{name:<8}{address}")
    for scope in sorted(scopes.ALL):
        typer.echo(f"scope   {scope}")


@verbs.command("list")
def list_keys(
    grant: Annotated[int | None, typer.Option(help="Only those of this grant.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the keys there are, without their secrets."""
    found = Credential.objects.select_related("grant__app", "grant__district").order_by("pk")
    if grant is not None:
        found = found.filter(grant_id=grant)
    uses = dict(KeyUse.objects.values_list("credential_id", "at"))
    show([_row(key, uses.get(key.pk)) for key in found], as_json, "`rollbook key add` makes one")


@verbs.command()
def revoke(client_id: ClientId) -> None:
    """Make a key open nothing from now on. It cannot be undone: add another instead."""
    keys.revoke_key(client_id)
    typer.echo(f"{client_id} is revoked.")


@verbs.command("new-field-key")
def new_field_key() -> None:
    """Print a key for ROLLBOOK_FIELD_KEYS, to be put in front of those there are."""
    typer.echo(Fernet.generate_key().decode())


def _tell(key: keys.Key, as_json: bool, again: bool = False) -> None:
    if as_json:
        shown = {"clientId": key.client_id, "clientSecret": key.client_secret, "oauth1": key.oauth1}
        typer.echo(json.dumps(shown))
    else:
        typer.echo(f"Client id      {key.client_id}")
        typer.echo(f"Client secret  {key.client_secret}")
        typer.echo("That it was shown is in the audit log." if again else "The secret is not shown again.")


def _row(key: Credential, used: int | None) -> dict[str, object]:
    return {
        "clientId": key.client_id,
        "name": key.name,
        "grant": key.grant_id,
        "app": key.grant.title,
        "tenantId": key.grant.district_id,
        "oauth1": bool(key.oauth1_secret),
        "expires": _when(key.expires_at),
        "addresses": key.addresses.split(),
        "used": _when(datetime.fromtimestamp(used / 1000, UTC)) if used else None,
        "revoked": key.revoked_at is not None,
    }


def _when(at: datetime | None) -> str | None:
    return at.isoformat(timespec="minutes") if at else None
