"""`rollbook find`: a person or a class as one app sees it. `rollbook explain`: why it does, or does not."""

import json
from typing import Annotated

import typer

from rollbook.engine.explaining import Explanation
from rollbook.flows import explain as explaining
from rollbook.flows import find as finding
from rollbook.flows.apps import find_grant
from rollbook.flows.districts import find_district
from rollbook.store.lookup import Record

SHOWN = ("email", "classCode", "identifier")
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.command()(find)
    app.command()(explain)


def find(
    grant: Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")],
    text: Annotated[
        str,
        typer.Argument(
            help="A sourcedId, username, identifier, e-mail address, name, or class title or code."
        ),
    ],
    start: Annotated[int, typer.Option("--from", help="Leave out so many of those found.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the people and classes that an app sees and the text fits; of one alone, every record of it that the app sees."""
    given = find_grant(grant)
    found = {name: finding.find(given, name, text, start) for name in finding.WORDS}
    hits = [(name, record) for name, seen in found.items() for record in seen.records]
    parts = finding.parts(given, *hits[0]) if len(hits) == 1 and not start else []
    if as_json:
        told = {name: {"total": seen.total, "records": seen.records} for name, seen in found.items()}
        belonging = [finding.told(part) for part in parts]
        typer.echo(json.dumps({**told, "belonging": belonging}, ensure_ascii=False))
        return
    for name, record in hits:
        typer.echo(f"{name}  {_words(record)}")
    for part in parts:
        typer.echo(f"{part.relation}: {part.seen.total:,}")
        for record in part.seen.records:
            mark = (
                "  (for reference only)"
                if part.collection == "orgs" and record["sourcedId"] in part.reference
                else ""
            )
            typer.echo(f"    {_words(record)}{mark}")
    total = sum(seen.total for seen in found.values())
    if not total:
        typer.echo("This app sees nothing like that. `rollbook explain` says why, by an exact id or address.")
    elif total > len(hits):
        typer.echo(f"{total:,} in all.")


def _words(record: Record) -> str:
    name = " ".join(str(record[part]) for part in ("givenName", "familyName") if record.get(part))
    name = name or str(record.get("title") or record.get("name") or record.get("role") or "")
    more = [str(record[part]) for part in SHOWN if record.get(part)]
    return "  ".join(filter(None, [str(record["sourcedId"]), name, *more]))


def explain(
    text: Annotated[
        str,
        typer.Argument(help="A sourcedId, username, identifier, e-mail address, or a class's code or title."),
    ],
    grant: Annotated[int | None, typer.Option(help="Of this grant: `rollbook grant list` shows it.")] = None,
    district: Annotated[str, typer.Option(help="Of every app of this district: its Tenant ID or name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say why a person or a class is, or is not, in an app, and what would change it. Exit 1 where nobody sees it."""
    if (grant is None) == (not district):
        raise typer.BadParameter("say either --grant NUMBER or --district DISTRICT")
    given = find_grant(grant) if grant is not None else None
    owner = given.district if given else find_district(district)
    subjects = explaining.subjects(owner, text) or [explaining.nobody(text)]
    told = [
        (one, app, explanation)
        for one in subjects
        for app, explanation in (
            [(given, explaining.explain(given, one))] if given else explaining.explain_all(owner, one)
        )
    ]
    if as_json:
        rows = [{"grant": app.pk, "app": app.title, **explaining.told(one, why)} for one, app, why in told]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for one, app, why in told:
            _print(one, app.title, why)
    raise typer.Exit(0 if any(why.sees for _, _, why in told) else 1)


def _print(subject: explaining.Subject, app: str, why: Explanation) -> None:
    typer.echo(f"{subject.sourced_id}: {app} {'sees it' if why.sees else 'does not see it'}.")
    for fact in why.facts:
        typer.echo(f"  {'yes' if fact.holds else 'NO '}  {fact.words}")
    for fact in why.missing:
        if fact.setting is not None:
            change = explaining.CHANGES[fact.setting]
            typer.echo(f"  To change that: {change.words}. Who may: {change.who}.")
