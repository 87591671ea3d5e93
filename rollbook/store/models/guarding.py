"""What keeps a plan from being applied unasked: the limits of a district, and the plans that wait for a person."""

from django.db import models

from rollbook.store.models.history import Run
from rollbook.store.models.roster import District


class Limit(models.Model):
    """The limits of one collection where a district has set its own; a collection without a row has those of `engine.safeguards.DEFAULTS`.

    A number that is null is no limit.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="limits")
    collection = models.CharField(max_length=40)
    create_percent = models.IntegerField(null=True)
    create_number = models.IntegerField(null=True)
    update_percent = models.IntegerField(null=True)
    update_number = models.IntegerField(null=True)
    delete_percent = models.IntegerField(null=True)
    delete_number = models.IntegerField(null=True)
    weekly_percent = models.IntegerField(null=True)
    identifying_percent = models.IntegerField(null=True)
    rekey_percent = models.IntegerField(null=True)
    floor = models.IntegerField()
    to_zero = models.BooleanField()
    last_administrator = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["district", "collection"], name="limit_once")]


class Hold(models.Model):
    """A plan that waits for a person, or waited. `hazards` is why; `decision` is empty while it waits, then what was decided.

    Who decided, when and why stay. `replaced` is what happens to it when a newer delivery of its connection comes to an end, `expired`
    when nobody decided in time. `reminded_at` is when people were last told of it.
    """

    class Decision(models.TextChoices):
        APPLY = "apply"
        RAISE = "raise"
        REJECT = "reject"
        RELINK = "relink"
        REPLACED = "replaced"
        EXPIRED = "expired"

    run = models.OneToOneField(Run, models.CASCADE, related_name="hold")
    district = models.ForeignKey(District, models.CASCADE, related_name="holds")
    hazards = models.JSONField()
    decision = models.CharField(max_length=20, choices=Decision.choices, default="")
    decided_by = models.CharField(max_length=200, default="")
    decided_at = models.DateTimeField(null=True)
    why = models.TextField(default="")
    reminded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["district", "decision"], name="hold_open")]
