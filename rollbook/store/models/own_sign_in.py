"""The sign-in service that a district or an organization has of its own for those who work in its console, and whose sign-in there is whose.

Not how members come in (`signing_in`): nobody's account comes about by it.
"""

from typing import Any

from django.conf import settings
from django.db import models

from rollbook.store.columns import CodePointText
from rollbook.store.models.directory import Organization
from rollbook.store.models.openid_provider import TenantedProvider
from rollbook.store.models.roster import District


class OwnSignIn(TenantedProvider):
    """An identity provider of those who work here. `tried_at` is when somebody came by it for the first time as it is set up now: before
    that it cannot be required. `leads_back`: it knows the address of ours that signing out there leads to.
    """

    tried_at = models.DateTimeField(null=True)
    leads_back = models.BooleanField(default=False)
    made_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    @property
    def owner(self) -> Any:
        """The district or the organization."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """What its owner is called in addresses and sessions, such as district-1."""
        raise NotImplementedError


class DistrictSignIn(OwnSignIn):
    """That of a district."""

    district = models.OneToOneField(District, models.CASCADE, related_name="own_sign_in")

    @property
    def owner(self) -> District:
        return self.district

    @property
    def key(self) -> str:
        return f"district-{self.district_id}"


class OrganizationSignIn(OwnSignIn):
    """That of an organization, for its administrators."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="own_sign_in")

    @property
    def owner(self) -> Organization:
        return self.organization

    @property
    def key(self) -> str:
        return f"organization-{self.organization_id}"


class WorkIdentity(models.Model):
    """(issuer, tenant, subject) is this account, wherever in this installation it works: an issuer's token proves the same everywhere."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="work_identities")
    issuer = CodePointText()
    tenant = CodePointText(default="")
    subject = CodePointText()
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "tenant", "subject"], name="work_identity_once"),
            models.UniqueConstraint(fields=["account", "issuer"], name="work_identity_of_account_once"),
        ]
