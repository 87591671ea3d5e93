"""`rollbook broker`: Rollbook as an OpenID Connect provider: who takes sign-ins from it, and the keys it signs with."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.flows.apps import find_app
from rollbook.flows.broker import addresses, clients, keys, notices
from rollbook.flows.directory import find_product
from rollbook.store.models import SignInClient, SigningKey

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Which = Annotated[str, typer.Argument(metavar="CLIENT", help="The client ID.")]
Redirects = Annotated[
    list[str] | None,
    typer.Option("--redirect", help="Where a sign-in may lead back to; repeat. An app's are those of its page Edit."),
]  # fmt: skip
Outs = Annotated[
    list[str] | None, typer.Option("--after-sign-out", help="Where signing out may lead to; repeat.")
]
Hears = Annotated[str | None, typer.Option(help="The address that is told when a sign-in ends; empty: none.")]
Tells = Annotated[
    list[str] | None,
    typer.Option("--tell", help="What it is told: name, email, username, roles, sites, sourced-id; repeat."),
]

verbs = typer.Typer(no_args_is_help=True, help="Rollbook as the one sign-in service of products and apps.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="broker")


@verbs.command()
def describe(as_json: AsJson = False) -> None:
    """Show the issuer and its addresses."""
    told = addresses.description(keys.ALGORITHM)
    answer(told, "\n".join(f"{name}  {told[name]}" for name in ("issuer", *addresses.ENDPOINTS)), as_json)


@verbs.command("list")
def list_clients(as_json: AsJson = False) -> None:
    """Show the sign-in clients."""
    show([_row(one) for one in clients.clients()], as_json, "`rollbook broker add` makes one")


@verbs.command()
def add(
    product: Annotated[str, typer.Option(help="The product whose members sign in: its number or name.")] = "",
    app: Annotated[str, typer.Option(help="Or the app that districts share people with.")] = "",
    name: Annotated[str, typer.Option(help="What people read when they choose where they belong.")] = "",
    redirect: Redirects = None,
    after_sign_out: Outs = None,
    hears: Hears = None,
    tell: Tells = None,
    as_json: AsJson = False,
) -> None:
    """Add a client; its secret is shown this once."""
    made = clients.add_client(
        find_product(product) if product else None, find_app(app) if app else None, name, **_about(redirect, after_sign_out, hears, tell)
    )  # fmt: skip
    _secret(made, as_json)


@verbs.command()
def change(
    client: Which,
    name: Annotated[str | None, typer.Option(help="What people read.")] = None,
    redirect: Redirects = None,
    after_sign_out: Outs = None,
    hears: Hears = None,
    tell: Tells = None,
    as_json: AsJson = False,
) -> None:
    """Change what is named of a client; lists take the place of what stood."""
    told = _about(redirect, after_sign_out, hears, tell) | ({"name": name} if name is not None else {})
    changed = clients.edit_client(clients.find_client(client), **told)
    answer(_row(changed), f"Client {changed.client_id} was changed.", as_json)


@verbs.command("renew-secret")
def renew_secret(
    client: Which,
    keep_hours: Annotated[int, typer.Option(help="For so many hours the former secret still holds.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Make another secret, shown this once; the former one holds for a while."""
    _secret(clients.renew_secret(clients.find_client(client), timedelta(hours=keep_hours)), as_json)


@verbs.command()
def revoke(client: Which, as_json: AsJson = False) -> None:
    """Nobody signs in by this client any more."""
    revoked = clients.revoke_client(clients.find_client(client))
    answer(_row(revoked), f"Client {revoked.client_id} was revoked.", as_json)


@verbs.command("keys")
def list_keys(as_json: AsJson = False) -> None:
    """Show the keys that tokens are signed with."""
    show([_key(one) for one in keys.known()], as_json, "the first client brings one")


@verbs.command("rotate-keys")
def rotate_keys(
    now: Annotated[
        bool,
        typer.Option("--now", help="The old key is known to others: nothing it signed is believed any more."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new key: it is published now and signs in ten minutes; the old one stays published until its last token is out."""
    made = keys.rotate(datetime.now(UTC), at_once=now)
    answer(_key(made), f"Key {made.kid} signs from {made.signs_at.isoformat()}.", as_json)


@verbs.command("notices")
def list_notices(as_json: AsJson = False) -> None:
    """Show the ends of sign-ins that clients have not heard of yet."""
    rows: list[Row] = [
        {"client": one.visit.client_id, "sid": str(one.visit_id), "since": one.made_at.isoformat(), "tries": one.tries, "fault": one.fault}
        for one in notices.waiting()[:1000]
    ]  # fmt: skip
    show(rows, as_json, "clients have heard of every sign-in that ended")


def _about(
    redirect: list[str] | None, after_sign_out: list[str] | None, hears: str | None, tell: list[str] | None
) -> dict[str, Any]:
    """What was named on the command line, and nothing else."""
    told = {"redirect_uris": redirect, "post_logout_uris": after_sign_out, "logout_uri": hears, "tells": tell}
    return {name: value for name, value in told.items() if value is not None}


def _secret(made: clients.Secret, as_json: bool) -> None:
    told: Row = {"issuer": addresses.issuer(), "clientId": made.client.client_id, "clientSecret": made.secret}
    words = f"issuer {told['issuer']}\nclient ID {told['clientId']}\nclient secret {made.secret}\nThe secret is shown this once."
    answer(told, words, as_json)


def _row(one: SignInClient) -> Row:
    return dict(clients.told(one))


def _key(one: SigningKey) -> Row:
    return {
        "kid": one.kid, "algorithm": one.algorithm, "made": one.made_at.isoformat(), "signs": one.signs_at.isoformat(),
        "ends": one.ended_at.isoformat() if one.ended_at else None,
    }  # fmt: skip
