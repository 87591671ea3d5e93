"""`rollbook generate`: a district made up from a seed, as a package."""

import json
from pathlib import Path
from typing import Annotated

import typer

from rollbook.generator.generate import generate as write_district
from rollbook.oneroster.tables import BINDINGS


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(generate)


def generate(
    out: Annotated[
        Path, typer.Argument(help="Where the package goes: a zip if it ends in .zip, else a folder.")
    ],
    students: Annotated[
        int, typer.Option("--students", min=1, help="How many students the district has on night 0.")
    ],
    seed: Annotated[
        int, typer.Option("--seed", help="The same seed gives the same district, byte for byte.")
    ] = 1,
    night: Annotated[
        int,
        typer.Option(
            "--night", min=0, help="The same district so many nights later, about 1 % changed a night."
        ),
    ] = 0,
    version: Annotated[str, typer.Option("--version", help="The OneRoster CSV version: 1.1 or 1.2.")] = "1.2",
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Make up a district: schools, staff, students, guardians, classes and enrollments as a valid bulk package.

    Nobody in it is real. About 8.3 enrollments and 2.1 users a student; 100,000 students take about ten seconds.
    """
    if version not in BINDINGS:
        raise typer.BadParameter(f"{version} is not one of {', '.join(BINDINGS)}", param_hint="--version")
    if out.suffix.lower() != ".zip" and holds_other_things(out):
        raise typer.BadParameter(f"{out} is not a package folder; name a new or empty one", param_hint="OUT")
    print_counts(write_district(out, students, seed, night, version), as_json)


def holds_other_things(folder: Path) -> bool:
    """An existing folder is written into only when it is empty or a package already."""
    if folder.exists() and not folder.is_dir():
        return True
    return folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.csv").exists()


def print_counts(counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts))
        return
    for name, count in counts.items():
        typer.echo(f"{name}.csv".ljust(24) + f"{count:>12,}")
