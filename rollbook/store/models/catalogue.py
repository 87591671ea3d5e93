"""The catalogue: apps, the partners whose developers register them, the partners' keys, and the mail that districts sent to developers.

An app says what its vendor says of it. What a district lets it see is its grant (models/access).
"""

from django.conf import settings
from django.db import models

from rollbook.store.columns import EncryptedText
from rollbook.store.models.roster import District


class Partner(models.Model):
    """A company that registers apps here itself."""

    name = models.CharField(max_length=200, unique=True)
    website = models.CharField(max_length=2000, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Developer(models.Model):
    """A person who works for a partner: as a developer, or as its product support, who sees its apps and changes nothing.

    Who has left stays known by what they registered, and signs in for it no more.
    """

    class DeveloperRole(models.TextChoices):
        PARTNER = "partner"
        SUPPORT = "product support"

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="developers")
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="developers")
    role = models.CharField(max_length=40, choices=DeveloperRole.choices, default=DeveloperRole.PARTNER)
    name = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "partner"], name="developer_once")]


class PartnerKey(models.Model):
    """A key of the partner API. `checksum` is its SHA-256 in hex: the key itself is kept nowhere. `beginning` tells keys apart.

    From `expires_at` on it opens nothing; null: it has no end.
    """

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=200)
    checksum = models.CharField(max_length=64, unique=True)
    beginning = models.CharField(max_length=30)
    made_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=254, default="")
    expires_at = models.DateTimeField(null=True)


class App(models.Model):
    """A product that reads rosters, as the catalogue of this installation knows it.

    `registered_by` is the developer who registered it; null for an app that the installation's operator entered. `needs` is the text
    of engine/needs: collections and fields, each required or not, with the reason.
    """

    name = models.CharField(max_length=200)
    vendor = models.CharField(max_length=200, default="")
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="apps")
    registered_by = models.ForeignKey(Developer, models.SET_NULL, null=True, related_name="apps")
    website = models.CharField(max_length=2000, default="")
    contact_name = models.CharField(max_length=200, default="")
    contact_email = models.CharField(max_length=254, default="")
    description = models.TextField(default="")
    instructions = models.TextField(default="")
    start_url = models.CharField(max_length=2000, default="")
    redirect_uris = models.JSONField(default=list)
    needs = models.TextField(default="[]")
    in_development = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Logo(models.Model):
    """The picture of an app, written anew from what was uploaded. `kind` is its media type, `checksum` its SHA-256 in hex."""

    app = models.OneToOneField(App, models.CASCADE, primary_key=True, related_name="logo")
    kind = models.CharField(max_length=20)
    checksum = models.CharField(max_length=64)
    content = models.BinaryField()


class Bearer(models.Model):
    """The bearer with which a partner reads one district through the partner API. It is listed there, so it has to be readable."""

    credential = models.OneToOneField(
        "store.Credential", models.CASCADE, primary_key=True, related_name="bearer"
    )
    secret = EncryptedText()
    checksum = models.CharField(max_length=64, unique=True)


class DeveloperMail(models.Model):
    """A message of a district to the developers of an app. `recipients` is [{"email": …, "sent": whether the mail server took it}]."""

    district = models.ForeignKey(District, models.CASCADE, related_name="developer_mails")
    app = models.ForeignKey(App, models.PROTECT, related_name="developer_mails")
    written_by = models.CharField(max_length=254)
    at = models.DateTimeField()
    template = models.CharField(max_length=40)
    subject = models.CharField(max_length=500)
    body = models.TextField()
    recipients = models.JSONField(default=list)
    reason = models.CharField(max_length=500, default="")
