"""Coming in by the service of a district's or an organization's own. Somebody who has an account is recognised, or nobody: none is made here.

The service lets in by itself only who works nowhere else: it must not open what is another's. Who does signs in with a password first, and then
shows by the service who they are, for the pages of those who require that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from rollbook.engine.signing_in.claims import PRESETS, STAFF, Claims, claims_of
from rollbook.engine.signing_in.ladder import EMAIL, LINK, MATCHED, OUTCOMES, Candidate, Known, Trust, climb
from rollbook.flows import audit, sign_ins
from rollbook.flows.break_glass import is_break_glass
from rollbook.flows.own_sign_in.setting_up import Own, Owner, by_key, note_tried, own_of
from rollbook.flows.signing_in.providers import needs_tenant
from rollbook.store.models import Account, Administrator, Developer, District, Operator, WorkIdentity

OWN_OUTCOMES = {
    "nobody": "Nobody who works here has the address that the sign-in service told.",
    "elsewhere": "You also work elsewhere in this installation, which this sign-in service must not open: sign in with your password first.",
    "deactivated": "Your account is deactivated.",
    "another": "The sign-in service says that you are somebody else than who is signed in here.",
}  # fmt: skip
"""What is said beside the ladder's OUTCOMES to who is not let in."""

SAID_OTHERWISE = {"unknown": "nobody", "role-differs": "nobody"}
LINKED, ADDRESSED = 1, 2
"""The numbers by which the ladder knows who this sign-in is already, and who has its address."""


@dataclass(frozen=True)
class Came:
    """Who came; without an account `outcome` says why nobody did."""

    outcome: str
    account: Account | None = None

    @property
    def words(self) -> str:
        return OWN_OUTCOMES.get(self.outcome) or OUTCOMES[self.outcome][0]


def come(
    own: Own, said: Mapping[str, Any], now: datetime, address: str = "", signed_in: Account | None = None
) -> Came:
    """Who these proved claims are of. `signed_in` is who is in already, and only shows that it is really them."""
    if not own.is_active:
        return turned_away(own, "disabled-provider", address)
    claims = claims_of(PRESETS[own.preset], said, own.names)
    account, outcome, rung = _recognised(own, claims)
    if account is not None:
        outcome = _why_not(own, account, signed_in)
    if account is None or outcome:
        return turned_away(own, outcome, address, account)
    try:
        with transaction.atomic():
            if rung != LINK:
                _link(own, account, claims, now)
            note_tried(own, now)
    except IntegrityError:
        # They came by two windows at once, or have another sign-in of this issuer.
        if not _mine(claims).filter(account=account).exists():
            return turned_away(own, "second-subject", address, account)
    return Came("", account)


def turned_away(own: Own, outcome: str, address: str, account: Account | None = None) -> Came:
    """Nobody comes in: `outcome` says why, and the owner's audit log keeps it."""
    owner = own.owner
    chain = owner.pk if isinstance(owner, District) else None
    sign_ins.refused_by_own(chain, account, own.key, outcome, address)
    return Came(outcome)


def rehearse(own: Own, said: Mapping[str, Any]) -> tuple[Claims, str]:
    """What was said, in our words, and what coming in by it would end with: empty, or why not. Nothing is done."""
    claims = claims_of(PRESETS[own.preset], said, own.names)
    account, outcome, _ = _recognised(own, claims)
    if account is not None:
        outcome = _why_not(own, account, None)
    return claims, Came(outcome).words if outcome else ""


def _recognised(own: Own, claims: Claims) -> tuple[Account | None, str, str]:
    """By a link or by a vouched address of a declared domain, as members are by the same rungs: (who, or why nobody, by which rung)."""
    identity = _mine(claims).first()
    addressed = Account.objects.filter(email=claims.email.strip().lower()).first() if claims.email else None
    candidates: tuple[Candidate, ...] = ()
    if addressed is not None:
        other = WorkIdentity.objects.filter(account=addressed, issuer=claims.issuer).first()
        candidates = (Candidate(ADDRESSED, role=STAFF, subject=other.subject if other else ""),)
    known = Known(Candidate(LINKED) if identity else None, {EMAIL: candidates})
    decision = climb(claims, _trust(own, claims), known)
    if decision.outcome != MATCHED:
        return None, SAID_OTHERWISE.get(decision.outcome, decision.outcome), decision.rung
    return (identity.account if identity else addressed), "", decision.rung


def _trust(own: Own, claims: Claims) -> Trust:
    """A token's issuer was proved by its signature before."""
    return Trust(
        claims.issuer,
        frozenset(own.tenants),
        frozenset(own.domains),
        frozenset({EMAIL}),
        needs_tenant(own),
    )


def _why_not(own: Own, account: Account, signed_in: Account | None) -> str:
    if not account.is_active:
        return "deactivated"
    if signed_in is not None:
        return "" if account == signed_in else "another"
    return "" if works_only_in(account, own.owner) else _of_whom(account)


def _of_whom(account: Account) -> str:
    """Who works nowhere any more is nobody; who works elsewhere (too) has another way in."""
    return "elsewhere" if any(found.exists() for found in _posts(account)) else "nobody"


def works_only_in(account: Account, owner: Owner) -> bool:
    """Whether the account works here, and nowhere else in this installation."""
    operators, administrators, developers = _posts(account)
    if developers.exists():
        return False
    if isinstance(owner, District):
        return not administrators.exists() and {post.district_id for post in operators} == {owner.pk}
    return not operators.exists() and {post.organization_id for post in administrators} == {owner.pk}


def _posts(account: Account) -> tuple[Any, Any, Any]:
    return (
        Operator.objects.filter(account=account),
        Administrator.objects.filter(account=account, left_at=None),
        Developer.objects.filter(account=account, left_at=None),
    )


def _mine(claims: Claims) -> Any:
    found = WorkIdentity.objects.filter(issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject)
    return found.select_related("account")


def _link(own: Own, account: Account, claims: Claims, now: datetime) -> None:
    WorkIdentity.objects.create(
        account=account, issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject, linked_at=now
    )
    owner = own.owner
    chain = owner.pk if isinstance(owner, District) else None
    audit.record(
        chain, "own_sign_in.link", "account", account.pk, account.email or "",
        after={"service": own.key}, by=account.email or "",
    )  # fmt: skip


# --- While somebody is in -----------------------------------------------------------------------------------------------------------


def still_holds(account: Account, key: str, issuer: str) -> bool:
    """Whether who came in by this service alone still may be in: asked at each of their steps."""
    own = by_key(key)
    return (
        own is not None
        and own.is_active
        and own.issuer == issuer
        and account.is_active
        and works_only_in(account, own.owner)
    )


def bars(account: Account, owner: Owner, shown: Mapping[str, str]) -> bool:
    """Whether the owner's pages stay shut to this session. `shown` are the services that have said in it who this is, with their issuers."""
    if not owner.requires_own_sign_in or is_break_glass(account):
        return False
    own = own_of(owner)
    return own is None or shown.get(own.key) != own.issuer


def identities_of(account: Account) -> list[WorkIdentity]:
    """The sign-ins elsewhere that are this account's."""
    return list(WorkIdentity.objects.filter(account=account).order_by("pk"))


def forget(account: Account) -> int:
    """None of them is this account's any more: at the next time it is recognised by its address anew; how many there were."""
    with transaction.atomic():
        gone, _ = WorkIdentity.objects.filter(account=account).delete()
        audit.record(
            None, "own_sign_in.forget", "account", account.pk, account.email or "", after={"had": gone}
        )
    return gone
