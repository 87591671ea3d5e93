"""Rollbook as one OpenID Connect provider: its clients, the keys it signs with, who is in at which client, and what it gave out for that.

What signing in writes lives beside the roster's file and names clients and people by number. Of codes and tokens only checksums are kept.
"""

import uuid

from django.db import models

from rollbook.store.columns import CodePointText, EncryptedText
from rollbook.store.models.catalogue import App
from rollbook.store.models.directory import Product


class SignInClient(models.Model):
    """Who takes sign-ins from us: of a product, for the members of its organizations, or of an app, for the rostered people of its districts.

    `secret` is hashed; after a new one was made the former holds until `former_until`. `redirect_uris` are those of a product that is no app
    here: an app's stand with the app. `tells` is what its tokens may tell (`engine.broker.telling`). `subject_key` makes the subjects of an
    app's people, so that two apps cannot compare theirs.
    """

    product = models.ForeignKey(Product, models.CASCADE, null=True, related_name="sign_in_clients")
    app = models.ForeignKey(App, models.CASCADE, null=True, related_name="sign_in_clients")
    name = models.CharField(max_length=200)
    client_id = models.CharField(max_length=60, unique=True)
    secret = models.CharField(max_length=255)
    former_secret = models.CharField(max_length=255, default="")
    former_until = models.DateTimeField(null=True)
    redirect_uris = models.JSONField(default=list)
    post_logout_uris = models.JSONField(default=list)
    logout_uri = models.CharField(max_length=2000, default="")
    tells = models.JSONField(default=list)
    subject_key = EncryptedText()
    made_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(product__isnull=True) ^ models.Q(app__isnull=True),
                name="sign_in_client_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.client_id})"


class SigningKey(models.Model):
    """A key of the broker. It is published from `made_at` on, signs from `signs_at` until `ended_at`, and stays published for a while."""

    kid = models.CharField(max_length=64, unique=True)
    algorithm = models.CharField(max_length=10)
    public = models.JSONField()
    private = EncryptedText()
    made_at = models.DateTimeField()
    signs_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class Visit(models.Model):
    """One person in at one client, by one browser: what a client calls a session (`sid`).

    Of a product's client it is a member who came in by an identity; of an app's a person of a district (`user_id` is the record's id), who
    is in as long as `rests_on` holds (`flows.launching`). What is of the other kind is 0. `browser` is a mark in the browser's session, by
    which signing out there ends all of its visits.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    client_id = models.BigIntegerField()
    organization_id = models.BigIntegerField(default=0)
    member_id = models.BigIntegerField(default=0)
    identity_id = models.BigIntegerField(default=0)
    district_id = models.BigIntegerField(default=0)
    user_id = models.BigIntegerField(default=0)
    rests_on = models.JSONField(default=dict)
    subject = CodePointText()
    browser = models.CharField(max_length=64)
    signed_in_at = models.DateTimeField()
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=20, default="")

    class Meta:
        indexes = [
            models.Index(fields=["browser"], name="visit_browser"),
            models.Index(fields=["seen_at"], name="visit_age"),
            models.Index(fields=["id"], name="visit_open", condition=models.Q(ended_at__isnull=True)),
        ]


class SignInCode(models.Model):
    """An authorization code: good once, for a minute. A second use ends all that came of the first."""

    checksum = models.CharField(max_length=64, unique=True)
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="codes")
    redirect_uri = CodePointText()
    challenge = models.CharField(max_length=128)
    nonce = CodePointText(default="")
    scope = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class VisitToken(models.Model):
    """An access or a refresh token. A refresh token is used once; all that came of one code (`family`) end when one is used twice."""

    class Kind(models.TextChoices):
        ACCESS = "access"
        REFRESH = "refresh"

    checksum = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="tokens")
    family = models.BigIntegerField()
    scope = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["family"], name="visit_token_family")]


class LogoutNotice(models.Model):
    """A client has yet to be told that a visit ended. Once it has heard, the row is gone; from `given_up_at` on it is not told any more."""

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="notices")
    made_at = models.DateTimeField()
    next_at = models.DateTimeField()
    tries = models.IntegerField(default=0)
    fault = models.CharField(max_length=100, default="")
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], name="logout_notice_due", condition=models.Q(given_up_at__isnull=True)
            )
        ]
