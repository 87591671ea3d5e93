"""What an identity provider says of somebody, in our words. Which claim means what stands in the presets, as data; nothing here decides.

Sources: OpenID Connect Core 1.0 §5.1 (standard claims); the providers' own pages on their claims, as each preset says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollbook.oneroster.folding import fold

STAFF, PUPIL = "staff", "pupil"
REPLAYED = "Tested against a replayed service, not the live one."
NAMES = ("tenant", "sourced_id", "identifier", "username", "role")
"""What may be read from claims of other names than the preset's, by provider."""


@dataclass(frozen=True)
class Claims:
    """`role` is staff, pupil, or empty where the provider says nothing that we know. Ids are texts, byte for byte as they came.

    `email_verified` is what the provider says; `tenant_vouches` that an address counts as verified where its tenant and domain are declared.
    """

    issuer: str
    subject: str
    tenant: str = ""
    sourced_id: str = ""
    identifier: str = ""
    username: str = ""
    email: str = ""
    email_verified: bool = False
    tenant_vouches: bool = False
    role: str = ""


@dataclass(frozen=True)
class Preset:
    """A kind of provider. Each field of claims is looked for under these names, in this order; a dot goes into an object.

    `tenants` says what a tenant is there, empty where it knows none: then the issuer alone is the tenant. `quirk` is what one has to know.
    `rosters`: who keeps it may keep rosters too, and list to a partner which districts added it, by tenant. `hosts` are where such rosters lie.
    """

    key: str
    title: str
    issuer: str = ""
    tenants: str = ""
    scopes: str = "openid profile email"
    subject: tuple[str, ...] = ("sub",)
    tenant: tuple[str, ...] = ()
    sourced_id: tuple[str, ...] = ()
    identifier: tuple[str, ...] = ()
    username: tuple[str, ...] = ("preferred_username",)
    email: tuple[str, ...] = ("email",)
    verified: tuple[str, ...] = ("email_verified",)
    tenant_vouches: bool = False
    role: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    other_issuers: tuple[str, ...] = ()
    quirk: str = ""
    rosters: bool = False
    hosts: tuple[str, ...] = ()


CLASSLINK = Preset(
    "classlink",
    "ClassLink",
    "https://launchpad.classlink.com",
    "The tenant's number (TenantId), which the district finds in its console.",
    scopes="openid profile email oneroster",
    subject=("sub", "UserId"),
    tenant=("classLink_tenant_id", "TenantId"),
    sourced_id=("classLink_sourcedId", "SourcedId"),
    username=("login_hint", "LoginId"),
    role=("classLink_role", "Role", "profile"),
    roles={"student": PUPIL, "teacher": STAFF, "tenant administrator": STAFF, "administrator": STAFF, "staff": STAFF},
    quirk="The tenant is a number, the TenantId. The sourcedId may be missing, or for some days be the one from before a change of role.",
    rosters=True,
    hosts=("classlink.com", "classlink.io"),
)  # fmt: skip
CLEVER = Preset(
    "clever",
    "Clever",
    "https://clever.com",
    "The district's id, 24 letters and digits.",
    scopes="openid profile email",
    subject=("sub", "user_id"),
    tenant=("district", "district_id"),
    sourced_id=("sis_id",),
    username=("district_username",),
    role=("user_type", "type"),
    roles={
        "student": PUPIL, "teacher": STAFF, "staff": STAFF, "school_admin": STAFF, "district_admin": STAFF,
    },
    quirk="The tenant is the district's id there. Contacts, such as parents, are neither staff nor pupils, and are not let in.",
    rosters=True,
    hosts=("clever.com",),
)  # fmt: skip
GOOGLE = Preset(
    "google",
    "Google",
    "https://accounts.google.com",
    "The domain of the Workspace (hd), such as school.example.",
    tenant=("hd",),
    username=(),
    other_issuers=("accounts.google.com",),
    quirk="The tenant is the domain of the Workspace. Private accounts are of none, and are not let in. Nothing tells staff from pupils.",
)
ENTRA = Preset(
    "entra",
    "Microsoft Entra",
    "https://login.microsoftonline.com/organizations/v2.0",
    "The directory's id (tid), such as 8eaef023-2b34-4da1-9baa-8bc8c9d6a490.",
    subject=("oid",),
    tenant=("tid",),
    verified=("xms_edov", "email_verified"),
    tenant_vouches=True,
    quirk="The tenant is the directory. Addresses can be set freely there: one counts where directory and domain are declared,"
    " or Entra vouches for it (xms_edov).",
)
ANY = Preset(
    "any",
    "Any OpenID Connect provider",
    sourced_id=("sourcedId", "sourced_id"),
    identifier=("identifier",),
    role=("role", "roles"),
    roles={"student": PUPIL, "teacher": STAFF, "administrator": STAFF, "aide": STAFF, "proctor": STAFF, "staff": STAFF},
    quirk="Whoever signs in there counts as yours. Where many districts share it, name the claim that tells the district:"
    " a claim is a line of what the service says of a person.",
    rosters=True,
)  # fmt: skip
LAUNCH_PAD = Preset(
    "launch-pad",
    "Launch pad of a district here",
    tenants="The district's Tenant ID, a number.",
    tenant=("tenant",),
    sourced_id=("sourcedId",),
    role=("role",),
    roles=ANY.roles,
    quirk="For a district on this server: nothing has to be registered. People whom it shares with the product come in by its launch pad.",
)

PRESETS: dict[str, Preset] = {one.key: one for one in (CLASSLINK, CLEVER, GOOGLE, ENTRA, LAUNCH_PAD, ANY)}


def claims_of(preset: Preset, raw: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Claims:
    """What was said, in our words. `names` are a provider's own claims for some of NAMES. What is no text or number is as if not said."""
    own = {name: (claim,) for name, claim in (names or {}).items() if claim and name in NAMES}

    def said(name: str) -> str:
        return first_of(raw, own.get(name, getattr(preset, name)))

    issuer = text_of(raw.get("iss"))
    return Claims(
        issuer=preset.issuer if issuer in preset.other_issuers else issuer,
        subject=first_of(raw, preset.subject),
        tenant=said("tenant"),
        sourced_id=said("sourced_id"),
        identifier=said("identifier"),
        username=said("username"),
        email=first_of(raw, preset.email),
        email_verified=any(is_yes(found_in(raw, name)) for name in preset.verified),
        tenant_vouches=preset.tenant_vouches,
        role=role_of(preset, said("role")),
    )


def first_of(raw: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first of these claims that says something."""
    return next((text for name in names if (text := text_of(found_in(raw, name)))), "")


def found_in(raw: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or else by its way into objects."""
    if name in raw:
        return raw[name]
    found: Any = raw
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def text_of(value: Any) -> str:
    """An id as text, byte for byte: 17 and "17" are one, " 17" is another, and what is blank is none. Of a list, its only entry."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value)
    return text if text.strip() else ""


def is_yes(value: Any) -> bool:
    """Providers say so in four ways."""
    return value is True or (not isinstance(value, bool) and str(value).lower() in ("1", "true"))


def role_of(preset: Preset, said: str) -> str:
    """Staff, pupil or nothing that we know."""
    return preset.roles.get(fold(said.strip()), "")


def masked(value: str) -> str:
    """As much of a value as tells it apart from an empty or a wrong one, and no more."""
    name, at, domain = value.rpartition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    if len(value) < 5:
        return "…" if value else ""
    return f"{value[:2]}…{value[-1:]}"
