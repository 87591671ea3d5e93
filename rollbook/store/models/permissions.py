"""How permissions came about and where they end: every version of a grant's rule, what waits for a second person, and people who opted out."""

from django.db import models

from rollbook.store.columns import EncryptedText
from rollbook.store.models.access import Grant
from rollbook.store.models.roster import District


class GrantVersion(models.Model):
    """A rule that a grant had from `at` on, until its next version. `starts_on` and `ends_on` are the
    grant's as they were saved with it.
    """

    grant = models.ForeignKey(Grant, models.CASCADE, related_name="versions")
    number = models.IntegerField()
    rule = models.TextField()
    starts_on = models.CharField(max_length=10, null=True)
    ends_on = models.CharField(max_length=10, null=True)
    by = models.CharField(max_length=200, default="")
    why = models.TextField(default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "number"], name="grant_version_once")]


class ApprovalRule(models.Model):
    """Which edits of permissions a district wants a second person for; one without a row wants none.

    `people` is how many people more an app may see by one edit before somebody else is asked; null asks nobody.
    """

    district = models.OneToOneField(District, models.CASCADE, related_name="approval_rule")
    full = models.BooleanField(default=False)
    demographics = models.BooleanField(default=False)
    people = models.IntegerField(null=True)


class PermissionRequest(models.Model):
    """An edit that waits for a second person, or waited. `reasons` says what it is that needs one, as words of `engine.approval`.

    `version` is the grant's when it was asked: once that has moved, the edit is of something else and cannot be approved any more.
    """

    class Decision(models.TextChoices):
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    grant = models.ForeignKey(Grant, models.CASCADE, related_name="requests")
    version = models.IntegerField()
    rule = models.TextField()
    starts_on = models.CharField(max_length=10, null=True)
    ends_on = models.CharField(max_length=10, null=True)
    reasons = models.JSONField()
    people = models.IntegerField(default=0)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField(auto_now_add=True)
    why = models.TextField(default="")
    decision = models.CharField(max_length=20, choices=Decision.choices, default="")
    decided_by = models.CharField(max_length=200, default="")
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["grant", "decision"], name="permission_request_open")]


class OptOut(models.Model):
    """A person whom an app, or with `grant` null every app of the district, is not told of. `user_id` is a record id, so it outlives imports.

    In force from the day `starts_on` to the day `ends_on`, both included; without `ends_on` there is no end. One that is withdrawn stays
    as history.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="opt_outs")
    user_id = models.BigIntegerField()
    grant = models.ForeignKey(Grant, models.CASCADE, null=True, related_name="opt_outs")
    reason = models.TextField()
    starts_on = models.CharField(max_length=10)
    ends_on = models.CharField(max_length=10, null=True)
    by = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.CharField(max_length=200, default="")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["district", "user_id"], name="opt_out_person")]


class MaskKey(models.Model):
    """By what the masks and pseudonyms of one grant are made: its own, so that no two apps can compare theirs. Made once, and never changed."""

    grant = models.OneToOneField(Grant, models.CASCADE, related_name="mask_key")
    key = EncryptedText()
