"""Plain words for the standard's names (collections, fields, vocabularies) and for what runs and plans say."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

COLLECTIONS = {
    "orgs": _("Organizations"),
    "academicSessions": _("Academic sessions"),
    "courses": _("Courses"),
    "classes": _("Classes"),
    "users": _("People"),
    "userProfiles": _("User profiles"),
    "roles": _("Roles"),
    "enrollments": _("Enrollments"),
    "demographics": _("Demographics"),
    "resources": _("Resources"),
    "courseResources": _("Resources of courses"),
    "classResources": _("Resources of classes"),
    "userResources": _("Resources of people"),
}

ASKED_FOR = COLLECTIONS | {
    "schools": _("Schools"),
    "students": _("Students"),
    "teachers": _("Teachers"),
    "terms": _("Terms"),
    "gradingPeriods": _("Grading periods"),
}
"""What an app can ask for: the collections, and parts of them that have an address of their own."""

ONE_OF = {
    "orgs": _("Organization"),
    "academicSessions": _("Academic session"),
    "courses": _("Course"),
    "classes": _("Class"),
    "users": _("Person"),
    "userProfiles": _("User profile"),
    "roles": _("Role"),
    "enrollments": _("Enrollment"),
    "demographics": _("Demographics"),
    "resources": _("Resource"),
    "courseResources": _("Resource of a course"),
    "classResources": _("Resource of a class"),
    "userResources": _("Resource of a person"),
}

FIELDS = {
    "agentSourcedIds": _("Guardians and other agents"),
    "americanIndianOrAlaskaNative": _("American Indian or Alaska Native"),
    "applicationId": _("Application"),
    "asian": _("Asian"),
    "beginDate": _("Begins on"),
    "birthDate": _("Date of birth"),
    "blackOrAfricanAmerican": _("Black or African American"),
    "cityOfBirth": _("City of birth"),
    "classCode": _("Class code"),
    "classSourcedId": _("Class"),
    "classType": _("Kind of class"),
    "countryOfBirthCode": _("Country of birth"),
    "courseCode": _("Course code"),
    "courseSourcedId": _("Course"),
    "credentialType": _("Kind of credential"),
    "dateLastModified": _("Last changed"),
    "demographicRaceTwoOrMoreRaces": _("Two or more races"),
    "description": _("Description"),
    "email": _("E-mail"),
    "enabledUser": _("May sign in"),
    "endDate": _("Ends on"),
    "familyName": _("Family name"),
    "givenName": _("Given name"),
    "grades": _("Grades"),
    "hispanicOrLatinoEthnicity": _("Hispanic or Latino"),
    "identifier": _("Identifier"),
    "importance": _("Importance"),
    "location": _("Room or place"),
    "middleName": _("Middle name"),
    "name": _("Name"),
    "nativeHawaiianOrOtherPacificIslander": _("Native Hawaiian or other Pacific Islander"),
    "orgSourcedId": _("Organization"),
    "parentSourcedId": _("Belongs to"),
    "periods": _("Periods of the day"),
    "phone": _("Phone"),
    "preferredFamilyName": _("Preferred family name"),
    "preferredGivenName": _("Preferred given name"),
    "preferredMiddleName": _("Preferred middle name"),
    "primary": _("Main teacher"),
    "primaryOrgSourcedId": _("Main organization"),
    "profileType": _("Kind of profile"),
    "pronouns": _("Pronouns"),
    "publicSchoolResidenceStatus": _("Residence status"),
    "resourceSourcedId": _("Resource"),
    "role": _("Role"),
    "roles": _("Roles"),
    "roleType": _("Kind of role"),
    "schoolSourcedId": _("School"),
    "schoolYear": _("School year"),
    "schoolYearSourcedId": _("School year"),
    "sex": _("Sex"),
    "sms": _("Text messages"),
    "sourcedId": _("Id"),
    "startDate": _("Starts on"),
    "stateOfBirthAbbreviation": _("State of birth"),
    "status": _("Status"),
    "subjectCodes": _("Subject codes"),
    "subjects": _("Subjects"),
    "termSourcedIds": _("Terms"),
    "title": _("Title"),
    "type": _("Kind"),
    "userIds": _("Other ids"),
    "userMasterIdentifier": _("Master identifier"),
    "userProfileSourcedId": _("User profile"),
    "userSourcedId": _("Person"),
    "username": _("Username"),
    "vendorId": _("Vendor"),
    "vendorResourceId": _("Id at the vendor"),
    "white": _("White"),
}

VOCABULARY = {
    "active": _("Active"),
    "administrator": _("Administrator"),
    "aide": _("Aide"),
    "counselor": _("Counselor"),
    "department": _("Department"),
    "district": _("District"),
    "districtAdministrator": _("District administrator"),
    "female": _("Female"),
    "gradingPeriod": _("Grading period"),
    "guardian": _("Guardian"),
    "homeroom": _("Homeroom"),
    "local": _("Local authority"),
    "male": _("Male"),
    "national": _("National authority"),
    "other": _("Other"),
    "parent": _("Parent"),
    "primary": pgettext_lazy("role type", "Main role"),
    "principal": _("Principal"),
    "proctor": _("Proctor"),
    "relative": _("Relative"),
    "scheduled": _("Scheduled class"),
    "school": _("School"),
    "schoolYear": _("School year"),
    "secondary": pgettext_lazy("role type", "Further role"),
    "semester": _("Semester"),
    "siteAdministrator": _("School administrator"),
    "state": _("State authority"),
    "student": _("Student"),
    "systemAdministrator": _("System administrator"),
    "teacher": _("Teacher"),
    "term": _("Term"),
    "tobedeleted": _("Deleted"),
    "unspecified": _("Unspecified"),
}

OUTCOMES = {
    "": (_("Under way"), "azure", "clock"),
    "success": (_("Succeeded"), "green", "check"),
    "incomplete": (_("Applied, not proved complete"), "yellow", "warning"),
    "partly": (_("Applied, parts held back"), "yellow", "warning"),
    "empty": (_("Accepted an empty roster"), "yellow", "warning"),
    "failed": (_("Failed"), "red", "cross"),
    "refused": (_("Refused"), "orange", "stop"),
    "cancelled": (_("Cancelled"), "secondary", "stop"),
    "declined": (_("Not applied"), "secondary", "stop"),
    "held": (_("Held, waits for you"), "yellow", "warning"),
    "rejected": (_("Rejected"), "secondary", "stop"),
    "replaced": (_("Replaced by a newer one"), "secondary", "stop"),
    "kept": (_("Kept, not applied"), "azure", "calendar"),
    "previewed": (_("Shown, not applied"), "azure", "info"),
    "expired": (_("Given up, nobody decided"), "secondary", "clock"),
}
"""What a run came to, the colour it is told in, and the sign that says the same without colour."""

SEVERITIES = {
    "fatal": ("red", "stop"),
    "error": ("red", "cross"),
    "warning": ("yellow", "warning"),
    "note": ("azure", "info"),
}
"""How findings of a severity are marked, the gravest first."""

ACTIONS = {
    "create": _("Added"),
    "update": _("Changed"),
    "archive": _("Archived"),
    "restore": _("Restored"),
    "delete": _("Removed"),
    "relink": _("Re-linked"),
}

DECISIONS = {
    "apply": _("Applied once"),
    "raise": _("Applied, limits raised"),
    "reject": _("Rejected"),
    "relink": _("Re-linked in a plan of its own"),
    "replaced": _("Replaced by a newer delivery"),
    "expired": _("Given up: nobody decided in time"),
}

LIMITS = {
    "delete_percent": _("Removed: percent of what is stored"),
    "delete_number": _("Removed: number"),
    "weekly_percent": _("Removed within seven days: percent"),
    "update_percent": _("Changed: percent of what is stored"),
    "update_number": _("Changed: number"),
    "create_percent": _("Added: percent of what is stored"),
    "create_number": _("Added: number"),
    "identifying_percent": _("Changed usernames, identifiers or e-mails: percent"),
    "rekey_percent": _("Back under another id: percent"),
    "floor": _("Percentages count from this many records on"),
    "to_zero": _("Hold when nothing would be left"),
    "last_administrator": _("Hold when the last administrator would go"),
}

FLOWS = {
    "ingest": _("Import"),
    "undo": _("Undo"),
    "manual": _("By hand"),
    "preparation": _("Changed steps"),
    "rehearsal": _("Rehearsal"),
    "comparison": _("Comparison with a server"),
    "trial": _("Trying steps"),
}

PHASES = {
    "waiting": _("Waiting"),
    "kept": _("Package kept as it arrived"),
    "reading": _("Reading the package"),
    "judging": _("Checking the package"),
    "relating": _("Checking how the records fit together"),
    "planning": _("Comparing with the roster"),
    "recording": _("Writing the plan down"),
    "planned": _("Plan made"),
    "applying": _("Changing the roster"),
    "publishing": _("Publishing what changed"),
    "held": _("Waiting for a decision"),
    "fetching": _("Fetching from the other system"),
    "receiving": _("Receiving the package"),
    "done": _("Done"),
}

ROLES = {
    "installation operator": _("Installation operator"),
    "district administrator": _("District administrator"),
    "school administrator": _("School administrator"),
    "privacy officer": _("Privacy officer"),
    "help desk": _("Help desk"),
}

ROLES_OF_A_DISTRICT = {name: words for name, words in ROLES.items() if name != "installation operator"}
"""The roles that a district's administrators give."""

ROLES_SAY = {
    "district administrator": _("does everything in the district"),
    "school administrator": _("finds people and runs sanity checks in their own schools, and asks for apps"),
    "privacy officer": _(
        "approves permissions, keeps opt-outs, and sees who received whom and the audit log"
    ),
    "help desk": _("finds people in an app, and explains why somebody is in it or not"),
}
"""What each of these does."""

PERMISSIONS = {"full": _("Full"), "basic": _("Basic")}

REFUSALS = {
    "AlreadyOperator": _("This person is already an operator here."),
    "NotYours": _("This person also works where you do not. Ask an installation operator."),
    "NotYourself": _(
        "You cannot deactivate yourself, or give yourself another role. Ask another administrator."
    ),
    "SchoolsForSchools": _(
        "A school administrator works in schools: name at least one. For every other role leave them out."
    ),
}


def field_words(name: str) -> Any:
    return FIELDS.get(name, name)


def vocabulary_words(word: str) -> Any:
    """A word of a vocabulary in plain words; an extension (`ext:…`) speaks for itself."""
    return VOCABULARY.get(word, word.removeprefix("ext:"))


def severity_words(severity: str, number: int = 1) -> str:
    """The word behind a number of findings."""
    return {
        "fatal": ngettext("fatal finding", "fatal findings", number),
        "error": ngettext("error", "errors", number),
        "warning": ngettext("warning", "warnings", number),
        "note": ngettext("note", "notes", number),
    }[severity]
