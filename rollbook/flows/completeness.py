"""Completeness: what was proved of a fetched delivery is kept beside it, and a run on one that is not complete calls itself no success."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollbook.store import shelf
from rollbook.store.models import Run, Snapshot

INCOMPLETE = "incomplete"
"""The outcome of a run that was carried out on a delivery not proved to be complete: nothing was deleted for being absent."""


def keep_certificate(snapshot: Snapshot, certificate: Mapping[str, Any] | None) -> None:
    """Puts a delivery's certificate beside it, for every run that is made on it."""
    if certificate is not None:
        place = _place(snapshot)
        place.write_text(json.dumps(certificate, indent=1), encoding="utf-8")


def certificate_of(run: Run) -> dict[str, Any] | None:
    """What was proved of the run's delivery; None where it was handed in, which proves itself by its manifest."""
    if run.snapshot is None or not _place(run.snapshot).exists():
        return None
    found: dict[str, Any] = json.loads(_place(run.snapshot).read_text(encoding="utf-8"))
    return found


def outcome_of(run: Run, outcome: str = "success", message: str = "") -> tuple[str, str]:
    """The outcome and the message of a run that came to its end, unless its delivery was not complete."""
    certificate = certificate_of(run)
    if certificate is None or certificate["complete"]:
        return outcome, message
    missing = [
        f"{name} ({'; '.join(part['why'])})"
        for name, part in certificate["collections"].items()
        if not part["complete"]
    ]
    reasons = f"Not proved to be complete: {', '.join(missing)}. Nothing was deleted for being absent there."
    return INCOMPLETE, f"{message} {reasons}".strip()


def _place(snapshot: Snapshot) -> Path:
    return shelf.place(f"{snapshot.shelf_name}.certificate.json")
