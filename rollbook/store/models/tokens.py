"""The tokens with which operators' own programs bring packages and look at runs. Not the apps' keys, which read rosters."""

from django.db import models

from rollbook.store.models.access import Account
from rollbook.store.models.roster import District


class OperatorToken(models.Model):
    """A token of one account for one district. `checksum` is its SHA-256 in hex: the token itself is kept nowhere.

    `beginning` is its first letters, by which people tell their tokens apart.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="operator_tokens")
    district = models.ForeignKey(District, models.CASCADE, related_name="operator_tokens")
    name = models.CharField(max_length=200)
    checksum = models.CharField(max_length=64, unique=True)
    beginning = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, default="")


class OperatorTokenUse(models.Model):
    """When a token was last used; beside the roster file, so that looking at a run never waits for an import."""

    token_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
