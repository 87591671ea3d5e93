"""`rollbook sync help`: what organizations ask their product's support, and the answers."""

from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.flows.acting import actor
from rollbook.flows.directory import find_organization, find_product
from rollbook.flows.sync import connections, helping, runs
from rollbook.store.models import HelpRequest

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

requests = typer.Typer(
    no_args_is_help=True, help="What organizations ask their product's support, and the answers."
)


def add_to(verbs: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.add_typer(requests, name="help")


@requests.command()
def ask(
    organization: Annotated[str, typer.Argument(help="The organization's number or name.")],
    words: Annotated[str, typer.Argument(help="What help is needed with. Name no pupils.")],
    connection: Annotated[int, typer.Option(help="The sync connection it is about.")] = 0,
    run: Annotated[int, typer.Option(help="The sync run it is about.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Ask the product's support, as the console's Ask for help does."""
    where = find_organization(organization)
    about = connections.find_connection(connection, where) if connection else None
    attached = runs.find_run(run) if run else None
    if attached is not None:
        about = connections.find_connection(attached.connection_id, where)
    made = helping.ask(where, actor().name, words, connection=about, run=attached)
    answer(_row(made), f"It is request {made.pk}.", as_json)


@requests.command("list")
def list_requests(
    product: Annotated[
        str, typer.Option(help="Only of this product's organizations: its name or number.")
    ] = "",
    organization: Annotated[
        str, typer.Option(help="All that this organization asked, answered too: its number or name.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show what waits for an answer, the longest first."""
    if organization:
        found = helping.requests_of(find_organization(organization))
    else:
        found = helping.waiting(find_product(product) if product else None)
    show([_row(one) for one in found], as_json, "nobody waits for an answer")


@requests.command("answer")
def answer_request(
    number: Annotated[int, typer.Argument(help="The request: `rollbook sync help list` shows it.")],
    words: Annotated[str, typer.Argument(help="The answer, which the organization reads.")],
    as_json: AsJson = False,
) -> None:
    """Answer a request. It waits no more."""
    found = helping.answer(number, actor().name, words)
    answer(_row(found), f"Request {found.pk} is answered.", as_json)


def _row(one: HelpRequest) -> Row:
    return {
        "request": one.pk,
        "organization": one.organization.name,
        "connection": one.connection_id or "",
        "run": one.run_id or "",
        "page": one.page,
        "by": one.asked_by,
        "at": f"{one.asked_at:%Y-%m-%d %H:%M}",
        "words": one.words,
        "answer": one.answer,
    }
