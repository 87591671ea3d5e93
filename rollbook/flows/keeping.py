"""Keeping: for how long a district keeps what came in, and for how long a held plan waits. Three numbers, with defaults."""

from django.db import transaction

from rollbook.flows import audit
from rollbook.refusal import Refusal
from rollbook.store.models import District, Keeping

BOUNDS = {"snapshots": (1, 1000), "days": (1, 3650), "hold_days": (1, 90)}
"""What each number may be."""


class NotKept(Refusal):
    """Snapshots are kept by number (1 to 1000) and by days (1 to 3650); a held plan waits 1 to 90 days."""


def keeping_of(district: District) -> Keeping:
    """The district's numbers, the defaults where it has set none."""
    return Keeping.objects.filter(district=district).first() or Keeping(district=district)


def set_keeping(district: District, **numbers: int | None) -> Keeping:
    """Change some of `snapshots`, `days`, `hold_days`; None leaves a number as it is. Raises NotKept."""
    given = {name: number for name, number in numbers.items() if number is not None}
    for name, number in given.items():
        least, most = BOUNDS[name]
        if not least <= number <= most:
            raise NotKept(f"{name} {number}")
    with transaction.atomic():
        kept, _ = Keeping.objects.update_or_create(district=district, defaults=given)
        audit.record(district.pk, "keeping.change", "settings", "keeping", after=given)
    return kept
