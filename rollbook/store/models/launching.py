"""The launch pad of a district: how its rostered people come in, by what they are known there, and how often which app was launched.

What is written by whoever signs in lies beside the roster's file. People are named by the record ids of the roster.
"""

from django.conf import settings
from django.db import models

from rollbook.store.columns import CodePointText
from rollbook.store.models.openid_provider import TenantedProvider
from rollbook.store.models.roster import District


class LaunchPad(models.Model):
    """Whether a district's people can sign in here, and who of them by which way.

    `slug` is what the address says instead of the Tenant ID. `rules` are `engine.launching.WayRule` as objects; who fits none may come in by
    `ways`.
    """

    district = models.OneToOneField(District, models.CASCADE, primary_key=True, related_name="launch_pad")
    slug = models.CharField(max_length=60, unique=True, null=True)
    is_on = models.BooleanField(default=False)
    ways = models.JSONField(default=list)
    rules = models.JSONField(default=list)


class LaunchProvider(TenantedProvider):
    """The district's own OpenID Connect provider, by which its people come to the launch pad."""

    district = models.OneToOneField(
        District, models.CASCADE, primary_key=True, related_name="launch_provider"
    )
    name = models.CharField(max_length=200)
    rungs = models.JSONField(default=list)


class LaunchSignIn(models.Model):
    """A rostered person's sign-in at the launch pad: the account holds the password, `pin` a hash, `link` the hash of a one-time link.

    `stamp` counts what ends their sessions: a new password, a badge that is revoked, a reset.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="+", db_index=False)
    user_id = models.BigIntegerField()
    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="launch_sign_in")
    must_change = models.BooleanField(default=False)
    password_at = models.DateTimeField(null=True)
    pin = models.CharField(max_length=255, default="")
    link = models.CharField(max_length=64, null=True, unique=True)
    link_until = models.DateTimeField(null=True)
    stamp = models.IntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["district", "user_id"], name="launch_sign_in_once")]


class Badge(models.Model):
    """A printed badge. `checksum` is a keyed hash of what its QR code says, which is kept nowhere; a badge that was ended opens nothing."""

    district = models.ForeignKey(District, models.CASCADE, related_name="+", db_index=False)
    user_id = models.BigIntegerField()
    checksum = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=254)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["district", "user_id"],
                condition=models.Q(ended_at__isnull=True),
                name="badge_in_use_once",
            )
        ]


class LaunchIdentity(models.Model):
    """(issuer, tenant, subject) of the district's own provider is this rostered person."""

    district = models.ForeignKey(District, models.CASCADE, related_name="+", db_index=False)
    user_id = models.BigIntegerField()
    issuer = CodePointText()
    tenant = CodePointText(default="")
    subject = CodePointText()
    rung = models.CharField(max_length=20)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["district", "issuer", "tenant", "subject"], name="launch_identity_once"
            ),
            models.UniqueConstraint(
                fields=["district", "user_id", "issuer"], name="launch_identity_of_person_once"
            ),
        ]


class LaunchUse(models.Model):
    """When a person last came in and by what; wrong PINs since the last right one, and since when their badge is locked."""

    district_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    wrong = models.IntegerField(default=0)
    locked_at = models.DateTimeField(null=True)
    in_at = models.DateTimeField(null=True)
    in_by = models.CharField(max_length=10, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["district_id", "user_id"], name="launch_use_once")]


class AppLaunch(models.Model):
    """How often an app was launched on a day of the district, `YYYY-MM-DD`. Not by whom."""

    district_id = models.BigIntegerField()
    grant_id = models.BigIntegerField()
    day = models.CharField(max_length=10)
    launches = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district_id", "grant_id", "day"], name="app_launch_once")
        ]
