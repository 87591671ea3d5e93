"""Sanity checks: what was found in what an app sees, and how often it is looked, and what keeps an export from leaving."""

from django.db import models

from rollbook.store.columns import CodePointText
from rollbook.store.models.access import Grant


class SanityCheck(models.Model):
    """One look at what a grant lets through: from *waiting* to *done* or *failed*. On SQLite it is beside the roster file.

    `report` is `engine.sanity.check.Report` as JSON. `done` of `known` records are read. `fence` grows each time somebody begins to work
    on it, and `alive_at` is told on the way: what nobody has told of for a while is begun again. `due` is the day and time of its schedule.
    `schools` are the record ids of the schools it is bound to ("3,8"), empty where it looks at everything the app sees.
    """

    id = models.BigAutoField(primary_key=True)
    district_id = models.BigIntegerField()
    grant_id = models.BigIntegerField()
    grant_version = models.IntegerField(default=0)
    publication = models.BigIntegerField(default=0)
    phase = models.CharField(max_length=10, default="waiting")
    done = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict)
    message = CodePointText(default="")
    due = models.CharField(max_length=16, default="")
    schools = models.TextField(default="")
    fence = models.IntegerField(default=0)
    alive_at = models.DateTimeField(null=True)
    started_by = models.CharField(max_length=200, default="")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grant_id", "due"], condition=~models.Q(due=""), name="sanity_once"
            )
        ]
        indexes = [
            models.Index(fields=["grant_id", "-id"], name="sanity_recent"),
            models.Index(
                fields=["id"], name="sanity_open", condition=models.Q(phase__in=["waiting", "running"])
            ),
        ]


class SanityPlan(models.Model):
    """When what a grant lets through is looked at by itself, and above which share of its lines an export is kept back.

    `times` ("02:30") on `weekdays` (Monday is 0) are by the district's clock; none is never. `limits` is {code of a line: percent}.
    `licences` is how many people the app is licensed for, where the district entered it; `licensed` says whom of them it counts
    (`engine.sanity.lines.LICENSED`).
    """

    grant = models.OneToOneField(Grant, models.CASCADE, related_name="sanity_plan")
    times = models.JSONField(default=list)
    weekdays = models.JSONField(default=list)
    limits = models.JSONField(default=dict)
    licences = models.BigIntegerField(null=True)
    licensed = models.CharField(max_length=20, default="people")
    set_by = models.CharField(max_length=200, default="")
    set_at = models.DateTimeField()
