"""`rollbook organization invitation` and `rollbook district invitation`: who asks to read a roster, and what the district answers."""

from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.flows.acting import actor
from rollbook.flows.directory import find_organization
from rollbook.flows.districts import find_district
from rollbook.flows.sync import activating, inviting
from rollbook.store.models import Invitation

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Which = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="The organization's number or name.")]
WhichDistrict = Annotated[str, typer.Argument(metavar="DISTRICT", help="The district's Tenant ID or name.")]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The invitation's number: `list` shows it.")]

of_organization = typer.Typer(
    no_args_is_help=True, help="Districts of this installation that an organization asks for their roster."
)
of_district = typer.Typer(no_args_is_help=True, help="Organizations that ask for the district's roster.")


@of_organization.command("ask")
def ask(
    organization: Which,
    tenant_id: Annotated[str, typer.Argument(help="The district's Tenant ID.")],
    as_json: AsJson = False,
) -> None:
    """Ask a district that the product may read its roster. Its administrators are told by e-mail; the link is for them too."""
    made = inviting.invite(find_organization(organization), tenant_id, actor().name)
    link = inviting.link_of(made)
    words = (
        f"Invitation {made.pk}: {made.district.name} is asked, for 14 days. For its administrators:\n{link}"
    )
    answer(_row(made) | {"link": link}, words, as_json)


@of_organization.command("list")
def list_asked(organization: Which, as_json: AsJson = False) -> None:
    """Show which districts were asked, and what they answered."""
    found = inviting.invitations_of(find_organization(organization))
    show([_row(one) for one in found], as_json, "`rollbook organization invitation ask` asks a district")


@of_organization.command("withdraw")
def withdraw(organization: Which, number: Number, as_json: AsJson = False) -> None:
    """Ask no more."""
    found = inviting.find_invitation(number, find_organization(organization))
    answer(_row(inviting.withdraw(found, actor().name)), f"Invitation {number} is withdrawn.", as_json)


@of_organization.command("connect")
def connect(
    organization: Which,
    number: Number,
    name: Annotated[str, typer.Option(help="What you call the connection; empty: as the district.")] = "",
    as_json: AsJson = False,
) -> None:
    """Connect what was accepted: a key is made, and a sync connection that reads with it and is active."""
    invitation = inviting.find_invitation(number, find_organization(organization))
    made, found = inviting.connect(invitation, actor().name, name)
    row: Row = {**_row(invitation), "connection": made.pk, "found": list(found)}
    answer(row, f"Connected successfully: sync connection {made.pk}, {made.name}.", as_json)


@of_organization.command("activate")
def activate(organization: Which, number: Number, as_json: AsJson = False) -> None:
    """As the product's support: connect with a district that has added the product already and lets it read. The district is told."""
    invitation = inviting.find_invitation(number, find_organization(organization))
    made, found = activating.activate(invitation, actor().name)
    row: Row = {**_row(invitation), "connection": made.pk, "found": list(found)}
    answer(row, f"Activated: sync connection {made.pk}, {made.name}.", as_json)


@of_district.command("list")
def list_asking(district: WhichDistrict, as_json: AsJson = False) -> None:
    """Show who asked for the roster, and what was answered."""
    found = inviting.invitations_for(find_district(district))
    show([_row(one) for one in found], as_json, "no organization has asked")


@of_district.command("accept")
def accept(
    district: WhichDistrict,
    number: Number,
    lets: Annotated[
        str,
        typer.Option(
            "--lets",
            help="What it may see: roster (every school, its classes and people), full, keep (as it is), or later (nothing yet).",
        ),
    ] = inviting.Lets.ROSTER,
    why: Annotated[str, typer.Option(help="Why; kept with the permissions.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let the product read the roster. The organization connects then."""
    found = inviting.find_invitation(number, district=find_district(district))
    grant, waits = inviting.accept(found, lets, actor().name, why)
    words = f"{grant.title} may read, by grant {grant.pk}."
    if waits:
        words = f"{words} It sees nothing until a second person has agreed: `rollbook grant requests`."
    answer(_row(found) | {"grant": grant.pk, "waits": waits}, words, as_json)


@of_district.command("decline")
def decline(district: WhichDistrict, number: Number, as_json: AsJson = False) -> None:
    """Say no: the organization sees that you did, and can ask again."""
    found = inviting.find_invitation(number, district=find_district(district))
    answer(_row(inviting.decline(found, actor().name)), f"Invitation {number} is declined.", as_json)


def _row(one: Invitation) -> Row:
    return {
        "invitation": one.pk,
        "organization": one.organization.name,
        "product": one.organization.product.name,
        "tenantId": one.district_id,
        "state": inviting.standing_of(one),
        "asked": one.asked_at.isoformat(timespec="minutes"),
        "askedBy": one.asked_by,
        "expires": one.expires_at.isoformat(timespec="minutes"),
        "answeredBy": one.answered_by,
        "connection": one.connection_id,
    }
