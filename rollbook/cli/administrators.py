"""`rollbook organization administrator` and `rollbook product support`: who works in the console on a product's side."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.flows import administrators, directory
from rollbook.flows.operators import password_link
from rollbook.store.models import Administrator

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Email = Annotated[str, typer.Argument(help="The e-mail address they sign in with.")]
Name = Annotated[str, typer.Option(help="Their name.")]
Which = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="The organization's number or name.")]
WhichProduct = Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's number or name.")]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input instead of making a link."),
]

of_organization = typer.Typer(
    no_args_is_help=True, help="Who administers an organization, or some of its sites."
)
of_product = typer.Typer(no_args_is_help=True, help="Who supports a product's customers.")


@of_organization.command("add")
def add(
    organization: Which,
    email: Email,
    site: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this site, by number or name; repeat for more. None: the whole organization."
        ),
    ] = None,
    name: Name = "",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Let a person administer an organization. Prints a link with which they set their password, once."""
    place = directory.find_organization(organization)
    sites = [directory.find_site(place, one).id for one in site or ()]
    role = administrators.SITE if sites else administrators.ORGANIZATION
    password = _password() if password_stdin else None
    made = administrators.employ(place.product, place, email, role, name, sites, password)
    _tell(made, as_json, password_stdin)


@of_organization.command("list")
def list_administrators(organization: Which, as_json: AsJson = False) -> None:
    """Show who administers an organization."""
    found = administrators.administrators_of(directory.find_organization(organization))
    show([_row(one) for one in found], as_json, "`rollbook organization administrator add` makes one")


@of_organization.command("remove")
def remove(organization: Which, email: Email) -> None:
    """A person administers the organization no more."""
    found = administrators.administrators_of(directory.find_organization(organization))
    administrators.let_go(administrators.find_administrator(found, email), datetime.now(UTC))
    typer.echo(f"{email} does not administer it any more.")


@of_organization.command("role")
def change_role(
    organization: Which,
    email: Email,
    site: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this site, by number or name; repeat for more. None: the whole organization."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let an administrator work in the whole organization, or in some of its sites alone."""
    where = directory.find_organization(organization)
    found = administrators.find_administrator(administrators.administrators_of(where), email)
    sites = [directory.find_site(where, one).id for one in site or ()]
    administrators.change(found, administrators.SITE if sites else administrators.ORGANIZATION, sites)
    answer(_row(found), f"{email} is {found.role} now.", as_json)


@of_product.command("add")
def add_support(
    product: WhichProduct,
    email: Email,
    name: Name = "",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Let a person support the customers of a product. Prints a link with which they set their password, once."""
    password = _password() if password_stdin else None
    found = directory.find_product(product)
    made = administrators.employ(found, None, email, administrators.SUPPORT, name, (), password)
    _tell(made, as_json, password_stdin)


@of_product.command("list")
def list_support(product: WhichProduct, as_json: AsJson = False) -> None:
    """Show who supports a product's customers."""
    found = administrators.support_of(directory.find_product(product))
    show([_row(one) for one in found], as_json, "`rollbook product support add` makes one")


@of_product.command("remove")
def remove_support(product: WhichProduct, email: Email) -> None:
    """A person supports the product's customers no more."""
    found = administrators.support_of(directory.find_product(product))
    administrators.let_go(administrators.find_administrator(found, email), datetime.now(UTC))
    typer.echo(f"{email} does not support it any more.")


def _password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _tell(made: Administrator, as_json: bool, has_password: bool) -> None:
    """A password is never printed; who has none yet gets a link."""
    link = None if has_password or made.account.has_usable_password() else password_link(made.account)
    words = f"{made.account.email} signs in with their password."
    if link:
        words = f"{made.account.email} sets the password here, once, within three days:\n{link}"
    row: dict[str, Any] = _row(made)
    answer(row | ({"passwordLink": link} if link else {}), words, as_json)


def _row(one: Administrator) -> Row:
    return {
        "email": one.account.email,
        "name": one.name,
        "role": one.role,
        "product": one.product.name,
        "organization": one.organization_id,
        "sites": list(one.sites),
    }
