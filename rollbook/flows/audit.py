"""The audit log: what was done, by whom, to what. Entries are added and never changed; each carries the hash of the one before.

An entry is written in the transaction of its act, so neither is there without the other. It says nothing personal of people in a
roster: a sourcedId or a number names them. Every district has a chain of its own, and so has the installation.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from rollbook.flows.acting import actor
from rollbook.refusal import Refusal
from rollbook.store.models import AuditEntry, AuditHead, AuditNote
from rollbook.store.models.auditing import INSTALLATION

MOST_TEXT = 10_000
HASHED = (
    "district_id", "number", "at", "actor", "door", "act", "kind", "object", "about", "before", "after", "previous",
)  # fmt: skip
"""What the hash of an entry is made of, in this order."""


class NoSuchEntry(Refusal):
    """The audit log of this district has no entry of this number."""


@dataclass(frozen=True)
class Verdict:
    """What checking a chain came to: how many entries, the hash of the last, and what is wrong, which is empty when nothing is."""

    entries: int
    hash: str
    wrong: str = ""
    number: int = 0

    @property
    def holds(self) -> bool:
        return not self.wrong


def record(
    district_id: int | None,
    act: str,
    kind: str,
    number: object = "",
    about: str = "",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    by: str = "",
) -> AuditEntry:
    """Adds an entry: `act` (such as `key.revoke`) was done to the object of this kind and number (or other id), whose name is `about`.

    `district_id` None is the installation. Call it inside the transaction of the act, as its last step: entries of one district wait for
    one another. `before` and `after` hold what changed, as far as it is not personal and no secret. Who did it is who acts now (`acting`),
    unless `by` says so.
    """
    who = actor()
    entry = AuditEntry(
        district_id=INSTALLATION if district_id is None else district_id,
        at=time.time_ns() // 1_000_000,
        actor=(by or who.name)[:320],
        door=who.door,
        act=act,
        kind=kind,
        object=clean(str(number))[:500],
        about=clean(about)[:500],
        before=canonical(before),
        after=canonical(after),
    )
    with transaction.atomic():
        _append(entry, _locked_head(entry.district_id))
    return entry


def pour(note: AuditNote) -> None:
    """Adds what was noted elsewhere to its chains, with the time at which it happened; what is there already is not added again."""
    same = {
        name: getattr(note, name)
        for name in ("at", "actor", "door", "act", "kind", "object", "about", "after")
    }
    with transaction.atomic():
        for chain in note.chains:
            head = _locked_head(chain)
            if not AuditEntry.objects.filter(district_id=chain, **same).exists():
                _append(AuditEntry(district_id=chain, before=canonical(None), **same), head)


def _append(entry: AuditEntry, head: AuditHead) -> None:
    """The next of its chain, whose end is locked."""
    entry.number, entry.previous = head.number + 1, head.hash
    entry.hash = hash_of(entry)
    entry.save(force_insert=True)
    head.number, head.hash = entry.number, entry.hash
    head.save(update_fields=["number", "hash"])


def _locked_head(chain: int) -> AuditHead:
    AuditHead.objects.bulk_create([AuditHead(district_id=chain)], ignore_conflicts=True)
    return AuditHead.objects.select_for_update().get(pk=chain)


def canonical(values: Mapping[str, Any] | None) -> str:
    """One text for equal values, whatever the database: what is no JSON is told as text, what is too long is cut short."""
    text = json.dumps(dict(values or {}), sort_keys=True, ensure_ascii=True, default=str)
    return text if len(text) <= MOST_TEXT else json.dumps({"cut": text[: MOST_TEXT // 2]})


def clean(text: str) -> str:
    """PostgreSQL takes no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def hash_of(entry: AuditEntry) -> str:
    """The SHA-256, in hex, of the entry's values and so of all that came before it."""
    values = [getattr(entry, name) for name in HASHED]
    return hashlib.sha256(json.dumps(values, ensure_ascii=True).encode()).hexdigest()


# --- Reading -----------------------------------------------------------------------------------------------------------------------


def entries(
    district_id: int | None,
    search: str = "",
    act: str = "",
    actor_name: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """The entries of a chain, the latest first. `search` looks into acts, names, ids and values; `act` is one, or a family (`key`)."""
    found = AuditEntry.objects.filter(district_id=INSTALLATION if district_id is None else district_id)
    if search:
        text = clean(search)
        found = found.filter(
            Q(act__icontains=text) | Q(actor__icontains=text) | Q(object__icontains=text)
            | Q(about__icontains=text) | Q(before__icontains=text) | Q(after__icontains=text)
        )  # fmt: skip
    if act:
        found = found.filter(Q(act=act) | Q(act__startswith=f"{act}."))
    if actor_name:
        found = found.filter(actor=actor_name)
    if since:
        found = found.filter(at__gte=int(since.timestamp() * 1000))
    if until:
        found = found.filter(at__lt=int(until.timestamp() * 1000))
    return found.order_by("-number")


def told(entry: AuditEntry) -> dict[str, Any]:
    """An entry as programs read it."""
    return {
        "number": entry.number,
        "at": datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(timespec="milliseconds"),
        "actor": entry.actor,
        "door": entry.door,
        "act": entry.act,
        "kind": entry.kind,
        "object": entry.object,
        "about": entry.about,
        "before": json.loads(entry.before),
        "after": json.loads(entry.after),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def entries_about(kind: str, number: str, district_id: int | None = None) -> QuerySet[AuditEntry]:
    """The entries of a chain about one object, the latest first."""
    chain = INSTALLATION if district_id is None else district_id
    return AuditEntry.objects.filter(district_id=chain, kind=kind, object=number).order_by("-number")


COLUMNS = (
    "number",
    "at",
    "actor",
    "door",
    "act",
    "kind",
    "object",
    "about",
    "before",
    "after",
    "previous",
    "hash",
)


def was_done(district_id: int, kind: str, act: str) -> bool:
    """Whether something of this kind was ever done in a district."""
    return AuditEntry.objects.filter(district_id=district_id, kind=kind, act=act).exists()


def rows(found: QuerySet[AuditEntry]) -> Iterator[list[str]]:
    """The entries as rows of a file, under a header; the oldest first, which is the order of the chain."""
    yield list(COLUMNS)
    for entry in found.order_by("number").iterator(chunk_size=1000):
        line = told(entry) | {"before": entry.before, "after": entry.after}
        yield [str(line[name]) for name in COLUMNS]


def verify(district_id: int | None, known: tuple[int, str] | None = None) -> Verdict:
    """Whether the chain holds: no entry was changed, taken out or put in since it was written.

    Whoever can write the whole database could write a whole chain anew: `known` is the number and hash of an entry that was noted
    elsewhere earlier, and must be in the chain as it was.
    """
    chain = INSTALLATION if district_id is None else district_id
    # Up to where it goes now: what is added meanwhile is not looked at.
    head = AuditHead.objects.filter(pk=chain).first() or AuditHead(district_id=chain)
    found = AuditEntry.objects.filter(district_id=chain, number__lte=head.number).order_by("number")
    last, previous = 0, ""
    for entry in found.iterator(chunk_size=1000):
        last += 1
        if wrong := _wrong_with(entry, last, previous, known):
            return Verdict(last - 1, previous, wrong, entry.number)
        previous = entry.hash
    if (last, previous) != (head.number, head.hash):
        return Verdict(last, previous, "Entries at its end are missing.", last + 1)
    if known and known[0] > last:
        return Verdict(last, previous, "The entry that was noted is missing.", known[0])
    return Verdict(last, previous)


def _wrong_with(entry: AuditEntry, number: int, previous: str, known: tuple[int, str] | None) -> str:
    if entry.number != number:
        return f"Entry {number} is missing."
    if entry.previous != previous:
        return f"Entry {number} does not follow from the one before it."
    if hash_of(entry) != entry.hash:
        return f"Entry {number} was changed."
    if known and known[0] == number and known[1] != entry.hash:
        return f"Entry {number} is not the one that was noted."
    return ""
