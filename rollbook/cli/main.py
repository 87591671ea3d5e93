"""The `rollbook` command: the list of its verbs. A new verb is one file beside this one and one line here."""

import typer

from rollbook.cli import app as apps
from rollbook.cli import (
    changes,
    check,
    compare,
    connection,
    demo,
    district,
    domains,
    generate,
    grant,
    hold,
    importing,
    key,
    limits,
    manual,
    migrate,
    operator,
    prepare,
    rehearse,
    run,
    schedule,
    serve,
    severity,
    sftpd,
    snapshot,
    spans,
    undo,
    validate,
    worker,
)
from rollbook.cli.refused import Verbs

VERBS = (
    migrate,
    serve,
    sftpd,
    worker,
    check,
    district,
    operator,
    apps,
    grant,
    key,
    validate,
    compare,
    importing,
    hold,
    changes,
    snapshot,
    undo,
    limits,
    severity,
    domains,
    connection,
    prepare,
    manual,
    schedule,
    spans,
    rehearse,
    run,
    generate,
    demo,
)

app = typer.Typer(
    name="rollbook",
    cls=Verbs,
    help="The open roster hub for schools.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables: rosters and secrets
    rich_markup_mode=None,
)
for verb in VERBS:
    verb.register(app)
