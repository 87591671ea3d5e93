"""`rollbook operator`: the people who work in the console."""

import json
import sys
from typing import Annotated, Any

import typer

from rollbook.cli import second_steps, token
from rollbook.cli.columns import show
from rollbook.flows import break_glass, operators
from rollbook.flows.districts import find_district
from rollbook.store.models import Account, Operator

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Email = Annotated[str, typer.Argument(help="The e-mail address they sign in with.")]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input instead of making a link."),
]

Schools = Annotated[
    list[str] | None,
    typer.Option("--school", help="For a school administrator: a school's sourcedId. Repeat for more."),
]

verbs = typer.Typer(no_args_is_help=True, help="The people who work in the console.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.add_typer(token.verbs, name="token")
    verbs.add_typer(second_steps.verbs, name="mfa")
    verbs.command("sessions")(second_steps.sessions)
    verbs.command("own-sign-ins")(second_steps.own_sign_ins)
    app.add_typer(verbs, name="operator")


@verbs.command()
def add(
    email: Email,
    district: Annotated[
        str,
        typer.Option(
            help="The Tenant ID or name of the district they work in; none for an installation operator."
        ),
    ] = "",
    role: Annotated[Operator.OperatorRole, typer.Option(help="What they may do.")] = operators.DISTRICT,
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    school: Schools = None,
    password_stdin: FromStdin = False,
    mail: Annotated[bool, typer.Option("--mail", help="Also tell them by e-mail how to sign in.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a person work in the console. Prints a link with which they set their password, once."""
    password = _password() if password_stdin else None
    place = find_district(district) if district else None
    operator = operators.add_operator(email, role, place, name, password, school or ())
    is_known = operator.account.has_usable_password() and password is None
    link = operators.password_link(operator.account) if not is_known and password is None else ""
    if mail and not operators.tell(operator, link):
        typer.echo("The mail server did not take the invitation.", err=True)
    _tell(operator.account, _row(operator), as_json, link)


@verbs.command("break-glass")
def make_break_glass(
    email: Annotated[
        str, typer.Argument(help="The address it signs in with: one that nobody signs in with yet.")
    ],
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Make an installation operator for emergencies, of whom no second step is required. Prints a link that sets its password, once.

    Keep the password in a safe. Whoever signs in with it raises the alarm: all installation operators are told.
    """
    operator = break_glass.make(email, name, _password() if password_stdin else None)
    link = "" if password_stdin else operators.password_link(operator.account)
    _tell(operator.account, _row(operator), as_json, link)


@verbs.command()
def change(
    email: Email,
    district: Annotated[str, typer.Option(help="The Tenant ID or name of the district they work in.")],
    role: Annotated[Operator.OperatorRole, typer.Option(help="What they may do from now on.")],
    school: Schools = None,
    as_json: AsJson = False,
) -> None:
    """Give a person another role in a district, or a school administrator other schools."""
    operator = operators.find_operator(email, find_district(district))
    changed = operators.change_role(operator, role, school or ())
    show([_row(changed)], as_json)


@verbs.command("list")
def list_operators(
    district: Annotated[str, typer.Option(help="Only those of this district: its Tenant ID or name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show who works in the console."""
    found = Operator.objects.select_related("account").order_by("account__email", "id")
    if district:
        found = found.filter(district=find_district(district))
    show([_row(operator) for operator in found], as_json, "`rollbook operator add` makes one")


@verbs.command("reset-password")
def reset_password(email: Email, password_stdin: FromStdin = False, as_json: AsJson = False) -> None:
    """Make a link with which a person sets a new password, or set it from standard input."""
    account = operators.find_account(email)
    if password_stdin:
        operators.set_password(account, _password())
    link = "" if password_stdin else operators.password_link(account)
    _tell(account, {"email": account.email}, as_json, link)


@verbs.command()
def deactivate(email: Email) -> None:
    """A person signs in no more; their sessions end."""
    operators.deactivate(operators.find_account(email), by=None)
    typer.echo(f"{email} can no longer sign in.")


@verbs.command()
def reactivate(email: Email) -> None:
    """A person signs in again, with the password they had."""
    operators.reactivate(operators.find_account(email))
    typer.echo(f"{email} can sign in again.")


def _password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _tell(account: Account, row: dict[str, Any], as_json: bool, link: str) -> None:
    """Shows the row, and the link where there is one; a password is never printed."""
    if as_json:
        typer.echo(json.dumps(row | ({"passwordLink": link} if link else {})))
    elif link:
        typer.echo(f"{account.email} sets the password here, once, within three days:\n{link}")
    else:
        typer.echo(f"{account.email} signs in with their password.")


def _row(operator: Operator) -> dict[str, Any]:
    return {
        "email": operator.account.email,
        "name": operator.name,
        "role": operator.role,
        "tenantId": operator.district_id,
        "schools": operators.school_ids(operator) if operator.schools else [],
        "active": operator.account.is_active,
        "breakGlass": operator.is_break_glass,
    }
