"""`rollbook operator token`: with what operators' own programs bring packages to a district."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.flows import tokens
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.flows.operators import find_account
from rollbook.store.models import OperatorToken

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]

verbs = typer.Typer(no_args_is_help=True, help="With what operators' programs bring packages to a district.")


@verbs.command()
def add(
    email: Annotated[str, typer.Argument(help="The e-mail address of the operator whose token it is.")],
    district: Annotated[str, typer.Option(help="The Tenant ID or name of the district it opens.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    days: Annotated[int, typer.Option(help="For how many days it holds, at most 730.")] = tokens.DAYS,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is printed once and kept nowhere; it can do no more than its operator, and ends with them."""
    place, now = find_district(district), datetime.now(UTC)
    token, secret = tokens.make_token(find_account(email), place, name, now, days)
    if as_json:
        typer.echo(json.dumps(_row(token, None) | {"secret": secret}))
    else:
        typer.echo(f"Token {token.pk} holds until {_when(token.expires_at)}. It is shown only now:\n{secret}")


@verbs.command("list")
def list_tokens(district: DistrictName, as_json: AsJson = False) -> None:
    """Show the tokens of a district, and when each was last used."""
    show(
        [_row(token, used) for token, used in tokens.tokens_of(find_district(district))],
        as_json,
        "`rollbook operator token add` makes one",
    )


@verbs.command()
def revoke(number: Annotated[int, typer.Argument(help="The token's number.")]) -> None:
    """End a token at once."""
    token = tokens.find_token(number)
    tokens.revoke_token(token, actor().name, datetime.now(UTC))
    typer.echo(f"Token {number} opens nothing any more.")


def _row(token: OperatorToken, used: datetime | None) -> dict[str, object]:
    return {
        "token": token.pk,
        "name": token.name,
        "email": token.account.email,
        "begins": token.beginning,
        "expires": _when(token.expires_at),
        "used": _when(used) if used else None,
    }


def _when(at: datetime) -> str:
    return at.isoformat(timespec="minutes")
