"""`rollbook sync map`, `cases` and `decide`: what only a person may say about the records of a source."""

import json
from typing import Annotated

import typer

from rollbook.cli.columns import answer, show
from rollbook.engine.sync.links import TO_CREATE, TO_HOLD, TO_IGNORE, TO_LINK
from rollbook.engine.sync.operations import SITES
from rollbook.flows.acting import actor
from rollbook.flows.sync import connections, deciding
from rollbook.store.models import Case

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]
To = Annotated[str, typer.Option("--to", help="The number of the record that it is.")]
Create = Annotated[
    bool, typer.Option("--create", help="It becomes a record of its own, though others answer.")
]
Ignore = Annotated[bool, typer.Option("--ignore", help="It becomes nothing.")]
Hold = Annotated[bool, typer.Option("--hold", help="Nothing is done with it for now.")]
Forget = Annotated[bool, typer.Option("--forget", help="Take back what was decided about it.")]
Why = Annotated[str, typer.Option("--why", help="Why you decide so; kept with the decision.")]


def add_to(verbs: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.command("map")(map_schools)
    verbs.command("cases")(list_cases)
    verbs.command()(decide)


def map_schools(
    number: Number,
    school: Annotated[str, typer.Option(help="Decide about this school: its sourcedId.")] = "",
    to: To = "",
    grade: Annotated[
        list[str] | None,
        typer.Option(
            help="A school that is several sites: GRADE=SITE. Repeat for more; staff and all others go where --to says."
        ),
    ] = None,
    create: Create = False,
    ignore: Ignore = False,
    hold: Hold = False,
    forget: Forget = False,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Show which school of the source is which site, as the latest read has them; or decide it for one."""
    connection = connections.find_connection(number)
    if school:
        _decide(number, SITES, school, to, create, ignore, hold, forget, why, grade)
    found = deciding.schools(connection)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False))
        return
    rows: list[dict[str, object]] = [
        {
            "school": one.source_id,
            "name": one.name,
            "becomes": one.state,
            "site": f"{one.site} {one.site_name}".strip(),
            "by": one.decision or one.found_by,
            "like": [f"{site} {name}" for site, name in one.alike],
        }
        for one in found
    ]
    show(rows, False, "the source has no school")


def list_cases(number: Number, as_json: AsJson = False) -> None:
    """Show what waits for a person: matches in doubt, values that two want, schools that are not known."""
    found = deciding.open_cases(connections.find_connection(number))
    show([_row(one) for one in found], as_json, "nothing waits for a decision")


def decide(
    number: Number,
    kind: Annotated[str, typer.Argument(help="sites, members or groups.")],
    source_id: Annotated[str, typer.Argument(help="The sourcedId of the record.")],
    to: To = "",
    create: Create = False,
    ignore: Ignore = False,
    hold: Hold = False,
    forget: Forget = False,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Say what a record of the source is. It counts from the next sync on."""
    words = _decide(number, kind, source_id, to, create, ignore, hold, forget, why)
    answer({"kind": kind, "sourcedId": source_id, "decision": words}, f"{source_id}: {words}.", as_json)


def _decide(
    number: int, kind: str, source_id: str, to: str, create: bool, ignore: bool, hold: bool, forget: bool, why: str,
    grades: list[str] | None = None,
) -> str:  # fmt: skip
    connection = connections.find_connection(number)
    by_grade = dict(text.partition("=")[::2] for text in grades or [])
    chosen = [
        action
        for action, is_meant in (
            (TO_LINK, bool(to or by_grade)),
            (TO_CREATE, create),
            (TO_IGNORE, ignore),
            (TO_HOLD, hold),
            ("forget", forget),
        )
        if is_meant
    ]
    if len(chosen) != 1:
        raise typer.BadParameter("Say one of --to, --create, --ignore, --hold and --forget.")
    if chosen == ["forget"]:
        deciding.forget(connection, kind, source_id, actor().name)
        return "no decision any more"
    deciding.decide(
        connection, kind, source_id, chosen[0], actor().name, target=to, by_grade=by_grade, why=why
    )
    return chosen[0]


def _row(case: Case) -> dict[str, object]:
    return {
        "case": case.pk,
        "kind": case.kind,
        "sourcedId": case.source_id,
        "why": case.code,
        "field": case.field,
        "records": case.candidates,
        "others": case.others,
        "since": f"{case.opened_at:%Y-%m-%d %H:%M}",
    }
