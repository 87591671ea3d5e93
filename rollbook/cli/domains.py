"""`rollbook domains`: in which domains the e-mail addresses of a district's students and staff are."""

from typing import Annotated

import typer

from rollbook.cli.columns import answer, show
from rollbook.flows import email_domains
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]
verbs = typer.Typer(
    no_args_is_help=True, help="In which domains the e-mail addresses of a district's students and staff are."
)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="domains")


@verbs.command("list")
def list_domains(district: DistrictName, as_json: AsJson = False) -> None:
    """Show the domains. Where there are none, no address is judged by its domain."""
    show(
        [{"domain": domain} for domain in email_domains.domains_of(find_district(district))],
        as_json,
        "`rollbook domains set` says where addresses are expected",
    )


@verbs.command("set")
def set_domains(
    district: DistrictName,
    domains: Annotated[
        list[str], typer.Argument(help="Domains such as riverbend.example; those below count too.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say which these are, instead of those of before. Addresses elsewhere get the finding email-domain from the next package on."""
    found = find_district(district)
    made = email_domains.set_domains(found, domains, actor().name)
    words = f"Addresses of students and staff of {found.name} are expected in {', '.join(made)}."
    answer([{"domain": domain} for domain in made], words, as_json)


@verbs.command("clear")
def clear_domains(district: DistrictName) -> None:
    """Judge no address by its domain any more."""
    found = find_district(district)
    email_domains.set_domains(found, [], actor().name)
    typer.echo(f"No address of {found.name} is judged by its domain.")
