"""`rollbook domains`: in which domains the e-mail addresses of a district's students and staff are."""

from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.flows import email_domains
from rollbook.flows.districts import find_district

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]
BY = "command line"

verbs = typer.Typer(
    no_args_is_help=True, help="In which domains the e-mail addresses of a district's students and staff are."
)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="domains")


@verbs.command("list")
def list_domains(district: DistrictName, as_json: AsJson = False) -> None:
    """Show the domains. Where there are none, no address is judged by its domain."""
    show([{"domain": domain} for domain in email_domains.domains_of(find_district(district))], as_json)


@verbs.command("set")
def set_domains(
    district: DistrictName,
    domains: Annotated[
        list[str], typer.Argument(help="Domains such as riverbend.example; those below count too.")
    ],
    by: Annotated[str, typer.Option(help="Who decided it.")] = BY,
) -> None:
    """Say which these are, instead of those of before. Addresses elsewhere get the finding email-domain from the next package on."""
    found = find_district(district)
    made = email_domains.set_domains(found, domains, by)
    typer.echo(f"Addresses of students and staff of {found.name} are expected in {', '.join(made)}.")


@verbs.command("clear")
def clear_domains(
    district: DistrictName, by: Annotated[str, typer.Option(help="Who decided it.")] = BY
) -> None:
    """Judge no address by its domain any more."""
    found = find_district(district)
    email_domains.set_domains(found, [], by)
    typer.echo(f"No address of {found.name} is judged by its domain.")
