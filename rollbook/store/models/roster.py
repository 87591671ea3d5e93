"""The roster as it is now: one table a collection, typed, one row a record, keyed by (district, record id).

References hold record ids, and no roster table has a foreign key to another: integrity is the engine's. A deleted record keeps its row
with status `tobedeleted`. Columns are the CSV 1.2 fields in snake_case (`courseSourcedId` → `course_id`); a `…_folded` twin holds the
same text as compared without case (`columns.fold`). Lists are JSON arrays as text; lists of references are JSON arrays of record ids.
"""

from django.db import models

from rollbook.store.columns import CodePointText

ACTIVE = "active"
TOBEDELETED = "tobedeleted"


class District(models.Model):
    """The tenant whose roster it is. `id` is the Tenant ID; `publication` numbers what is served now (0 before the first).

    `generation` counts accepted deliveries: it names the accepted snapshot on the shelf that belongs to these rows. Where it requires a
    second step, nobody works in it who signs in with a password alone; where it requires its own sign-in, nobody whom that has not let in.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    publication = models.BigIntegerField(default=0)
    generation = models.BigIntegerField(default=0)
    requires_second_step = models.BooleanField(default=False)
    requires_own_sign_in = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Record(models.Model):
    """What every roster row has. `source_id` is as delivered (unique per connection), `sourced_id` as served (unique per district)."""

    district = models.ForeignKey(
        District, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    id = models.BigIntegerField()
    pk = models.CompositePrimaryKey("district_id", "id")
    connection_id = models.BigIntegerField()
    source_id = CodePointText()
    sourced_id = CodePointText()
    status = models.CharField(max_length=11, default=ACTIVE)
    metadata = models.TextField(null=True)
    metadata_folded = models.TextField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["district", "sourced_id"], name="%(class)s_sourced_id"),
            # Without a prefix both ids are the same, and the constraint above says it all; a connection's prefix is fixed once
            # records came in by it. Two unique indexes over the same text were a fifth of a large import.
            models.UniqueConstraint(
                fields=["district", "connection_id", "source_id"],
                condition=~models.Q(source_id=models.F("sourced_id")),
                name="%(class)s_source_id",
            ),
        ]

    def __str__(self) -> str:
        return self.sourced_id


class Org(Record):
    name = CodePointText()
    name_folded = CodePointText()
    type = models.CharField(max_length=100)
    identifier = CodePointText(null=True)
    parent_id = models.BigIntegerField(null=True)


class AcademicSession(Record):
    title = CodePointText()
    title_folded = CodePointText()
    type = models.CharField(max_length=100)
    start_date = models.CharField(max_length=10)
    end_date = models.CharField(max_length=10)
    parent_id = models.BigIntegerField(null=True)
    school_year = models.CharField(max_length=4)


class Course(Record):
    school_year_id = models.BigIntegerField(null=True)
    title = CodePointText()
    title_folded = CodePointText()
    course_code = CodePointText(null=True)
    course_code_folded = CodePointText(null=True)
    grades = models.TextField(null=True)
    grades_folded = models.TextField(null=True)
    org_id = models.BigIntegerField(null=True)
    subjects = models.TextField(null=True)
    subjects_folded = models.TextField(null=True)
    subject_codes = models.TextField(null=True)
    subject_codes_folded = models.TextField(null=True)


class Class(Record):
    title = CodePointText()
    title_folded = CodePointText()
    grades = models.TextField(null=True)
    grades_folded = models.TextField(null=True)
    course_id = models.BigIntegerField()
    class_code = CodePointText(null=True)
    class_code_folded = CodePointText(null=True)
    class_type = models.CharField(max_length=100, null=True)
    location = CodePointText(null=True)
    location_folded = CodePointText(null=True)
    school_id = models.BigIntegerField()
    term_ids = models.TextField()
    subjects = models.TextField(null=True)
    subjects_folded = models.TextField(null=True)
    subject_codes = models.TextField(null=True)
    subject_codes_folded = models.TextField(null=True)
    periods = models.TextField(null=True)
    periods_folded = models.TextField(null=True)

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["district", "school_id"]),
            models.Index(fields=["district", "course_id"]),
        ]


class User(Record):
    """A rostered person. Roles are `Role` rows; the one role of the 1.1 binding is the `kind` of what is served (`Served`, `ViewRow`)."""

    enabled_user = models.BooleanField()
    username = CodePointText(null=True)
    username_folded = CodePointText(null=True)
    user_ids = models.TextField(null=True)
    given_name = CodePointText()
    given_name_folded = CodePointText()
    family_name = CodePointText()
    family_name_folded = CodePointText()
    middle_name = CodePointText(null=True)
    middle_name_folded = CodePointText(null=True)
    identifier = CodePointText(null=True)
    email = CodePointText(null=True)
    email_folded = CodePointText(null=True)
    sms = CodePointText(null=True)
    phone = CodePointText(null=True)
    agent_ids = models.TextField(null=True)
    grades = models.TextField(null=True)
    grades_folded = models.TextField(null=True)
    user_master_identifier = CodePointText(null=True)
    preferred_given_name = CodePointText(null=True)
    preferred_given_name_folded = CodePointText(null=True)
    preferred_middle_name = CodePointText(null=True)
    preferred_middle_name_folded = CodePointText(null=True)
    preferred_family_name = CodePointText(null=True)
    preferred_family_name_folded = CodePointText(null=True)
    primary_org_id = models.BigIntegerField(null=True)
    pronouns = CodePointText(null=True)
    pronouns_folded = CodePointText(null=True)

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["district", "family_name_folded"]),
            models.Index(fields=["district", "email_folded"]),
            models.Index(fields=["district", "username_folded"], name="user_by_username"),
        ]


class UserProfile(Record):
    """One profile with one credential, as a CSV 1.2 row has it. A password is never stored."""

    user_id = models.BigIntegerField()
    profile_type = CodePointText()
    vendor_id = CodePointText()
    application_id = CodePointText(null=True)
    description = CodePointText(null=True)
    credential_type = CodePointText()
    username = CodePointText()

    class Meta(Record.Meta):
        indexes = [models.Index(fields=["district", "user_id"])]


class Role(Record):
    """One role of a person at an org; 1.1 deliveries have none of their own, so they are derived (`oneroster.mapping`)."""

    user_id = models.BigIntegerField()
    role_type = models.CharField(max_length=9)
    role = models.CharField(max_length=100)
    begin_date = models.CharField(max_length=10, null=True)
    end_date = models.CharField(max_length=10, null=True)
    org_id = models.BigIntegerField()
    user_profile_id = models.BigIntegerField(null=True)

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["district", "user_id"]),
            models.Index(fields=["district", "org_id"]),
        ]


class Enrollment(Record):
    class_id = models.BigIntegerField()
    school_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    role = models.CharField(max_length=100)
    primary = models.BooleanField(null=True)
    begin_date = models.CharField(max_length=10, null=True)
    end_date = models.CharField(max_length=10, null=True)

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["district", "class_id"]),
            models.Index(fields=["district", "user_id"]),
        ]


class Demographics(Record):
    """Keyed by the user's sourcedId; `user_id` is that user's record id."""

    user_id = models.BigIntegerField()
    birth_date = models.CharField(max_length=10, null=True)
    sex = models.CharField(max_length=100, null=True)
    american_indian_or_alaska_native = models.BooleanField(null=True)
    asian = models.BooleanField(null=True)
    black_or_african_american = models.BooleanField(null=True)
    native_hawaiian_or_other_pacific_islander = models.BooleanField(null=True)
    white = models.BooleanField(null=True)
    demographic_race_two_or_more_races = models.BooleanField(null=True)
    hispanic_or_latino_ethnicity = models.BooleanField(null=True)
    country_of_birth_code = CodePointText(null=True)
    country_of_birth_code_folded = CodePointText(null=True)
    state_of_birth_abbreviation = CodePointText(null=True)
    state_of_birth_abbreviation_folded = CodePointText(null=True)
    city_of_birth = CodePointText(null=True)
    city_of_birth_folded = CodePointText(null=True)
    public_school_residence_status = CodePointText(null=True)
    public_school_residence_status_folded = CodePointText(null=True)

    class Meta(Record.Meta):
        indexes = [models.Index(fields=["district", "user_id"])]


class Resource(Record):
    """Learning material of a vendor, given to courses, classes or people."""

    vendor_resource_id = CodePointText()
    title = CodePointText(null=True)
    title_folded = CodePointText(null=True)
    roles = models.TextField(null=True)
    roles_folded = models.TextField(null=True)
    importance = models.CharField(max_length=100, null=True)
    vendor_id = CodePointText(null=True)
    application_id = CodePointText(null=True)


class CourseResource(Record):
    title = CodePointText(null=True)
    course_id = models.BigIntegerField()
    resource_id = models.BigIntegerField()

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["district", "course_id"]),
            models.Index(fields=["district", "resource_id"]),
        ]


class ClassResource(Record):
    title = CodePointText(null=True)
    class_id = models.BigIntegerField()
    resource_id = models.BigIntegerField()

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["district", "class_id"]),
            models.Index(fields=["district", "resource_id"]),
        ]


class UserResource(Record):
    user_id = models.BigIntegerField()
    org_id = models.BigIntegerField(null=True)
    class_id = models.BigIntegerField(null=True)
    resource_id = models.BigIntegerField()

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["district", "user_id"]),
            models.Index(fields=["district", "resource_id"]),
        ]


RECORDS: dict[str, type[Record]] = {
    "orgs": Org,
    "academicSessions": AcademicSession,
    "courses": Course,
    "classes": Class,
    "users": User,
    "userProfiles": UserProfile,
    "roles": Role,
    "enrollments": Enrollment,
    "demographics": Demographics,
    "resources": Resource,
    "courseResources": CourseResource,
    "classResources": ClassResource,
    "userResources": UserResource,
}
