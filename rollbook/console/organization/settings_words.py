"""The settings of a sync in plain words: sections, names, meanings, and what can be chosen. Data; `setting_fields` makes forms of it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class Section:
    """One page of settings. `names` are settings in the order they are asked."""

    name: str
    title: Any
    about: Any
    names: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """One setting: what it is called, what it means, and the words of what can be chosen."""

    label: Any
    meaning: Any
    choices: dict[str, Any] | None = None


LIMITED: dict[str, Any] = {
    "members": _("Members removed"),
    "teachers": _("Teachers removed"),
    "memberships": _("Enrollments removed"),
    "groups": _("Classes and groups removed"),
    "sites": _("Sites removed"),
    "unowned": _("Members archived whom the roster never had"),
}
LIMITS: dict[str, Said] = {
    "percent": Said(_("Percent of all"), _("Of the whole organization; 0 is no limit.")),
    "number": Said(_("Number"), _("However many there are; 0 is no limit.")),
    "site_percent": Said(_("Percent of one site"), _("Of what one site has; 0 is no limit.")),
    "group_percent": Said(_("Percent of one class"), _("Of what one class or group has; 0 is no limit.")),
    "weekly_percent": Said(
        _("Percent within seven days"), _("Of what there was seven days ago; 0 is no limit.")
    ),
    "floor": Said(
        _("Percentages count from"),
        _("With fewer records than this, no percentage is taken of all or of a site."),
    ),
    "group_floor": Said(
        _("Percentages of a class count from"),
        _("With fewer records than this, no percentage is taken of a class."),
    ),
    "to_zero": Said(_("Hold if none would be left"), _("Where there were any.")),
}
OF_LIMITS = tuple(f"limits.{kind}.{name}" for kind in LIMITED for name in LIMITS)

SECTIONS: tuple[Section, ...] = (
    Section(
        "people",
        _("Who becomes a member"),
        _("Which people of the roster come in, how, and what they are at first."),
        (
            "people.create", "roles.default_for_new", "people.who", "people.students", "people.grades", "people.roles",
            "people.starts", "access.activation", "people.username", "people.needs_email",
        ),
    ),
    Section(
        "leavers",
        _("Who leaves"),
        _("What becomes of people and classes that the roster has no longer. Archived is not deleted: everybody can come back."),
        (
            "people.archive", "people.archive_unowned", "grace.reads", "grace.students", "grace.staff", "grace.classes",
            "classes.archive",
        ),
    ),
    Section(
        "roles",
        _("Roles"),
        _("Which role of the roster becomes which of yours. Guardians, parents and relatives never become members."),
        ("roles.map", "roles.ceiling", "roles.default"),
    ),
    Section(
        "schools",
        _("Schools and sites"),
        _("Which schools are synced, and how they are recognised. Which school is which site is said under Mapping."),
        ("schools.unmatched", "schools.match", "schools.types", "schools.only"),
    ),
    Section(
        "classes",
        _("Classes and groups"),
        _("What becomes of the roster's classes, and of who is in them."),
        (
            "classes.sync", "classes.form", "classes.title", "classes.terms", "classes.only_with_teacher",
            "classes.only_with_students", "classes.central", "match.adopt_classes", "classes.roles",
        ),
    ),
    Section(
        "match",
        _("Who is who"),
        _("How a person of the roster is recognised among your members. Nobody is ever recognised by name alone."),
        ("match.rungs", "match.email_domains", "match.email_among", "match.email_sites"),
    ),
    Section(
        "fields",
        _("Titles and other fields"),
        _("Who wins where the roster and somebody here say different things."),
        ("fields.rules", "fields.clear"),
    ),
    Section(
        "limits",
        _("Limits"),
        _("What would remove as much as one of these, or more, waits for you. Everything else goes on."),
        (
            "limits.identifying_percent", "limits.rekey_percent", "limits.create_percent", "limits.last_administrator",
            *OF_LIMITS,
        ),
    ),
)  # fmt: skip

YES_NO = {"yes": _("Yes"), "no": _("No")}

SETTINGS: dict[str, Said] = {
    "people.create": Said(
        _("Automatically create users"),
        _("Off: nobody new comes in by themselves; you choose them under User import."),
    ),
    "roles.default_for_new": Said(
        _("Default role"),
        _("The role of everybody whom a sync creates. As mapped: the role that the roster says."),
    ),
    "people.who": Said(
        _("Who"),
        _("Which people of the roster become members."),
        {
            "everyone": _("Everyone: staff and pupils"),
            "staff": _("Staff only"),
            "teachers": _("Teachers only"),
            "teaching": _("Teachers who have classes with pupils"),
        },
    ),
    "people.students": Said(
        _("Pupils"),
        _("Whether pupils come in by the line above, or with their teacher."),
        {"by-who": _("As chosen above"), "with-teacher": _("With a teacher of theirs who is a member")},
    ),
    "people.grades": Said(_("Grades"), _("Only pupils of these grades, one a line. Empty: all grades.")),
    "people.roles": Said(
        _("Roles of the roster"), _("Only people who have one of these roles, one a line. Empty: all that are mapped.")
    ),
    "people.starts": Said(
        _("New members are"),
        _("What somebody is when a sync has created them."),
        {
            "inactive": _("Inactive: they use no seat until they sign in first"),
            "pending": _("Pending: a person here accepts them"),
            "active": _("Active: they use a seat at once"),
        },
    ),
    "access.activation": Said(
        _("A seat is taken"),
        _("When a member becomes active, and uses one of the seats you bought."),
        {
            "sign-in": _("At the first sign-in by the roster's own provider"),
            "any-sign-in": _("At the first sign-in of any kind"),
            "sync": _("When the sync creates the member"),
        },
    ),
    "people.username": Said(
        _("The username is"),
        _("Where it comes from."),
        {"username": _("The roster's username"), "email": _("The e-mail address")},
    ),
    "people.needs_email": Said(
        _("Leave out staff without an e-mail address"), _("They are listed after each sync, so that nobody is forgotten.")
    ),
    "people.archive": Said(
        _("Archive members who have left the roster"), _("Off: they stay as they are until somebody archives them here.")
    ),
    "people.archive_unowned": Said(
        _("Archive members whom the roster lacks, whoever made them"),
        _("Members of these roles are archived if the roster does not have them, also those made by hand. Administrators never."),
    ),
    "grace.reads": Said(
        _("Missing in so many syncs"), _("Somebody has to be missing in this many whole reads of the roster before they are archived.")
    ),
    "grace.students": Said(_("Days a pupil is missing"), _("So many days before a pupil is archived.")),
    "grace.staff": Said(_("Days staff are missing"), _("So many days before anybody else is archived.")),
    "grace.classes": Said(_("Days a class is missing"), _("So many days before a class is archived.")),
    "classes.archive": Said(
        _("Archive classes that have ended"), _("When the roster has them no longer, or their term is over.")
    ),
    "roles.map": Said(
        _("Roles"), _("On the left the roster's role, on the right yours. Who has no role that becomes one of yours does not come in.")
    ),
    "roles.ceiling": Said(
        _("The highest role a sync gives"), _("Higher roles are given by hand, and no sync takes them away.")
    ),
    "roles.default": Said(
        _("Role of people whose roles become nothing"), _("None: they do not come in.")
    ),
    "schools.unmatched": Said(
        _("A school without a site"),
        _("What becomes of a school that no site answers to."),
        {
            "create": _("A site is created under its name"),
            "ignore": _("It is ignored, with everybody who is only there"),
            "hold": _("It waits until somebody here decides"),
        },
    ),
    "schools.match": Said(
        _("A school is recognised by"),
        _("The surest is tried first."),
        {"key": _("The roster's id"), "identifier": _("The same identifier"), "name": _("The same name")},
    ),
    "schools.types": Said(
        _("Kinds that become sites"), _("The kinds of the roster's organizations, one a line: school, department, and so on.")
    ),
    "schools.only": Said(
        _("Only these schools"), _("By the roster's ids, one a line. Empty: all of them.")
    ),
    "classes.sync": Said(_("Sync classes"), _("Off: only sites and people are synced.")),
    "classes.form": Said(
        _("A class becomes"),
        _("No enrollment is lost when this changes."),
        {"class": _("A class"), "group": _("A group, named after the class")},
    ),
    "classes.title": Said(
        _("Title"),
        _("Made of the words in braces: {title}, {code}, {course}, {course_code}, {period}, {term}, {teacher} and {location}."),
    ),
    "classes.terms": Said(
        _("Classes of which terms"),
        _("By the days of the terms in the roster."),
        {
            "current": _("Of the term that is on"),
            "current-and-future": _("Of the term that is on, and of those to come"),
            "all": _("Of all terms"),
        },
    ),
    "classes.only_with_teacher": Said(
        _("Only classes with a teacher here"), _("One of its teachers has to be a member.")
    ),
    "classes.only_with_students": Said(_("Only classes with pupils"), _("Empty classes are left out.")),
    "classes.central": Said(
        _("Classes are kept centrally"), _("On: synced classes are read-only here; changes are made in the roster.")
    ),
    "match.adopt_classes": Said(
        _("Take over classes that are here already"), _("At the first sync, those of the same site and title, or code.")
    ),
    "classes.roles": Said(
        _("Roles in a class"), _("What each role of an enrollment becomes.")
    ),
    "match.rungs": Said(
        _("A person is recognised by"),
        _("The surest is tried first. Where two answer, a person here decides."),
        {"former": _("An id they had before"), "identifier": _("The same identifier"), "email": _("The same e-mail address")},
    ),
    "match.email_domains": Said(
        _("E-mail addresses count"),
        _("An address says who somebody is only where nobody else can have it."),
        {"verified": _("Of your own domains"), "any": _("Of all domains")},
    ),
    "match.email_among": Said(
        _("By e-mail are recognised"),
        _("Everybody else with the same address is a case for a person."),
        {"same-role": _("Staff among staff, pupils among pupils"), "staff": _("Staff only")},
    ),
    "match.email_sites": Said(
        _("They have to share a site"),
        _("Whether the same address counts across sites."),
        {"same": _("Yes, one site in common"), "any": _("No, anywhere")},
    ),
    "fields.rules": Said(
        _("Who wins"), _("Field by field. What you set on a member's own page stays, whatever stands here.")
    ),
    "fields.clear": Said(
        _("Emptied when the roster empties them"), _("All other fields keep what they have when the roster has nothing.")
    ),
    "limits.identifying_percent": Said(
        _("Changed usernames, e-mail addresses or identifiers: percent"), _("Of all there are; 0 is no limit.")
    ),
    "limits.rekey_percent": Said(
        _("Back under another id: percent"), _("People or classes that seem to be the same under a new id; 0 is no limit.")
    ),
    "limits.create_percent": Said(
        _("New members: percent"), _("Of the members there are, in any sync but the first; 0 is no limit.")
    ),
    "limits.last_administrator": Said(
        _("Hold if no administrator would be left"), _("Somebody has to remain who can sign in and undo it.")
    ),
} | {
    f"limits.{kind}.{name}": Said(said.label, said.meaning) for kind in LIMITED for name, said in LIMITS.items()
}  # fmt: skip
"""Every setting that an organization can change, besides its source and its times."""

ELSEWHERE = frozenset({"title", "about", "access.entitlement"})
"""Settings that are no organization's to change; those of `timing` are changed under Auto-sync."""

EMPTY: dict[str, Any] = {
    "people.grades": _("All grades"),
    "people.roles": _("All that are mapped"),
    "people.archive_unowned": _("Nobody"),
    "schools.only": _("All schools"),
    "roles.default_for_new": _("As mapped"),
    "roles.default": _("None"),
}
"""What an empty value of a setting means; of any other: none."""

SOURCE_ROLES: dict[str, Any] = {
    "student": _("Student"),
    "teacher": _("Teacher"),
    "aide": _("Aide"),
    "proctor": _("Proctor"),
    "administrator": _("Administrator"),
    "counselor": _("Counselor"),
    "principal": _("Principal"),
    "siteAdministrator": _("School administrator"),
    "districtAdministrator": _("District administrator"),
    "systemAdministrator": _("System administrator"),
}
CLASS_ROLES: dict[str, Any] = {
    "teacher": _("Teacher"),
    "student": _("Student"),
    "aide": _("Aide"),
    "proctor": _("Proctor"),
}
RULES: dict[str, Any] = {
    "source": _("The roster"),
    "local-until-change": _("The roster when it changes it; else you"),
    "once": _("The roster, once; afterwards it stays"),
    "local": _("You: the roster never sets it"),
}
FIELDS: dict[str, Any] = {
    "sites.name": _("Name of a site"),
    "sites.identifier": _("Identifier of a site"),
    "members.given_name": _("Given name"),
    "members.family_name": _("Family name"),
    "members.email": _("E-mail address"),
    "members.username": _("Username"),
    "members.identifier": _("Identifier of a person"),
    "members.grade": _("Grade"),
    "members.roles": pgettext_lazy("of a member", "Roles"),
    "members.sites": pgettext_lazy("of a member", "Sites"),
    "groups.title": _("Title of a class"),
    "groups.code": _("Code of a class"),
    "groups.subject": _("Subject of a class"),
    "groups.grades": _("Grades of a class"),
    "groups.site": _("Site of a class"),
    "groups.begins": _("First day of a class"),
    "groups.ends": _("Last day of a class"),
}
TIMES: dict[str, Any] = {
    "timing.every": _("Auto-sync: how often"),
    "timing.at": _("Auto-sync: time"),
    "timing.weekday": _("Auto-sync: day of the week"),
    "timing.day": _("Auto-sync: day of the month"),
    "timing.cron": _("Auto-sync: calendar expression"),
}
