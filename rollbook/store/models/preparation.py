"""How a connection's deliveries are prepared before they are judged: its steps, version by version."""

from django.db import models

from rollbook.store.models.history import Connection, Run
from rollbook.store.models.roster import District


class Preparation(models.Model):
    """One version of a connection's steps, a list as `engine.preparation.steps` reads it. The one with the highest number holds; all are kept.

    A draft has no number yet: there is one a connection at most. `preview` is the run that shows what it would change.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="preparations")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="preparations")
    number = models.IntegerField(null=True)
    steps = models.JSONField()
    preview = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="previewed_steps")
    by = models.CharField(max_length=200, default="")
    why = models.TextField(default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "number"], name="preparation_number"),
            models.UniqueConstraint(
                fields=["connection"], condition=models.Q(number=None), name="preparation_draft"
            ),
        ]
