"""`rollbook grant`, the part about permissions: looked at before they are saved, their versions, fields, days, opt-outs, and a second person."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import show
from rollbook.engine.approval import Wanted
from rollbook.engine.scope import Rule, Treatment, rule_of
from rollbook.flows import approvals, opt_outs, permission_edits
from rollbook.flows.apps import find_grant
from rollbook.flows.districts import find_district
from rollbook.flows.permission_edits import Days, Preview
from rollbook.oneroster.treatments import fields_of, treatments_of
from rollbook.store.foresight import Example
from rollbook.store.models import Grant, OptOut, PermissionRequest

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]
RequestNumber = Annotated[int, typer.Argument(help="The number that `rollbook grant requests` shows.")]
Why = Annotated[str, typer.Option(help="Why; kept with the version.")]
RuleFile = Annotated[
    Path | None,
    typer.Option(
        "--rule",
        exists=True,
        dir_okay=False,
        help="A file with the permissions as JSON, as `grant history --json` shows them.",
    ),
]
Version = Annotated[int | None, typer.Option("--version", help="An earlier version of this grant.")]
Like = Annotated[int | None, typer.Option("--like", help="The permissions of this other grant.")]
StartsOn = Annotated[
    str | None,
    typer.Option("--starts-on", help="The first day on which the app sees anything; empty for no bound."),
]
EndsOn = Annotated[str | None, typer.Option("--ends-on", help="The last day; empty for no bound.")]


def register(verbs: typer.Typer) -> None:
    """Adds the commands to those of `rollbook grant`."""
    for name, command in COMMANDS.items():
        verbs.command(name)(command)


# --- Editing ----------------------------------------------------------------------------------------------------------------------------


def preview(
    number: Number, rule: RuleFile = None, version: Version = None, like: Like = None, as_json: AsJson = False
) -> None:
    """Show what other permissions would add and take away, without saving them."""
    grant = find_grant(number)
    wanted, days = _wanted(grant, rule, version, like)
    shown = permission_edits.preview_permissions(grant, wanted, days)
    if as_json:
        typer.echo(json.dumps(_told(shown), ensure_ascii=False))
    else:
        _tell(shown)


def edit(
    number: Number,
    rule: RuleFile = None,
    starts_on: StartsOn = None,
    ends_on: EndsOn = None,
    why: Why = "",
) -> None:
    """Save permissions from a file, or other days. Where the district wants a second person for it, it waits for one."""
    grant = find_grant(number)
    wanted, days = _wanted(grant, rule, None, None)
    days = (_day(starts_on, days[0]), _day(ends_on, days[1]))
    say(grant, permission_edits.edit_permissions(grant, wanted, days, why=why))


def history(number: Number, as_json: AsJson = False) -> None:
    """Show every version of a grant's permissions, the latest first."""
    found = permission_edits.versions_of(find_grant(number))
    rows = [
        {
            "version": one.number,
            "at": f"{one.at:%Y-%m-%d %H:%M}",
            "by": one.by,
            "why": one.why,
            "level": str(Rule.parse(one.rule).level),
            "startsOn": one.starts_on,
            "endsOn": one.ends_on,
        }
        | ({"rule": Rule.parse(one.rule).as_json()} if as_json else {})
        for one in found
    ]
    show(rows, as_json, "`rollbook grant edit` makes the first version")


def restore(
    number: Number, version: Annotated[int, typer.Argument(help="The version's number.")], why: Why = ""
) -> None:
    """Save an earlier version of a grant's permissions again."""
    grant = find_grant(number)
    say(grant, permission_edits.restore(grant, version, why=why))


def copy(
    source: Annotated[int, typer.Argument(help="The grant whose permissions are copied.")],
    number: Number,
    why: Why = "",
) -> None:
    """Let an app see what another app of the district sees."""
    grant = find_grant(number)
    say(grant, permission_edits.copy_permissions(find_grant(source), grant, why=why))


def fields(
    number: Number,
    chosen: Annotated[
        list[str] | None,
        typer.Argument(
            help="COLLECTION.FIELD=TREATMENT, for example users.email=omit or demographics.birthDate=mask."
        ),
    ] = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Share, omit, mask or pseudonymise fields for one app; without any named, show how each is treated."""
    grant = find_grant(number)
    rule = permission_edits.rule_now(grant)
    if not chosen:
        return show(_field_rows(rule), as_json)
    treated = {(of, name): treatment for of, name, treatment in rule.fields} | dict(map(_treatment, chosen))
    kept = tuple(sorted((of, name, one) for (of, name), one in treated.items() if one is not Treatment.SHARE))
    days = (grant.starts_on, grant.ends_on)
    say(
        grant,
        permission_edits.edit_permissions(
            grant, Rule(rule.level, rule.scopes, rule.deleted, kept), days, why=why
        ),
    )


def _wanted(grant: Grant, file: Path | None, version: int | None, like: int | None) -> tuple[Rule, Days]:
    """The permissions meant, and the days they come with; those there are where nothing is named."""
    days = (grant.starts_on, grant.ends_on)
    if file is not None:
        try:
            return rule_of(json.loads(file.read_text(encoding="utf-8"))), days
        except ValueError as fault:
            raise typer.BadParameter(f"{file} holds no JSON: {fault}") from fault
    if version is not None:
        stored = permission_edits.version_of(grant, version)
        return Rule.parse(stored.rule), (stored.starts_on, stored.ends_on)
    return permission_edits.rule_now(find_grant(like) if like is not None else grant), days


def _day(given: str | None, now: str | None) -> str | None:
    return now if given is None else given or None


def _treatment(text: str) -> tuple[tuple[str, str], Treatment]:
    name, equals, treatment = text.partition("=")
    collection, dot, field = name.partition(".")
    if not equals or not dot or treatment not in list(Treatment):
        raise typer.BadParameter(f"{text}: write COLLECTION.FIELD={'|'.join(Treatment)}.")
    return (collection, field), Treatment(treatment)


def _field_rows(rule: Rule) -> list[dict[str, object]]:
    treated = {(of, name): treatment for of, name, treatment in rule.fields}
    named = [(of, name) for of in TREATED for name in fields_of(of)]
    named += [key for key in treated if key not in named]
    return [
        {
            "field": f"{of}.{name}",
            "treatment": str(treated.get((of, name), Treatment.SHARE)),
            "possible": list(treatments_of(of, name)),
        }
        for of, name in named
    ]


TREATED = ("users", "demographics", "classes", "courses", "orgs", "academicSessions", "enrollments")


def say(grant: Grant, request: PermissionRequest | None) -> None:
    """What came of an edit: a version, or a request that waits."""
    if request is None:
        typer.echo(f"Grant {grant.pk} has version {grant.version} of its permissions: {grant.permission}.")
    else:
        because = ", ".join(approvals.WORDS[reason] for reason in request.reasons)
        typer.echo(f"Request {request.pk} waits for a second person, because {because}.")


# --- What is shown before saving ----------------------------------------------------------------------------------------------------------


def _tell(shown: Preview) -> None:
    show([vars(one) for one in shown.counts], False)
    if shown.reference:
        typer.echo(
            f"For reference only, above the organizations chosen: {', '.join(one.name for one in shown.reference)}."
        )
    if shown.places:
        typer.echo("")
        show([vars(one) for one in shown.places], False)
    for example in shown.examples:
        typer.echo("")
        _tell_example(example)
    for reason in shown.reasons:
        typer.echo(f"A second person has to approve this: {approvals.WORDS[reason]}.")


def _tell_example(example: Example) -> None:
    """What of a record differs; of one that stays as it is, only its id."""
    before, after = example.before or {}, example.after or {}
    word = "stays" if before == after else "comes" if not before else "goes" if not after else "changes"
    typer.echo(f"users {example.sourced_id} {word}")
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            typer.echo(f"    {name}: {_text(before.get(name))} -> {_text(after.get(name))}")


def _text(value: Any) -> str:
    if value in (None, "", []):
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _told(shown: Preview) -> dict[str, Any]:
    return {
        "counts": [vars(one) for one in shown.counts],
        "places": [
            {
                "sourcedId": one.sourced_id,
                "name": one.name,
                "peopleAdded": one.people_added,
                "peopleRemoved": one.people_removed,
                "classesAdded": one.classes_added,
                "classesRemoved": one.classes_removed,
            }
            for one in shown.places
        ],
        "examples": [
            {"sourcedId": one.sourced_id, "before": one.before, "after": one.after} for one in shown.examples
        ],
        "reasons": list(shown.reasons),
        "forReference": [
            {"sourcedId": one.sourced_id, "name": one.name, "type": one.type} for one in shown.reference
        ],
    }


# --- Opting out ---------------------------------------------------------------------------------------------------------------------------


def opt_out(
    district: DistrictName,
    person: Annotated[str, typer.Argument(help="The person's sourcedId.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")],
    grant: Annotated[int | None, typer.Option(help="Only for this grant; without it, for every app.")] = None,
    starts_on: Annotated[str | None, typer.Option("--from", help="The first day; today without it.")] = None,
    ends_on: Annotated[
        str | None, typer.Option("--to", help="The last day; without it there is none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell an app, or every app, nothing of a person, whatever its permissions and the imports say."""
    found = find_district(district)
    one = find_grant(grant) if grant is not None else None
    made = opt_outs.opt_out(found, person, one, reason, starts_on=starts_on, ends_on=ends_on)
    words = f"Opt-out {made.pk}: {_whom(made)} is told nothing of {person} from {made.starts_on} on."
    typer.echo(json.dumps(_opt_out_row(made)) if as_json else words)


def opt_in(
    number: Annotated[int, typer.Argument(help="The number that `rollbook grant opt-outs` shows.")],
) -> None:
    """End an opt-out."""
    opt_outs.withdraw(opt_outs.find_opt_out(number))
    typer.echo(f"Opt-out {number} is withdrawn.")


def list_opt_outs(
    district: DistrictName,
    grant: Annotated[int | None, typer.Option(help="Only those that concern this grant.")] = None,
    withdrawn: Annotated[bool, typer.Option("--all", help="Those that were withdrawn too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show who has opted out."""
    one = find_grant(grant) if grant is not None else None
    found = opt_outs.opt_outs_of(find_district(district), one, withdrawn=withdrawn)
    show([_opt_out_row(made) for made in found], as_json, "`rollbook grant opt-out` leaves somebody out")


def _opt_out_row(made: OptOut) -> dict[str, object]:
    return {
        "optOut": made.pk,
        "sourcedId": opt_outs.sourced_id_of(made),
        "of": _whom(made),
        "from": made.starts_on,
        "to": made.ends_on,
        "reason": made.reason,
        "by": made.by,
        "withdrawn": made.withdrawn_at is not None,
    }


def _whom(made: OptOut) -> str:
    return made.grant.title if made.grant else "every app"


# --- A second person ----------------------------------------------------------------------------------------------------------------------


def approval(
    district: DistrictName,
    full: Annotated[bool | None, typer.Option(help="To let an app see everything.")] = None,
    demographics: Annotated[bool | None, typer.Option(help="To add demographics.")] = None,
    people: Annotated[
        str | None, typer.Option(help="To add more people than this number at once; any ends it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what needs a second person in a district; without options, show it."""
    found = find_district(district)
    wanted = approvals.approval_of(found)
    if (full, demographics, people) != (None, None, None):
        wanted = Wanted(
            wanted.full if full is None else full,
            wanted.demographics if demographics is None else demographics,
            wanted.people if people is None else _people(people),
        )
        approvals.set_approval(found, wanted)
    show([vars(wanted)], as_json)


def _people(text: str) -> int | None:
    if text != "any" and not text.isdecimal():
        raise typer.BadParameter(f"{text}: write a number, or any.")
    return None if text == "any" else int(text)


def requests(district: DistrictName, as_json: AsJson = False) -> None:
    """Show the edits that wait for a second person."""
    show(
        [_request_row(one) for one in approvals.open_requests(find_district(district))],
        as_json,
        "nothing waits for an approval; `rollbook grant approval` says what would",
    )


def _request_row(one: PermissionRequest) -> dict[str, object]:
    return {
        "request": one.pk,
        "grant": one.grant_id,
        "app": one.grant.title,
        "reasons": one.reasons,
        "people": one.people,
        "askedBy": one.asked_by,
        "why": one.why,
    }


def approve(
    number: RequestNumber,
    answer: Annotated[str, typer.Option(help="What to say to it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Save an edit that waits. Not by who asked for it."""
    grant = approvals.approve(approvals.find_request(number), answer)
    told = {"request": number, "grant": grant.pk, "version": grant.version}
    words = f"Request {number} is approved: grant {grant.pk} has version {grant.version} of its permissions."
    typer.echo(json.dumps(told) if as_json else words)


def reject(number: RequestNumber, answer: Annotated[str, typer.Option(help="Why not.")]) -> None:
    """Do not save an edit that waits. Not by who asked for it."""
    approvals.reject(approvals.find_request(number), answer)
    typer.echo(f"Request {number} is rejected.")


def withdraw(number: RequestNumber) -> None:
    """Take back what you asked for."""
    approvals.withdraw(approvals.find_request(number))
    typer.echo(f"Request {number} is withdrawn.")


COMMANDS: dict[str, Callable[..., None]] = {
    "preview": preview,
    "edit": edit,
    "history": history,
    "restore": restore,
    "copy": copy,
    "fields": fields,
    "opt-out": opt_out,
    "opt-in": opt_in,
    "opt-outs": list_opt_outs,
    "approval": approval,
    "requests": requests,
    "approve": approve,
    "reject": reject,
    "withdraw": withdraw,
}
