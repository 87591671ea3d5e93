"""The keeping in step of directories: connections, what links a source's record to ours, what people decided, and every run with its journal."""

from django.db import models

from rollbook.store.columns import CodePointText, EncryptedText
from rollbook.store.models.access import Credential
from rollbook.store.models.directory import Organization
from rollbook.store.models.roster import District


class SyncConnection(models.Model):
    """One source of an organization, and where it goes. Secrets are JSON objects of texts.

    `policy` is the settings whole (`engine.sync.policy.written`), begun from `preset`; `generation` counts their changes. `target_kind` is
    directory (the organization's own), or another's. `read_run` is the run whose read of the source is the accepted one (0: none yet), and
    `cursor` where a delta begins: both move only after a run that was verified. `first_applied_at`: from then on it is no first run.
    `provider` is what was learnt of how the source behaves. `timed_at`: when its times were changed; what was due before is not made up for.
    """

    class State(models.TextChoices):
        REQUESTED = "requested"
        WAITING = "waiting"
        ACTIVE = "active"
        PAUSED = "paused"
        DISCONNECTED = "disconnected"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sync_connections")
    name = models.CharField(max_length=200)
    source_kind = models.CharField(max_length=40)
    source_settings = models.JSONField(default=dict)
    source_secrets = EncryptedText(default="")
    target_kind = models.CharField(max_length=40, default="directory")
    target_settings = models.JSONField(default=dict)
    target_secrets = EncryptedText(default="")
    preset = models.CharField(max_length=60, default="")
    policy = models.JSONField(default=dict)
    generation = models.IntegerField(default=1)
    state = models.CharField(max_length=12, choices=State.choices, default=State.REQUESTED)
    state_by = models.CharField(max_length=200, default="")
    state_at = models.DateTimeField(null=True)
    state_why = models.CharField(max_length=500, default="")
    read_run = models.BigIntegerField(default=0)
    cursor = models.CharField(max_length=40, default="")
    provider = models.JSONField(default=dict)
    first_applied_at = models.DateTimeField(null=True)
    timed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="sync_connection_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Link(models.Model):
    """What one source record became. A link is never rewritten to another target: it is ended, and another begun.

    `base` is JSON: what the source said, mapped, when the target was last changed. `rung` is how it came about: created, or a rung of the
    ladder. `missing_since` is a day of the organization's, empty while the record is there.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    connection = models.ForeignKey(SyncConnection, models.CASCADE, related_name="links", db_index=False)
    kind = models.CharField(max_length=12)
    source_id = CodePointText()
    target = CodePointText()
    base = models.TextField(default="{}")
    rung = models.CharField(max_length=20, default="")
    missing_since = models.CharField(max_length=10, default="")
    missing_reads = models.IntegerField(default=0)
    why = models.CharField(max_length=10, default="")
    linked_run = models.BigIntegerField(default=0)
    linked_at = models.DateTimeField()
    ended_run = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=40, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "source_id"],
                condition=models.Q(ended_at__isnull=True),
                name="link_once",
            )
        ]
        indexes = [models.Index(fields=["connection", "kind", "target"], name="link_target")]


class Override(models.Model):
    """What a person set by hand, and no sync changes (`engine.sync.links.Override`). It is ended, never changed.

    `target` is the record's id in the organization's own directory, or in that of `connection_id`, where that is not 0.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="overrides")
    connection_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=12)
    target = CodePointText()
    field = models.CharField(max_length=40)
    value = models.JSONField()
    mode = models.CharField(max_length=5, default="set")
    until = models.CharField(max_length=10, default="")
    by = models.CharField(max_length=200)
    why = models.CharField(max_length=500, default="")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "connection_id", "kind", "target", "field"],
                condition=models.Q(ended_at__isnull=True),
                name="override_once",
            )
        ]


class SyncDecision(models.Model):
    """What a person decided about a source record (`engine.sync.links.Decision`): the answer to a Case, the mapping of a school, an import."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    connection = models.ForeignKey(SyncConnection, models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=12)
    source_id = CodePointText()
    action = models.CharField(max_length=10)
    target = CodePointText(default="")
    by_grade = models.JSONField(default=dict)
    roles = models.JSONField(default=list)
    sites = models.JSONField(default=list)
    by = models.CharField(max_length=200)
    why = models.CharField(max_length=500, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "source_id"], name="sync_decision_once")
        ]


class Case(models.Model):
    """A match or conflict that only a person may decide. It closes by a decision, or when a later run does not find it any more."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="cases")
    connection = models.ForeignKey(SyncConnection, models.CASCADE, related_name="cases")
    kind = models.CharField(max_length=12)
    source_id = CodePointText()
    code = models.CharField(max_length=40)
    field = models.CharField(max_length=40, default="")
    candidates = models.JSONField(default=list)
    others = models.JSONField(default=list)
    opened_run = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "source_id", "code", "field"],
                condition=models.Q(closed_at__isnull=True),
                name="case_once",
            )
        ]


class SyncRun(models.Model):
    """One walk of a sync, from waiting to done. Its plan lies on the shelf; here stand its counts, fingerprint and what became of it.

    `task` says what is to be done: {"kind": full, delta, focus, switch, undo …, "preview": whether it only shows, and what else the kind needs}.
    `outcome` is empty while it runs, then success, partly (something is held, or was not taken), empty, previewed, incomplete, drifted, failed,
    refused, cancelled, held. `generation` is that of the settings it was planned by; `ticked` the bundles and holds a person allowed.
    `journal` is the number of the last operation that was carried out. `stakes` are what the plan put at stake, for the limits of later runs;
    `statistics` {kind: {status or action: number}}. `fence`, `process`, `turn_at` are as those of Run. `phase_at` is when it came into its
    phase, `moved_at` when it came on last, `durations` the seconds that each phase behind it took.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sync_runs")
    connection = models.ForeignKey(SyncConnection, models.CASCADE, related_name="runs")
    task = models.JSONField(default=dict)
    phase = models.CharField(max_length=20, default="waiting")
    done = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    phase_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    durations = models.JSONField(default=dict)
    outcome = models.CharField(max_length=12, default="")
    message = models.TextField(default="")
    process = models.CharField(max_length=64, default="")
    turn_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    fence = models.IntegerField(default=0)
    cancelled_by = models.CharField(max_length=200, default="")
    generation = models.IntegerField(default=0)
    certificate = models.JSONField(default=dict)
    findings = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, default="")
    counts = models.JSONField(default=dict)
    stakes = models.JSONField(default=dict)
    ticked = models.JSONField(default=list)
    journal = models.BigIntegerField(default=0)
    statistics = models.JSONField(default=dict)
    verified = models.JSONField(default=dict)
    undoes = models.ForeignKey("self", models.SET_NULL, null=True, related_name="undone_by")
    due = models.CharField(max_length=16, default="")
    started_by = models.CharField(max_length=200, default="")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "due"], condition=~models.Q(due=""), name="sync_start_once"
            )
        ]
        indexes = [
            models.Index(fields=["connection", "-started_at"], name="sync_run_recent"),
            models.Index(fields=["id"], name="sync_run_open", condition=models.Q(outcome="")),
        ]


class SyncHold(models.Model):
    """Why a part of a run's plan waits for a person (`engine.sync.guarding.Hazard`).

    `decision` is empty while it waits, then approve, discard, raised, replaced or expired. `level` is organization, site or group, and `scope`
    the handle of the site or group. `told_at` and `reminded_at`: when the organization's administrators were.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sync_holds")
    connection = models.ForeignKey(SyncConnection, models.CASCADE, related_name="holds")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="holds")
    code = models.CharField(max_length=40)
    level = models.CharField(max_length=12)
    scope = CodePointText(default="")
    kind = models.CharField(max_length=12, default="")
    field = models.CharField(max_length=40, default="")
    count = models.BigIntegerField(default=0)
    population = models.BigIntegerField(default=0)
    limit = models.IntegerField(default=0)
    operations = models.BigIntegerField(default=0)
    decision = models.CharField(max_length=10, default="")
    decided_by = models.CharField(max_length=200, default="")
    decided_at = models.DateTimeField(null=True)
    why = models.TextField(default="")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "code", "level", "scope", "kind", "field"], name="sync_hold_once"
            )
        ]
        indexes = [
            models.Index(fields=["connection"], name="sync_hold_open", condition=models.Q(decision=""))
        ]


class SyncBatch(models.Model):
    """The journal: operations `first` to `last` of a run's plan were sent to its target; with `ended_at`, what came of them is noted."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="batches")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    counts = models.JSONField(default=dict)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "first"], name="sync_batch_once")]


class SyncOutcome(models.Model):
    """What became of one operation, where it was not simply done: the journal says of all others that they were."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="outcomes")
    operation = models.BigIntegerField()
    kind = models.CharField(max_length=12)
    source_id = CodePointText(default="")
    target = CodePointText(default="")
    status = models.CharField(max_length=10)
    code = models.CharField(max_length=40, default="")
    words = models.TextField(default="")
    tries = models.IntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "operation"], name="sync_outcome_once")]


class SyncSpan(models.Model):
    """Days of the organization's clock, first and last among them, on which a sync does not run, or only adds; what was removed stays."""

    class Kind(models.TextChoices):
        BLACKOUT = "blackout"
        ADDITIONS = "additions-only"

    connection = models.ForeignKey(SyncConnection, models.CASCADE, related_name="spans")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    first_day = models.DateField()
    last_day = models.DateField()
    why = models.CharField(max_length=200, default="")
    added_by = models.CharField(max_length=200, default="")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_by = models.CharField(max_length=200, default="")
    removed_at = models.DateTimeField(null=True)


class ProviderPause(models.Model):
    """A provider that asked to be left alone: until then no customer of ours asks it anything. `host` is that of its address."""

    host = models.CharField(max_length=260, primary_key=True)
    until = models.DateTimeField()


class HelpRequest(models.Model):
    """An organization that asks its product's support for help, with the page and the run it stood before.

    `page` is a route of the console, `words` what they wrote, `language` the one they were shown it in, empty where that is not known;
    `answer` closes it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="help_requests")
    connection = models.ForeignKey(SyncConnection, models.SET_NULL, null=True, related_name="help_requests")
    run = models.ForeignKey(SyncRun, models.SET_NULL, null=True, related_name="help_requests")
    page = models.CharField(max_length=60, default="")
    words = models.TextField(default="")
    language = models.CharField(max_length=10, default="")
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField(auto_now_add=True)
    answer = models.TextField(default="")
    answered_by = models.CharField(max_length=254, default="")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organization"], name="help_waiting", condition=models.Q(answered_at__isnull=True)
            )
        ]


class Invitation(models.Model):
    """An organization asks a district of this installation to let its product read; both sides click before anything is read.

    `answer` is empty while it waits, then accepted, declined or withdrawn; after `expires_at` it is as if it had never been asked. Once the
    organization connects, `credential` is the key that was made for it and `connection` what reads with it.
    """

    class Answer(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    district = models.ForeignKey(District, models.CASCADE, related_name="invitations")
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    answer = models.CharField(max_length=10, choices=Answer.choices, default="")
    answered_by = models.CharField(max_length=254, default="")
    answered_at = models.DateTimeField(null=True)
    credential = models.ForeignKey(Credential, models.SET_NULL, null=True, related_name="invitations")
    connection = models.ForeignKey(SyncConnection, models.SET_NULL, null=True, related_name="invitations")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "district"],
                condition=models.Q(answer__in=["", "accepted"]),
                name="invitation_once",
            )
        ]
