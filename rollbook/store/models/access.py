"""Who comes in and what they may see: accounts, operators, grants, credentials and their tokens."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from rollbook.store.columns import EncryptedText
from rollbook.store.models.catalogue import App
from rollbook.store.models.publication import View
from rollbook.store.models.roster import District


class Accounts(BaseUserManager):
    """The accounts. Signing in is by e-mail address."""

    def create_user(self, email: str | None, password: str | None = None, **extra: Any) -> "Account":
        account = self.model(email=(email or "").lower() or None, **extra)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """A sign-in, and nothing more. An operator, a member or a rostered person is attached to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True, null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_login = None

    objects = Accounts()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        return str(self.id)


class Operator(models.Model):
    """A person who works in the console: of one district, or of the whole installation (`district` null, role installation).

    `schools` are the record ids of the orgs that a school administrator works in, each for itself alone; empty for every other role.
    A break-glass operator is an installation operator kept for emergencies: signing in as one raises the alarm.
    """

    class OperatorRole(models.TextChoices):
        INSTALLATION = "installation operator"
        DISTRICT = "district administrator"
        SCHOOL = "school administrator"
        PRIVACY = "privacy officer"
        HELP_DESK = "help desk"

    account = models.ForeignKey(Account, models.CASCADE, related_name="operators")
    district = models.ForeignKey(District, models.CASCADE, null=True, related_name="operators")
    role = models.CharField(max_length=40, choices=OperatorRole.choices)
    name = models.CharField(max_length=200, default="")
    schools = models.JSONField(default=list)
    is_break_glass = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "district", "role"], name="operator_once", nulls_distinct=False
            )
        ]


class Grant(models.Model):
    """What one app may see of one district. `view` is null for a grant to everything; `version` counts changes of its rule.

    `rule` is the canonical JSON of `engine.scope.Rule`, `permission` its level, `shows_deleted` whether tombstones are served. `starts_on`
    and `ends_on` are the first and the last day of the district on which the app sees anything (`YYYY-MM-DD`); without them there is no
    such bound.

    `daily_requests` and `daily_records` are how much it may take in a day, counted from midnight UTC; null is no limit.

    `launches_on` is the first day of the district on which people find it on their launch pad; null: from the day it is switched on.

    `name` is what the app is called in this district, where that is not its name in the catalogue; `own` holds what the district entered
    itself of what the catalogue says (`flows.apps.OWN`). A grant that was removed stays for its history, and lets nothing through.
    """

    class Permission(models.TextChoices):
        FULL = "full"
        BASIC = "basic"
        NONE = "none"

    district = models.ForeignKey(District, models.CASCADE, related_name="grants")
    app = models.ForeignKey(App, models.CASCADE, related_name="grants")
    name = models.CharField(max_length=200, default="")
    own = models.JSONField(default=dict)
    enabled = models.BooleanField(default=False)
    permission = models.CharField(max_length=20, choices=Permission.choices)
    rule = models.TextField()
    version = models.IntegerField(default=1)
    view = models.ForeignKey(View, models.PROTECT, null=True, related_name="grants")
    shows_deleted = models.BooleanField(default=False)
    starts_on = models.CharField(max_length=10, null=True)
    ends_on = models.CharField(max_length=10, null=True)
    launches_on = models.CharField(max_length=10, null=True)
    daily_requests = models.BigIntegerField(null=True)
    daily_records = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.CharField(max_length=254, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["district", "app"], name="grant_app", condition=models.Q(removed_at=None)
            )
        ]

    @property
    def title(self) -> str:
        """What the app is called in this district."""
        return self.name or self.app.name


class Credential(AbstractApplication):
    """One key of a grant. `client_secret` is stored hashed; `oauth1_secret` has to be readable, so it is encrypted, and empty unless
    OAuth 1.0a was switched on for this credential.

    After a new secret was made, the former one (hashed in `former_secret`, readable in `former_oauth1_secret`) holds until `former_until`.
    `addresses` are the networks it may be used from, in CIDR form, one a line; empty: from anywhere.
    """

    grant = models.ForeignKey(Grant, models.CASCADE, related_name="credentials")
    oauth1_secret = EncryptedText(default="")
    former_secret = models.CharField(max_length=255, default="")
    former_oauth1_secret = EncryptedText(default="")
    former_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    addresses = models.TextField(default="")
    revoked_at = models.DateTimeField(null=True)

    class Meta(AbstractApplication.Meta):
        abstract = False


def _far(model: str, **options: Any) -> Any:
    """A reference into another database file: without a constraint, and never followed when its target is deleted."""
    return models.ForeignKey(model, models.DO_NOTHING, db_constraint=False, related_name="+", **options)


class OAuthGrant(AbstractGrant):
    """oauth-toolkit's authorization codes; unused by client credentials, required by its swapped models."""

    user = _far(settings.AUTH_USER_MODEL)
    application = _far(settings.OAUTH2_PROVIDER_APPLICATION_MODEL)


class IDToken(AbstractIDToken):
    """oauth-toolkit's OpenID Connect tokens."""

    user = _far(settings.AUTH_USER_MODEL, null=True, blank=True)
    application = _far(settings.OAUTH2_PROVIDER_APPLICATION_MODEL, null=True, blank=True)


class AccessToken(AbstractAccessToken):
    """An access token of a credential."""

    user = _far(settings.AUTH_USER_MODEL, null=True, blank=True)
    application = _far(settings.OAUTH2_PROVIDER_APPLICATION_MODEL, null=True, blank=True)
    source_refresh_token = models.OneToOneField(
        "store.RefreshToken",
        models.SET_NULL,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="refreshed_access_token",
    )
    id_token = models.OneToOneField(
        "store.IDToken",
        models.CASCADE,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="access_token",
    )


class RefreshToken(AbstractRefreshToken):
    """oauth-toolkit's refresh tokens."""

    user = _far(settings.AUTH_USER_MODEL)
    application = _far(settings.OAUTH2_PROVIDER_APPLICATION_MODEL)
    access_token = models.OneToOneField(
        "store.AccessToken",
        models.SET_NULL,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="refresh_token",
    )
