"""What signing in leaves beside the roster's file: second steps, open sessions, and uses of a break-glass account.

All of it is written by whoever signs in, so none of it has a foreign key into the roster: nobody waits for an import to come in.
"""

from allauth.mfa.models import Authenticator
from django.db import models

__all__ = ["Authenticator", "BreakGlassUse", "OpenSession"]

# allauth's table of authenticator apps, passkeys and recovery codes lives in the other file too (settings.READING_MODELS), where no
# constraint can lead to the accounts; its migrations are ours therefore (store/mfa_migrations).
_owner = Authenticator._meta.get_field("user")
_owner.db_constraint = False
_owner.remote_field.on_delete = models.DO_NOTHING


class OpenSession(models.Model):
    """A session in which somebody is signed in. `key` is its key in Django's table, where it ends; a row whose session is gone says nothing.

    `address` is where it was used last, `agent` what the browser says it is.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=40, unique=True)
    account_id = models.UUIDField(db_index=True)
    address = models.CharField(max_length=64, default="")
    agent = models.CharField(max_length=300, default="")
    signed_in_at = models.DateTimeField()
    last_used_at = models.DateTimeField()


class BreakGlassUse(models.Model):
    """That somebody signed in with a break-glass account. It is told of until an installation operator has acknowledged it."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    email = models.CharField(max_length=254)
    address = models.CharField(max_length=64, default="")
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=254, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["at"], name="break_glass_open", condition=models.Q(acknowledged_at__isnull=True)
            )
        ]
