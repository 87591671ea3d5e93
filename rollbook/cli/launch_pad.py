"""`rollbook launch-pad`: where a district's people sign in and open their apps; what they come in by, handed out and taken back."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from django.conf import settings

from rollbook.cli.columns import Row, answer, show
from rollbook.engine.launching import WAYS
from rollbook.flows.applications import applications
from rollbook.flows.districts import find_district
from rollbook.flows.launching import apps, badges, own_provider, pads, passwords, people
from rollbook.store.models import District, LaunchPad, LaunchProvider, User

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Of = Annotated[str, typer.Argument(metavar="DISTRICT", help="The district's Tenant ID, or its name.")]
Who = Annotated[str, typer.Argument(metavar="PERSON", help="The person's sourcedId.")]
Taught = Annotated[
    str, typer.Option("--class", metavar="CLASS", help="The pupils of the class with this sourcedId.")
]
Secret = Annotated[bool, typer.Option("--stdin", help="Read it from standard input, else it is asked for.")]

verbs = typer.Typer(
    no_args_is_help=True, help="The launch pad of a district: its people sign in and open apps."
)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="launch-pad")


@verbs.command("show")
def show_pad(district: Of, as_json: AsJson = False) -> None:
    """Show whether it is open, its address, and who comes in how."""
    place = find_district(district)
    told = _told(pads.pad_of(place), own_provider.provider_of(place))
    answer(told, "\n".join(f"{name:<10}{_text(value)}" for name, value in told.items()), as_json)


@verbs.command("open")
def open_pad(district: Of, as_json: AsJson = False) -> None:
    """Let the people of a district sign in at its launch pad."""
    pad = pads.switch(find_district(district), True)
    answer(_told(pad, None), f"The launch pad is open at {pads.address_of(pad)}.", as_json)


@verbs.command("close")
def close_pad(district: Of, as_json: AsJson = False) -> None:
    """Let nobody sign in there any more; who is in is out."""
    pad = pads.switch(find_district(district), False)
    answer(_told(pad, None), "The launch pad is closed.", as_json)


@verbs.command()
def address(
    district: Of,
    slug: Annotated[str, typer.Argument(help="The last part of its address; empty: the Tenant ID.")],
    as_json: AsJson = False,
) -> None:
    """Give the launch pad an address that is easy to say."""
    pad = pads.set_slug(find_district(district), slug)
    answer(_told(pad, None), f"It is at {pads.address_of(pad)}.", as_json)


@verbs.command()
def ways(
    district: Of,
    way: Annotated[
        list[str] | None, typer.Option(help="How people come in: password, badge, provider. Repeat for more.")
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help="For some alone, the first that fits decides: schools=ID,ID;grades=KG,01;ways=badge. Repeat for more."
        ),
    ] = None,
    no_rules: Annotated[bool, typer.Option("--no-rules", help="Take all rules away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say who comes in how: by password, by badge and PIN, by the district's own provider."""
    place = find_district(district)
    pad = pads.pad_of(place)
    rules = [] if no_rules else [_rule(one) for one in rule] if rule else None
    pad = pads.set_ways(place, way or pad.ways, rules)
    of_some = f" Rules for some: {len(pad.rules)}." if pad.rules else ""
    answer(_told(pad, None), f"People come in by {', '.join(pad.ways)}.{of_some}", as_json)


def _rule(text: str) -> dict[str, Any]:
    parts = dict(one.partition("=")[::2] for one in text.split(";"))
    wanted = parts.get("ways", ",".join(WAYS))
    return {
        "schools": _items(parts.get("schools", "")), "grades": _items(parts.get("grades", "")), "ways": _items(wanted)
    }  # fmt: skip


def _items(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


@verbs.command()
def provider(
    district: Of,
    preset: Annotated[str, typer.Argument(help="The kind: classlink, clever, google, entra or any.")] = "any",
    name: Annotated[str | None, typer.Option(help="What people read on the button.")] = None,
    issuer: Annotated[
        str | None, typer.Option(help="The provider's address, under which it describes itself.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="What the provider calls this installation.")] = None,
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Read the client secret from standard input.")
    ] = False,
    tenant: Annotated[
        list[str] | None, typer.Option(help="A tenant whose people come by it; repeat for more.")
    ] = None,
    domain: Annotated[
        list[str] | None, typer.Option(help="An e-mail domain that is theirs; repeat for more.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--match", help="By what people are recognised: sourced-id, identifier, username, email; repeat."
        ),
    ] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether people may come in by it.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Have none any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set up the district's own provider of OpenID Connect, by which its people come to the launch pad."""
    place = find_district(district)
    if remove:
        own_provider.remove_provider(place)
        answer(
            _told(pads.pad_of(place), None), "The district has no provider of its own here any more.", as_json
        )
        return
    told: dict[str, Any] = {
        "name": name, "issuer": issuer, "client_id": client_id, "tenants": tenant, "domains": domain, "rungs": by,
        "client_secret": typer.get_text_stream("stdin").readline().strip() if secret_stdin else None, "is_active": on,
    }  # fmt: skip
    made = own_provider.set_provider(
        place, preset, **{one: value for one, value in told.items() if value is not None}
    )
    answer(_told(pads.pad_of(place), made), f"{made.name} is kept.", as_json)


@verbs.command("people")
def list_people(
    district: Of,
    search: Annotated[
        str, typer.Option(help="The beginning of a name; a whole username, number, address or sourcedId.")
    ] = "",
    taught: Taught = "",
    locked: Annotated[
        bool, typer.Option("--locked", help="Those whose badge wrong PINs have locked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what people have to come in by, and when they last did. They are named by sourcedId."""
    place = find_district(district)
    found = people.locked(place) if locked else _people(place, taught, search)
    rows: list[Row] = [
        {
            "person": one.user.sourced_id, "password": one.has_password, "mustChange": one.must_change, "pin": one.has_pin,
            "badge": one.badge_at is not None, "locked": one.locked_at is not None,
            "lastIn": one.in_at.isoformat(timespec="minutes") if one.in_at else None, "by": one.in_by,
        }
        for one in people.standings(place, found)
    ]  # fmt: skip
    show(rows, as_json)


def _people(district: District, taught: str, text: str) -> list[User]:
    if taught:
        return people.pupils_of(people.find_class(district, taught))
    return people.search(district, text)


@verbs.command("badges")
def make_badges(
    district: Of,
    person: Annotated[list[str] | None, typer.Argument(help="Whose, by sourcedId.")] = None,
    taught: Taught = "",
    missing: Annotated[
        bool, typer.Option("--missing", help="Leave out those who have a badge already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make badges: the address that each QR code says is shown once, and the badge they had opens nothing any more."""
    place = find_district(district)
    wanted = [people.find_person(place, one) for one in person or ()]
    wanted += people.pupils_of(people.find_class(place, taught)) if taught else []
    if missing:
        wanted = [one.user for one in people.standings(place, wanted) if one.badge_at is None]
    at = f"{settings.PUBLIC_URL}/launch/{place.pk}/badge"
    rows: list[Row] = [
        {"person": one.user.sourced_id, "code": badges.in_fours(one.code), "address": f"{at}#{one.code}"}
        for one in badges.issue(wanted, datetime.now(UTC))
    ]
    show(rows, as_json, "name people, or a class with --class")


@verbs.command()
def revoke(district: Of, person: Who, as_json: AsJson = False) -> None:
    """A badge was lost: it opens nothing any more, and who came in by it is out."""
    was = badges.revoke(people.find_person(find_district(district), person), datetime.now(UTC))
    words = "The badge opens nothing any more." if was else "They had no badge."
    answer({"person": person, "revoked": was}, words, as_json)


@verbs.command()
def unlock(district: Of, person: Who, as_json: AsJson = False) -> None:
    """Open a badge again that wrong PINs have locked."""
    was = badges.unlock(people.find_person(find_district(district), person))
    words = "The badge is open again." if was else "It was not locked."
    answer({"person": person, "unlocked": was}, words, as_json)


@verbs.command()
def pin(district: Of, person: Who, stdin: Secret = False, as_json: AsJson = False) -> None:
    """Give somebody a PIN of 4 to 6 digits."""
    badges.set_pin(people.find_person(find_district(district), person), _secret("PIN", stdin))
    answer({"person": person, "pin": True}, "They have a new PIN.", as_json)


@verbs.command()
def password(
    district: Of,
    person: Who,
    stdin: Secret = False,
    lasting: Annotated[
        bool, typer.Option("--lasting", help="They need not choose their own at first use.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give somebody a first password."""
    user = people.find_person(find_district(district), person)
    passwords.give_password(user, _secret("Password", stdin), datetime.now(UTC), must_change=not lasting)
    answer({"person": person, "mustChange": not lasting}, "They come in with it.", as_json)


@verbs.command("passwords")
def take_passwords(
    district: Of,
    file: Annotated[
        Path, typer.Argument(help="CSV in UTF-8 with the columns sourcedId (or username) and password.")
    ],
    as_json: AsJson = False,
) -> None:
    """Give first passwords from a file; everybody chooses their own at first use. Exit code 1 where a line was left out."""
    lines = passwords.give_first_passwords(find_district(district), file.read_bytes(), datetime.now(UTC))
    rows: list[Row] = [
        {"line": one.number, "person": one.who, "given": not one.wrong, "why": one.wrong} for one in lines
    ]
    show(rows, as_json, "the file has no line")
    if any(one.wrong for one in lines):
        raise typer.Exit(1)


@verbs.command()
def link(district: Of, person: Who, as_json: AsJson = False) -> None:
    """Make a link with which somebody chooses a password once, within 7 days."""
    place = find_district(district)
    secret = passwords.make_link(people.find_person(place, person), datetime.now(UTC))
    told = f"{settings.PUBLIC_URL}/launch/{place.pk}/link#{secret}"
    answer({"person": person, "link": told}, told, as_json)


@verbs.command()
def reset(district: Of, person: Who, as_json: AsJson = False) -> None:
    """Take away password, PIN, badge and link, and sign them out."""
    passwords.reset([people.find_person(find_district(district), person)], datetime.now(UTC))
    answer({"person": person, "reset": True}, "They have nothing to come in by any more.", as_json)


@verbs.command()
def launches(
    district: Of,
    days: Annotated[int, typer.Option(help="Of how many days.", min=1, max=apps.KEPT.days)] = 30,
    as_json: AsJson = False,
) -> None:
    """Show how often each app was launched, and since when people find it. By whom is not kept."""
    place, now = find_district(district), datetime.now(UTC)
    counts = apps.launches(place, apps.today_of(place, now - timedelta(days=days)))
    rows: list[Row] = [
        {"grant": one.pk, "app": one.title, "launchDate": one.launches_on, "launches": counts.get(one.pk, 0)}
        for one in applications(place)
    ]
    show(rows, as_json, "`rollbook grant add` connects an app")


def _secret(what: str, stdin: bool) -> str:
    """Never an option: those stand in the list of processes."""
    if stdin:
        return typer.get_text_stream("stdin").readline().rstrip("\n")
    return str(typer.prompt(what, hide_input=True, confirmation_prompt=True))


def _told(pad: LaunchPad, found: LaunchProvider | None) -> Row:
    return {
        "open": pad.is_on,
        "address": pads.address_of(pad),
        "ways": pad.ways,
        "rules": pad.rules,
        "provider": {"name": found.name, "issuer": found.issuer, "on": found.is_active} if found else None,
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable) and all(isinstance(one, str) for one in value):
        return ", ".join(value) or "-"
    return json.dumps(value) if value else "-"
