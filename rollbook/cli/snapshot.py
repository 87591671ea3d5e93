"""`rollbook snapshot`: the deliveries that are kept as they came."""

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import show
from rollbook.flows import snapshots
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.flows.keeping import keeping_of, set_keeping
from rollbook.store.models import Keeping

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]
Number = Annotated[int, typer.Argument(help="The snapshot's number: `rollbook snapshot list` shows it.")]

verbs = typer.Typer(no_args_is_help=True, help="The deliveries that are kept as they came.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="snapshot")


@verbs.command("list")
def list_snapshots(district: DistrictName, as_json: AsJson = False) -> None:
    """Show what is kept, the latest first, with sizes in bytes, and what they take together."""
    found = find_district(district)
    rows = [_row(kept) for kept in snapshots.snapshots_of(found)]
    if as_json:
        typer.echo(json.dumps({"totalBytes": snapshots.total_size(found), "snapshots": rows}))
        return
    show(rows, as_json, "`rollbook import` brings the first")
    typer.echo(f"{len(rows)} kept, {snapshots.total_size(found):,} bytes.")


@verbs.command("show")
def show_snapshot(number: Number, as_json: AsJson = False) -> None:
    """Show one: when it came, by what, which runs were made of it, who took it out or removed it."""
    snapshot = snapshots.find_snapshot(number)
    told: dict[str, Any] = {
        "snapshot": snapshot.pk,
        "tenantId": snapshot.district_id,
        "connection": snapshot.connection.name or snapshot.connection.kind,
        "receivedAt": f"{snapshot.received_at:%Y-%m-%dT%H:%M:%SZ}",
        "bytes": snapshot.size,
        "sha256": snapshot.sha256,
        "removedAt": f"{snapshot.removed_at:%Y-%m-%dT%H:%M:%SZ}" if snapshot.removed_at else None,
        "runs": [{"run": run.pk, "outcome": run.outcome} for run in snapshot.runs.order_by("pk")],
        "acts": [
            {"act": act.kind, "by": act.by or "its time was over", "at": f"{act.at:%Y-%m-%dT%H:%M:%SZ}"}
            for act in snapshot.acts.order_by("at", "pk")
        ],
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name in ("snapshot", "tenantId", "connection", "receivedAt", "bytes", "sha256", "removedAt"):
        typer.echo(f"{name}: {told[name] if told[name] is not None else '-'}")
    for run in told["runs"]:
        typer.echo(f"run {run['run']}: {run['outcome'] or 'under way'}")
    for act in told["acts"]:
        typer.echo(f"{act['at']} {act['act']}: {act['by']}")


@verbs.command()
def download(
    number: Number,
    target: Annotated[Path, typer.Argument(help="The file to write; a folder that came is packed as a zip.")],
) -> None:
    """Write a snapshot to a file. Who did so, and when, is kept: it holds personal data."""
    if target.exists():
        raise typer.BadParameter(f"{target} is there already")
    with snapshots.taken_out(snapshots.find_snapshot(number), actor().name) as file:
        shutil.copyfile(file, target)
    target.chmod(0o600)
    typer.echo(f"Snapshot {number} is in {target}.")


@verbs.command()
def remove(
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False,
) -> None:
    """Delete a snapshot for good. Its runs stay, and what they changed. The last one applied, and one that waits, cannot be removed."""
    if not yes:
        typer.confirm(f"Delete snapshot {number} for good?", abort=True)
    snapshots.remove_snapshot(snapshots.find_snapshot(number), actor().name)
    typer.echo(f"Snapshot {number} is removed.")


@verbs.command()
def keep(
    district: DistrictName,
    count: Annotated[int | None, typer.Option(help="At most so many of each connection, 1 to 1000.")] = None,
    days: Annotated[int | None, typer.Option(help="None older than so many days, 1 to 3650.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how many snapshots a district keeps, and for how long; or change it. What is over goes within a minute while the server runs."""
    found = find_district(district)
    keeping = (
        set_keeping(found, snapshots=count, days=days) if (count, days) != (None, None) else keeping_of(found)
    )
    show([_kept(keeping)], as_json)


def _row(kept: snapshots.Kept) -> dict[str, object]:
    snapshot, run = kept.snapshot, kept.run
    return {
        "snapshot": snapshot.pk,
        "received": f"{snapshot.received_at:%Y-%m-%d %H:%M}",
        "connection": snapshot.connection.name or snapshot.connection.kind,
        "bytes": snapshot.size,
        "run": run.pk if run else None,
        "outcome": run.outcome if run else "",
        "keptBecause": kept.needed,
    }


def _kept(keeping: Keeping) -> dict[str, object]:
    return {"snapshots": keeping.snapshots, "days": keeping.days}
