"""`rollbook sign-in`: the identity providers by which an organization's members come in, what was tried, and what waits for a decision."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.engine.signing_in.claims import PRESETS
from rollbook.engine.signing_in.ladder import OUTCOMES, REASONS
from rollbook.flows.directory import find_organization
from rollbook.flows.members import find_member
from rollbook.flows.signing_in import attempts, identities, providers, reviews
from rollbook.flows.sync import lending
from rollbook.flows.sync.connections import find_connection
from rollbook.store.models import Identity, IdentityProvider, SignInAttempt, SignInReview

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Of = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="The organization's number or name.")]
Which = Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider's number or name.")]
Who = Annotated[
    str, typer.Argument(metavar="MEMBER", help="The member's number, e-mail address or username.")
]
Issuer = Annotated[str | None, typer.Option(help="The provider's address, under which it describes itself.")]
Client = Annotated[str | None, typer.Option("--client-id", help="What the provider calls this installation.")]
Secret = Annotated[bool, typer.Option("--secret-stdin", help="Read the client secret from standard input.")]
Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", help="A tenant whose people come by it; repeat for more.")
]
Domains = Annotated[
    list[str] | None, typer.Option("--domain", help="An e-mail domain that is theirs; repeat for more.")
]
Rungs = Annotated[
    list[str] | None,
    typer.Option("--match", help="By what members are recognised: sourced-id, identifier, username, email; repeat."),
]  # fmt: skip
Names = Annotated[
    list[str] | None,
    typer.Option("--claim", help="A claim of another name, such as sourced_id=school_sid; repeat for more."),
]  # fmt: skip
Roster = Annotated[
    str | None, typer.Option(help="The number of the sync connection whose sourcedIds it tells; 0: none.")
]
Seats = Annotated[
    str | None, typer.Option(help="When a first sign-in takes a seat: rostered, always or never.")
]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The number of what waits.")]

verbs = typer.Typer(no_args_is_help=True, help="How the members of an organization come in.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="sign-in")


@verbs.command("presets")
def list_presets(as_json: AsJson = False) -> None:
    """Show the kinds of provider, and what one has to know of each."""
    rows: list[Row] = [
        {"preset": one.key, "title": one.title, "issuer": one.issuer, "tenant": one.tenants, "about": one.quirk}
        for one in PRESETS.values()
    ]  # fmt: skip
    show(rows, as_json)


@verbs.command("list")
def list_providers(organization: Of, as_json: AsJson = False) -> None:
    """Show an organization's providers."""
    found = providers.providers(find_organization(organization))
    show([_row(one) for one in found], as_json, "`rollbook sign-in add` makes one")


@verbs.command()
def add(
    organization: Of,
    preset: Annotated[
        str, typer.Argument(help="The kind: classlink, clever, google, entra, launch-pad or any.")
    ],
    name: Annotated[str, typer.Option(help="What members read on the button.")] = "",
    issuer: Issuer = None,
    client_id: Client = None,
    secret_stdin: Secret = False,
    tenant: Tenants = None,
    domain: Domains = None,
    by: Rungs = None,
    claim: Names = None,
    roster: Roster = None,
    seats: Seats = None,
    as_json: AsJson = False,
) -> None:
    """Add a provider; it lets nobody in before it is switched on."""
    told = _about(issuer, client_id, secret_stdin, tenant, domain, by, claim, roster, seats)
    made = providers.add_provider(find_organization(organization), preset, name, **told)
    answer(_row(made), f"Provider {made.pk} was added, and is switched off.", as_json)


@verbs.command()
def lend(
    organization: Of,
    roster: Annotated[
        int, typer.Argument(help="The number of the sync connection with the district's roster.")
    ],
    as_json: AsJson = False,
) -> None:
    """Let the people of a district of this installation in by its launch pad, at once."""
    made = lending.take_up(find_connection(roster, find_organization(organization)))
    answer(_row(made), f"Members come in by the launch pad of {made.name} now.", as_json)


@verbs.command()
def change(
    organization: Of,
    provider: Which,
    name: Annotated[str | None, typer.Option(help="What members read on the button.")] = None,
    issuer: Issuer = None,
    client_id: Client = None,
    secret_stdin: Secret = False,
    tenant: Tenants = None,
    domain: Domains = None,
    by: Rungs = None,
    claim: Names = None,
    roster: Roster = None,
    seats: Seats = None,
    as_json: AsJson = False,
) -> None:
    """Change what is named of a provider; lists take the place of what stood."""
    told = _about(issuer, client_id, secret_stdin, tenant, domain, by, claim, roster, seats)
    told |= {"name": name} if name is not None else {}
    changed = providers.edit_provider(_provider(organization, provider), **told)
    answer(_row(changed), f"Provider {changed.pk} was changed.", as_json)


@verbs.command()
def enable(organization: Of, provider: Which) -> None:
    """Let members in by a provider."""
    providers.switch(_provider(organization, provider), True)
    typer.echo("Members can sign in by it now.")


@verbs.command()
def disable(organization: Of, provider: Which) -> None:
    """Let nobody in by a provider any more; who came in by it is out."""
    providers.switch(_provider(organization, provider), False)
    typer.echo("Nobody can sign in by it any more.")


@verbs.command()
def remove(organization: Of, provider: Which) -> None:
    """Remove a provider; members and seats stay."""
    providers.remove_provider(_provider(organization, provider))
    typer.echo("The provider was removed.")


@verbs.command()
def ask(organization: Of, provider: Which, as_json: AsJson = False) -> None:
    """Ask a provider what it is: its issuer, where people sign in, how many keys it has."""
    found = providers.learn(_provider(organization, provider), int(datetime.now(UTC).timestamp()))
    answer(found, "\n".join(found), as_json)


@verbs.command("attempts")
def list_attempts(
    organization: Of,
    search: Annotated[
        str, typer.Option(help="A reference number, a name, an address, a username or an id.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show the latest attempts to come in, or those of somebody."""
    place = find_organization(organization)
    found = attempts.search(place, search)[1] if search else attempts.latest(place)
    who = "nobody of this number, name, address or id" if search else "nobody"
    show([_attempt(one) for one in found], as_json, f"{who} has tried to sign in")


@verbs.command()
def explain(
    organization: Of,
    reference: Annotated[str, typer.Argument(help="The number that the page told who was not let in.")],
    as_json: AsJson = False,
) -> None:
    """Tell an attempt step by step: what was asked, why it ended so, and who can change it."""
    found = attempts.find_attempt(find_organization(organization), reference)
    steps = [
        {"step": one["rung"], "said": one["said"], "why": _why(one["why"]), "owner": one["owner"], "members": one["members"]}
        for one in found.steps
    ]  # fmt: skip
    if as_json:
        answer({**_attempt(found), "steps": steps}, "", as_json)
        return
    typer.echo(_why(found.outcome) if found.outcome != attempts.IN else "Came in.")
    show(list(steps), as_json)


@verbs.command("waiting")
def list_reviews(organization: Of, as_json: AsJson = False) -> None:
    """Show the sign-ins that wait for somebody to say whose they are."""
    found = reviews.waiting(find_organization(organization))
    show(
        [_review(one) for one in found],
        as_json,
        "a sign-in comes here when nobody is surely recognised by it",
    )


@verbs.command()
def decide(organization: Of, number: Number, member: Who, as_json: AsJson = False) -> None:
    """Say whose a sign-in is that waits."""
    place = find_organization(organization)
    whose = find_member(place, member)
    made = reviews.decide_link(reviews.find_review(place, number), whose, datetime.now(UTC))
    answer(_identity(made), "From the next sign-in on they come in as this member.", as_json)


@verbs.command()
def dismiss(organization: Of, number: Number, as_json: AsJson = False) -> None:
    """Say that a sign-in that waits is nobody's."""
    reviews.dismiss(reviews.find_review(find_organization(organization), number), datetime.now(UTC))
    answer({"number": number, "decision": reviews.DISMISS}, "It is nobody's.", as_json)


@verbs.command("identities")
def list_identities(organization: Of, member: Who, as_json: AsJson = False) -> None:
    """Show by which sign-ins a member comes in."""
    found = identities.identities_of(find_member(find_organization(organization), member))
    show([_identity(one) for one in found], as_json)


@verbs.command()
def end(organization: Of, member: Who, number: Number, as_json: AsJson = False) -> None:
    """A sign-in is a member's no more, and who came in by it is out."""
    found = find_member(find_organization(organization), member)
    ended = identities.find_identity(found, number)
    identities.end(ended, datetime.now(UTC))
    answer(_identity(ended), "This sign-in is nobody's any more.", as_json)


def _about(
    issuer: str | None,
    client_id: str | None,
    secret_stdin: bool,
    tenants: list[str] | None,
    domains: list[str] | None,
    rungs: list[str] | None,
    names: list[str] | None,
    roster: str | None,
    seats: str | None,
) -> dict[str, Any]:
    """What was named on the command line, and nothing else."""
    claims = None if names is None else dict(one.partition("=")[::2] for one in names)
    told: dict[str, Any] = {
        "issuer": issuer, "client_id": client_id, "tenants": tenants, "domains": domains, "rungs": rungs, "names": claims,
        "connection": None if roster is None else "" if roster == "0" else roster, "seats": seats,
        "client_secret": sys.stdin.readline().strip() if secret_stdin else None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _provider(organization: str, provider: str) -> IdentityProvider:
    return providers.find_provider(find_organization(organization), provider)


def _row(one: IdentityProvider) -> Row:
    return {
        "number": one.pk, "name": one.name, "preset": one.preset, "issuer": one.issuer, "on": one.is_active,
        "tenants": one.tenants, "domains": one.domains, "by": one.rungs, "roster": one.connection_id, "seats": one.seats,
    }  # fmt: skip


def _attempt(one: SignInAttempt) -> Row:
    return {
        "reference": one.reference, "at": one.at.isoformat(), "provider": one.provider_id, "outcome": one.outcome, "rung": one.rung,
        "member": one.member_id,
    }  # fmt: skip


def _review(one: SignInReview) -> Row:
    told = reviews.told(one)
    return {
        "number": one.pk, "reference": one.reference, "provider": one.provider.name, "code": one.code, "candidates": one.candidates,
        "tries": one.tries, "name": told.get("name", ""), "email": told.get("email", ""), "username": told.get("username", ""),
        "identifier": told.get("identifier", ""), "sourcedId": told.get("sourced_id", ""),
    }  # fmt: skip


def _identity(one: Identity) -> Row:
    return {
        "number": one.pk,
        "provider": one.provider.name,
        "rung": one.rung,
        "since": one.linked_at.isoformat(),
    }


def _why(code: str) -> str:
    return REASONS.get(code) or OUTCOMES.get(code, (code, ""))[0]
