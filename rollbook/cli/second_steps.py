"""`rollbook operator mfa` and `rollbook operator sessions`: how people sign in, and what is done when somebody has lost everything."""

from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.flows import open_sessions, second_steps
from rollbook.flows.browsers import browser_of
from rollbook.flows.own_sign_in import coming
from rollbook.flows.second_steps import account_of
from rollbook.store.models import OpenSession

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Email = Annotated[str, typer.Argument(help="The e-mail address they sign in with.")]

verbs = typer.Typer(
    no_args_is_help=True, help="The second steps with which people sign in beside their password."
)


@verbs.command("list")
def list_steps(email: Email, as_json: AsJson = False) -> None:
    """Show which second steps a person has, and when each was last used."""
    account = account_of(email)
    rows: list[Row] = [
        {
            "method": step.kind,
            "name": step.name,
            "added": step.added_at.isoformat(timespec="minutes"),
            "used": step.used_at.isoformat(timespec="minutes") if step.used_at else None,
        }
        for step in second_steps.steps_of(account)
    ]
    show(rows, as_json, "they add one in the console, under Your account")


@verbs.command()
def reset(email: Email, as_json: AsJson = False) -> None:
    """For who has lost everything: removes their authenticator app, passkeys and recovery codes, and ends their sessions.

    Make sure first that it is them who asks. They sign in with their password then; where a second step is required they set one up.
    """
    had = second_steps.reset(account_of(email))
    answer(
        {"email": email, "removed": had},
        f"{email} signs in with the password alone now; second steps removed: {had}.",
        as_json,
    )


def sessions(
    email: Email,
    end: Annotated[int | None, typer.Option(help="End the session of this number.")] = None,
    end_all: Annotated[bool, typer.Option("--end-all", help="End all of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show where a person is signed in, or end it there."""
    account = account_of(email)
    if end is not None:
        open_sessions.end(account, end, "")
    if end_all:
        open_sessions.end_all(account)
    rows = [_row(one) for one in open_sessions.sessions_of(account)]
    show(rows, as_json)
    if not rows and not as_json:
        typer.echo(f"{email} is signed in nowhere.")


def own_sign_ins(
    email: Email,
    forget: Annotated[
        bool, typer.Option("--forget", help="End them: by their address they are recognised anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show by which sign-ins, at services of a district's or organization's own, a person comes in; or end them."""
    account = account_of(email)
    if forget:
        coming.forget(account)
    rows: list[Row] = [
        {"issuer": one.issuer, "tenant": one.tenant, "since": one.linked_at.isoformat(timespec="minutes")}
        for one in coming.identities_of(account)
    ]
    show(rows, as_json)
    if not rows and not as_json:
        typer.echo(f"{email} comes in by no such service.")


def _row(one: OpenSession) -> Row:
    browser, system = browser_of(one.agent)
    return {
        "session": one.pk,
        "browser": f"{browser} on {system}" if browser and system else browser or system,
        "address": one.address,
        "signedIn": one.signed_in_at.isoformat(timespec="minutes"),
        "lastUsed": one.last_used_at.isoformat(timespec="minutes"),
    }
