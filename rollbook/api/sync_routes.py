"""The addresses under /api/v1/sync, for an organization's own programs: its syncs, as data, with schemas. Its key opens them."""

from rollbook.api.route import MOMENT, NUMBER, TEXT, Route, Schema

OF_SYNC = "/sync/"
"""What the paths begin with that a key of an organization opens, and no token does."""

TEXTS: Schema = {"type": "array", "items": TEXT}
NUMBERS: Schema = {"type": "array", "items": NUMBER}
FLAG: Schema = {"type": "boolean"}
WORDS: Schema = {"type": "object", "additionalProperties": TEXT}
ANY: Schema = {"type": "object"}

OPENED = {
    401: "No key of an organization, or one that was revoked.",
    429: "Too many requests in a minute.",
}
GONE = {404: "The organization of this key has no such thing."}
BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and cannot be so: the answer says why.",
}
READY = {
    403: "The organization's plan does not include it.",
    409: "The connection is not active, today is a blackout, or it is out of date: the answer says which.",
}
CONNECTION = "/sync/connections/{connection}"
RUN = "/sync/runs/{run}"
MEMBER = "/sync/members/{member}"
PAGE = ("page", NUMBER, "Which page of 500, from 1 on.")
KIND = ("kind", TEXT, "Only sites, members, groups or memberships.")
CHANGED = {409: "It cannot be done as they are now: the answer says why."}
OUTCOME = (
    "outcome",
    TEXT,
    "Only done, planned, held, left-out, noted, wrong, reject, conflict or retry.",
)

SYNC_ROUTES = (
    Route(
        ("GET",), "/sync/connections", "sync_connections", "The sync connections of the key's organization.",
        {200: "All of them.", **OPENED}, schema="SyncConnections",
    ),
    Route(
        ("POST",), "/sync/connections", "sync_connect",
        "Connect a source. It is requested: nothing runs before those who run this installation activate it.",
        {201: "It is made.", **BAD, **OPENED}, schema="SyncConnection", body="SyncConnectionToAdd",
    ),
    Route(
        ("GET",), CONNECTION, "sync_connection", "A sync connection with its settings; secrets are never shown.",
        {200: "As it is now.", **GONE, **OPENED}, schema="SyncConnection",
    ),
    Route(
        ("PATCH",), CONNECTION, "sync_edit",
        "Change its settings. What is not sent stays; another source needs its secrets with it, and plans made before are out of date.",
        {200: "As it is now.", **BAD, **GONE, **OPENED}, schema="SyncConnection", body="SyncConnectionChanges",
    ),
    Route(
        ("POST",), f"{CONNECTION}/test", "sync_test", "Ask the source what it has. Nothing is read into the directory.",
        {200: "What it said, or what is wrong.", 409: "It has asked to be left alone for now.", **GONE, **OPENED}, schema="SyncTest",
    ),
    Route(
        ("POST",), f"{CONNECTION}/pause", "sync_pause", "Let nothing begin until it is activated again.",
        {200: "As it is now.", 409: "It is not active.", 400: BAD[400], **GONE, **OPENED}, schema="SyncConnection", body="Why",
    ),
    Route(
        ("GET",), f"{CONNECTION}/schools", "sync_schools", "Which school of the source is which site, as it was read last.",
        {200: "By name.", 409: "It was never read.", **GONE, **OPENED}, schema="SyncSchools",
    ),
    Route(
        ("GET",), f"{CONNECTION}/cases", "sync_cases", "What only a person may decide, the oldest first.",
        {200: "All that wait.", **GONE, **OPENED}, schema="SyncCases",
    ),
    Route(
        ("POST",), f"{CONNECTION}/decisions", "sync_decide",
        "Say what a record of the source is: link (to a record, or for a school by grade to several sites), create, ignore or hold; "
        "forget takes that back.",
        {204: "It counts from the next sync on.", **BAD, **GONE, **OPENED}, body="SyncDecision",
    ),
    Route(
        ("GET",), f"{CONNECTION}/days", "sync_days", "Days on which it changes nothing, or only adds.",
        {200: "By their first day.", **GONE, **OPENED}, schema="SyncDays",
    ),
    Route(
        ("POST",), f"{CONNECTION}/days", "sync_add_days", "Put days into its calendar, by the organization's clock.",
        {201: "They are in it.", **BAD, **GONE, **OPENED}, schema="SyncDay", body="SyncDaysToAdd",
    ),
    Route(
        ("DELETE",), f"{CONNECTION}/days/{{days}}", "sync_remove_days", "Take days out of its calendar.",
        {204: "They are.", **GONE, **OPENED},
    ),
    Route(
        ("GET",), f"{CONNECTION}/runs", "sync_runs", "Its latest 25 runs.", {200: "The latest first.", **GONE, **OPENED},
        schema="SyncRuns",
    ),
    Route(
        ("POST",), f"{CONNECTION}/runs", "sync_begin",
        "Sync now: everything, only what changed (delta), or single people, classes or schools (focus). With preview it is only shown, "
        "as the first always is.",
        {202: "It waits for its turn; Location is its address.", **BAD, **READY, **GONE, **OPENED}, schema="SyncRun",
        body="SyncRunToBegin",
    ),
    Route(
        ("POST",), f"{CONNECTION}/switch", "sync_switch",
        "Show what it takes to make classes groups, or groups classes; approving that run does it. No membership is lost.",
        {202: "It waits for its turn; Location is its address.", **BAD, **READY, **GONE, **OPENED}, schema="SyncRun", body="SyncForm",
    ),
    Route(
        ("POST",), f"{CONNECTION}/look", "sync_look", "Ask the source who is there now, so that the candidates are those of this moment.",
        {202: "It waits for its turn; Location is its address.", **READY, **GONE, **OPENED}, schema="SyncRun",
    ),
    Route(
        ("GET",), f"{CONNECTION}/candidates", "sync_candidates",
        "Who may be imported, as the source was read last: those who have an account are not in it.",
        {200: "By name.", 409: "It was never read.", **GONE, **OPENED}, schema="SyncCandidates",
    ),
    Route(
        ("POST",), f"{CONNECTION}/import", "sync_import",
        "Import people, with roles and sites by hand where they are given; for each who is, a sync of their classes is queued.",
        {200: "One result each, in their order.", **BAD, **READY, **GONE, **OPENED}, schema="SyncImported", body="SyncImport",
    ),
    Route(
        ("GET",), f"{CONNECTION}/explain", "sync_explain",
        "Explain a record end to end: where it was read, the rules it met, what the next sync would do, what earlier ones did.",
        {200: "Everything that is known of it.", 409: "It was never read.", **BAD, **GONE, **OPENED}, schema="SyncExplained",
        query=(
            ("kind", TEXT, "members (where nothing is said), groups or sites."),
            ("sourcedId", TEXT, "The record of the source."),
            ("record", TEXT, "Or the number of the record that it became."),
        ),
    ),
    Route(
        ("GET",), f"{CONNECTION}/states.csv", "sync_states_csv",
        "Every site, person and class of the source, as it was read last: which record it is, its state, and why it is none or waits.",
        {200: "A header, then a row for each.", 409: "It was never read.", **GONE, **OPENED},
    ),
    Route(("GET",), RUN, "sync_run", "A run: how far it is, and its report.", {200: "As it is now.", **GONE, **OPENED}, schema="SyncRun"),
    Route(
        ("GET",), f"{RUN}/records", "sync_records", "Every record of a run with what became of it and why.",
        {200: "In the order of its plan.", **GONE, **OPENED}, query=(KIND, OUTCOME, PAGE), schema="SyncRecords",
    ),
    Route(("GET",), f"{RUN}/report.csv", "sync_report_csv", "The same as CSV.", {200: "A header, then a row for each.", **GONE, **OPENED}),
    Route(
        ("POST",), f"{RUN}/approve", "sync_approve",
        "Carry out a preview exactly as it was shown, with the bundles that are ticked, or what a run held: without holds, all of it.",
        {202: "It waits for its turn again.", **BAD, **READY, **GONE, **OPENED}, schema="SyncRun", body="SyncApproval",
    ),
    Route(
        ("POST",), f"{RUN}/discard", "sync_discard", "Never carry out what it held; without holds, all of it.",
        {200: "As it is now.", 409: "Nothing of it waits.", **BAD, **GONE, **OPENED}, schema="SyncRun", body="SyncDiscard",
    ),
    Route(
        ("POST",), f"{RUN}/cancel", "sync_cancel", "End it at its next safe point. What it has done stays; the next run finds the rest.",
        {200: "As it is now.", 409: "It has ended already.", **GONE, **OPENED}, schema="SyncRun",
    ),
    Route(
        ("POST",), f"{RUN}/undo", "sync_undo",
        "Show what it takes to take back what it did, where nobody has changed it since; approving that run does it, and pauses the connection.",
        {202: "It waits for its turn; Location is its address.", **READY, **GONE, **OPENED}, schema="SyncRun",
    ),
    Route(
        ("GET",), "/sync/members", "sync_members", "The people of the directory, 500 at a time; those who are archived only if asked for.",
        {200: "By number; `after` is where the next page begins, null behind the last.", 400: "`after` is no number.", **OPENED},
        schema="SyncMembers",
        query=(
            ("after", NUMBER, "Only those with a greater number."),
            ("state", TEXT, "Only pending, inactive, active, suspended or archived."),
            ("role", TEXT, "Only those with this role."),
            ("search", TEXT, "Words of names or addresses."),
        ),
    ),
    Route(("GET",), MEMBER, "sync_member", "One of them.", {200: "As they are now.", **GONE, **OPENED}, schema="SyncMember"),
    Route(
        ("POST",), f"{MEMBER}/activate", "sync_activate_member", "Take a seat for a member; it takes none from one who is active already.",
        {200: "As they are now.", 400: BAD[400], **CHANGED, **GONE, **OPENED}, schema="SyncMember", body="Nothing",
    ),
    Route(
        ("POST",), f"{MEMBER}/archive", "sync_archive_member",
        "Archive a member: they are gone with all they are in, their seat is free, and no sync brings them back.",
        {200: "As they are now.", 400: BAD[400], **CHANGED, **GONE, **OPENED}, schema="SyncMember", body="Why",
    ),
    Route(
        ("POST",), f"{MEMBER}/restore", "sync_restore_member",
        "Bring an archived member back, with all they were in. Syncs leave them there until the roster has them again.",
        {200: "As they are now.", 400: BAD[400], **CHANGED, **GONE, **OPENED}, schema="SyncMember", body="Why",
    ),
)  # fmt: skip


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}


def _list(name: str, of: str) -> Schema:
    return _object((name,), **{name: {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}})


SYNC_SCHEMAS: dict[str, Schema] = {
    "SyncConnection": _object(
        ("id", "name", "kind", "state", "source", "settings", "next"),
        id=NUMBER,
        name=TEXT,
        kind=TEXT,
        preset=TEXT,
        target=TEXT,
        state={"type": "string", "enum": ["requested", "waiting", "active", "paused", "disconnected"]},
        stateWhy=TEXT,
        source={**ANY, "description": "The settings of its source, without secrets."},
        settings={**ANY, "description": "docs/reference/sync-settings.md says what they mean."},
        next={**TEXT, "description": "When it begins by itself next, by the organization's clock; empty: it does not."},
        blackoutUntil=MOMENT | {"format": "date"},
        additionsOnlyUntil=MOMENT | {"format": "date"},
    ),
    "SyncConnections": _list("connections", "SyncConnection"),
    "SyncConnectionToAdd": _object(
        ("name", "kind"),
        name=TEXT,
        kind=TEXT,
        preset=TEXT,
        source={**WORDS, "description": "docs/reference/connections.md lists what each kind needs."},
        secrets=WORDS,
        settings=ANY,
    ),
    "SyncConnectionChanges": _object(name=TEXT, source=WORDS, secrets=WORDS, settings=ANY),
    "SyncTest": _object(("answers", "found"), answers=FLAG, found=TEXTS),
    "Why": _object(why=TEXT),
    "Nothing": _object(),
    "SyncSchool": _object(
        ("sourcedId", "name", "state", "site"),
        sourcedId=TEXT, name=TEXT, identifier=TEXT, state=TEXT, site=TEXT, siteName=TEXT, foundBy=TEXT, decision=TEXT,
        byGrade=WORDS, alike={"type": "array", "items": _object(("site", "name"), site=TEXT, name=TEXT)},
    ),
    "SyncSchools": _list("schools", "SyncSchool"),
    "SyncCase": _object(
        ("kind", "sourcedId", "code"),
        kind=TEXT, sourcedId=TEXT, code=TEXT, field=TEXT, records=TEXTS, others=TEXTS, since=MOMENT,
    ),
    "SyncCases": _list("cases", "SyncCase"),
    "SyncDecision": _object(
        ("kind", "sourcedId", "action"),
        kind={"type": "string", "enum": ["sites", "members", "groups"]},
        sourcedId=TEXT,
        action={"type": "string", "enum": ["link", "create", "ignore", "hold", "forget"]},
        record=TEXT,
        byGrade=WORDS,
        why=TEXT,
    ),
    "SyncDay": _object(
        ("id", "kind", "from", "until"),
        **{"id": NUMBER, "kind": TEXT, "from": TEXT, "until": TEXT, "why": TEXT, "addedBy": TEXT},
    ),
    "SyncDays": _list("days", "SyncDay"),
    "SyncDaysToAdd": _object(
        ("kind", "from", "until"),
        **{"kind": {"type": "string", "enum": ["blackout", "additions-only"]}, "from": TEXT, "until": TEXT, "why": TEXT},
    ),
    "SyncRun": _object(
        ("id", "connection", "kind", "state", "phase", "percent", "outcome", "message", "href"),
        id=NUMBER,
        connection=NUMBER,
        kind=TEXT,
        preview=FLAG,
        state={"type": "string", "enum": ["waiting", "running", "ended"]},
        phase=TEXT,
        percent=NUMBER,
        done=NUMBER,
        known={**NUMBER, "description": "0: nobody knows."},
        ahead={**NUMBER, "description": "So many runs of the organization come before it."},
        notBefore={**MOMENT, "description": "Its source has asked to be left alone until then."},
        outcome={**TEXT, "description": "Empty while it runs; then success, partly, empty, previewed, held, incomplete, drifted, and others."},
        message=TEXT,
        startedBy=TEXT,
        startedAt=MOMENT,
        endedAt=MOMENT,
        href={**TEXT, "format": "uri"},
        report={**ANY, "description": "Once it is planned: what is planned and was done by kind, holds, remarks, what was read."},
    ),
    "SyncRuns": _list("runs", "SyncRun"),
    "SyncRunToBegin": _object(
        preview=FLAG,
        onlyAdds=FLAG,
        delta=FLAG,
        focus=_object(people=TEXTS, classes=TEXTS, schools=TEXTS),
    ),
    "SyncForm": _object(("form",), form={"type": "string", "enum": ["class", "group"]}),
    "SyncRecord": _object(
        ("kind", "what", "outcome", "sourcedId"),
        number=NUMBER, kind=TEXT, what=TEXT, outcome=TEXT, sourcedId=TEXT, record=TEXT, reason=TEXT, words=TEXT,
        changes={"type": "object", "additionalProperties": _object(old=TEXT, new=TEXT)},
    ),
    "SyncRecords": _object(
        ("page", "records"), page=NUMBER, records={"type": "array", "items": {"$ref": "#/components/schemas/SyncRecord"}}
    ),
    "SyncApproval": _object(tick=TEXTS, holds=NUMBERS, why=TEXT),
    "SyncDiscard": _object(("why",), holds=NUMBERS, why=TEXT),
    "SyncCandidate": _object(
        ("sourcedId",),
        sourcedId=TEXT, givenName=TEXT, familyName=TEXT, email=TEXT, rosterRoles=TEXTS, roles=TEXTS, sites=TEXTS, classes=TEXTS,
    ),
    "SyncCandidates": _list("candidates", "SyncCandidate"),
    "SyncImport": _object(
        ("people",), people={"type": "array", "items": _object(("sourcedId",), sourcedId=TEXT, roles=TEXTS, sites=TEXTS)}
    ),
    "SyncImported": _object(
        ("people", "groupSyncs"),
        people={"type": "array", "items": _object(("sourcedId", "outcome"), sourcedId=TEXT, outcome=TEXT, member=TEXT, why=TEXT)},
        groupSyncs=NUMBERS,
    ),
    "SyncMember": _object(
        ("id", "sourcedId", "givenName", "familyName", "email", "username", "state", "roles", "sites", "grade"),
        id=NUMBER, sourcedId=TEXT, givenName=TEXT, familyName=TEXT, email=TEXT, username=TEXT, grade=TEXT, roles=TEXTS,
        state={"type": "string", "enum": ["pending", "inactive", "active", "suspended", "archived"]},
        sites={**TEXTS, "description": "Numbers of records, as `site` of a school says them."},
    ),
    "SyncMembers": _object(
        ("members", "after"),
        members={"type": "array", "items": {"$ref": "#/components/schemas/SyncMember"}}, after={"type": ["integer", "null"]},
    ),
    "SyncExplained": _object(("kind", "sourcedId", "steps"), kind=TEXT, sourcedId=TEXT, source=ANY, steps={"type": "array", "items": ANY}),
}  # fmt: skip
