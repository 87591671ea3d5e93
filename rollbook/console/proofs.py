"""The completeness certificate of a run as it is shown: by collection whether it was proved, by which figures, and why not."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import Badge
from rollbook.console.words import COLLECTIONS
from rollbook.flows.completeness import certificate_of
from rollbook.store.models import Run

PROVED = Badge(_("Proved"), "green", "check")
NOT_SHARED = Badge(_("Not shared"), "secondary", "stop")
NOT_PROVED = Badge(_("Not proved"), "yellow", "warning")


@dataclass(frozen=True)
class Proof:
    """What is said of one collection. `announced` is the server's own total, None where it gave none or several."""

    collection: Any
    mark: Badge
    records: int
    announced: int | None
    pages: int
    why: str


@dataclass(frozen=True)
class Certificate:
    """Where a delivery was read from, when, in how many requests, and what was proved of it."""

    address: str
    version: str
    requests: int
    proofs: list[Proof]


def shown_certificate(run: Run) -> Certificate | None:
    """None where the delivery was not read from another server."""
    told = certificate_of(run)
    if told is None:
        return None
    proofs = [_proof(name, part) for name, part in told["collections"].items()]
    return Certificate(told["address"], told["version"], told["requests"], proofs)


def _proof(name: str, part: dict[str, Any]) -> Proof:
    values = part["values"]
    totals = values["totals"]
    return Proof(
        collection=COLLECTIONS[name],
        mark=_mark(part),
        records=values["records"],
        announced=totals[0] if len(totals) == 1 else None,
        pages=values["pages"],
        why=_why(part),
    )


def _why(part: dict[str, Any]) -> str:
    if part["mode"] == "absent":
        return gettext("This provider does not share resources: what is stored stays.")
    return "; ".join(part["why"])


def _mark(part: dict[str, Any]) -> Badge:
    if part["mode"] == "absent":
        return NOT_SHARED
    return PROVED if part["complete"] else NOT_PROVED
