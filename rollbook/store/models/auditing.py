"""What was done, by whom and when: the audit log. Entries are added and never changed; each carries the hash of the one before it.

No foreign key leads out of it: an entry outlives what it speaks of.
"""

from typing import Any

from django.db import models

from rollbook.store.columns import CodePointText

INSTALLATION = 0
"""The chain of what belongs to no district, in the place of a Tenant ID."""


class AppendOnlyError(Exception):
    """Somebody's code tried to change the audit log."""


class AppendOnly(models.QuerySet[Any]):
    """Rows that can be added and read."""

    def update(self, **_: Any) -> int:
        raise AppendOnlyError

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError


class AuditEntry(models.Model):
    """One act. `district_id` is the Tenant ID, or 0 for the installation; `number` counts up without a gap in each chain.

    `at` is in milliseconds UTC. `actor` is who did it, `door` by which way they came in. `act` is what was done (`key.revoke`), `kind` and
    `object` what it was done to, `about` its name. `before` and `after` are canonical JSON objects of what is not personal.
    `previous` is the hash of the entry before, `hash` the one of this (`flows.audit`).
    """

    district_id = models.BigIntegerField()
    number = models.BigIntegerField()
    pk = models.CompositePrimaryKey("district_id", "number")
    at = models.BigIntegerField()
    actor = CodePointText()
    door = models.CharField(max_length=20)
    act = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    object = CodePointText(default="")
    about = CodePointText(default="")
    before = models.TextField(default="{}")
    after = models.TextField(default="{}")
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = AppendOnly.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["district_id", "at"], name="audit_at"),
            models.Index(fields=["district_id", "kind", "object"], name="audit_object"),
        ]

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **options)

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError


class AuditHead(models.Model):
    """The end of one chain: the number and hash of its last entry. Locked while an entry is added, and so entries come one by one."""

    district_id = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")


class AuditNote(models.Model):
    """What is to become an entry in each of these `chains` and waits for it beside the roster's file: signing in, which must not wait for
    an import. The other fields are an entry's.
    """

    chains = models.JSONField()
    at = models.BigIntegerField()
    actor = models.TextField()
    door = models.CharField(max_length=20)
    act = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    object = models.TextField(default="")
    about = models.TextField(default="")
    after = models.TextField(default="{}")
