"""`rollbook email`: a district writes to the developer of an app."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from rollbook.cli.columns import Row, show
from rollbook.flows import developer_mail
from rollbook.flows.apps import find_grant
from rollbook.flows.developer_mail import ALL, REGISTERED, TEMPLATES

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]


class To(StrEnum):
    """Whom a message goes to."""

    REGISTERED = REGISTERED
    ALL = ALL


verbs = typer.Typer(no_args_is_help=True, help="A district writes to the developer of an app.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="email")


@verbs.command()
def write(
    grant: Number,
    about: Annotated[str, typer.Option(help=f"What it is about: {', '.join(TEMPLATES)}.")],
    by: Annotated[str, typer.Option(help="Your e-mail address, to which answers go.")],
    note: Annotated[str, typer.Option(help="What you want to say. No pupil's name, address or id.")] = "",
    to: Annotated[
        To, typer.Option(help="registered: who registered the app, else its contact; all: every developer.")
    ] = To.REGISTERED,
    send: Annotated[bool, typer.Option("--send", help="Send it. Without this it is only shown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a message word for word, and with --send send it."""
    found = find_grant(grant)
    message = developer_mail.compose(found, about, note, "", by, to)
    sent = developer_mail.send(found, message, by, datetime.now(UTC)) if send else None
    if as_json:
        told = {
            "to": [one.email for one in message.recipients],
            "subject": message.subject,
            "body": message.body,
        }
        typer.echo(
            json.dumps(told | ({"recipients": sent.recipients, "reason": sent.reason} if sent else {}))
        )
    else:
        typer.echo(
            f"To: {', '.join(one.email for one in message.recipients)}\nSubject: {message.subject}\n\n{message.body}"
        )
    if sent is not None and sent.reason:
        typer.echo(f"It was not sent to everybody. {sent.reason}", err=True)
        raise typer.Exit(1)


@verbs.command("list")
def list_mails(grant: Number, as_json: AsJson = False) -> None:
    """Show what was written to the developers of an app, the latest first."""
    rows: list[Row] = [
        {
            "at": mail.at.isoformat(timespec="minutes"),
            "by": mail.written_by,
            "subject": mail.subject,
            "sent": list(developer_mail.sent_to(mail)),
            "reason": mail.reason,
        }
        for mail in developer_mail.mails_of(find_grant(grant))
    ]
    show(rows, as_json, "`rollbook email write` writes to an app's developer")
