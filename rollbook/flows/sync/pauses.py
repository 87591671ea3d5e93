"""Pauses: a provider that asks to be left alone (429) is, by all customers who read from it. Their runs wait, and fail for nothing."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from rollbook.refusal import Refusal
from rollbook.store.models import ProviderPause, SyncConnection

LEAST, MOST = timedelta(minutes=1), timedelta(hours=6)
"""How long a provider is left alone that does not say for how long; and the longest, whatever it says."""

ADDRESSES = ("url", "listing", "host")
"""The settings of sources in one of which their server's address stands."""


class LeftAlone(Refusal):
    """This provider has asked to be left alone for a while: no customer of ours asks it anything until then."""

    def __init__(self, host: str, until: datetime) -> None:
        super().__init__(host)
        self.host, self.until = host, until

    @property
    def words(self) -> str:
        return f"{self.host} has asked to be left alone; it is asked again at {self.until:%H:%M} UTC, by this and all other syncs."


def refuse_while_paused(connection: SyncConnection, now: datetime | None = None) -> None:
    """Raises LeftAlone."""
    host = host_of(connection)
    pause = ProviderPause.objects.filter(pk=host, until__gt=now or timezone.now()).first() if host else None
    if pause is not None:
        raise LeftAlone(host, pause.until)


def leave_alone(
    connection: SyncConnection, host: str, seconds: float | None, now: datetime | None = None
) -> LeftAlone:
    """From now on nobody asks it, for as long as it said; of two pauses the later counts."""
    now = now or timezone.now()
    wanted = timedelta(seconds=min(seconds or 0.0, MOST.total_seconds()))
    until, name = now + max(wanted, LEAST), host_of(connection) or host
    with transaction.atomic():
        pause, _ = ProviderPause.objects.select_for_update().get_or_create(
            host=name, defaults={"until": until}
        )
        if pause.until < until:
            pause.until = until
            pause.save(update_fields=["until"])
    return LeftAlone(name, max(until, pause.until))


def host_of(connection: SyncConnection) -> str:
    """Host and port of its source; empty for one that has none."""
    named = [str(connection.source_settings.get(name) or "") for name in ADDRESSES]
    address = next(filter(None, named), "")
    return urlsplit(address if "://" in address else f"//{address}").netloc.rpartition("@")[2].lower()[:260]
