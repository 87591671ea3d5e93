"""Pickups: the logins by which apps fetch their packages from our SFTP server, and what each finds there."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from rollbook.connectors.sftp_drop import Drop
from rollbook.flows.deliveries import place_of
from rollbook.flows.dispatch import kept_for
from rollbook.flows.exports import PICKUP, secrets_of
from rollbook.store.models import Delivery, Export


@dataclass(frozen=True)
class Waiting:
    """One package that waits: the name it is fetched by, its file, its size in bytes and when it was made (seconds since 1970)."""

    delivery_id: int
    name: str
    path: Path
    size: int
    made: int


def find_pickup(login: str) -> tuple[int, Drop] | None:
    """(grant, login) of this name, if its export and its app are switched on."""
    export = Export.objects.filter(
        way=PICKUP, enabled=True, settings__login=login, grant__enabled=True, grant__removed_at=None
    ).first()
    return (export.grant_id, Drop.of(export.settings, secrets_of(export))) if export else None


def packages_for(grant_id: int, now: datetime | None = None) -> list[Waiting]:
    """What waits for the app now, the latest first; of two with one name the latest alone. Nothing once its login is switched off."""
    is_on = Export.objects.filter(grant_id=grant_id, way=PICKUP, enabled=True).exists()
    found: dict[str, Waiting] = {}
    for one in kept_for(grant_id, now or timezone.now()) if is_on else []:
        ended = int((one.ended_at or one.started_at).timestamp())
        found.setdefault(one.file_name, Waiting(one.pk, one.file_name, place_of(one), one.bytes, ended))
    return list(found.values())


def note_fetched(delivery_id: int, address: str) -> None:
    """The app has read the package to its end."""
    fetched = Delivery.objects.filter(pk=delivery_id, picked_up_at=None)
    fetched.update(picked_up_at=timezone.now(), address=address[:260])
