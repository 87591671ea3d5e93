"""A product's side: its organizations, and the directory of each: sites, members, groups, memberships, and the seats that are taken.

Rows are keyed by (organization, id), both integers; ids are given out by `Organization.last_id`, of all kinds of record alike. Rows hold ids of
one another and no foreign keys, as the roster's do; a `…_folded` twin is the text compared without case, null where it is empty.
"""

from django.conf import settings
from django.db import models

from rollbook.store.columns import CodePointText
from rollbook.store.models.catalogue import App


class Product(models.Model):
    """An education product whose customers take rosters in. `roles` are its local roles, the highest first.

    `app` is what it is in the catalogue, by which districts of this installation let it read.
    """

    name = models.CharField(max_length=200, unique=True)
    roles = models.JSONField(default=list)
    administrator_roles = models.JSONField(default=list)
    app = models.ForeignKey(App, models.SET_NULL, null=True, related_name="products")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Organization(models.Model):
    """A customer of a product. `roles` are its own local roles where it has others than the product, the highest first.

    `entitlements` are what its `plan` includes. `seats_bought` null: no limit; `seats_taken` counts the open rows of Seat, and moves with
    them in one statement. `domains` are the e-mail domains it has proved to be its own. `last_id` is the last id given to a record. Where it
    requires a second step, nobody administers it who signs in with a password alone; where its own sign-in, nobody whom that has not let in.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="organizations")
    name = models.CharField(max_length=200)
    plan = models.CharField(max_length=100, default="")
    entitlements = models.JSONField(default=list)
    roles = models.JSONField(default=list)
    domains = models.JSONField(default=list)
    seats_bought = models.IntegerField(null=True)
    seats_taken = models.IntegerField(default=0)
    time_zone = models.CharField(max_length=64, default="UTC")
    last_id = models.BigIntegerField(default=0)
    requires_second_step = models.BooleanField(default=False)
    requires_own_sign_in = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "name"], name="organization_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class DirectoryRecord(models.Model):
    """What every row of a directory has. `connection_id` is the sync connection that made it, 0 for one made by hand.

    `source_id` is the sourcedId it was made for. `version` grows with every change.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    id = models.BigIntegerField()
    pk = models.CompositePrimaryKey("organization_id", "id")
    connection_id = models.BigIntegerField(default=0)
    source_id = CodePointText(default="")
    state = models.CharField(max_length=10, default="active")
    version = models.IntegerField(default=1)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.organization_id}/{self.id}"


class Site(DirectoryRecord):
    """A school, a campus: a place of an organization."""

    name = CodePointText()
    name_folded = CodePointText()
    identifier = CodePointText(default="")

    class Meta:
        indexes = [models.Index(fields=["organization", "connection_id", "source_id"], name="site_source")]


class Member(DirectoryRecord):
    """A person in an organization. `roles` is a JSON array of local roles, `site_ids` one of ids of sites, both as text.

    `state` is pending (not yet accepted), inactive (holds no seat), active (holds one), suspended, archived or purged; `archived_from` the one
    it was archived in. `account` is their sign-in, once they have one. `name_folded` is the family and the given name, a tab between them.
    """

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="memberships"
    )
    given_name = CodePointText(default="")
    family_name = CodePointText(default="")
    name_folded = CodePointText(default="")
    email = CodePointText(default="")
    email_folded = CodePointText(null=True)
    username = CodePointText(default="")
    username_folded = CodePointText(null=True)
    identifier = CodePointText(default="")
    grade = CodePointText(default="")
    roles = models.TextField(default="[]")
    site_ids = models.TextField(default="[]")
    archived_at = models.DateTimeField(null=True)
    archived_from = models.CharField(max_length=10, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "email_folded"], name="member_email"),
            models.UniqueConstraint(fields=["organization", "username_folded"], name="member_username"),
        ]
        indexes = [
            models.Index(fields=["organization", "identifier"], name="member_identifier"),
            models.Index(fields=["organization", "connection_id", "source_id"], name="member_source"),
            models.Index(fields=["organization", "state", "name_folded", "id"], name="member_by_name"),
        ]


class Group(DirectoryRecord):
    """A class, or a group: `form` says which. `central`: it is kept by its connection, and read-only by hand.

    `begins` and `ends` are days (YYYY-MM-DD, empty: no bound); `grades` is a JSON array as text.
    """

    title = CodePointText()
    title_folded = CodePointText(default="")
    form = models.CharField(max_length=5, default="class")
    site_id = models.BigIntegerField(null=True)
    code = CodePointText(default="")
    subject = CodePointText(default="")
    grades = models.TextField(default="[]")
    begins = models.CharField(max_length=10, default="")
    ends = models.CharField(max_length=10, default="")
    central = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "connection_id", "source_id"], name="group_source"),
            models.Index(fields=["organization", "state", "title_folded", "id"], name="group_by_title"),
        ]


class Membership(DirectoryRecord):
    """A member in a group, as one connection (or a person, `connection_id` 0) says: each says it in a row of its own.

    It holds where it, its member and its group are all active: archiving a member leaves these rows as they are, and restoring brings all back.
    """

    group_id = models.BigIntegerField()
    member_id = models.BigIntegerField()
    role = models.CharField(max_length=40, default="student")
    primary = models.BooleanField(default=False)
    begins = models.CharField(max_length=10, default="")
    ends = models.CharField(max_length=10, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "group_id", "member_id", "connection_id"], name="membership_once"
            )
        ]
        indexes = [
            models.Index(fields=["organization", "member_id"], name="membership_member"),
            models.Index(fields=["organization", "state"], name="membership_state"),
        ]


class Seat(models.Model):
    """A licence in use. It is taken by `store.seats`, and freed there; what was taken stays known."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="seats")
    member_id = models.BigIntegerField()
    taken_at = models.DateTimeField()
    freed_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=100, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "member_id"],
                condition=models.Q(freed_at__isnull=True),
                name="seat_once",
            )
        ]


class MemberMerge(models.Model):
    """Two members who turned out to be one person: `kept_id` has all that `other_id` had, who is archived. `moved` is what the way back needs
    (`flows.merging`).
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="merges")
    kept_id = models.BigIntegerField()
    other_id = models.BigIntegerField()
    moved = models.JSONField(default=dict)
    by = models.CharField(max_length=320)
    why = models.CharField(max_length=500, default="")
    at = models.DateTimeField()
    undone_by = models.CharField(max_length=320, default="")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "other_id"],
                condition=models.Q(undone_at__isnull=True),
                name="merge_once",
            )
        ]


class Administrator(models.Model):
    """A person who works in the console on a product's side: in one organization, or for the product itself (its support; no organization).

    `sites` are the ids of the sites that a site administrator works in; empty for every other role. Who has left stays known by what they did.
    """

    class AdministratorRole(models.TextChoices):
        ORGANIZATION = "organization administrator"
        SITE = "site administrator"
        SUPPORT = "product support"

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="administrators")
    product = models.ForeignKey(Product, models.CASCADE, related_name="administrators")
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="administrators")
    role = models.CharField(max_length=40, choices=AdministratorRole.choices)
    name = models.CharField(max_length=200, default="")
    sites = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "product", "organization"], name="administrator_once", nulls_distinct=False
            )
        ]


class OrganizationKey(models.Model):
    """A key with which an organization's own programs work its syncs. `checksum` is its SHA-256 in hex: the key itself is kept nowhere."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=200)
    checksum = models.CharField(max_length=64, unique=True)
    beginning = models.CharField(max_length=30)
    made_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=254, default="")
