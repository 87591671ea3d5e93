"""`rollbook product hub`: the roster hubs where a product is registered as a partner, so that its customers connect by signing in there."""

from typing import Annotated, Any

import typer
from django.conf import settings
from django.urls import reverse

from rollbook.cli.columns import Row, answer, show
from rollbook.cli.connection import Secret, filled
from rollbook.flows.directory import find_product
from rollbook.flows.sync import hubs
from rollbook.store.models import Hub

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Of = Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's name or number.")]
Which = Annotated[str, typer.Argument(metavar="HUB", help="The hub's number or name.")]
Named = Annotated[str | None, typer.Option(help="What customers read on the button.")]
Issuer = Annotated[str | None, typer.Option(help="The address under which its sign-in describes itself.")]
Client = Annotated[str | None, typer.Option("--client-id", help="What it calls the product.")]
Listing = Annotated[
    str | None, typer.Option(help="Where it lists which districts added the product, as https://hub.example/applications.")
]  # fmt: skip
Claims = Annotated[
    list[str] | None, typer.Option("--claim", help="A claim of another name, such as tenant=district; repeat for more.")
]  # fmt: skip

verbs = typer.Typer(
    no_args_is_help=True,
    help="Roster hubs where a product is registered as a partner: its customers connect by signing in there.",
)


@verbs.command()
def add(
    product: Of,
    preset: Annotated[str, typer.Argument(help=f"The kind: {', '.join(hubs.ROSTERING)}.")],
    name: Named = None,
    issuer: Issuer = None,
    client_id: Client = None,
    listing: Listing = None,
    secret: Secret = None,
    claim: Claims = None,
    as_json: AsJson = False,
) -> None:
    """Say how a hub knows the product. The secrets are client_secret and partner_key."""
    told = _about(name, issuer, client_id, listing, secret, claim)
    made = hubs.register(find_product(product), preset, **told)
    answer(_row(made), f"{made.name} is hub {made.pk}. Register this redirect address there:\n{_back(made)}", as_json)  # fmt: skip


@verbs.command()
def change(
    product: Of,
    hub: Which,
    name: Named = None,
    issuer: Issuer = None,
    client_id: Client = None,
    listing: Listing = None,
    secret: Secret = None,
    claim: Claims = None,
    as_json: AsJson = False,
) -> None:
    """Change what is known of a hub. What is not named stays; secrets too, unless an address changes."""
    found = hubs.find_hub(find_product(product), hub)
    changed = hubs.change_hub(found, **_about(name, issuer, client_id, listing, secret, claim))
    answer(_row(changed), f"{changed.name} was changed.", as_json)


@verbs.command("list")
def list_hubs(product: Of, as_json: AsJson = False) -> None:
    """Show where a product is registered, and the redirect address of each."""
    found = hubs.hubs_of(find_product(product))
    show([_row(one) for one in found], as_json, "`rollbook product hub add` registers one")


@verbs.command()
def remove(product: Of, hub: Which, as_json: AsJson = False) -> None:
    """Nobody connects by a hub any more; what was connected by it goes on."""
    found = hubs.find_hub(find_product(product), hub)
    row = _row(found)
    hubs.remove_hub(found)
    answer(row, "The hub was removed.", as_json)


def _about(
    name: str | None,
    issuer: str | None,
    client_id: str | None,
    listing: str | None,
    secrets: list[str] | None,
    claims: list[str] | None,
) -> dict[str, Any]:
    """What was named on the command line, and nothing else."""
    told: dict[str, Any] = {"name": name, "issuer": issuer, "client_id": client_id, "listing": listing}
    kept = {one: text for one, text in filled(None, secrets).items() if one in hubs.SECRET}
    names = None if claims is None else dict(one.partition("=")[::2] for one in claims)
    return {one: given for one, given in (told | kept | {"names": names}).items() if given is not None}


def _back(hub: Hub) -> str:
    return settings.PUBLIC_URL + reverse("connect-back", args=[hub.pk])


def _row(one: Hub) -> Row:
    return {
        "number": one.pk, "name": one.name, "preset": one.preset, "issuer": one.issuer, "clientId": one.client_id,
        "listing": one.listing, "redirect": _back(one),
    }  # fmt: skip
