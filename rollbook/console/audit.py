"""The audit log in words: what each act is called, and an entry as it is shown."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from rollbook.store.models import AuditEntry

FAMILIES = {
    "app": _("Catalogue of apps"),
    "grant": _("Apps of the district"),
    "permissions": _("Permissions"),
    "opt-out": _("Opt-outs"),
    "approval": _("Approval by a second person"),
    "key": _("Keys"),
    "allowance": _("Allowances"),
    "export": _("Export settings"),
    "disclosure": _("Disclosure"),
    "demographics": _("Demographics looked at"),
    "manual": _("Manual records"),
    "import": _("Decisions about imports"),
    "run": _("Runs"),
    "connection": _("Connections"),
    "steps": _("Steps of preparation"),
    "schedule": _("Schedules"),
    "calendar": _("Calendar"),
    "limits": _("Limits"),
    "severity": _("Severities"),
    "snapshot": _("Snapshots"),
    "operator": _("Operators"),
    "second_step": _("Sign-in methods"),
    "own_sign_in": _("Own sign-in service"),
    "session": _("Sessions"),
    "break_glass": _("Break-glass accounts"),
    "sign_in": _("Signing in"),
    "token": _("Tokens"),
    "audit": _("The audit log itself"),
}
"""The first word of an act, by which the list is narrowed."""

ACTS = {
    "access.export": _("Exported an access history"),
    "administrator.add": _("Let a person administer an organization"),
    "administrator.change": _("Changed what an administrator does"),
    "administrator.leave": _("Ended an administrator's work"),
    "allowance.change": _("Changed what an app may take in a day"),
    "app.add": _("Entered an app"),
    "app.logo": _("Changed the logo of an app"),
    "app.remove": _("Took an app out of the catalogue"),
    "approval.set": _("Changed what needs a second person"),
    "audit.export": _("Exported the audit log"),
    "bearer.make": _("Made a bearer of the partner API"),
    "break_glass.acknowledge": _("Acknowledged the use of a break-glass account"),
    "break_glass.make": _("Made a break-glass account"),
    "break_glass.tell": _("Told all installation operators of a break-glass account"),
    "break_glass.use": _("Signed in with a break-glass account"),
    "calendar.add_days": _("Added days to the calendar"),
    "calendar.remove_days": _("Removed days from the calendar"),
    "connection.add": _("Added a connection"),
    "connection.change": _("Changed a connection"),
    "connection.remove": _("Removed a connection"),
    "demographics.show": _("Looked at demographics"),
    "developer.invite": _("Invited a developer"),
    "developer.leave": _("Ended a developer's work for a partner"),
    "developer.write": _("Wrote to an app's developer"),
    "disclosure.export": _("Exported who received a person"),
    "disclosure.show": _("Looked up who received a person"),
    "district.add": _("Added the district"),
    "domains.change": _("Changed the e-mail domains"),
    "export.remove": _("Removed the export settings"),
    "export.set": _("Changed the export settings"),
    "grant.add": _("Added an app to the district"),
    "grant.change": _("Changed what an app may see"),
    "grant.disable": _("Disabled an app"),
    "grant.edit": _("Changed what is said of an app"),
    "grant.enable": _("Enabled an app"),
    "grant.remove": _("Removed an app"),
    "grant.rename": _("Renamed an app"),
    "grant.request": _("Asked for an app"),
    "group.add": _("Added a group by hand"),
    "group.archive": _("Archived a group"),
    "group.follow": _("Let a group follow the roster again"),
    "group.put-in": _("Put a member into a group"),
    "group.rename": _("Renamed a group"),
    "group.restore": _("Brought a group back"),
    "group.take-out": _("Took a member out of a group"),
    "help.answer": _("Answered a request for help"),
    "help.ask": _("Asked product support for help"),
    "import.apply": _("Applied a held import"),
    "import.raise": _("Applied a held import, raised the limits"),
    "import.reject": _("Rejected a held import"),
    "import.relink": _("Re-linked a held import"),
    "invitation.accept": _("Let a product read, as an organization asked"),
    "invitation.ask": _("Asked a district to let a product read"),
    "invitation.connect": _("Connected an organization to a district"),
    "invitation.decline": _("Declined what an organization asked"),
    "invitation.withdraw": _("Withdrew what an organization asked a district"),
    "keeping.change": _("Changed how long things are kept"),
    "key.add": _("Made a key"),
    "key.allow": _("Changed where a key may be used from"),
    "key.end_former": _("Ended a former secret"),
    "key.expire": _("Changed when a key ends"),
    "key.renew": _("Made a new secret"),
    "key.revoke": _("Revoked a key"),
    "key.show": _("Was given a key by the partner API"),
    "key.show_secret": _("Looked at a secret"),
    "key.show_secret_refused": _("Was refused a look at a secret"),
    "limits.change": _("Changed limits"),
    "limits.reset": _("Reset limits"),
    "manual.add": _("Added a record by hand"),
    "manual.delete": _("Deleted a record by hand"),
    "manual.edit": _("Changed a record by hand"),
    "manual.restore": _("Restored a record by hand"),
    "hub.add": _("Registered a product at a roster hub"),
    "hub.change": _("Changed a product's registration at a roster hub"),
    "hub.remove": _("Removed a product's registration at a roster hub"),
    "identity.end": _("Ended a member's sign-in"),
    "identity.link": _("Made a sign-in a member's"),
    "identity_provider.add": _("Added an identity provider"),
    "identity_provider.change": _("Changed an identity provider"),
    "identity_provider.remove": _("Removed an identity provider"),
    "identity_provider.switch_off": _("Switched an identity provider off"),
    "identity_provider.switch_on": _("Switched an identity provider on"),
    "member.activate": _("Gave a member a seat"),
    "member.add": _("Added a member by hand"),
    "member.archive": _("Archived a member"),
    "member.export": _("Took a list of members"),
    "member.follow": _("Let a member follow the roster again"),
    "member.let-in": _("Let a suspended member in again"),
    "member.merge": _("Made two members one"),
    "member.restore": _("Brought a member back"),
    "member.set": _("Changed a member by hand"),
    "member.suspend": _("Suspended a member"),
    "member.unmerge": _("Made two members of one again"),
    "operator.add": _("Let a person work here"),
    "operator.change": _("Changed a person's role"),
    "operator.deactivate": _("Deactivated a person"),
    "operator.password_link": _("Made a password link"),
    "operator.reactivate": _("Reactivated a person"),
    "operator.set_password": _("Set a password"),
    "opt-out.add": _("Kept a person from an app"),
    "opt-out.withdraw": _("Ended an opt-out"),
    "organization.add": _("Added an organization"),
    "organization.change": _("Changed an organization"),
    "organization_key.make": _("Made an organization's key"),
    "organization_key.revoke": _("Revoked an organization's key"),
    "own_sign_in.forget": _("Forgot by which sign-ins a person comes in"),
    "own_sign_in.keep_out": _("Was not let in by the own sign-in service"),
    "own_sign_in.link": _("Came in by the own sign-in service for the first time"),
    "own_sign_in.remove": _("Removed the own sign-in service"),
    "own_sign_in.require": _("Changed whether the own sign-in service is required"),
    "own_sign_in.set": _("Changed the own sign-in service"),
    "own_sign_in.switch_off": _("Switched the own sign-in service off"),
    "own_sign_in.switch_on": _("Switched the own sign-in service on"),
    "partner.add": _("Added a partner"),
    "partner_key.expire": _("Changed when a partner's key ends"),
    "partner_key.make": _("Made a partner's key"),
    "partner_key.revoke": _("Revoked a partner's key"),
    "permissions.approved": _("Approved permissions"),
    "permissions.ask": _("Asked for a second person's approval"),
    "permissions.rejected": _("Rejected permissions"),
    "permissions.save": _("Changed permissions"),
    "permissions.withdrawn": _("Withdrew permissions that waited"),
    "product.add": _("Added a product"),
    "product.app": _("Said which app a product is"),
    "run.apply_preview": _("Applied a preview"),
    "run.begin": _("Began a run"),
    "run.cancel": _("Cancelled a run"),
    "schedule.clear": _("Ended a schedule"),
    "schedule.set": _("Set a schedule"),
    "second_step.add": _("Added a sign-in method"),
    "second_step.make_codes": _("Made recovery codes"),
    "second_step.remove": _("Removed a sign-in method"),
    "second_step.require": _("Changed whether a second step is required"),
    "second_step.reset": _("Reset the sign-in methods of a person"),
    "session.end": _("Ended a session"),
    "session.end_all": _("Ended all sessions of a person"),
    "session.end_others": _("Ended all other sessions"),
    "severity.change": _("Changed a severity"),
    "sign_in.ask_password": _("Asked for a password link"),
    "sign_in.end": _("Signed out"),
    "sign_in.fail": _("Failed to sign in"),
    "sign_in.fail_second_step": _("Gave a wrong second step"),
    "sign_in.keep_out": _("A member was not let in"),
    "sign_in.refuse": _("Was not let in: the account is deactivated"),
    "sign_in.succeed": _("Signed in"),
    "sign_in.throttle": _("Was kept out after too many tries"),
    "sign_in_review.dismiss": _("Decided that a sign-in is nobody's"),
    "sign_in_review.link": _("Decided whose a sign-in is"),
    "site.add": _("Added a site by hand"),
    "site.follow": _("Let a site follow the roster again"),
    "site.rename": _("Renamed a site"),
    "site.restore": _("Brought a site back"),
    "snapshot.download": _("Downloaded a snapshot"),
    "snapshot.remove": _("Removed a snapshot"),
    "steps.save": _("Saved steps of preparation"),
    "support.look": _("Looked at people's records to help, with a reason"),
    "sync.add_days": _("Put days into a sync's calendar"),
    "sync.aim": _("Changed where a sync goes"),
    "sync.approve": _("Let through what a sync held or showed"),
    "sync.begin": _("Began a sync"),
    "sync.cancel": _("Cancelled a sync"),
    "sync.change": _("Changed a sync connection"),
    "sync.connect": _("Connected a source to a directory"),
    "sync.decide": _("Decided about a record of a source"),
    "sync.discard": _("Discarded what a sync held"),
    "sync.drop": _("Dropped a connection that never ran"),
    "sync.import": _("Imported people by hand"),
    "sync.not_prove": _("Signed in somewhere, and proved no district by it"),
    "sync.prove": _("Proved by signing in which district's roster is read"),
    "sync.raise": _("Raised a limit that held a part of a sync"),
    "sync.remove_days": _("Took days out of a sync's calendar"),
    "sync.resume": _("Gave a sync that stood still to another worker"),
    "sync.state": _("Activated, paused or ended a sync connection"),
    "sync.switch": _("Switched between classes and groups"),
    "sync.withdraw": _("Withdrew a change of a sync's settings"),
    "token.add": _("Made a token"),
    "token.revoke": _("Revoked a token"),
}

DOORS = {
    "console": _("Console"),
    "command line": _("Command line"),
    "API": _("Program"),
    "partner API": _("Partner's program"),
    "Rollbook": _("By itself"),
}


@dataclass(frozen=True)
class Value:
    """One value that an act changed; None where it was not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Line:
    """An entry as it is listed."""

    entry: AuditEntry
    at: datetime
    words: Any
    door: Any
    values: list[Value]


def line_of(entry: AuditEntry) -> Line:
    at = datetime.fromtimestamp(entry.at / 1000, UTC)
    words, door = ACTS.get(entry.act, entry.act), DOORS.get(entry.door, entry.door)
    return Line(entry, at, words, door, _values(json.loads(entry.before), json.loads(entry.after)))


def _values(before: dict[str, Any], after: dict[str, Any]) -> list[Value]:
    return [Value(name, _text(before, name), _text(after, name)) for name in sorted({*before, *after})]


def _text(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
