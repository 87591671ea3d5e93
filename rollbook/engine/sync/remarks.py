"""Every code that a sync says of a record: remarks, cases and outcomes, with what they mean, what to do, and who can do it.

docs/reference/sync-codes.md and the reports follow from it.
"""

from dataclasses import dataclass

REMARK, CASE, OUTCOME, REASON = "remark", "case", "outcome", "reason"

OWNERS = {
    "district": "Whoever keeps the roster: the office, or whoever sets up what is shared.",
    "customer": "An administrator of the organization, here.",
    "us": "Whoever runs this installation.",
    "target": "Whoever runs the directory.",
    "nobody": "Nobody has to.",
}
"""Who can put it right."""


@dataclass(frozen=True)
class Code:
    """One code. `sort` says where it stands: REMARK (a record that did not become, or not as it says), CASE (a person decides),
    OUTCOME (what a target answered), REASON (why an operation is in the plan).
    """

    code: str
    sort: str
    title: str
    meaning: str
    remedy: str
    owner: str


CODES: tuple[Code, ...] = (
    # --- Schools ---
    Code(
        "school-not-chosen",
        REMARK,
        "School not chosen",
        "The settings name the schools that are synced, and this is none of them.",
        "Add it to schools.only if its people belong here.",
        "customer",
    ),
    Code(
        "school-ignored",
        REMARK,
        "School ignored",
        "The school has no site, or somebody decided that it is not synced. Whoever is only there becomes no member.",
        "Map the school to a site if it belongs here.",
        "customer",
    ),
    Code(
        "school-held",
        REMARK,
        "School undecided",
        "Nobody has decided yet to which site the school belongs. Whoever is only there waits.",
        "Answer the case of the school.",
        "customer",
    ),
    Code(
        "site-stays",
        REMARK,
        "Site stays",
        "The school is gone from the source. Its site was there before it, and stays.",
        "Archive the site by hand if nobody needs it.",
        "customer",
    ),
    Code(
        "school-unmatched",
        CASE,
        "School without a site",
        "No site has this school's identifier or name, and the settings say that a person decides.",
        "Link it to a site, have one made, or ignore it.",
        "customer",
    ),
    Code(
        "school-disputed",
        CASE,
        "Several schools or sites answer",
        "More than one school, or more than one site, has this identifier or name.",
        "Say which site is which school's.",
        "customer",
    ),
    # --- Who is a member ---
    Code(
        "no-role",
        REMARK,
        "No role",
        "The source gives this person no role at any school.",
        "Correct the person's roles in the source.",
        "district",
    ),
    Code(
        "role-over",
        REMARK,
        "Role over",
        "All roles of this person have ended, or not begun yet.",
        "Nothing, where that is so.",
        "district",
    ),
    Code(
        "role-not-mapped",
        REMARK,
        "Role not synced",
        "The settings make nothing of this role.",
        "Add it to roles.map (or classes.roles) if it belongs here.",
        "customer",
    ),
    Code(
        "never-a-member",
        REMARK,
        "Guardian",
        "Guardians, parents and relatives never become members.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "disabled",
        REMARK,
        "Account disabled at the source",
        "The source says that this person's account is not enabled.",
        "Enable it at the source if the person works there.",
        "district",
    ),
    Code(
        "grade-not-chosen",
        REMARK,
        "Grade not chosen",
        "The settings name the grades that are synced, and this pupil is in none of them.",
        "Add the grade to people.grades if it belongs here.",
        "customer",
    ),
    Code(
        "not-who",
        REMARK,
        "Not among those who are synced",
        "The settings sync staff or teachers only.",
        "Change people.who if this person belongs here.",
        "customer",
    ),
    Code(
        "not-a-teacher",
        REMARK,
        "Not a teacher",
        "The settings sync teachers only, and this person has another role.",
        "Change people.who if this person belongs here.",
        "customer",
    ),
    Code(
        "not-teaching",
        REMARK,
        "No class with pupils",
        "The settings sync teachers who have classes that contain pupils, and this teacher has none today.",
        "Look at the teacher's classes in the source.",
        "district",
    ),
    Code(
        "no-teacher",
        REMARK,
        "Waits for a teacher",
        "Pupils come with a teacher who is a member; none of this pupil's teachers is one.",
        "Import the teacher.",
        "customer",
    ),
    Code(
        "not-created",
        REMARK,
        "Waits to be imported",
        "Members are created by hand only; this person is a candidate.",
        "Import the person with a role and a site.",
        "customer",
    ),
    Code(
        "needs-email",
        REMARK,
        "No e-mail address",
        "The settings leave out staff without an e-mail address.",
        "Add the address in the source.",
        "district",
    ),
    Code(
        "needs-role",
        REMARK,
        "Needs a role",
        "Nothing gives this member a local role.",
        "Give the member a role by hand, or set a default role.",
        "customer",
    ),
    Code(
        "decided-ignore",
        REMARK,
        "Ignored by decision",
        "Somebody decided that nothing is made of this record.",
        "Take the decision back if it was wrong.",
        "customer",
    ),
    Code(
        "decided-hold",
        REMARK,
        "Held by decision",
        "Somebody decided that this record waits.",
        "Decide what it is.",
        "customer",
    ),
    # --- Who is whom ---
    Code(
        "match-disputed",
        CASE,
        "Several answer, or one that is taken",
        "More than one record has this value, here or at the source, or the one that has it belongs to another that is there.",
        "Say which one it is, or that it is somebody new.",
        "customer",
    ),
    Code(
        "match-thin",
        CASE,
        "Perhaps the same",
        "One record answers, and the evidence is thin: another domain, another role, no site in common, or the name alone.",
        "Say whether it is the same.",
        "customer",
    ),
    Code(
        "another-person",
        CASE,
        "Another person under the same id",
        "Names and all else by which this person was known are others' now. Nothing is changed until somebody decides.",
        "Say whether it is still the same person.",
        "customer",
    ),
    Code(
        "value-taken",
        CASE,
        "Another member has this value",
        "E-mail addresses and usernames belong to one member each. The record keeps what it has; a new member is not made.",
        "Correct one of the two, or say that they are the same person.",
        "customer",
    ),
    Code(
        "target-gone",
        REMARK,
        "Record gone from the directory",
        "What this record became is not there any more. It is not made again unasked.",
        "Decide that it is to be created, if it is.",
        "customer",
    ),
    # --- Who stays ---
    Code(
        "kept-by-hand",
        REMARK,
        "Kept by hand",
        "The source does not have it any more; somebody decided that it stays.",
        "Nothing, or take the override back.",
        "customer",
    ),
    Code(
        "archived-by-hand",
        REMARK,
        "Archived by hand",
        "The source has it; somebody archived it here, and no sync brings it back.",
        "Restore it by hand if that was wrong.",
        "customer",
    ),
    Code(
        "not-owned",
        REMARK,
        "Not this connection's",
        "The source does not have it any more, and another made it: it stays.",
        "Archive it by hand if nobody needs it.",
        "customer",
    ),
    Code(
        "archive-off",
        REMARK,
        "Archiving is off",
        "The source does not have it any more; the settings archive nothing.",
        "Archive it by hand if nobody needs it.",
        "customer",
    ),
    # --- Classes ---
    Code(
        "term-over",
        REMARK,
        "Term over",
        "All terms of the class have ended.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "term-to-come",
        REMARK,
        "Term to come",
        "The class begins later, and the settings sync current terms only.",
        "Nothing: it comes with its term.",
        "nobody",
    ),
    Code(
        "between-terms",
        REMARK,
        "Between terms",
        "The class has terms before and after today, and none that is on.",
        "Nothing: it comes with its term.",
        "nobody",
    ),
    Code(
        "no-teacher-in-class",
        REMARK,
        "No teacher who is a member",
        "The settings sync classes one of whose teachers is a member.",
        "Import a teacher of the class.",
        "customer",
    ),
    Code(
        "no-students-in-class",
        REMARK,
        "No pupils",
        "The settings sync classes that contain pupils.",
        "Look at the class in the source.",
        "district",
    ),
    # --- What a target answers ---
    Code(
        "stale",
        OUTCOME,
        "Changed since the plan",
        "The record is not the one that the plan saw. It was left as it is.",
        "Run again: the next plan sees it as it is now.",
        "nobody",
    ),
    Code(
        "unknown-reference",
        OUTCOME,
        "Refers to what is not there",
        "The record refers to a site, member or group that was not made.",
        "Look at what became of that one.",
        "customer",
    ),
    Code(
        "unknown-record",
        OUTCOME,
        "Not in the directory",
        "The record that was to be changed is not there any more.",
        "Run again.",
        "target",
    ),
    Code(
        "not-supported",
        OUTCOME,
        "Not done by this directory",
        "The directory does not keep such records, or cannot do this with them.",
        "Nothing, or keep it in step by hand.",
        "target",
    ),
    Code(
        "bad-value",
        OUTCOME,
        "A value that cannot be kept",
        "A value is too long for the directory, or has a character that it cannot keep.",
        "Correct the value in the roster.",
        "district",
    ),
    # --- Undoing ---
    Code(
        "changed-since",
        REMARK,
        "Changed since the run",
        "Somebody changed this after the run that is being undone. It stays as it is.",
        "Set it by hand if it has to go back.",
        "customer",
    ),
    Code(
        "gone-since",
        REMARK,
        "Gone since the run",
        "What the run touched is not in the directory any more.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "not-undone",
        REMARK,
        "Cannot be undone",
        "What was purged is kept nowhere.",
        "Sync it again, if the roster still has it.",
        "customer",
    ),
    # --- Why an operation is in the plan ---
    Code(
        "created",
        REASON,
        "New",
        "The source has it, and nothing here answered.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "changed",
        REASON,
        "Changed",
        "The source says something else than the directory.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "back",
        REASON,
        "Back",
        "The source has it again.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "missing",
        REASON,
        "Missing",
        "Whole reads of the source did not have it, for as long as the settings ask.",
        "Nothing, where that is so.",
        "district",
    ),
    Code(
        "marked",
        REASON,
        "Marked as deleted",
        "The source says that it is to be deleted.",
        "Nothing, where that is so.",
        "district",
    ),
    Code(
        "not-enrolled",
        REASON,
        "Not enrolled",
        "The enrollments do not say any more that this person is in this class.",
        "Nothing, where that is so.",
        "district",
    ),
    Code(
        "enrolled",
        REASON,
        "Enrolled",
        "The enrollments say that this person is in this class.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "unowned",
        REASON,
        "The source never had this member",
        "The settings name this member's role among those whose members go when the source lacks them.",
        "Keep the member by hand if they belong here.",
        "customer",
    ),
    Code(
        "reused-id",
        REASON,
        "The id is another class's now",
        "Other terms, and another course or title: the source uses the id again.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "re-keyed",
        REASON,
        "Another id",
        "It is the same record, under another id of the source.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "adopted",
        REASON,
        "Taken over",
        "A group of the same site, and of the same code or title, was there.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "makes-room",
        REASON,
        "Makes room",
        "A value is emptied for a moment, so that two members can exchange theirs.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "decided",
        REASON,
        "Decided by a person",
        "Somebody decided that the link was another's.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "decision",
        REASON,
        "Linked by a person",
        "Somebody decided that it is this one.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "found",
        REASON,
        "Found again",
        "It was missing, and is there again before its time was over.",
        "Nothing.",
        "nobody",
    ),
    Code(
        "noted",
        REASON,
        "Noted",
        "What the source says is remembered; the directory has it already, or keeps its own.",
        "Nothing.",
        "nobody",
    ),
    *(
        Code(rung, REASON, f"Recognised by {what}", f"One member had the same {what}.", "Nothing.", "nobody")
        for rung, what in (
            ("key", "sourcedId"),
            ("former", "earlier id"),
            ("identifier", "identifier"),
            ("email", "e-mail address"),
            ("username", "username and name"),
            ("name", "name"),
        )
    ),
)

CATALOGUE = {one.code: one for one in CODES}


def remarks_markdown() -> str:
    """The page docs/reference/sync-codes.md."""
    titles = {
        REMARK: "Records that did not become what they say",
        CASE: "Cases: a person decides",
        OUTCOME: "What a directory answered",
        REASON: "Why an operation is in a plan",
    }
    lines = [
        "# Codes of a sync",
        "",
        "What the report of a sync says of a record, why, and who can put it right.",
    ]
    for sort, title in titles.items():
        lines += ["", f"## {title}", "", "| code | | meaning | what to do | who |", "|---|---|---|---|---|"]
        lines += [
            f"| `{one.code}` | {one.title} | {one.meaning} | {one.remedy} | {OWNERS[one.owner]} |"
            for one in CODES
            if one.sort == sort
        ]
    return "\n".join(lines) + "\n"
