"""The organizations of the demo: customers of a made-up product, whose directories are kept in step with Riverbend, one as each preset has it.

They are made at the first start. Later ones leave them as they are, whatever was tried there meanwhile. Whatever roster the demo's district
has: their source is Riverbend's own folder.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from rollbook.engine.sync.links import TO_LINK
from rollbook.engine.sync.operations import SITES
from rollbook.flows import members
from rollbook.flows.acting import actor
from rollbook.flows.administrators import ORGANIZATION, SUPPORT, administrators_of, employ, support_of
from rollbook.flows.demo_catalogue import PARTNER, READER
from rollbook.flows.directory import ROLES, add_organization, add_product, add_site, find_site, set_app
from rollbook.flows.operators import set_password
from rollbook.flows.partners import find_partner, make_key
from rollbook.flows.sync import connections, deciding, holds, own, runs
from rollbook.generator.package import write_rows
from rollbook.generator.riverbend import PATH, SYSTEM, rows
from rollbook.store.models import (
    Account,
    App,
    District,
    Member,
    Organization,
    Product,
    SyncConnection,
    SyncHold,
    SyncRun,
)

PRODUCT = "Quorndle Studio"
ADMINISTRATOR, SUPPORTER = "rosters@riverbend.example", "support@quorndle.example"
TIME_ZONE = "America/Chicago"
DOMAINS = ("riverbend.example", "students.riverbend.example")
ROSTER = "Riverbend roster"
"""What each organization calls its sync connection."""

CLASSES, SCHOOLS, GROUPS, EVERYTHING = (
    "classes-and-licences",
    "teachers-and-schools",
    "teachers-groups",
    "everything-in-step",
)
MAPPED, ASKING = "Riverbend Walkthroughs", "Riverbend Library"
HELD, IN_THE_WIZARD = "Riverbend Evening School", "Riverbend Summer School"
PRESETS: Mapping[str, str] = {
    "Riverbend Film Room": CLASSES,
    MAPPED: SCHOOLS,
    "Riverbend Screens": GROUPS,
    ASKING: EVERYTHING,
    HELD: CLASSES,
    IN_THE_WIZARD: EVERYTHING,
}
"""{organization: preset}, in the order in which they are shown."""

OWN_MIDDLE, MIDDLE = "Middle School, Riverside Campus", "org-middle"
"""A site of the customer's, and the school that somebody said it is."""

SEATS = 40
SIGNED_IN = ("staff-006", "staff-010", "student-001", "student-006")
"""Who has used the film room already, and so holds a seat."""

LEFT_OUT = "03"
"""The grade that the evening school's second roster lacks: so many that the sync waits for somebody."""


@dataclass(frozen=True)
class DemoOrganization:
    """`number` is the organization's; its Rostering page is called by it."""

    name: str
    preset: str
    number: int


def set_up_organizations(district: District, password: str) -> tuple[DemoOrganization, ...]:
    """The product with its customers, made or found, and their administrator with this password."""
    product = Product.objects.filter(name=PRODUCT).first() or _product()
    found = [_organization(product, name) for name in PRESETS]
    _people(product, found, password)
    with own.own_process() as process:
        for organization in found:
            if organization.name == IN_THE_WIZARD:
                _ask_for(organization, district)
            else:
                _sync(organization, process)
    return tuple(DemoOrganization(one.name, PRESETS[one.name], one.pk) for one in found)


def _product() -> Product:
    """It is what the demo's catalogue calls the reader: a district that lets that read lets the product read."""
    return set_app(add_product(PRODUCT, ROLES), App.objects.get(name=READER))


def _organization(product: Product, name: str) -> Organization:
    known = Organization.objects.filter(product=product, name=name).select_related("product").first()
    if known is not None:
        return known
    made = add_organization(
        product,
        name,
        plan="District",
        time_zone=TIME_ZONE,
        domains=DOMAINS,
        seats=SEATS if PRESETS[name] == CLASSES else None,
    )
    _before_any_sync(made)
    return made


def _before_any_sync(organization: Organization) -> None:
    """What the customer had of its own: an administrator; somewhere sites, and a pupil of whom only a person can say who that is."""
    _by_hand(organization, "Dana", "Whitlock", "dwhitlock@riverbend.example", "administrator")
    if organization.name == MAPPED:
        for name in ("Riverbend High School", OWN_MIDDLE, "Central Office"):
            add_site(organization, name)
    if organization.name == ASKING:
        _by_hand(organization, "Liam", "Smith", "lsmith@students.riverbend.example", "student")


def _by_hand(organization: Organization, given: str, family: str, email: str, role: str) -> None:
    fields = {"given_name": given, "family_name": family, "email": email}
    members.add_member(organization, fields, [role])


def _people(product: Product, organizations: list[Organization], password: str) -> None:
    """One administrator for all of the organizations, and somebody of the product's support."""
    for organization in organizations:
        if not administrators_of(organization).filter(account__email=ADMINISTRATOR).exists():
            employ(product, organization, ADMINISTRATOR, ORGANIZATION, "Roster administrator")
    if not support_of(product).filter(account__email=SUPPORTER).exists():
        employ(product, None, SUPPORTER, SUPPORT, "Product support")
    for account in Account.objects.filter(email__in=(ADMINISTRATOR, SUPPORTER)):
        set_password(account, password)


# --- Their syncs --------------------------------------------------------------------------------------------------------------------


def _ask_for(organization: Organization, district: District) -> None:
    """A connection that was begun and is not active: with a partner's key and a Tenant ID, at this very server."""
    listing = f"{settings.PUBLIC_URL}/applications"
    known = SyncConnection.objects.filter(organization=organization).first()
    if known is None:
        _, key = make_key(find_partner(PARTNER), IN_THE_WIZARD, actor().name)
        filled = {"listing": listing, "tenant": str(district.pk), "key": key, "insecure": "yes"}
        connections.connect(
            organization, ROSTER, "partner_listing", filled, settings=PRESETS[organization.name]
        )
    elif known.source_kind == "partner_listing" and known.source_settings["listing"] != listing:
        connections.edit(known, {"listing": listing}, {})


def _sync(organization: Organization, process: str) -> None:
    """The first sync, shown and approved; whoever signed in since has a seat; and the evening school gets a second one, which is held."""
    folder = _shortened() if organization.name == HELD else PATH
    connection = _connection(organization, folder)
    if SyncRun.objects.filter(connection=connection, outcome="").exists():
        return  # of a start that was stopped in the middle: the worker sees to it, and the next start goes on
    if connection.state != SyncConnection.State.ACTIVE:
        return
    if connection.first_applied_at is None:
        shown = _walk(runs.enqueue(connection, actor().name, process=process))
        _walk(holds.approve(shown, actor().name, process=process))
        _sign_in(organization)
    if organization.name == HELD and not SyncHold.objects.filter(connection=connection).exists():
        _shorten(folder)
        _walk(runs.enqueue(connection, actor().name, process=process))


def _walk(run: SyncRun) -> SyncRun:
    return own.walk_here(run, lambda _: None)


def _connection(organization: Organization, folder: Path) -> SyncConnection:
    """Active, and reading from where the folder is now."""
    known = SyncConnection.objects.filter(organization=organization).select_related("organization__product")
    connection = known.first()
    if connection is None:
        made = connections.connect(
            organization, ROSTER, "folder", {"path": str(folder)}, settings=PRESETS[organization.name]
        )
        connections.test(made)
        if organization.name == MAPPED:
            own_site = str(find_site(organization, OWN_MIDDLE).id)
            deciding.decide(
                made, SITES, MIDDLE, TO_LINK, actor().name, target=own_site, why="The same house."
            )
        return connections.activate(made, "Part of the demo.")
    if connection.source_kind == "folder" and connection.source_settings["path"] != str(folder):
        connections.edit(connection, {"path": str(folder)}, {})
    return connection


def _sign_in(organization: Organization) -> None:
    if PRESETS[organization.name] != CLASSES:
        return
    for member in Member.objects.filter(organization=organization, source_id__in=SIGNED_IN):
        members.activate(member, timezone.now())


def _shortened() -> Path:
    """The evening school's folder: Riverbend, until `_shorten`."""
    folder = Path(settings.DATA_DIR) / "evening-school"
    if not folder.exists():
        write_rows(folder, "1.2", {name: list(some) for name, some in rows().items()}, "bulk", SYSTEM)
    return folder


def _shorten(folder: Path) -> None:
    """Riverbend without one grade of its pupils."""
    tables = rows()
    gone = {one["sourcedId"] for one in tables["users"] if one["grades"] == LEFT_OUT}
    less = {name: list(_without(some, gone)) for name, some in tables.items()}
    write_rows(folder, "1.2", {name: list(some) for name, some in less.items()}, "bulk", SYSTEM)


def _without(some: list[dict[str, str]], gone: set[str]) -> Iterator[dict[str, str]]:
    for row in some:
        if row.get("userSourcedId", row["sourcedId"]) in gone:
            continue
        kept = [one for one in row.get("agentSourcedIds", "").split(",") if one and one not in gone]
        yield row | ({"agentSourcedIds": ",".join(kept)} if "agentSourcedIds" in row else {})
