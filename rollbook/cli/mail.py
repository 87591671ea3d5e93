"""`rollbook mail`: the e-mails that could not leave, and trying them again now."""

from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.flows import post
from rollbook.flows.districts import find_district
from rollbook.store.models import District

DistrictOption = Annotated[str, typer.Option(help="Only those about this district: its Tenant ID or name.")]

verbs = typer.Typer(
    no_args_is_help=True,
    help="E-mails about what happened in a district: which could not leave, and trying them again.",
)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="mail")


@verbs.command("list")
def list_mail(
    district: DistrictOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show the e-mails that no mail server took yet. Each is tried again by itself, for three days."""
    found = post.unsent(_district(district))
    show(
        [
            {
                "tenantId": letter.district_id or "",
                "organization": letter.organization_id or "",
                "to": letter.address,
                "subject": letter.subject,
                "tries": letter.tries,
                "fault": letter.fault,
                "nextTry": "" if letter.given_up_at else f"{letter.next_at:%Y-%m-%d %H:%M:%S}",
            }
            for letter in found
        ],
        as_json,
        "every e-mail has left",
    )


@verbs.command("send")
def send_mail(district: DistrictOption = "") -> None:
    """Try them all again now, those that were given up too.

    Exit 1 when some could not leave this time either.
    """
    chosen = _district(district)
    typer.echo(f"E-mails sent: {post.send_again(chosen)}.")
    if left := post.unsent(chosen).count():
        typer.echo(f"E-mails that could not leave: {left}. `rollbook mail list` says why.")
        raise typer.Exit(1)


def _district(text: str) -> District | None:
    return find_district(text) if text else None
