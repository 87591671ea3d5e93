"""`rollbook sync holds`, `affected`, `raise` and `case`: what waits for a person, in detail, and a limit that is raised for good."""

from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.flows.acting import actor
from rollbook.flows.sync import cases, connections, holds, losing, raising
from rollbook.flows.sync.holds import NoSuchHold
from rollbook.flows.sync.report import hold_row
from rollbook.store.models import SyncHold

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]
HoldNumber = Annotated[
    int, typer.Argument(metavar="HOLD", help="The hold's number: `rollbook sync holds` shows it.")
]


def add_to(verbs: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.command("holds")(list_holds)
    verbs.command()(affected)
    verbs.command("raise")(raise_limit)
    verbs.command("case")(show_case)


def list_holds(number: Number, as_json: AsJson = False) -> None:
    """Show what is held and waits for a person, the oldest first."""
    found = holds.open_holds(connections.find_connection(number))
    rows: list[Row] = [{"run": one.run_id, **hold_row(one)} for one in found]
    show(rows, as_json, "nothing waits for a decision")


def affected(
    hold: HoldNumber,
    after: Annotated[int, typer.Option(help="Begin behind this place.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show whom a hold touches, who would lose most first: the right to administer, a seat, their memberships."""
    rows: list[Row] = [one.as_dict() for one in losing.affected(_find(hold), after, limit)]
    show(rows, as_json, "no member loses anything by it, or it was not kept who would")


def raise_limit(
    hold: HoldNumber,
    why: Annotated[str, typer.Option("--why", help="Why you decide so; kept with the decision.")],
    as_json: AsJson = False,
) -> None:
    """Raise the limit that a hold has reached to just above it, for good. A worker plans anew with it."""
    found = _find(hold)
    wanted = raising.raised(found)
    run = raising.raise_limit(found, actor().name, why)
    told: Row = {
        "run": run.pk,
        "setting": wanted.setting if wanted else "",
        "to": wanted.then if wanted else "",
    }
    answer(told, f"{told['setting']} is {told['to']} from now on; sync run {run.pk} plans anew.", as_json)


def show_case(
    number: Number,
    case: Annotated[int, typer.Argument(help="The case's number: `rollbook sync cases` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show a case side by side: what the source says, and the records it may be. `rollbook sync decide` answers it."""
    connection = connections.find_connection(number)
    found = cases.compared(connection, cases.find_case(connection, case))
    heads = [f"{'source' if one.from_source else 'directory'} {one.id}" for one in found.records]
    rows: list[Row] = [
        {"field": row.field, **dict(zip(heads, row.values, strict=True))} for row in found.rows
    ]
    show(rows, as_json)


def _find(number: int) -> SyncHold:
    found = SyncHold.objects.filter(pk=number).select_related("connection", "run").first()
    if found is None:
        raise NoSuchHold(str(number))
    return found
