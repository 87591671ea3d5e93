"""How members come in: the identity providers of an organization, whose sign-in is whose, what was tried, and what people have to decide.

What is tried is written by whoever signs in, so it lives beside the roster's file, and names members by number; nothing there says more of a
person than traces, by which one who knows an address or an id finds it again.
"""

import uuid

from django.conf import settings
from django.db import models

from rollbook.store.columns import CodePointText, EncryptedText
from rollbook.store.models.directory import Organization, Product
from rollbook.store.models.openid_provider import OpenIDProvider, TenantedProvider
from rollbook.store.models.syncing import SyncConnection


class IdentityProvider(TenantedProvider):
    """A way in for an organization's members, by somebody else's sign-in.

    `rungs` are what members may be recognised by, `connection` is the roster whose sourcedIds it tells. `seats` says whether a first sign-in
    by it takes a seat.
    """

    class Seats(models.TextChoices):
        ROSTERED = "rostered"
        ALWAYS = "always"
        NEVER = "never"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="identity_providers")
    name = models.CharField(max_length=200)
    rungs = models.JSONField(default=list)
    connection = models.ForeignKey(
        SyncConnection, models.SET_NULL, null=True, related_name="identity_providers"
    )
    seats = models.CharField(max_length=10, choices=Seats.choices, default=Seats.ROSTERED)
    made_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=models.Q(removed_at__isnull=True),
                name="identity_provider_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Hub(OpenIDProvider):
    """A roster hub where a product is registered as a partner. `issuer` signs people in there: by its client a district's staff prove which
    tenant is theirs. `listing` is where the hub lists which districts added the product, and `partner_key` opens it.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="hubs")
    name = models.CharField(max_length=200)
    listing = CodePointText(default="")
    partner_key = EncryptedText(default="")
    made_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "issuer"], name="hub_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Identity(models.Model):
    """(issuer, tenant, subject) is this member of the organization. It is ended, and another begun; never rewritten.

    A subject is one member, and a member one subject of an issuer. `rung` is how it came about: one of the ladder, or `hand`.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="identities", db_index=False)
    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="identities")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities")
    member_id = models.BigIntegerField()
    issuer = CodePointText()
    tenant = CodePointText(default="")
    subject = CodePointText()
    rung = models.CharField(max_length=20)
    linked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=254, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "issuer", "tenant", "subject"],
                condition=models.Q(ended_at__isnull=True),
                name="identity_once",
            ),
            models.UniqueConstraint(
                fields=["organization", "member_id", "issuer"],
                condition=models.Q(ended_at__isnull=True),
                name="identity_of_member_once",
            ),
        ]


class SignInReview(models.Model):
    """A sign-in that nobody was surely recognised by: a person says whose it is. `shown` is what they decide by, as JSON, until they have.

    `code` is the outcome it had; `candidates` are numbers of members; `decision` is empty while it waits, then link or dismiss.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sign_in_reviews")
    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="reviews")
    issuer = CodePointText()
    tenant = CodePointText(default="")
    subject = CodePointText()
    code = models.CharField(max_length=20)
    candidates = models.JSONField(default=list)
    shown = EncryptedText(default="")
    reference = models.CharField(max_length=12)
    tries = models.IntegerField(default=1)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=254, default="")
    decision = models.CharField(max_length=10, default="")
    member_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "issuer", "tenant", "subject"],
                condition=models.Q(closed_at__isnull=True),
                name="sign_in_review_once",
            )
        ]


class SignInAttempt(models.Model):
    """One try to come in. `steps` are those of the ladder (`engine.signing_in.ladder.Step`) as objects; `outcome` is in, or a refusal's code.

    `reference` is what the page tells who was refused. Kept for 90 days.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    reference = models.CharField(max_length=12)
    outcome = models.CharField(max_length=20)
    rung = models.CharField(max_length=20, default="")
    steps = models.JSONField(default=list)
    member_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "-at"], name="sign_in_attempt_recent"),
            models.Index(fields=["organization_id", "reference"], name="sign_in_attempt_reference"),
            models.Index(fields=["at"], name="sign_in_attempt_age"),
            models.Index(fields=["organization_id", "member_id"], name="sign_in_attempt_member"),
        ]


class SignInTrace(models.Model):
    """By what an attempt is found again: a keyed hash of an address, a username, an id that was said, or `member:` and a number."""

    attempt = models.ForeignKey(SignInAttempt, models.CASCADE, related_name="traces")
    organization_id = models.BigIntegerField()
    mark = CodePointText()

    class Meta:
        indexes = [models.Index(fields=["organization_id", "mark"], name="sign_in_trace_mark")]
