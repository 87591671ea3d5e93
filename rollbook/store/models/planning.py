"""The calendar of a district: when its connections are asked, which days are blacked out or take additions only, what was rehearsed."""

from django.db import models

from rollbook.store.models.history import Connection, Run
from rollbook.store.models.roster import District


class Schedule(models.Model):
    """When a connection is asked for a delivery: `times` ("02:30") on `weekdays` (Monday is 0), by the district's clock."""

    district = models.ForeignKey(District, models.CASCADE, related_name="schedules")
    connection = models.OneToOneField(Connection, models.CASCADE, related_name="schedule")
    times = models.JSONField()
    weekdays = models.JSONField()
    set_by = models.CharField(max_length=200, default="")
    set_at = models.DateTimeField()


class Start(models.Model):
    """One start by the schedule. `due` is the day and time of the district's clock ("2026-03-08T02:30"): each is started once."""

    district = models.ForeignKey(District, models.CASCADE, related_name="starts")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="starts")
    due = models.CharField(max_length=16)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "due"], name="start_once")]


class Span(models.Model):
    """Days of the district's clock, the first and the last among them, on which deliveries are kept, or only add.

    Without a connection it is meant for all of the district. What was removed stays, with who and when. `told_begin_at` and `told_end_at`
    say when the operators were told that it begins, and that it ends.
    """

    class Kind(models.TextChoices):
        BLACKOUT = "blackout"
        ADDITIONS = "additions-only"

    district = models.ForeignKey(District, models.CASCADE, related_name="spans")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, related_name="spans")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    first_day = models.DateField()
    last_day = models.DateField()
    why = models.CharField(max_length=200, default="")
    added_by = models.CharField(max_length=200, default="")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_by = models.CharField(max_length=200, default="")
    removed_at = models.DateTimeField(null=True)
    told_begin_at = models.DateTimeField(null=True)
    told_end_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["district", "last_day"], name="span_days")]


class Rehearsal(models.Model):
    """What a delivery would do on a day. `delivery` is the name of its file; nothing else of it is kept but the `report`."""

    district = models.ForeignKey(District, models.CASCADE, related_name="rehearsals")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="rehearsals")
    on_day = models.DateField()
    delivery = models.CharField(max_length=200)
    report = models.JSONField()
    asked_by = models.CharField(max_length=200, default="")
    asked_at = models.DateTimeField(auto_now_add=True)
