"""How long a district keeps what came in and what waits, and what people did with single snapshots."""

from django.db import models

from rollbook.store.models.history import Snapshot
from rollbook.store.models.roster import District


class Keeping(models.Model):
    """A district's own numbers; one without a row has the defaults.

    Of each connection at most `snapshots` snapshots are kept, none older than `days` days, but for those that are still needed
    (`flows.snapshots`). A plan on hold is given up after `hold_days` days.
    """

    district = models.OneToOneField(District, models.CASCADE, related_name="keeping", primary_key=True)
    snapshots = models.IntegerField(default=30)
    days = models.IntegerField(default=90)
    hold_days = models.IntegerField(default=14)


class SnapshotAct(models.Model):
    """Who took a snapshot out or had it removed, and when. `by` is empty where its time was over."""

    class Kind(models.TextChoices):
        DOWNLOAD = "download"
        REMOVE = "remove"

    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="acts")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    by = models.CharField(max_length=200, default="")
    at = models.DateTimeField(auto_now_add=True)
