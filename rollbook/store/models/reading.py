"""What reading writes: pins, kept page lists, access rows, nonces, last sign-ins. On SQLite these live in a file of their own.

No table here has a foreign key into the roster: an import never makes a reader wait, and a reader never makes an import wait.
"""

from django.db import models

from rollbook.store.columns import CodePointText


class Pin(models.Model):
    """A walk through pages: the publication that (credential, query) reads until 30 minutes after its last page."""

    id = models.BigAutoField(primary_key=True)
    district_id = models.BigIntegerField()
    credential_id = models.BigIntegerField()
    query = models.CharField(max_length=64)
    publication = models.BigIntegerField()
    last_page_at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential_id", "query"], name="pin_walk")]
        indexes = [models.Index(fields=["district_id", "last_page_at"], name="pin_age")]


class PageList(models.Model):
    """The positions that answer one query of one view in one publication, worked out once. `query` is its sha256 in hex."""

    id = models.BigAutoField(primary_key=True)
    district_id = models.BigIntegerField()
    view_id = models.BigIntegerField()
    publication = models.BigIntegerField()
    query = models.CharField(max_length=64)
    total = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["district_id", "view_id", "publication", "query"], name="pagelist_query"
            )
        ]


class PageChunk(models.Model):
    """Positions number × 5,000 and on of a page list, as little-endian 64-bit integers."""

    page_list_id = models.BigIntegerField()
    number = models.IntegerField()
    pk = models.CompositePrimaryKey("page_list_id", "number")
    positions = models.BinaryField()


class AccessRow(models.Model):
    """One answer given to an app. Who received whom follows from these rows and the views."""

    id = models.BigAutoField(primary_key=True)
    district_id = models.BigIntegerField()
    grant_id = models.BigIntegerField()
    grant_version = models.IntegerField()
    credential_id = models.BigIntegerField()
    at = models.BigIntegerField()
    publication = models.BigIntegerField()
    version = models.CharField(max_length=4)
    collection = CodePointText()
    query = CodePointText(default="")
    offset = models.BigIntegerField(default=0)
    fields = CodePointText(default="")
    status = models.SmallIntegerField()
    records = models.IntegerField(default=0)
    milliseconds = models.IntegerField(default=0)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["district_id", "at"], name="access_district"),
            models.Index(fields=["grant_id", "at"], name="access_grant"),
        ]


class KeyUse(models.Model):
    """When a key was last used to read (milliseconds UTC), and from where."""

    credential_id = models.BigIntegerField(primary_key=True)
    at = models.BigIntegerField()
    address = models.GenericIPAddressField(null=True)


class DailyUse(models.Model):
    """What an app took on one day, from midnight to midnight UTC. `day` counts days since 1 January 1970."""

    grant_id = models.BigIntegerField()
    day = models.IntegerField()
    pk = models.CompositePrimaryKey("grant_id", "day")
    requests = models.BigIntegerField(default=0)
    records = models.BigIntegerField(default=0)


class Bucket(models.Model):
    """What all processes together let a key do within a minute: `full_at` (milliseconds since 1970) is when it may do all of it again."""

    name = CodePointText(primary_key=True)
    full_at = models.FloatField()


class Throttle(models.Model):
    """Tries that are counted, by whom and of what; `value` is JSON and counts until `ends_at` (milliseconds since 1970)."""

    name = CodePointText(primary_key=True)
    value = models.TextField()
    ends_at = models.BigIntegerField(db_index=True)


class Nonce(models.Model):
    """An OAuth 1.0a nonce that was used: a second use within its time window is a replay (RFC 5849 §3.3)."""

    id = models.BigAutoField(primary_key=True)
    credential_id = models.BigIntegerField()
    timestamp = models.BigIntegerField()
    nonce = CodePointText()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["credential_id", "timestamp", "nonce"], name="nonce_once")
        ]
        indexes = [models.Index(fields=["timestamp"], name="nonce_age")]


class LastSignIn(models.Model):
    """When an account last signed in; beside the roster file, so that signing in never waits for an import."""

    account_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
