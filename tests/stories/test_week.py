"""A district's week: its first load and seven nights, none of which is held, and each of which changes exactly what its files say."""

import csv
import hashlib
from collections import Counter
from pathlib import Path

import pytest

from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.publish import publish
from rollbook.generator.generate import generate
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.store.models import RECORDS, Connection
from tests.delivered import a_district

pytestmark = pytest.mark.django_db(transaction=True)

Digests = dict[str, dict[str, bytes]]
"""By collection: the digest of every record by its id."""


def test_every_night_changes_exactly_what_its_files_say(tmp_path: Path, at_size, long_report):
    students = at_size(400, 100_000)
    district = a_district()
    connection = Connection.objects.get(district=district)
    stored: Digests = {collection: {} for collection in LOAD_ORDER}
    gone: dict[str, set[str]] = {collection: set() for collection in LOAD_ORDER}
    for night in range(8):
        generate(tmp_path / str(night), students, 5, night)
        files = digests(tmp_path / str(night))
        expected = differences(stored, files, gone)
        run = carry_out(prepare(connection, tmp_path / str(night), "a test"))
        assert (night, run.outcome, run.message) == (night, "success", "")
        assert (night, changed(run.plan.counts)) == (night, expected)
        stored = files
        long_report(f"changes of night {night}", sum(map(sum_of, expected.values())), "records")
    for collection, model in RECORDS.items():
        active = model.objects.filter(district=district, status="active").values_list("sourced_id", flat=True)
        assert set(active) == set(stored[collection])
    assert publish(district.pk, None, "everything looked at again") is None


def digests(package: Path) -> Digests:
    """What the files of a package say, read as plainly as can be."""
    found: Digests = {collection: {} for collection in LOAD_ORDER}
    for collection, records in found.items():
        with (package / f"{collection}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                text = "\x1f".join(f"{name}={value}" for name, value in sorted(row.items()))
                records[row["sourcedId"]] = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return found


def differences(before: Digests, after: Digests, gone: dict[str, set[str]]) -> dict[str, Counter[str]]:
    """By collection and action, how many records differ; those deleted are noted in `gone`, those that came back are taken out."""
    counts = {}
    for collection in LOAD_ORDER:
        old, new, left = before[collection], after[collection], gone[collection]
        come, went = new.keys() - old.keys(), old.keys() - new.keys()
        counts[collection] = +Counter(
            create=len(come - left),
            restore=len(come & left),
            update=sum(old[number] != new[number] for number in old.keys() & new.keys()),
            delete=len(went),
        )
        left |= went
        left -= come
    return {collection: count for collection, count in counts.items() if count}


def changed(counts: dict[str, dict[str, int]]) -> dict[str, Counter[str]]:
    return {collection: +Counter(actions) for collection, actions in counts.items() if any(actions.values())}


def sum_of(count: Counter[str]) -> int:
    return sum(count.values())
