"""`rollbook organization`: the customers of products, their sites and the keys of their programs."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from rollbook.cli import administrators, invitations, own_sign_in
from rollbook.cli.columns import Row, answer, show
from rollbook.engine.sync.operations import ARCHIVED
from rollbook.flows import directory, second_steps
from rollbook.flows import sites as by_hand
from rollbook.flows.acting import actor
from rollbook.store.models import Organization, OrganizationKey, Site

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Which = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="The organization's number or name.")]
Plan = Annotated[str | None, typer.Option(help="What the customer bought, by the name it has with you.")]
Entitlement = Annotated[
    list[str] | None, typer.Option(help="What the plan includes, such as rostering; repeat for more.")
]
Seats = Annotated[int | None, typer.Option(min=0, help="How many seats were bought.")]
Domain = Annotated[
    list[str] | None, typer.Option(help="An e-mail domain that is proved to be theirs; repeat for more.")
]
Role = Annotated[
    list[str] | None,
    typer.Option(help="A role of their own, the highest first; repeat for more. None: the product's."),
]
Zone = Annotated[str | None, typer.Option(help="Their time zone, for example America/Chicago.")]

Place = Annotated[str, typer.Argument(metavar="SITE", help="The site's number or name.")]
Why = Annotated[str, typer.Option(help="Why; kept with it.")]

verbs = typer.Typer(no_args_is_help=True, help="The customers of products, who take rosters in.")
sites = typer.Typer(no_args_is_help=True, help="The sites of an organization: its schools.")
keys = typer.Typer(
    no_args_is_help=True, help="The keys with which an organization's programs work its syncs."
)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.add_typer(sites, name="site")
    verbs.add_typer(keys, name="key")
    verbs.add_typer(administrators.of_organization, name="administrator")
    verbs.add_typer(invitations.of_organization, name="invitation")
    verbs.add_typer(own_sign_in.of_organization, name="own-sign-in")
    app.add_typer(verbs, name="organization")


@verbs.command()
def add(
    product: Annotated[str, typer.Argument(help="The product's name or number.")],
    name: Annotated[str, typer.Argument(help="The customer's name.")],
    plan: Plan = None,
    entitlement: Entitlement = None,
    seats: Seats = None,
    domain: Domain = None,
    role: Role = None,
    time_zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """Add a customer of a product. Seats have no limit unless one is said, and the plan includes rostering unless it says otherwise."""
    about = _about(plan, entitlement, seats, domain, role, time_zone)
    made = directory.add_organization(directory.find_product(product), name, **about)
    answer(_row(made), f"{made.name} is organization {made.pk}.", as_json)


@verbs.command()
def edit(
    organization: Which,
    plan: Plan = None,
    entitlement: Entitlement = None,
    seats: Seats = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Seats have no limit.")] = False,
    domain: Domain = None,
    role: Role = None,
    time_zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """Change what is said of an organization. What is not named stays."""
    about = _about(plan, entitlement, seats, domain, role, time_zone)
    about |= {"seats": None} if unlimited else {}
    edited = directory.edit_organization(directory.find_organization(organization), **about)
    answer(_row(edited), f"Organization {edited.pk} is changed.", as_json)


def _about(
    plan: str | None,
    entitlement: list[str] | None,
    seats: int | None,
    domain: list[str] | None,
    role: list[str] | None,
    time_zone: str | None,
) -> dict[str, Any]:
    """What was said, by name."""
    told = {
        "plan": plan,
        "entitlements": entitlement,
        "seats": seats,
        "domains": domain,
        "roles": role,
        "time_zone": time_zone,
    }
    return {name: value for name, value in told.items() if value is not None}


@verbs.command("require-mfa")
def require_mfa(
    organization: Which,
    off: Annotated[bool, typer.Option("--off", help="Require it no more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Require a second step, beside the password, of everybody who administers the organization."""
    found = directory.find_organization(organization)
    second_steps.require_in_organization(found, not off)
    words = f"{found.name} requires {'no' if off else 'a'} second step of who administers it."
    answer(_row(found), words, as_json)


@verbs.command("list")
def list_organizations(
    product: Annotated[str, typer.Option(help="Only those of this product: its name or number.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the organizations."""
    found = directory.organizations(directory.find_product(product) if product else None)
    show([_row(one) for one in found], as_json, "`rollbook organization add` makes one")


@sites.command("add")
def add_site(
    organization: Which,
    name: Annotated[str, typer.Argument(help="The site's name.")],
    identifier: Annotated[str, typer.Option(help="Its number in the state, or of the customer.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a site by hand. Syncs map schools to it, and change nothing of it unless they do."""
    made = directory.add_site(directory.find_organization(organization), name, identifier)
    answer(_site(made), f"{made.name} is site {made.id}.", as_json)


@sites.command("list")
def list_sites(organization: Which, as_json: AsJson = False) -> None:
    """Show the sites."""
    found = directory.sites(directory.find_organization(organization))
    show([_site(one) for one in found], as_json, "a sync makes them, or `rollbook organization site add`")


@sites.command("rename")
def rename_site(
    organization: Which,
    site: Place,
    name: Annotated[str, typer.Argument(help="The new name.")],
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Give a site another name by hand. Syncs keep it."""
    found = directory.find_site(directory.find_organization(organization), site)
    renamed = by_hand.rename(found, name, why)
    answer(_site(renamed), f"Site {renamed.id} is {renamed.name}.", as_json)


@sites.command("restore")
def restore_site(organization: Which, site: Place, why: Why = "", as_json: AsJson = False) -> None:
    """Bring an archived site back. No sync archives it then."""
    found = directory.find_site(directory.find_organization(organization), site, ARCHIVED)
    back = by_hand.restore(found, why)
    answer(_site(back), f"Site {back.id} is {back.state}.", as_json)


@sites.command("follow")
def follow_site(
    organization: Which,
    site: Place,
    field: Annotated[str, typer.Argument(help="The field: name, or state.")],
    as_json: AsJson = False,
) -> None:
    """End what was set by hand of a site: the next sync says what it is."""
    found = directory.find_site(directory.find_organization(organization), site)
    by_hand.follow(found, field)
    answer(_site(found), f"{field} follows the roster again, from the next sync on.", as_json)


@keys.command("add")
def add_key(
    organization: Which,
    name: Annotated[str, typer.Option(help="Which program uses it.")],
    as_json: AsJson = False,
) -> None:
    """Make a key. It is printed once and kept nowhere."""
    found = directory.find_organization(organization)
    key, secret = directory.make_key(found, name, actor().name)
    words = f"Key {key.pk} of {found.name}. It is shown only now:\n{secret}"
    answer(_key(key) | {"secret": secret}, words, as_json)


@keys.command("list")
def list_keys(organization: Which, as_json: AsJson = False) -> None:
    """Show an organization's keys, without their secrets."""
    found = directory.keys_of(directory.find_organization(organization))
    show([_key(key) for key in found], as_json, "`rollbook organization key add` makes one")


@keys.command("revoke")
def revoke_key(organization: Which, number: Annotated[int, typer.Argument(help="The key's number.")]) -> None:
    """End a key at once."""
    directory.revoke_key(directory.find_organization(organization), number, actor().name, datetime.now(UTC))
    typer.echo(f"Key {number} opens nothing any more.")


def _row(one: Organization) -> Row:
    return {
        "organization": one.pk,
        "name": one.name,
        "product": one.product.name,
        "plan": one.plan,
        "entitlements": list(one.entitlements),
        "seats": one.seats_bought,
        "taken": one.seats_taken,
        "domains": list(one.domains),
        "roles": list(directory.roles_of(one)),
        "timeZone": one.time_zone,
        "requiresSecondStep": one.requires_second_step,
    }


def _site(site: Site) -> Row:
    return {"site": site.id, "name": site.name, "identifier": site.identifier}


def _key(key: OrganizationKey) -> Row:
    return {
        "key": key.pk,
        "name": key.name,
        "begins": key.beginning,
        "madeBy": key.made_by,
        "made": key.created_at.isoformat(timespec="minutes"),
    }
