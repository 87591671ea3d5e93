"""What every provider of OpenID Connect that somebody sets up here has in common, whoever comes by it."""

from django.db import models

from rollbook.store.columns import CodePointText, EncryptedText


class OpenIDProvider(models.Model):
    """Somebody else's sign-in, and this installation as its client. `issuer` is the one its tokens have to have, byte for byte.

    `preset` says how its claims are called, `names` {what: claim} where they are called otherwise.
    """

    preset = models.CharField(max_length=20)
    issuer = CodePointText()
    client_id = models.CharField(max_length=500)
    client_secret = EncryptedText(default="")
    names = models.JSONField(default=dict)

    class Meta:
        abstract = True


class TenantedProvider(OpenIDProvider):
    """One that is believed for certain people: `tenants` are whose people come by it, as text; `domains` the e-mail domains that are theirs."""

    tenants = models.JSONField(default=list)
    domains = models.JSONField(default=list)
    is_active = models.BooleanField(default=False)

    class Meta:
        abstract = True
