"""Riverbend as its first delivery left it: brought in once, and put back for each test of any file that begins with it."""

from pathlib import Path

from rollbook.store.models import District
from tests import cast
from tests.delivered import a_district, deliver
from tests.kept import kept


def first_delivery(folder: Path) -> District:
    district = a_district()
    deliver(district, cast.riverbend(folder / "first"))
    return District.objects.get(pk=district.pk)


riverbend = kept(first_delivery)
