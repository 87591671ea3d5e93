"""`rollbook severity`: what a district counts its warnings for."""

from typing import Annotated

import typer

from rollbook.cli.columns import answer, show
from rollbook.flows import severities
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.flows.severities import Weighed

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]
CodeName = Annotated[
    str, typer.Argument(help="The code of a warning, such as dates-reversed: docs/reference/findings.md.")
]
verbs = typer.Typer(no_args_is_help=True, help="What a district counts its warnings for.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="severity")


@verbs.command("list")
def list_severities(
    district: DistrictName,
    every: Annotated[
        bool, typer.Option("--all", help="Every warning that could be changed, not only those that are.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show which warnings the district has raised or lowered, by whom and why."""
    found = severities.weighed(find_district(district))
    show(
        [_row(one) for one in found if every or one.is_own],
        as_json,
        "`rollbook severity set` makes a warning count otherwise",
    )


@verbs.command("set")
def set_severity(
    district: DistrictName,
    code: CodeName,
    severity: Annotated[
        str, typer.Argument(help="error, note or warning; fatal for what is about the package as a whole.")
    ],
    why: Annotated[str, typer.Option(help="Why, for whoever reads the findings next year.")] = "",
    as_json: AsJson = False,
) -> None:
    """Count a warning for more, so that what it is about is held back, or for less. It holds from the next package on."""
    made = severities.set_severity(find_district(district), code, severity, actor().name, why)
    words = f"Findings of the code {made.code} count as {made.severity} from now on."
    answer({"code": made.code, "severity": made.severity, "by": made.by, "why": made.why}, words, as_json)


@verbs.command("clear")
def clear_severity(district: DistrictName, code: CodeName) -> None:
    """Count a warning as a warning again."""
    made = severities.clear_severity(find_district(district), code, actor().name)
    typer.echo(f"Findings of the code {made.code} are warnings again.")


def _row(one: Weighed) -> dict[str, object]:
    decision = one.decision
    return {
        "code": one.kind.code,
        "severity": one.severity,
        "title": one.kind.title,
        "by": decision.by if decision else "",
        "at": decision.at.isoformat(timespec="seconds") if decision else "",
        "why": decision.why if decision else "",
    }
