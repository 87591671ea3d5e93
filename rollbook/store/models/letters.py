"""E-mails that have yet to leave. Each is written with what it tells of, in one transaction, so that no death in between can lose it."""

from django.db import models

from rollbook.store.models.directory import Organization
from rollbook.store.models.roster import District


class Letter(models.Model):
    """One e-mail to one person who runs a district, an organization, or with neither the installation.

    Once a mail server has taken it, the row is gone. `tries` is how often it was tried, `fault` what kept it the last time (the kind of fault,
    nothing personal); it is tried again from `next_at` on. From `given_up_at` on only a person has it tried again.
    """

    district = models.ForeignKey(District, models.CASCADE, related_name="letters", null=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="letters", null=True)
    address = models.EmailField(max_length=254)
    subject = models.CharField(max_length=300)
    words = models.TextField()
    written_at = models.DateTimeField()
    next_at = models.DateTimeField()
    tries = models.IntegerField(default=0)
    fault = models.CharField(max_length=100, default="")
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="letter_due", condition=models.Q(given_up_at__isnull=True)),
        ]
