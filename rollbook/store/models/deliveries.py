"""How an app is given packages, every package it was given, and how the way there was tested. A delivery is beside the roster file on
SQLite, like what REST answered; so is a test.
"""

from django.db import models

from rollbook.store.columns import CodePointText, EncryptedText
from rollbook.store.models.access import Grant


class Export(models.Model):
    """How the packages of one grant reach its app: we bring them to its server (push), or it fetches them from ours (pickup).

    `mode` delta sends what changed since the last delivery that succeeded, where that can be said. `template` describes files of the
    app's own (`flows.templates`); empty for a OneRoster package. `times` ("02:30") on `weekdays` (Monday is 0) are by the district's
    clock. `secrets` is a JSON object of texts. Switched off, nothing is made by itself and nobody signs in.
    """

    class Way(models.TextChoices):
        PUSH = "push"
        PICKUP = "pickup"

    grant = models.OneToOneField(Grant, models.CASCADE, related_name="export")
    way = models.CharField(max_length=10, choices=Way.choices)
    version = models.CharField(max_length=4, default="1.2")
    mode = models.CharField(max_length=5, default="bulk")
    template = models.TextField(default="")
    file_name = models.CharField(max_length=100, default="")
    settings = models.JSONField(default=dict)
    secrets = EncryptedText(default="")
    times = models.JSONField(default=list)
    weekdays = models.JSONField(default=list)
    enabled = models.BooleanField(default=False)
    set_by = models.CharField(max_length=200, default="")
    set_at = models.DateTimeField()


class Delivery(models.Model):
    """One handing-over of a package to an app: from *waiting* to *done*, and what it came to. It outlives its grant.

    `way` is push, pickup, download or command. `outcome` is empty while it waits or is under way, then success, failed, blocked or
    cancelled; `reason` says why in words. A delta covers what changed after `from_publication` up to `publication`; a bulk package has
    no `from_publication`. `counts` is {file: rows}. `due` is the day and time of the schedule ("2026-03-08T02:30"), each made once.
    `fence` grows each time somebody begins to work on it; `process` is worker, or the command that walks it. `not_before` is when a
    failed attempt is made again. `file_name` is the name it was handed over by; `kept` that its file is still on the shelf.
    """

    id = models.BigAutoField(primary_key=True)
    district_id = models.BigIntegerField()
    grant_id = models.BigIntegerField()
    grant_version = models.IntegerField(default=0)
    way = models.CharField(max_length=10)
    version = models.CharField(max_length=4)
    mode = models.CharField(max_length=6)
    template = models.TextField(default="")
    from_publication = models.BigIntegerField(null=True)
    publication = models.BigIntegerField(null=True)
    counts = models.JSONField(default=dict)
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, default="")
    file_name = models.CharField(max_length=200, default="")
    kept = models.BooleanField(default=False)
    phase = models.CharField(max_length=20, default="waiting")
    done = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    outcome = models.CharField(max_length=10, default="")
    reason = CodePointText(default="")
    due = models.CharField(max_length=16, default="")
    attempts = models.IntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    fence = models.IntegerField(default=0)
    process = models.CharField(max_length=64, default="")
    started_by = models.CharField(max_length=200, default="")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    picked_up_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=260, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grant_id", "due"], condition=~models.Q(due=""), name="delivery_once"
            )
        ]
        indexes = [
            models.Index(fields=["grant_id", "-started_at"], name="delivery_recent"),
            models.Index(fields=["district_id", "-started_at"], name="delivery_district"),
            models.Index(fields=["id"], name="delivery_open", condition=models.Q(outcome="")),
        ]


class ExportTest(models.Model):
    """One look at whether the packages of a grant could be handed over: from *waiting* over *running* to *done*.

    `done` of `known` steps are behind it; of what it does next `connectors.sftp_push` knows. `outcome` is empty until it ends, then
    success, failed or replaced (by a later one); `found` is what was found, a line each, `reason` what is wrong. `fence` grows each time
    somebody takes it; who has it says so until `alive_until`, after which another begins it again.
    """

    id = models.BigAutoField(primary_key=True)
    district_id = models.BigIntegerField()
    grant_id = models.BigIntegerField()
    phase = models.CharField(max_length=10, default="waiting")
    done = models.IntegerField(default=0)
    known = models.IntegerField(default=0)
    outcome = models.CharField(max_length=10, default="")
    found = models.JSONField(default=list)
    reason = CodePointText(default="")
    fence = models.IntegerField(default=0)
    alive_until = models.DateTimeField(null=True)
    started_by = models.CharField(max_length=200, default="")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["grant_id", "-id"], name="exporttest_recent"),
            models.Index(fields=["id"], name="exporttest_open", condition=models.Q(outcome="")),
        ]
