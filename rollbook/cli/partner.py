"""`rollbook partner`: the companies that register their apps here themselves."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from rollbook.cli.columns import Row, show
from rollbook.flows import partner_access, partners
from rollbook.flows.acting import actor
from rollbook.flows.apps import find_grant
from rollbook.store.models import Developer, Grant, Partner, PartnerKey

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
PartnerName = Annotated[str, typer.Argument(help="The partner's name or number.")]
Email = Annotated[str, typer.Argument(help="The developer's e-mail address.")]

verbs = typer.Typer(no_args_is_help=True, help="The companies that register their apps here themselves.")
keys = typer.Typer(no_args_is_help=True, help="The keys of the partner API.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.add_typer(keys, name="key")
    app.add_typer(verbs, name="partner")


@verbs.command()
def add(
    name: Annotated[str, typer.Argument(help="The company's name.")],
    website: Annotated[str, typer.Option(help="Its site; begins with https://.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let a company register apps. Then invite one of its developers."""
    partner = partners.add_partner(name, website)
    typer.echo(json.dumps(_row(partner)) if as_json else f"{partner.name} is partner {partner.pk}.")


@verbs.command("list")
def list_partners(as_json: AsJson = False) -> None:
    """Show the partners."""
    show(
        [_row(partner) for partner in Partner.objects.order_by("name")],
        as_json,
        "`rollbook partner add` makes one",
    )


@verbs.command()
def invite(
    partner: PartnerName,
    email: Email,
    name: Annotated[str, typer.Option(help="The developer's name.")] = "",
    role: Annotated[
        Developer.DeveloperRole,
        typer.Option(help="partner: registers apps and keeps keys; product support: sees them only."),
    ] = partners.PARTNER,
    as_json: AsJson = False,
) -> None:
    """Let a person work for a partner, and tell them by e-mail. Prints how they get in, should the e-mail not arrive."""
    developer, is_sent = partners.invite(partners.find_partner(partner), email, name, role)
    way_in = partners.way_in(developer.account)
    if as_json:
        typer.echo(json.dumps({"email": developer.account.email, "sent": is_sent, "wayIn": way_in}))
    else:
        typer.echo(
            f"{developer.account.email} is invited{'' if is_sent else ', but the e-mail could not be sent'}. {way_in}"
        )


@verbs.command()
def developers(partner: PartnerName, as_json: AsJson = False) -> None:
    """Show who works for a partner."""
    found = partners.developers_of(partners.find_partner(partner))
    rows: list[Row] = [
        {"email": one.account.email, "name": one.name, "role": one.role, "apps": list(one.apps.order_by("name").values_list("name", flat=True))}
        for one in found
    ]  # fmt: skip
    show(rows, as_json, "`rollbook partner invite` invites one")


@verbs.command("let-go")
def let_go(partner: PartnerName, email: Email) -> None:
    """End a person's work for a partner. What they registered stays, with their name."""
    found = partners.find_partner(partner)
    partners.let_go(partners.find_developer(found, email), datetime.now(UTC))
    typer.echo(f"{email} no longer works for {found.name}.")


@verbs.command()
def districts(partner: PartnerName, as_json: AsJson = False) -> None:
    """Show which districts added a partner's apps."""
    found = partner_access.applications(partners.find_partner(partner))
    show([_application(grant) for grant in found], as_json, "no district has added an app of theirs")


@verbs.command()
def bearer(
    grant: Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")],
) -> None:
    """Make a new bearer for a grant: the one there was opens nothing any more, and the partner's list has the new one."""
    partner_access.make_bearer(find_grant(grant))
    typer.echo(f"Grant {grant} has a new bearer: GET /applications lists it.")


@keys.command("add")
def add_key(
    partner: PartnerName,
    name: Annotated[str, typer.Option(help="Which program uses it.")],
    days: Annotated[int | None, typer.Option(help="For how many days it holds.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is printed once and kept nowhere."""
    end = datetime.now(UTC) + timedelta(days=days) if days else None
    key, secret = partners.make_key(partners.find_partner(partner), name, actor().name, end)
    if as_json:
        typer.echo(json.dumps(_key(key) | {"secret": secret}))
    else:
        typer.echo(f"Key {key.pk} of {partner}. It is shown only now:\n{secret}")


@keys.command("list")
def list_keys(partner: PartnerName, as_json: AsJson = False) -> None:
    """Show a partner's keys, without their secrets."""
    show(
        [_key(key) for key in partners.keys_of(partners.find_partner(partner))],
        as_json,
        "`rollbook partner key add` makes one",
    )


@keys.command("expire")
def expire_key(
    partner: PartnerName,
    number: Annotated[int, typer.Argument(help="The key's number.")],
    days: Annotated[int | None, typer.Option(help="It ends in so many days.", min=1)] = None,
    never: Annotated[bool, typer.Option("--never", help="It has no end.")] = False,
) -> None:
    """Give a key an end, or take it away."""
    if (days is not None) == never:
        raise typer.BadParameter("say one of --days and --never")
    end = datetime.now(UTC) + timedelta(days=days) if days else None
    partners.set_key_end(partners.find_partner(partner), number, end)
    typer.echo(f"Key {number} ends at {end:%Y-%m-%d %H:%M} UTC." if end else f"Key {number} has no end.")


@keys.command("revoke")
def revoke_key(
    partner: PartnerName, number: Annotated[int, typer.Argument(help="The key's number.")]
) -> None:
    """End a key at once."""
    partners.revoke_key(partners.find_partner(partner), number, actor().name, datetime.now(UTC))
    typer.echo(f"Key {number} opens nothing any more.")


def _row(partner: Partner) -> dict[str, object]:
    return {
        "partner": partner.pk,
        "name": partner.name,
        "website": partner.website,
        "developers": partners.developers_of(partner).count(),
        "apps": partners.apps_of(partner).count(),
    }


def _application(grant: Grant) -> dict[str, object]:
    return {
        "application": grant.pk,
        "app": grant.app.name,
        "tenantId": grant.district_id,
        "district": grant.district.name,
        "enabled": grant.enabled,
    }


def _key(key: PartnerKey) -> dict[str, object]:
    return {
        "key": key.pk,
        "name": key.name,
        "begins": key.beginning,
        "state": partners.state_of(key, datetime.now(UTC)),
        "expires": key.expires_at.isoformat(timespec="minutes") if key.expires_at else None,
        "madeBy": key.made_by,
        "made": key.created_at.isoformat(timespec="minutes"),
    }
