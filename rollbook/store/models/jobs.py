"""Work under way: how far each run is, and which processes are alive; on SQLite beside the roster file, to be told during an import."""

from django.db import models


class Progress(models.Model):
    """How far a run is: `done` of `known` rows in `phase`, in which it is since `since`. 0 known: nobody knows.

    `durations` is {phase: seconds} of the phases it has left. `cancelled_by` is who asked that it end; `too_late` is set when it begins to
    change the roster, from when on it cannot. Both are decided by one UPDATE of this row, so that only one of them comes true.
    """

    run_id = models.BigIntegerField(primary_key=True)
    phase = models.CharField(max_length=40, default="waiting")
    since = models.DateTimeField()
    done = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    durations = models.JSONField(default=dict)
    cancelled_by = models.CharField(max_length=200, default="")
    too_late = models.BooleanField(default=False)


class Worker(models.Model):
    """A process that works on runs. It is taken for dead when it has not beaten for a while."""

    name = models.CharField(max_length=64, primary_key=True)
    host = models.CharField(max_length=200)
    process = models.IntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(db_index=True)
