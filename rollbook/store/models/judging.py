"""What a district has decided about findings: other severities for warnings, with who, when and why; and where its e-mail addresses are."""

from django.db import models

from rollbook.store.models.roster import District


class SeverityChange(models.Model):
    """A decision about one code of a warning: error, note, or warning again. The latest one of a code holds; all are kept."""

    district = models.ForeignKey(District, models.CASCADE, related_name="severity_changes")
    code = models.CharField(max_length=60)
    severity = models.CharField(max_length=10)
    by = models.CharField(max_length=200, default="")
    why = models.TextField(default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["district", "code", "id"], name="severity_latest")]


class EmailDomain(models.Model):
    """A domain in which addresses of the district's students and staff are; those below it count too. `domain` is in small letters."""

    district = models.ForeignKey(District, models.CASCADE, related_name="email_domains")
    domain = models.CharField(max_length=253)
    by = models.CharField(max_length=200, default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "domain"], name="email_domain_once"),
        ]
