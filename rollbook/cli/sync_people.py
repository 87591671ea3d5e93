"""`rollbook sync candidates`, `import`, `resync`, `switch`, `states` and `explain`: people, classes and schools, and what happens to them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import show
from rollbook.cli.sync_runs import tell
from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows.acting import actor
from rollbook.flows.sync import connections, explaining, importing, own, runs, states, switching

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]
Some = list[str] | None


def add_to(verbs: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.command()(candidates)
    verbs.command("import")(import_people)
    verbs.command()(resync)
    verbs.command()(switch)
    verbs.command("states")(show_states)
    verbs.command()(explain)


def candidates(
    number: Number,
    as_read: Annotated[
        bool, typer.Option("--as-read", help="Do not ask the source now: as it was read last.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the source who could be imported, and show them: staff who have no account yet. Nothing is changed."""
    connection = connections.find_connection(number)
    if not as_read:
        with own.own_process() as process:
            ended = own.walk_here(importing.look(connection, actor().name, process), _say)
        if ended.outcome != "previewed":
            tell(ended, as_json)
    found = importing.candidates(connection)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False))
        return
    rows: list[dict[str, object]] = [
        {
            "sourcedId": one.source_id,
            "name": f"{one.given_name} {one.family_name}",
            "email": one.email,
            "roster roles": list(one.roster_roles),
            "roles": list(one.roles),
            "sites": list(one.sites),
            "classes": list(one.classes),
        }
        for one in found
    ]
    show(
        rows, False, "everybody whom the settings want has an account, or nobody teaches a class with pupils"
    )


def import_people(
    number: Number,
    people: Annotated[
        list[str], typer.Argument(help="Their sourcedIds: `rollbook sync candidates` shows them.")
    ],
    role: Annotated[
        Some, typer.Option(help="A role by hand, in the place of the settings'. Repeat for more.")
    ] = None,
    site: Annotated[Some, typer.Option(help="A site by hand, by its number. Repeat for more.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import people by hand. Exit 1 where somebody was not."""
    connection = connections.find_connection(number)
    wishes = [importing.Wish(one, tuple(role or ()), tuple(site or ())) for one in people]
    with own.own_process() as process:
        results, queued = importing.import_people(
            connection, wishes, actor().name, lambda run: own.walk_here(run, _say), process
        )
    rows: list[dict[str, object]] = [dict(one.as_dict()) for one in results]
    if as_json:
        typer.echo(json.dumps({"people": rows, "groupSyncs": [one.pk for one in queued]}, ensure_ascii=False))
    else:
        show(rows, False)
    if any(one.outcome != importing.IMPORTED for one in results):
        raise typer.Exit(1)


def resync(
    number: Number,
    person: Annotated[
        Some, typer.Option(help="A person with their classes, by sourcedId. Repeat for more.")
    ] = None,
    taught_class: Annotated[
        Some, typer.Option("--class", help="A class with its people, by sourcedId.")
    ] = None,
    school: Annotated[Some, typer.Option(help="A school with its people and classes, by sourcedId.")] = None,
    member: Annotated[Some, typer.Option(help="A member, by number, in the place of a person.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sync single people, classes or schools now, and nothing else."""
    connection = connections.find_connection(number)
    people = [*(person or ()), *(explaining.source_id_of(connection, MEMBERS, one) for one in member or ())]
    focus = {"people": people, "classes": taught_class or [], "schools": school or []}
    if not any(focus.values()):
        raise typer.BadParameter("Say whom or what: --person, --member, --class or --school.")
    with own.own_process() as process:
        waiting = runs.enqueue(connection, actor().name, runs.FOCUS, process=process, focus=focus)
        tell(own.walk_here(waiting, _say), as_json)


def switch(
    number: Number,
    to: Annotated[str, typer.Option(help="class or group: what classes of the source become.")],
    as_json: AsJson = False,
) -> None:
    """Show what it takes to make classes groups, or groups classes. `rollbook sync approve` does it; no membership is lost."""
    connection = connections.find_connection(number)
    with own.own_process() as process:
        tell(own.walk_here(switching.switch(connection, to, actor().name, process), _say), as_json)


def show_states(
    number: Number,
    kind: Annotated[str, typer.Option(help="Only sites, members or groups.")] = "",
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write them into this CSV file; - is standard output.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how every site, person and class of the source stands: as which record, in which state, and why it is none or waits."""
    connection = connections.find_connection(number)
    if csv_file is None:
        show(
            [states.as_dict(one) for one in states.states(connection, kind)],
            as_json,
            "the source has nothing",
        )
    elif str(csv_file) == "-":
        states.write_csv(connection, sys.stdout)
    else:
        with csv_file.open("w", encoding="utf-8", newline="") as target:
            count = states.write_csv(connection, target)
        typer.echo(f"{count:,} records are in {csv_file}.")


def explain(
    number: Number,
    source_id: Annotated[str, typer.Argument(help="The sourcedId; with --member the member's number.")],
    kind: Annotated[str, typer.Option(help="members, groups or sites.")] = MEMBERS,
    member: Annotated[
        bool, typer.Option("--member", help="It is the number of a record of the directory.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Explain a record end to end: where it was read, the rules it met, what the next sync would do, what earlier ones did."""
    connection = connections.find_connection(number)
    if member:
        source_id = explaining.source_id_of(connection, kind, source_id)
    told = explaining.explain(connection, kind, source_id)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in _explained(told):
        typer.echo(line)


def _explained(told: dict[str, Any]) -> list[str]:
    source = told["source"]
    found = [f"{told['kind']} {told['sourcedId']}, read by run {source['run']} from {source['place']}."]
    for step in told["steps"]:
        facts = ", ".join(f"{name}: {value}" for name, value in step.items() if name != "step" and value)
        found.append(f"    {step['step']}: {facts or '-'}")
    found += [
        f"    link to {link['record']} by {link['by']}"
        + (f", ended: {link['endReason']}" if link["ended"] else "")
        for link in told["links"]
    ]
    found += [
        f"    by hand: {one['field']} = {one['value']} ({one['by']}: {one['why'] or '-'})"
        for one in told["overrides"]
    ]
    found += [
        f"    run {one['run']}: {one['what']}, {one['outcome']} ({one['reason'] or '-'})"
        for one in told["history"]
    ]
    return found


def _say(words: str) -> None:
    typer.echo(words, err=True)
