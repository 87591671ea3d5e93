"""The district's own identity provider: what it proved of somebody is matched with the roster by the ladder of all sign-ins.

The candidates are the district's rostered people. Nobody is guessed, and nothing waits for a decision: who is not found asks their school.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from rollbook.connectors.openid_connect.server import clean_issuer
from rollbook.engine.launching import PROVIDER
from rollbook.engine.signing_in.claims import LAUNCH_PAD, NAMES, PRESETS, PUPIL, STAFF, Claims, claims_of
from rollbook.engine.signing_in.ladder import (
    CHOSEN,
    EMAIL,
    IDENTIFIER,
    LINK,
    MATCHED,
    SOURCED_ID,
    USERNAME,
    Candidate,
    Decision,
    Known,
    climb,
)
from rollbook.engine.sync.operations import ACTIVE, ARCHIVED
from rollbook.flows import audit
from rollbook.flows.email_domains import clean_domain
from rollbook.flows.launching.coming_in import NotThisWay, note_coming
from rollbook.flows.launching.people import sign_in_of
from rollbook.flows.launching.standing import is_pupil, rostered, ways_for
from rollbook.flows.launching.telling import tell
from rollbook.flows.signing_in.attempts import reference
from rollbook.flows.signing_in.providers import (
    ClientIdNeeded,
    IssuerNeeded,
    NoSuchClaimName,
    NoSuchPreset,
    NoSuchRung,
    TenantNeeded,
    needs_tenant,
    preset_of,
    trust_of,
)
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store.models import (
    District,
    LaunchIdentity,
    LaunchPad,
    LaunchProvider,
    LaunchSignIn,
    User,
)

MOST_ANSWERING = 20
SUSPENDED = "suspended"


class NotRecognised(Refusal):
    """Your school's sign-in service did not show which person of the roster you are. Ask the office of your school."""

    # `code` is the ladder's outcome, `number` what the page shows and the audit log finds it by.
    def __init__(self, code: str, number: str) -> None:
        super().__init__(number)
        self.code, self.number = code, number


class NoProvider(Refusal):
    """This district has no sign-in service of its own here, or it is switched off."""


def provider_of(district: District) -> LaunchProvider | None:
    return LaunchProvider.objects.select_related("district").filter(district=district).first()


def active_provider(district: District) -> LaunchProvider:
    """Raises NoProvider."""
    found = provider_of(district)
    if found is None or not found.is_active:
        raise NoProvider
    return found


def set_provider(district: District, preset: str, **about: Any) -> LaunchProvider:
    """The district's provider, made or changed: name, issuer, client_id, client_secret, tenants, domains, rungs, names, is_active.

    Raises NoSuchPreset, IssuerNeeded, BadSetting, ClientIdNeeded, TenantNeeded, NotADomain, NoSuchRung, NoSuchClaimName.
    """
    if preset == LAUNCH_PAD.key:
        raise NoSuchPreset(preset)
    kind = preset_of(preset)
    found = provider_of(district)
    if found is None:
        usual = {
            "name": kind.title,
            "issuer": kind.issuer,
            "rungs": [SOURCED_ID, IDENTIFIER, USERNAME, EMAIL],
        }
        found = LaunchProvider(district=district, **usual)
    found.preset = preset
    for name, value in about.items():
        if name == "client_secret" and not value:
            continue  # left empty: as it was
        setattr(found, name, READ[name](value))
    if found.is_active and not found.client_id:
        raise ClientIdNeeded
    if needs_tenant(found) and not found.tenants:
        raise TenantNeeded
    with transaction.atomic():
        found.save()
        columns = ("name", "preset", "issuer", "client_id", "tenants", "domains", "rungs", "is_active")
        told = {name: getattr(found, name) for name in columns}
        audit.record(district.pk, "launch_pad.provider", "launch pad", district.pk, district.name, after=told)
    return found


def remove_provider(district: District) -> None:
    """Nobody comes in by it any more, and who did is out."""
    with transaction.atomic():
        LaunchProvider.objects.filter(district=district).delete()
        audit.record(district.pk, "launch_pad.remove_provider", "launch pad", district.pk, district.name)


def _issuer(text: str) -> str:
    if not text.strip():
        raise IssuerNeeded
    return clean_issuer(text)


def _rungs(given: list[str]) -> list[str]:
    if unknown := sorted(set(given).difference(CHOSEN)):
        raise NoSuchRung(unknown[0][:40])
    return [rung for rung in CHOSEN if rung in set(given)]


def _names(given: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(set(given).difference(NAMES)):
        raise NoSuchClaimName(unknown[0][:40])
    return {name: claim.strip()[:100] for name, claim in given.items() if claim.strip()}


READ: Mapping[str, Any] = {
    "name": lambda text: " ".join(text.replace("\0", "").split())[:200] or "Sign in",
    "issuer": _issuer,
    "client_id": lambda text: text.strip()[:500],
    "client_secret": lambda text: text.strip(),
    "tenants": lambda given: list(dict.fromkeys(one.strip() for one in given if one.strip())),
    "domains": lambda given: sorted({clean_domain(one) for one in given if one.strip()}),
    "rungs": _rungs,
    "names": _names,
    "is_active": bool,
}


# --- Coming in ------------------------------------------------------------------------------------------------------------------------


def by_provider(
    pad: LaunchPad, provider: LaunchProvider, said: Mapping[str, Any], now: datetime
) -> LaunchSignIn:
    """Whoever these proved claims are of. Raises NotRecognised, NotThisWay."""
    claims = claims_of(PRESETS[provider.preset], said, provider.names)
    decision = recognise(provider, claims)
    user = rostered(pad.district_id, decision.member) if decision.outcome == MATCHED else None
    if user is None:
        raise turned_away(pad, decision.outcome)
    if PROVIDER not in ways_for(pad, user):
        raise NotThisWay
    if decision.rung != LINK and not _link(user, claims, decision.rung, now):
        raise turned_away(pad, "second-subject")
    sign_in = sign_in_of(user)
    note_coming(sign_in, PROVIDER, now)
    return sign_in


def turned_away(pad: LaunchPad, code: str) -> NotRecognised:
    """Nobody was recognised, or nobody proved: told in the audit log by a number, without a name."""
    number = reference()
    tell(pad.district_id, "launch_pad.keep_out", "", {"outcome": code, "reference": number})
    return NotRecognised(code, number)


def recognise(provider: LaunchProvider, claims: Claims) -> Decision:
    """Who of the roster this is, by the ladder; nothing is kept."""
    return climb(claims, trust_of(provider, claims.issuer), _known(provider, claims))


def _known(provider: LaunchProvider, claims: Claims) -> Known:
    district_id = provider.district_id
    same = LaunchIdentity.objects.filter(
        district_id=district_id, issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject
    ).first()
    linked = User.objects.filter(district_id=district_id, id=same.user_id).first() if same else None
    asked = {
        SOURCED_ID: (claims.sourced_id, Q(sourced_id=claims.sourced_id) | Q(source_id=claims.sourced_id)),
        IDENTIFIER: (claims.identifier, Q(identifier=claims.identifier)),
        USERNAME: (claims.username, Q(username_folded=fold(claims.username.strip()))),
        EMAIL: (claims.email, Q(email_folded=fold(claims.email.strip()))),
    }
    by = {rung: _answering(district_id, one, claims) for rung, (said, one) in asked.items() if said.strip()}
    return Known(_candidate(linked, claims) if linked else None, by, rostered=True)


def _answering(district_id: int, one: Q, claims: Claims) -> tuple[Candidate, ...]:
    found = User.objects.filter(one, district_id=district_id).order_by("id")[:MOST_ANSWERING]
    return tuple(_candidate(user, claims) for user in found)


def _candidate(user: User, claims: Claims) -> Candidate:
    state = ARCHIVED if user.status != ACTIVE else ACTIVE if user.enabled_user else SUSPENDED
    own = LaunchIdentity.objects.filter(
        district_id=user.district_id, user_id=user.id, issuer=claims.issuer
    ).first()
    return Candidate(user.id, state, PUPIL if is_pupil(user) else STAFF, own.subject if own else "")


def _link(user: User, claims: Claims, rung: str, now: datetime) -> bool:
    """From now on this subject is this person; False where another one was faster."""
    try:
        with transaction.atomic():
            LaunchIdentity.objects.create(
                district_id=user.district_id, user_id=user.id, issuer=claims.issuer, tenant=claims.tenant,
                subject=claims.subject, rung=rung, linked_at=now,
            )  # fmt: skip
            audit.record(user.district_id, "launch_pad.link", "person", user.sourced_id, after={"rung": rung})
    except IntegrityError:
        same = LaunchIdentity.objects.filter(district_id=user.district_id, user_id=user.id)
        return same.filter(issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject).exists()
    return True
