"""The `rollbook` command: the table of its verbs. A new verb is one file beside this one and one line here."""

from typing import Annotated, Any

import typer
from django.db import connections

from rollbook.cli.loaded import Loaded
from rollbook.cli.refused import Verbs

VERBS = {
    "migrate": "rollbook.cli.migrate",
    "serve": "rollbook.cli.serve",
    "sftpd": "rollbook.cli.sftpd",
    "worker": "rollbook.cli.worker",
    "check": "rollbook.cli.check",
    "district": "rollbook.cli.district",
    "operator": "rollbook.cli.operator",
    "catalogue": "rollbook.cli.catalogue",
    "partner": "rollbook.cli.partner",
    "product": "rollbook.cli.product",
    "organization": "rollbook.cli.organization",
    "member": "rollbook.cli.member",
    "group": "rollbook.cli.group",
    "sign-in": "rollbook.cli.sign_in",
    "broker": "rollbook.cli.broker",
    "launch-pad": "rollbook.cli.launch_pad",
    "app": "rollbook.cli.app",
    "grant": "rollbook.cli.grant",
    "key": "rollbook.cli.key",
    "email": "rollbook.cli.email",
    "export": "rollbook.cli.export",
    "delivery": "rollbook.cli.delivery",
    "find": "rollbook.cli.find",
    "explain": "rollbook.cli.find",
    "sanity": "rollbook.cli.sanity",
    "access": "rollbook.cli.access",
    "audit": "rollbook.cli.audit",
    "validate": "rollbook.cli.validate",
    "compare": "rollbook.cli.compare",
    "import": "rollbook.cli.importing",
    "hold": "rollbook.cli.hold",
    "changes": "rollbook.cli.changes",
    "apply": "rollbook.cli.changes",
    "snapshot": "rollbook.cli.snapshot",
    "undo": "rollbook.cli.undo",
    "limits": "rollbook.cli.limits",
    "severity": "rollbook.cli.severity",
    "domains": "rollbook.cli.domains",
    "connection": "rollbook.cli.connection",
    "prepare": "rollbook.cli.prepare",
    "manual": "rollbook.cli.manual",
    "schedule": "rollbook.cli.schedule",
    "blackout": "rollbook.cli.spans",
    "additions-only": "rollbook.cli.spans",
    "rehearse": "rollbook.cli.rehearse",
    "run": "rollbook.cli.run",
    "sync": "rollbook.cli.sync",
    "mail": "rollbook.cli.mail",
    "generate": "rollbook.cli.generate",
    "demo": "rollbook.cli.demo",
}


class Rollbook(Verbs):
    """The group of all verbs; each is loaded when it is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": Loaded(VERBS)})


app = typer.Typer(
    name="rollbook",
    cls=Rollbook,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables: rosters and secrets
    rich_markup_mode=None,
)


@app.callback()
def rollbook(
    name: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="NAME",
            help="Who acts, as it is kept with what is done; else who is signed in on this machine. It stands before the verb.",
        ),
    ] = "",
) -> None:
    """The open roster hub for schools."""


def run() -> int:
    """The exit code of the command this process was started with. A fault rises."""
    try:
        app(prog_name="rollbook")
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        # The last to close a SQLite file brings its log into it.
        connections.close_all()
        return end.code or 0
    return 0
