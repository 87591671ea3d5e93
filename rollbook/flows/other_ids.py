"""Other ids: which people and classes an app knew by another sourcedId at its last sanity check. What engine.rekey pairs is believed, no more.

It follows from the plans that were applied since, as long as they are kept, and from what left the app's view in that time.
"""

from collections.abc import Iterable
from pathlib import Path

from rollbook.engine.rekey import paired_since
from rollbook.engine.scope import Rule
from rollbook.flows.limits import APPLIED
from rollbook.store import shelf
from rollbook.store.bulk import batches
from rollbook.store.circumstances import circumstances
from rollbook.store.models import RECORDS, Grant, Run, Served, ViewRow
from rollbook.store.models.publication import FOREVER, NUMBER_OF

LOOKED_AT = ("users", "classes")
CHUNK = 5_000

Ids = dict[str, dict[str, str]]


def other_ids(grant: Grant, since: int, until: int, today: str, work: Path) -> Ids:
    """{collection: {id now: id before}}, both as the app knows them, of what came after publication `since` and until `until`.

    `today` is the district's date. Empty where nothing came back: the ids now are not looked for in what the app sees.
    """
    pairs = paired_since(_plans(grant, since, until), work)
    known = circumstances(grant.district_id, grant, Rule.parse(grant.rule), today)
    found: Ids = {}
    for collection in LOOKED_AT:
        told = [
            pair
            for some in batches(pairs.get(collection, ()), CHUNK)
            for pair in _told(grant, collection, some, since)
        ]
        found[collection] = {
            known.shown_id(collection, now): known.shown_id(collection, was) for was, now in told
        }
    return found


def _plans(grant: Grant, since: int, until: int) -> list[Path]:
    """What was applied between the two publications, the oldest first; nothing where none of it both removed and added such records."""
    runs = Run.objects.filter(
        district=grant.district_id,
        outcome__in=APPLIED,
        plan__isnull=False,
        publication__gt=since,
        publication__lte=until,
    )
    changed = [
        run
        for run in runs.select_related("plan").order_by("publication", "ended_at", "id")
        if run.plan.counts
    ]
    for collection in LOOKED_AT:
        actions = {action for run in changed for action in run.plan.counts.get(collection, ())}
        if {"create", "delete"} <= actions:
            return [place for run in changed if (place := shelf.place(run.plan.shelf_name)).exists()]
    return []


def _told(
    grant: Grant, collection: str, pairs: Iterable[tuple[int, int]], since: int
) -> list[tuple[str, str]]:
    """(served id before, served id now) of the pairs whose former record the app has lost since."""
    came = dict(pairs)
    place = {"district_id": grant.district_id, "collection": NUMBER_OF[collection], "record_id__in": came}
    rows = Served.objects if grant.view_id is None else ViewRow.objects.filter(view_id=grant.view_id)
    left = set(
        rows.filter(**place, gone=True, to_publication=FOREVER, from_publication__gt=since).values_list(
            "record_id", flat=True
        )
    )
    lost = {number: came[number] for number in came if number in left}
    records = RECORDS[collection]._default_manager.filter(
        district=grant.district_id, id__in=[*lost, *lost.values()]
    )
    ids = dict(records.values_list("id", "sourced_id"))
    return [(ids[was], ids[now]) for was, now in lost.items() if was in ids and now in ids]
