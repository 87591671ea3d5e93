"""`rollbook blackout` and `rollbook additions-only`: days on which deliveries are kept, or only add."""

from datetime import date
from typing import Annotated

import typer

from rollbook.cli.columns import answer, show
from rollbook.cli.importing import EXITS, say
from rollbook.cli.run import tell
from rollbook.flows import jobs, spans, timetable
from rollbook.flows.acting import actor
from rollbook.flows.connections import find_connection
from rollbook.flows.districts import find_district
from rollbook.flows.undo import find_run
from rollbook.store.models import Span

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]

SENTENCES = {
    spans.BLACKOUT: "Blackout {number} from {first} until {last}: what comes in is kept, and imported afterwards.",
    spans.ADDITIONS: "Range {number} from {first} until {last}: what comes in adds and changes, and removes nothing.",
}


def register(app: typer.Typer) -> None:
    """Adds the verbs of both."""
    for kind, name, words in (
        (spans.BLACKOUT, "blackout", "Days on which deliveries are kept and not applied."),
        (spans.ADDITIONS, "additions-only", "Days on which deliveries add and change, and remove nothing."),
    ):
        verbs = _verbs(kind, words)
        if kind == spans.BLACKOUT:
            verbs.command("import")(import_kept)
        app.add_typer(verbs, name=name)


def _verbs(kind: Span.Kind, words: str) -> typer.Typer:
    verbs = typer.Typer(no_args_is_help=True, help=words)

    @verbs.command()
    def add(
        district: DistrictName,
        first: Annotated[str, typer.Option("--from", help="The first day, as 2026-06-06.")],
        last: Annotated[str, typer.Option("--until", help="The last day, which is one of them.")],
        connection: Annotated[
            int | None, typer.Option(help="Only for this connection; else for all.")
        ] = None,
        why: Annotated[str, typer.Option(help="Why, for your colleagues.")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Put days into a district's calendar. Days are those of the district's clock."""
        place = find_district(district)
        span = spans.add_span(
            place, kind, _day(first), _day(last), actor().name,
            connection=find_connection(connection, place) if connection is not None else None, why=why,
        )  # fmt: skip
        words = SENTENCES[kind].format(number=span.pk, first=span.first_day, last=span.last_day)
        answer(_row(span), words, as_json)

    @verbs.command("list")
    def list_spans(district: DistrictName, as_json: AsJson = False) -> None:
        """Show those of a district, with who added them and when."""
        show(
            [_row(span) for span in spans.spans_of(find_district(district), kind)],
            as_json,
            "`add` puts days into the calendar",
        )

    @verbs.command()
    def remove(
        district: DistrictName,
        number: Annotated[int, typer.Argument(help="The number that `list` shows.")],
    ) -> None:
        """Take days out of the calendar. Who did so stays known."""
        spans.remove_span(spans.find_span(find_district(district), number, kind), actor().name)
        typer.echo(f"{number} is removed.")

    return verbs


def import_kept(
    run: Annotated[int, typer.Argument(help="The run whose delivery is kept.")], as_json: AsJson = False
) -> None:
    """Import a kept delivery now, despite the blackout. Exit 0 when it came in, 1 when it did not, 3 when its plan is held."""
    kept = find_run(run)
    with jobs.own_process() as process:
        waiting = timetable.import_kept(kept, actor().name, process=process)
        ended = jobs.walk_here(waiting, say)
    tell(ended, as_json)
    raise typer.Exit(({"success": 0} | EXITS).get(ended.outcome, 1))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise spans.BadDays(text) from fault


def _row(span: Span) -> dict[str, object]:
    return {
        "number": span.pk,
        "from": str(span.first_day),
        "until": str(span.last_day),
        "connection": span.connection_id,
        "why": span.why,
        "addedBy": span.added_by,
        "addedAt": f"{span.added_at:%Y-%m-%d %H:%M}",
    }
