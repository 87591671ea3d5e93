"""`rollbook member`: the people of an organization's directory, and what is done with them by hand."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows import member_history, members, merging
from rollbook.flows import origins as field_origins
from rollbook.flows.directory import find_organization, find_site
from rollbook.store.models import Member, MemberMerge

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Of = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="The organization's number or name.")]
Who = Annotated[
    str, typer.Argument(metavar="MEMBER", help="The member's number, e-mail address or username.")
]
Why = Annotated[str, typer.Option(help="Why; kept with it.")]
Until = Annotated[
    str, typer.Option(help="The last day on which it holds, such as 2027-06-30. None: for good.")
]
AddOnes = Annotated[list[str] | None, typer.Option("--add", help="One more; repeat for more.")]
SetOnes = Annotated[list[str] | None, typer.Option("--set", help="These and no others; repeat for more.")]

verbs = typer.Typer(no_args_is_help=True, help="The people of an organization's directory.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="member")


@verbs.command("list")
def list_members(
    organization: Of,
    state: Annotated[
        str, typer.Option(help="Only those who are pending, inactive, active, suspended or archived.")
    ] = "",
    role: Annotated[str, typer.Option(help="Only those with this role.")] = "",
    site: Annotated[str, typer.Option(help="Only those at this site: its number or name.")] = "",
    search: Annotated[str, typer.Option(help="Words of names, addresses, usernames or identifiers.")] = "",
    grade: Annotated[str, typer.Option(help="Only those of this grade.")] = "",
    source: Annotated[
        int | None, typer.Option(help="Only those who came by this sync connection; 0: by hand.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show members, by name; those who are archived only if asked for."""
    found = find_organization(organization)
    where = find_site(found, site) if site else None
    every = members.members(found, state, role, where, search, grade, source)
    rows = [_row(one) for one in every[:limit]]
    show(rows, as_json, "a sync makes them, or `rollbook member add`")


@verbs.command()
def add(
    organization: Of,
    given_name: Annotated[str, typer.Option("--given", help="The given name.")],
    family_name: Annotated[str, typer.Option("--family", help="The family name.")],
    email: Annotated[str, typer.Option(help="The e-mail address; no two members have the same.")] = "",
    username: Annotated[str, typer.Option(help="The username; no two members have the same.")] = "",
    identifier: Annotated[str, typer.Option(help="The number by which a roster may know them.")] = "",
    grade: Annotated[str, typer.Option(help="The grade, of a pupil.")] = "",
    role: Annotated[list[str] | None, typer.Option(help="A role; repeat for more.")] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="A site: its number or name; repeat for more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a member by hand, who holds no seat yet. A sync that finds the same person adopts them."""
    found = find_organization(organization)
    told = (given_name, family_name, email, username, identifier, grade)
    fields = dict(zip(members.FIELDS, told, strict=True))
    made = members.add_member(found, fields, role or (), [find_site(found, one) for one in site or ()])
    answer(_row(made), f"{made.given_name} {made.family_name} is member {made.id}.", as_json)


@verbs.command("show")
def show_member(organization: Of, member: Who, as_json: AsJson = False) -> None:
    """Show a member: what they are, what was set by hand and by whom, and which record of which roster they are."""
    found = members.find_member(find_organization(organization), member)
    by_hand = [
        {"field": one.field, "value": one.value, "how": one.mode, "until": one.until, "by": one.by, "why": one.why}
        for one in members.overrides_of(found)
    ]  # fmt: skip
    links = [
        {"connection": one.connection_id, "name": one.connection.name, "sourcedId": one.source_id, "how": one.rung}
        for one in members.links_of(found)
    ]  # fmt: skip
    merged = merging.merged_into(found)
    if as_json:
        told = {"byHand": by_hand, "links": links, "mergedInto": merged.kept_id if merged else None}
        answer(_row(found) | told, "", as_json)
        return
    show([_row(found)], as_json)
    if merged:
        typer.echo(f"\nMerged into member {merged.kept_id}: merge {merged.pk}.")
    for title, rows in (("Set by hand:", by_hand), ("Rostered by:", links)):
        if rows:
            typer.echo(f"\n{title}")
            show([dict(row) for row in rows], as_json)


@verbs.command()
def role(
    organization: Of, member: Who, add: AddOnes = None, set_: SetOnes = None, why: Why = "", until: Until = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Give roles by hand: besides those of the roster (--add), or in their place (--set). Syncs keep it: `member follow` ends that."""
    found = members.find_member(find_organization(organization), member)
    if set_:
        found = members.set_roles(found, set_, why, until)
    for one in add or ():
        found = members.add_role(found, one, why, until)
    answer(_row(found), f"Member {found.id}: {', '.join(members.roles_held(found)) or 'no role'}.", as_json)


@verbs.command()
def site(
    organization: Of, member: Who, add: AddOnes = None, set_: SetOnes = None, why: Why = "", until: Until = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Give sites by hand: besides those of the roster (--add), or in their place (--set). Syncs keep it: `member follow` ends that."""
    where = find_organization(organization)
    found = members.find_member(where, member)
    if set_:
        found = members.set_sites(found, [find_site(where, one) for one in set_], why, until)
    for one in add or ():
        found = members.add_to_site(found, find_site(where, one), why, until)
    names = ", ".join(one.name for one in members.sites_of(found))
    answer(_row(found), f"Member {found.id}: {names or 'no site'}.", as_json)


@verbs.command("set")
def set_field(
    organization: Of,
    member: Who,
    field: Annotated[str, typer.Argument(help=f"What to set: {', '.join(members.FIELDS)}.")],
    value: Annotated[str, typer.Argument(help="What it is to be; an empty text is nothing.")],
    why: Why = "",
    until: Until = "",
    as_json: AsJson = False,
) -> None:
    """Set a field by hand. Syncs keep it: `member follow` ends that."""
    found = members.find_member(find_organization(organization), member)
    found = members.set_field(found, field, value, why, until)
    answer(_row(found), f"Member {found.id}: {field} is set.", as_json)


@verbs.command()
def follow(
    organization: Of,
    member: Who,
    field: Annotated[str, typer.Argument(help="The field: as of `member set`, or roles, sites, state.")],
    as_json: AsJson = False,
) -> None:
    """End what was set by hand of a field: the next sync says what it is."""
    found = members.find_member(find_organization(organization), member)
    members.follow(found, field)
    answer(_row(found), f"{field} follows the roster again, from the next sync on.", as_json)


@verbs.command()
def activate(
    organization: Of,
    member: Who,
    provider: Annotated[
        str, typer.Option(help="Whom they signed in by, as a sign-in says it. None: a person activates them.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take a seat for a member, who is active then. It takes none from a member who is active already."""
    found = members.find_member(find_organization(organization), member)
    taken = members.activate(found, datetime.now(UTC), provider)
    words = "is active and holds a seat" if taken else "was active already"
    answer(_row(found) | {"taken": taken}, f"Member {found.id} {words}.", as_json)


@verbs.command()
def suspend(organization: Of, member: Who, why: Why = "", as_json: AsJson = False) -> None:
    """Shut a member out: their seat is free, all they are in stays, and no sign-in lets them in."""
    found = members.suspend(
        members.find_member(find_organization(organization), member), datetime.now(UTC), why
    )
    answer(_row(found), f"Member {found.id} is suspended; `rollbook member let-in` ends that.", as_json)


@verbs.command("let-in")
def let_in(organization: Of, member: Who, why: Why = "", as_json: AsJson = False) -> None:
    """Let a suspended member in again, who is inactive then: the next sign-in takes a seat."""
    found = members.let_in(members.find_member(find_organization(organization), member), why)
    answer(_row(found), f"Member {found.id} is {found.state}.", as_json)


@verbs.command()
def origins(organization: Of, member: Who, as_json: AsJson = False) -> None:
    """Show where each field of a member comes from: a roster, a person, both, or whoever put them in here."""
    where = find_organization(organization)
    found = members.find_member(where, member)
    links = field_origins.links_of(where, MEMBERS, found.id)
    told = field_origins.origins(where, MEMBERS, found.id, members.fields_of(found), links)
    rows: list[Row] = [
        {
            "field": one.field,
            "value": list(one.value) if isinstance(one.value, tuple) else one.value,
            "from": one.by,
            "rosters": list(one.rosters),
            "otherwise": [f"{said.connection}: {said.value}" for said in one.differing],
            "by": one.override.by if one.override else "",
        }
        for one in told
    ]
    show(rows, as_json)


@verbs.command()
def history(organization: Of, member: Who, as_json: AsJson = False) -> None:
    """Show what happened to a member, the latest first: records of rosters, seats, and what people did."""
    found = members.find_member(find_organization(organization), member)
    rows: list[Row] = [
        {
            "at": one.at.isoformat(timespec="seconds"),
            "what": one.act,
            "by": one.by,
            "run": one.run,
            "about": ", ".join(f"{name} {value}" for name, value in one.told.items()),
        }
        for one in member_history.events(found)
    ]
    show(rows, as_json, "nothing is noted of this member")


@verbs.command()
def archive(organization: Of, member: Who, why: Why = "", as_json: AsJson = False) -> None:
    """Archive a member: they are gone with all they are in, their seat is free, and no sync brings them back."""
    found = members.archive(members.find_member(find_organization(organization), member), why)
    answer(
        _row(found), f"Member {found.id} is archived; `rollbook member restore` brings them back.", as_json
    )


@verbs.command()
def restore(organization: Of, member: Who, why: Why = "", as_json: AsJson = False) -> None:
    """Bring an archived member back, with all they were in. Syncs leave them there until the roster has them again."""
    found = members.restore(members.find_member(find_organization(organization), member), why)
    answer(_row(found), f"Member {found.id} is {found.state}.", as_json)


@verbs.command()
def merge(
    organization: Of,
    kept: Annotated[
        str, typer.Argument(metavar="KEPT", help="Who is kept: a number, e-mail address or username.")
    ],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Who becomes part of them, and is archived.")],
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Make two members one who are the same person. `rollbook member unmerge` brings both back."""
    where = find_organization(organization)
    made = merging.merge(members.find_member(where, kept), members.find_member(where, other), why)
    answer(
        _merge_row(made),
        f"Member {made.other_id} is part of member {made.kept_id}: merge {made.pk}.",
        as_json,
    )


@verbs.command("merges")
def list_merges(organization: Of, as_json: AsJson = False) -> None:
    """Show which members were made one, the latest first."""
    rows = [_merge_row(one) for one in merging.merges(find_organization(organization))]
    show(rows, as_json, "`rollbook member merge` makes one")


@verbs.command()
def unmerge(
    organization: Of,
    number: Annotated[int, typer.Argument(metavar="MERGE", help="`rollbook member merges` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Undo a merge: both members are there again, each with what was theirs, as far as nobody has changed it since."""
    made = merging.unmerge(merging.find_merge(find_organization(organization), number))
    answer(_merge_row(made), f"Members {made.kept_id} and {made.other_id} are two again.", as_json)


def _merge_row(made: MemberMerge) -> Row:
    return {
        "merge": made.pk,
        "kept": made.kept_id,
        "archived": made.other_id,
        "by": made.by,
        "why": made.why,
        "at": f"{made.at:%Y-%m-%d %H:%M}",
    }


def _row(one: Member) -> Row:
    return {
        "member": one.id,
        "givenName": one.given_name,
        "familyName": one.family_name,
        "email": one.email,
        "username": one.username,
        "state": one.state,
        "roles": list(members.roles_held(one)),
        "sites": [site.name for site in members.sites_of(one)],
        "grade": one.grade,
    }
