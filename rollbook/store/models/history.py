"""What came in and what was done with it: connections, snapshots, plans, runs."""

from django.db import models

from rollbook.store.columns import EncryptedText
from rollbook.store.models.roster import District


class Connection(models.Model):
    """A configured way to another system. Every roster row names the connection that owns it.

    `secrets` is a JSON object of texts. `expected_every_hours` is the longest time between two successful imports; once it has passed,
    `overdue_told_at` says when people were told, and a success empties it again.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="connections")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=40, default="")
    settings = models.JSONField(default=dict)
    secrets = EncryptedText(default="")
    enabled = models.BooleanField(default=True)
    expected_every_hours = models.IntegerField(null=True)
    overdue_told_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Snapshot(models.Model):
    """One delivery exactly as it arrived, on the shelf; immutable. From `removed_at` on only this row is left of it."""

    district = models.ForeignKey(District, models.CASCADE, related_name="snapshots")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="snapshots")
    shelf_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    received_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)


class Run(models.Model):
    """One walk of a flow from *waiting* to *done*, with what it found and did.

    `phase` is the step it is in or ended in; `outcome` is empty while it runs, then one of success, empty, failed, refused, declined,
    cancelled, held, rejected, replaced, kept, answered (`flows.questions`). What is held gets another outcome when somebody decides, what
    is kept when the blackout is over, or the one before it is decided about. `undoes` is the run this one takes back.

    `task` says what a worker has to do (`flows.jobs`); it is empty where the process that began the run walks it itself: then `process`
    names that. `turn_at` is when it got its district's turn. `fence` grows each time somebody begins to work on it: whoever has an older
    number has been taken over from, and may change nothing any more. `despite_blackout`: somebody asked that it be applied all the same.
    `findings` counts by severity; the findings themselves are on the shelf.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="runs")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, related_name="runs")
    snapshot = models.ForeignKey(Snapshot, models.CASCADE, null=True, related_name="runs")
    flow = models.CharField(max_length=40)
    phase = models.CharField(max_length=40, default="waiting")
    outcome = models.CharField(max_length=20, default="")
    message = models.TextField(default="")
    findings = models.JSONField(default=dict)
    publication = models.BigIntegerField(null=True)
    undoes = models.ForeignKey("self", models.SET_NULL, null=True, related_name="undone_by")
    task = models.JSONField(default=dict)
    process = models.CharField(max_length=64, default="")
    turn_at = models.DateTimeField(null=True)
    fence = models.IntegerField(default=0)
    despite_blackout = models.BooleanField(default=False)
    started_by = models.CharField(max_length=200, default="")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["district", "-started_at"], name="run_recent"),
            models.Index(fields=["district", "id"], name="run_open", condition=models.Q(outcome="")),
        ]


class Plan(models.Model):
    """Changes in order, on the shelf as Parquet; here its counts, its fingerprint and the state of the roster it was made for.

    `counts` is {collection: {action: number}}; `basis` is the district's generation and publication when planned; `hazards` are the
    reasons to hold it; `empty` says that nothing is stored and nothing came in. `left_out` counts by collection what would have been
    deleted, had deliveries not only to add until `additions_until`; `modes` is {table: bulk or delta}. `preparation` is the version of the
    steps that the delivery was prepared by.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="plans")
    run = models.OneToOneField(Run, models.CASCADE, related_name="plan")
    shelf_name = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    basis = models.CharField(max_length=40)
    counts = models.JSONField()
    hazards = models.JSONField(default=list)
    empty = models.BooleanField(default=False)
    left_out = models.JSONField(default=dict)
    additions_until = models.DateField(null=True)
    modes = models.JSONField(default=dict)
    preparation = models.ForeignKey("store.Preparation", models.SET_NULL, null=True, related_name="plans")
    created_at = models.DateTimeField(auto_now_add=True)
