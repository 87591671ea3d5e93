"""`rollbook product`: the education products whose customers take rosters in."""

from typing import Annotated

import typer

from rollbook.cli import administrators, hubs
from rollbook.cli.columns import Row, answer, show
from rollbook.flows import directory
from rollbook.flows.apps import find_app
from rollbook.flows.sync import supporting
from rollbook.store.models import Product

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

verbs = typer.Typer(no_args_is_help=True, help="The education products whose customers take rosters in.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.add_typer(administrators.of_product, name="support")
    verbs.add_typer(hubs.verbs, name="hub")
    app.add_typer(verbs, name="product")


@verbs.command()
def add(
    name: Annotated[str, typer.Argument(help="The product's name.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A role that people have in it, the highest first; repeat for more. None: {', '.join(directory.ROLES)}."
        ),
    ] = None,
    administrator: Annotated[
        list[str] | None, typer.Option(help="Which of the roles administer. None: the first.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a product. Then add its customers: `rollbook organization add`."""
    roles = role or directory.ROLES
    product = directory.add_product(name, roles, administrator or roles[:1])
    answer(_row(product), f"{product.name} is product {product.pk}.", as_json)


@verbs.command("app")
def set_app(
    product: Annotated[str, typer.Argument(help="The product's name or number.")],
    app: Annotated[str, typer.Argument(help="The app's name or number: `rollbook app list` shows them.")],
    as_json: AsJson = False,
) -> None:
    """Say which app of the catalogue a product is. Its organizations can invite districts of this installation then."""
    found = directory.set_app(directory.find_product(product), find_app(app))
    answer(_row(found), f"{found.name} is the app {app}.", as_json)


@verbs.command()
def customers(
    product: Annotated[str, typer.Argument(help="The product's name or number.")],
    search: Annotated[str, typer.Option(help="Words of names, or a Tenant ID.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the sync connections of its organizations: who waits for support first, then what fails, then the others; at most 51."""
    found = supporting.customers(directory.find_product(product), search)
    rows: list[Row] = [
        {
            "connection": one.connection.pk,
            "organization": one.connection.organization.name,
            "name": one.connection.name,
            "state": str(one.connection.state),
            "tenantId": one.tenant,
            "lastSync": one.last.outcome if one.last else "",
            "questions": one.questions,
            "holds": one.holds,
            "cases": one.cases,
        }
        for one in found
    ]
    show(rows, as_json, "no organization has connected a roster")


@verbs.command("list")
def list_products(as_json: AsJson = False) -> None:
    """Show the products."""
    show([_row(product) for product in directory.products()], as_json, "`rollbook product add` makes one")


def _row(product: Product) -> Row:
    return {
        "product": product.pk,
        "name": product.name,
        "roles": list(product.roles),
        "administrators": list(product.administrator_roles),
        "app": product.app.name if product.app else "",
        "organizations": directory.organizations(product).count(),
    }
