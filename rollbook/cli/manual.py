"""`rollbook manual`: people and enrollments kept by hand."""

import json
from typing import Annotated, Any

import typer

from rollbook.cli.columns import show
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.flows.manual import acts
from rollbook.flows.manual.acts import Shown, Wanted
from rollbook.flows.manual.entries import Entry, Text, entry_of, new_id
from rollbook.flows.manual.records import STATUSES, manual_enrollments, manual_people
from rollbook.oneroster.collections import COLLECTION
from rollbook.store.models import Class, District, Run, User

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON; applies only with --yes.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
DistrictName = Annotated[str, typer.Argument(help="The district's Tenant ID or name.")]
SourcedId = Annotated[str, typer.Argument(help="The record's sourcedId: `rollbook manual list` shows it.")]
OwnId = Annotated[
    str, typer.Option("--id", help="Its sourcedId, by which apps will know it; else one is made.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Another field as NAME=VALUE, by the name of the CSV column. Repeat for more."
    ),
]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help="What the person is and where, as ROLE@ORG, for example teacher@school-1. Repeat for more; the first is the main one."
        " Dates, if any, follow as ROLE@ORG,2026-08-01,2027-06-30.",
    ),
]
SeatRole = Annotated[str, typer.Option("--role", help="student, teacher, administrator or proctor.")]

verbs = typer.Typer(
    no_args_is_help=True, help="People and enrollments kept by hand, beside what imports bring."
)
people = typer.Typer(no_args_is_help=True, help="People kept by hand.")
seats = typer.Typer(no_args_is_help=True, help="Enrollments kept by hand, of whomever in whichever class.")
verbs.add_typer(people, name="user")
verbs.add_typer(seats, name="enroll")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="manual")


@verbs.command("list")
def list_manual(
    district: DistrictName,
    search: Annotated[
        str, typer.Option(help="Only what has these words in names, ids, usernames or e-mails.")
    ] = "",
    status: Annotated[str, typer.Option(help="active, deleted or all.")] = "active",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show the manual records of a district."""
    if status not in STATUSES:
        raise typer.BadParameter(f"{status}: write active, deleted or all.")
    found = find_district(district)
    rows = [_person_row(one) for one in manual_people(found, search, status)]
    show(
        rows + _seat_rows(found, search, status), as_json, "`rollbook manual user add` adds somebody by hand"
    )


@people.command("add")
def add_person(
    district: DistrictName,
    given_name: Annotated[str, typer.Option(help="Given name.")],
    family_name: Annotated[str, typer.Option(help="Family name.")],
    username: Annotated[str, typer.Option(help="What the person signs in with.")],
    roles: Roles = None,
    values: Set = None,
    own_id: OwnId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Add a person. What would change is shown first."""
    named = {"givenName": given_name, "familyName": family_name, "username": username}
    typed = {"enabledUser": "true", **named, **_typed("users", values)}
    entry = Entry("users", own_id or new_id(), typed, _roles(roles or [], ()))
    _go(find_district(district), Wanted("add", entry), yes, as_json)


@people.command("edit")
def edit_person(
    district: DistrictName,
    sourced_id: SourcedId,
    roles: Roles = None,
    values: Set = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change a person: fields with --set, an empty value empties one; roles named with --role take the place of all there are."""
    found = find_district(district)
    record = acts.own_record(found, "users", sourced_id)
    stored = entry_of(acts.manual_connection(found), record, "users")
    kept = _roles(roles, stored.roles) if roles else stored.roles
    entry = Entry("users", sourced_id, {**stored.values, **_typed("users", values)}, kept)
    _go(found, Wanted("edit", entry, record), yes, as_json)


@people.command("delete")
def delete_person(
    district: DistrictName, sourced_id: SourcedId, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete a person. Their enrollments are no longer served; all of it comes back when they are restored."""
    _turn(district, "delete", "users", sourced_id, yes, as_json)


@people.command("restore")
def restore_person(
    district: DistrictName, sourced_id: SourcedId, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Bring a deleted person back, with values, roles and enrollments."""
    _turn(district, "restore", "users", sourced_id, yes, as_json)


@seats.command("add")
def add_seat(
    district: DistrictName,
    user: Annotated[str, typer.Argument(help="The person's sourcedId, whoever owns them.")],
    place: Annotated[str, typer.Argument(metavar="CLASS", help="The class's sourcedId, whoever owns it.")],
    role: SeatRole,
    values: Set = None,
    own_id: OwnId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Enroll a person in a class."""
    typed = {"userSourcedId": user, "classSourcedId": place, "role": role, **_typed("enrollments", values)}
    _go(find_district(district), Wanted("add", Entry("enrollments", own_id or new_id(), typed)), yes, as_json)


@seats.command("edit")
def edit_seat(
    district: DistrictName,
    sourced_id: SourcedId,
    values: Set = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change an enrollment: fields with --set, for example --set endDate=2027-01-31."""
    found = find_district(district)
    record = acts.own_record(found, "enrollments", sourced_id)
    stored = entry_of(acts.manual_connection(found), record, "enrollments")
    entry = Entry("enrollments", sourced_id, {**stored.values, **_typed("enrollments", values)})
    _go(found, Wanted("edit", entry, record), yes, as_json)


@seats.command("delete")
def delete_seat(
    district: DistrictName, sourced_id: SourcedId, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete an enrollment."""
    _turn(district, "delete", "enrollments", sourced_id, yes, as_json)


@seats.command("restore")
def restore_seat(
    district: DistrictName, sourced_id: SourcedId, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Bring a deleted enrollment back."""
    _turn(district, "restore", "enrollments", sourced_id, yes, as_json)


# --- What was typed ---------------------------------------------------------------------------------------------------------------


def _typed(collection: str, values: list[str] | None) -> dict[str, str]:
    """The fields given as NAME=VALUE."""
    known = {field.name for field in COLLECTION[collection].fields}
    typed = {}
    for text in values or []:
        name, equals, value = text.partition("=")
        if name not in known or not equals:
            raise typer.BadParameter(
                f"{name} is no field of {collection}. Write one of: {', '.join(sorted(known))}."
            )
        typed[name] = value
    return typed


def _roles(texts: list[str], before: tuple[Text, ...]) -> tuple[dict[str, str], ...]:
    """The roles given as ROLE@ORG[,BEGIN[,END]]; one that the person has already keeps its id."""
    kept = {(role["role"], role["orgSourcedId"]): role["sourcedId"] for role in before}
    roles = []
    for text in texts:
        what, *dates = text.split(",")
        role, at, org = what.partition("@")
        if not at or len(dates) > 2:
            raise typer.BadParameter(f"{text}: write a role as ROLE@ORG, and dates behind commas.")
        begins, ends = (*dates, "", "")[:2]
        one = {"role": role, "orgSourcedId": org, "beginDate": begins, "endDate": ends}
        known = kept.get((role, org))
        roles.append(one | ({"sourcedId": known} if known else {}))
    return tuple(roles)


# --- Doing it ---------------------------------------------------------------------------------------------------------------------


def _turn(district: str, verb: str, collection: str, sourced_id: str, yes: bool, as_json: bool) -> None:
    found = find_district(district)
    record = acts.own_record(found, collection, sourced_id)
    _go(found, Wanted(verb, Entry(collection, sourced_id), record), yes, as_json)


def _go(district: District, wanted: Wanted, yes: bool, as_json: bool) -> None:
    """Shows what would change, asks, and does it. Exit 1 where somebody said no."""
    shown = acts.show(district, wanted)
    if not as_json:
        _tell(wanted, shown)
    if not yes and (as_json or not typer.confirm("Do this?", default=False)):
        if as_json:
            typer.echo(json.dumps(_told(wanted, shown, None), ensure_ascii=False))
        raise typer.Exit(0 if as_json else 1)
    run = acts.do(district, wanted, actor().name, shown.fingerprint)
    if as_json:
        typer.echo(json.dumps(_told(wanted, shown, run), ensure_ascii=False))
    else:
        typer.echo(f"Run {run.pk}: {run.outcome}. Publication {run.publication} is served.")


def _tell(wanted: Wanted, shown: Shown) -> None:
    for note in shown.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"{wanted.entry.collection} {wanted.entry.sourced_id}:")
    for change in shown.changes:
        typer.echo(f"    {change.action} {change.collection} {change.source_id}")
        for one in change.differences:
            typer.echo(f"        {one.field}: {one.before or '-'} -> {one.after or '-'}")


def _told(wanted: Wanted, shown: Shown, run: Run | None) -> dict[str, Any]:
    return {
        "collection": wanted.entry.collection,
        "sourcedId": wanted.entry.sourced_id,
        "run": run.pk if run else None,
        "outcome": run.outcome if run else "",
        "publication": run.publication if run else None,
        "notes": shown.notes,
        "changes": [
            {
                "collection": change.collection,
                "action": change.action,
                "sourcedId": change.source_id,
                "fields": {one.field: [one.before, one.after] for one in change.differences},
            }
            for change in shown.changes
        ],
    }


# --- Listing ----------------------------------------------------------------------------------------------------------------------


def _person_row(one: User) -> dict[str, object]:
    return {
        "collection": "users",
        "sourcedId": one.sourced_id,
        "status": one.status,
        "what": f"{one.given_name} {one.family_name}",
    }


def _seat_rows(district: District, search: str, status: str) -> list[dict[str, object]]:
    found = list(manual_enrollments(district, search, status))
    users = _served_ids(User, district, {one.user_id for one in found})
    classes = _served_ids(Class, district, {one.class_id for one in found})
    return [
        {
            "collection": "enrollments",
            "sourcedId": one.sourced_id,
            "status": one.status,
            "what": f"{one.role} {users[one.user_id]} in {classes[one.class_id]}",
        }
        for one in found
    ]


def _served_ids(model: type[User] | type[Class], district: District, ids: set[int]) -> dict[int, str]:
    return dict(model._default_manager.filter(district=district, id__in=ids).values_list("id", "sourced_id"))
