"""`rollbook district own-sign-in` and `rollbook organization own-sign-in`: by which service of their own those who work there sign in."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.models import ArgumentInfo

from rollbook.cli.columns import Row, answer
from rollbook.flows.directory import find_organization
from rollbook.flows.districts import find_district
from rollbook.flows.own_sign_in import leaving, setting_up
from rollbook.flows.own_sign_in.setting_up import Own, Owner

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Kind = Annotated[str, typer.Argument(help="The kind: classlink, clever, google, entra or any.")]
Issuer = Annotated[
    str | None, typer.Option(help="The service's address; without it the usual one of its kind.")
]
Client = Annotated[str | None, typer.Option("--client-id", help="What the service calls this installation.")]
Secret = Annotated[bool, typer.Option("--secret-stdin", help="Read the client secret from standard input.")]
Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", help="A tenant whose people come by it; repeat for more.")
]
Domains = Annotated[
    list[str] | None, typer.Option("--domain", help="An e-mail domain that is theirs; repeat for more.")
]
Names = Annotated[
    list[str] | None,
    typer.Option("--claim", help="A claim of another name, such as tenant=district; repeat for more."),
]
Back = Annotated[
    bool | None,
    typer.Option("--leads-back/--leads-nowhere", help="Whether `signOutAddress` is registered there: then signing out there leads back."),
]  # fmt: skip
Off = Annotated[bool, typer.Option("--off", help="Require it no more.")]


def verbs_of(find: Callable[[str], Owner], whose: ArgumentInfo) -> typer.Typer:
    """The verbs, for owners that `find` finds; `whose` is the argument that names one."""
    verbs = typer.Typer(
        no_args_is_help=True, help="The sign-in service of its own, for those who work there."
    )

    @verbs.command()
    def show(owner: Annotated[str, whose], as_json: AsJson = False) -> None:
        """Show what is set up, with the addresses to register there and to hand out."""
        place = find(owner)
        told = _row(setting_up.the_own_of(place), place)
        answer(told, "\n".join(f"{name}: {_words(value)}" for name, value in told.items()), as_json)

    @verbs.command("set")
    def keep(
        owner: Annotated[str, whose],
        kind: Kind,
        issuer: Issuer = None,
        client_id: Client = None,
        secret_stdin: Secret = False,
        tenant: Tenants = None,
        domain: Domains = None,
        claim: Names = None,
        leads_back: Back = None,
        as_json: AsJson = False,
    ) -> None:
        """Set it up, or change what is named; it lets nobody in before it is switched on."""
        place = find(owner)
        told = _about(issuer, client_id, secret_stdin, tenant, domain, claim)
        told |= {} if leads_back is None else {"leads_back": leads_back}
        made = setting_up.keep(place, kind, **told)
        answer(_row(made, place), f"The sign-in service of {place.name} is kept.", as_json)

    @verbs.command()
    def ask(owner: Annotated[str, whose], as_json: AsJson = False) -> None:
        """Ask the service what it is: its issuer, where people sign in, how many keys it has."""
        found = setting_up.learn(setting_up.the_own_of(find(owner)), int(datetime.now(UTC).timestamp()))
        answer(found, "\n".join(found), as_json)

    @verbs.command()
    def enable(owner: Annotated[str, whose]) -> None:
        """Let those who work there in by it."""
        setting_up.switch(setting_up.the_own_of(find(owner)), True)
        typer.echo("Who works there can sign in by it now.")

    @verbs.command()
    def disable(owner: Annotated[str, whose]) -> None:
        """Let nobody in by it any more; who came in by it is out."""
        setting_up.switch(setting_up.the_own_of(find(owner)), False)
        typer.echo("Nobody can sign in by it any more.")

    @verbs.command()
    def require(owner: Annotated[str, whose], off: Off = False, as_json: AsJson = False) -> None:
        """Require it: no password opens the pages any more, but that of a break-glass account."""
        place = find(owner)
        setting_up.require(place, not off)
        words = f"{place.name} {'does not require' if off else 'requires'} its own sign-in service."
        answer({"name": place.name, "required": not off}, words, as_json)

    @verbs.command()
    def remove(owner: Annotated[str, whose]) -> None:
        """Remove it; accounts stay, and passwords open them."""
        setting_up.remove(setting_up.the_own_of(find(owner)))
        typer.echo("The sign-in service was removed.")

    return verbs


def _about(
    issuer: str | None,
    client_id: str | None,
    secret_stdin: bool,
    tenants: list[str] | None,
    domains: list[str] | None,
    names: list[str] | None,
) -> dict[str, Any]:
    """What was named on the command line, and nothing else."""
    told: dict[str, Any] = {
        "issuer": issuer, "client_id": client_id, "tenants": tenants, "domains": domains,
        "names": None if names is None else dict(one.partition("=")[::2] for one in names),
        "client_secret": sys.stdin.readline().strip() if secret_stdin else None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _row(own: Own, owner: Owner) -> Row:
    return {
        "of": own.key, "name": owner.name, "preset": own.preset, "issuer": own.issuer, "clientId": own.client_id,
        "tenants": own.tenants, "domains": own.domains, "on": own.is_active, "tried": own.tried_at is not None,
        "required": owner.requires_own_sign_in, "redirectAddress": setting_up.back_address(own),
        "link": setting_up.door_address(own), "signOutAddress": leaving.back_address(own), "leadsBack": own.leads_back,
    }  # fmt: skip


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


of_district = verbs_of(
    find_district, typer.Argument(metavar="DISTRICT", help="The district's Tenant ID or name.")
)
of_organization = verbs_of(
    find_organization, typer.Argument(metavar="ORGANIZATION", help="The organization's number or name.")
)
