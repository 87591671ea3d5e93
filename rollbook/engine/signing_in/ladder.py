"""The ladder: who of an organization's members somebody is that signs in. A member is recognised by something sure, or by nobody.

Each rung says yes, no, or that people have to decide; the first that does not say no ends the climb. Blank values never match, a token of a
foreign tenant is never looked at, and two who answer are never chosen between.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from rollbook.engine.signing_in.claims import STAFF, Claims
from rollbook.engine.sync.operations import ACTIVE, ARCHIVED, INACTIVE, PENDING, PURGED
from rollbook.oneroster.folding import fold

TENANT, LINK, SOURCED_ID, IDENTIFIER, USERNAME, EMAIL, REVIEW, SEAT = (
    "tenant", "link", "sourced-id", "identifier", "username", "email", "review", "seat",
)  # fmt: skip
CHOSEN = (SOURCED_ID, IDENTIFIER, USERNAME, EMAIL)
"""The rungs that a provider's settings may leave out."""

YES, NO, ASK, REFUSE = "yes", "no", "ask", "refuse"
PROVIDER, ORGANIZATION, ROSTER, NOBODY = "provider", "organization", "roster", "nobody"
"""Who can change it: whoever keeps the identity provider, an administrator of the organization, the roster's owner; nobody needs to."""


@dataclass(frozen=True)
class Trust:
    """What a provider of an organization may be believed: `tenants` whose people come by it, `domains` whose addresses are theirs.

    Without `tenants` the issuer alone is the tenant, which a provider that many share (`needs_tenant`) never is.
    """

    issuer: str
    tenants: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    rungs: frozenset[str] = frozenset(CHOSEN) - {USERNAME}
    needs_tenant: bool = False


@dataclass(frozen=True)
class Candidate:
    """A member who may be meant. `role` is staff, pupil or empty; `subject` who they are at this issuer already, empty: nobody.

    `former`: the record by which they were found was theirs, and has been followed by another.
    """

    member: int
    state: str = ACTIVE
    role: str = ""
    subject: str = ""
    former: bool = False


@dataclass(frozen=True)
class Known:
    """Who answers to each claim. `linked` is who this subject is already, `in_roster` whether the accepted read has its sourcedId.

    `rostered` says whether the provider goes with a roster at all, whose sourcedIds it tells.
    """

    linked: Candidate | None = None
    by: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)
    rostered: bool = False
    in_roster: bool = False


@dataclass(frozen=True)
class Step:
    """A rung: what it said, why (a code of REASONS), and who can change it. Members are named by number."""

    rung: str
    said: str
    why: str
    owner: str = NOBODY
    members: tuple[int, ...] = ()


@dataclass(frozen=True)
class Decision:
    """`outcome` is matched, or the code of a refusal (OUTCOMES). `asks`: it belongs into the review queue, also of somebody who came in."""

    outcome: str
    rung: str = ""
    member: int = 0
    steps: tuple[Step, ...] = ()
    asks: bool = False


MATCHED = "matched"
GONE = (ARCHIVED, PURGED)
OF_STATE = {ARCHIVED: "archived", PURGED: "archived", PENDING: "pending"}

OUTCOMES: dict[str, tuple[str, str]] = {
    "foreign-tenant": ("This sign-in belongs to another school or district than this organization's.", PROVIDER),
    "no-subject": ("The sign-in service did not say who you are.", PROVIDER),
    "second-subject": ("Another sign-in of the same service is yours already.", ORGANIZATION),
    "ambiguous": ("More than one person could be meant, and nobody guesses which one you are.", ORGANIZATION),
    "role-differs": ("The sign-in service and this organization do not agree on whether you are staff or a pupil.", ORGANIZATION),
    "archived": ("You are no longer a member of this organization.", ORGANIZATION),
    "suspended": ("Your access is suspended.", ORGANIZATION),
    "pending": ("You have not been accepted into this organization yet.", ORGANIZATION),
    "no-seat": ("All licences of this organization are in use.", ORGANIZATION),
    "other-provider": ("Your first sign-in has to be by another sign-in service.", ORGANIZATION),
    "outside-scope": ("You are in the school's roster, and not among the people this organization brings in.", ORGANIZATION),
    "not-synced": ("The roster does not know you yet; after the next sync it may.", ROSTER),
    "unknown": ("Nobody in this organization could be recognised by what the sign-in service said.", ORGANIZATION),
    "disabled-provider": ("This way of signing in is switched off.", ORGANIZATION),
    "not-trusted": ("The answer of the sign-in service could not be trusted, or came too late.", PROVIDER),
    "provider-silent": ("The sign-in service does not answer as it should.", PROVIDER),
    "too-many": ("Too many sign-ins from where you are were not let in just now: wait a minute, and try again.", NOBODY),
    "denied": ("The sign-in service let nobody in: it was cancelled there, or is not allowed for you.", PROVIDER),
}  # fmt: skip
"""What a refusal says to who signs in, and who can change it."""

REASONS: dict[str, str] = {
    "tenant-declared": "The tenant is one of those that were declared.",
    "issuer-alone": "The issuer is this organization's own, and needs no tenant.",
    "tenant-foreign": "The tenant is not one of those that were declared.",
    "tenant-blank": "The provider did not say which tenant it is.",
    "issuer-other": "Somebody else issued it than the provider this is set up for.",
    "no-subject": "The provider did not say who it is.",
    "linked": "This sign-in is this member's.",
    "not-linked": "This sign-in is nobody's yet.",
    "linked-elsewhere-said": "This sign-in is this member's; the sourcedId it tells is another member's.",
    "not-used": "The settings leave this out.",
    "blank": "The provider said nothing here.",
    "no-roster": "No roster goes with this provider, so its sourcedIds mean nothing here.",
    "nobody": "Nobody has it.",
    "one": "Exactly one member has it.",
    "former": "It was this member's sourcedId before.",
    "several": "More than one member has it.",
    "role-differs": "One is staff and the other a pupil.",
    "second-subject": "This member has another sign-in of the same issuer.",
    "email-unverified": "The provider does not vouch for the address.",
    "email-domain": "The address is of a domain that was not declared.",
    "gone": "Only somebody who is archived has it.",
    "nobody-found": "No step recognised anybody.",
    "seat-taken": "A free seat was taken.",
    "seat-held": "The member holds a seat already.",
    "archived": "The member is archived.",
    "suspended": "The member is suspended.",
    "pending": "The member is not accepted yet.",
    "no-seat": "No seat is free.",
    "other-provider": "This provider may not take a seat for this member.",
    "outside-scope": "The roster has this person, and the settings of the sync leave them out.",
    "not-synced": "The roster, as it was last read, does not have this sourcedId.",
}
"""What a step's code means."""


def climb(claims: Claims, trust: Trust, known: Known) -> Decision:
    """Who this is, with every step that was taken."""
    return Climb(claims, trust, known).decide()


class Climb:
    """One climb and what it has told so far."""

    def __init__(self, claims: Claims, trust: Trust, known: Known) -> None:
        self.claims, self.trust, self.known = claims, trust, known
        self.steps: list[Step] = []

    def decide(self) -> Decision:
        if refused := self._tenant():
            return refused
        if found := self._link():
            return found
        for rung in CHOSEN:
            if rung not in self.trust.rungs:
                self._tell(rung, NO, "not-used", ORGANIZATION)
            elif found := RUNGS[rung](self):
                return found
        return self._nobody()

    # --- The rungs, from the first ---

    def _tenant(self) -> Decision | None:
        """The issuer bound to the tenant: without it nothing that was said is looked at."""
        if not self.claims.subject.strip():
            return self._refuse(TENANT, "no-subject", "no-subject", PROVIDER)
        if self.claims.issuer != self.trust.issuer:
            return self._refuse(TENANT, "issuer-other", "foreign-tenant", PROVIDER)
        if not self.trust.tenants and not self.trust.needs_tenant:
            return self._tell(TENANT, YES, "issuer-alone")
        if not self.claims.tenant.strip():
            return self._refuse(TENANT, "tenant-blank", "foreign-tenant", PROVIDER)
        if self.claims.tenant not in self.trust.tenants:
            return self._refuse(TENANT, "tenant-foreign", "foreign-tenant", ORGANIZATION)
        return self._tell(TENANT, YES, "tenant-declared")

    def _link(self) -> Decision | None:
        """Who this subject is already stays who they are; a sourcedId that says another is for people to look at."""
        linked = self.known.linked
        if linked is None:
            return self._tell(LINK, NO, "not-linked")
        others = tuple(
            one.member
            for one in self._answering(SOURCED_ID)
            if one.member != linked.member and self.claims.sourced_id
        )
        why = "linked-elsewhere-said" if others else "linked"
        self._tell(LINK, YES, why, ROSTER if others else NOBODY, (linked.member, *others))
        return self._of_state(linked, LINK, asks=bool(others))

    def _sourced_id(self) -> Decision | None:
        if not self.known.rostered:
            return self._tell(SOURCED_ID, NO, "no-roster", ORGANIZATION)
        return self._exact(SOURCED_ID, self.claims.sourced_id, of_one_role=False)

    def _identifier(self) -> Decision | None:
        return self._exact(IDENTIFIER, self.claims.identifier)

    def _username(self) -> Decision | None:
        return self._exact(USERNAME, self.claims.username)

    def _email(self) -> Decision | None:
        address = self.claims.email.strip()
        if not address:
            return self._tell(EMAIL, NO, "blank", PROVIDER)
        domain = fold(address.rpartition("@")[2])
        is_declared = domain in {fold(one) for one in self.trust.domains}
        if not self._is_verified(is_declared):
            return self._tell(EMAIL, NO, "email-unverified", PROVIDER)
        if not is_declared:
            return self._tell(EMAIL, NO, "email-domain", ORGANIZATION)
        return self._exact(EMAIL, address, asks_of_role=True)

    def _is_verified(self, is_declared: bool) -> bool:
        """A tenant that was declared vouches for the domains that were declared with it, where the preset says that it may."""
        vouched = self.claims.tenant_vouches and self.claims.tenant in self.trust.tenants and is_declared
        return self.claims.email_verified or vouched

    def _nobody(self) -> Decision:
        self._tell(REVIEW, ASK, "nobody-found", ORGANIZATION)
        if not (SOURCED_ID in self.trust.rungs and self.known.rostered and self.claims.sourced_id.strip()):
            return self._done("unknown", REVIEW, asks=True)
        code = "outside-scope" if self.known.in_roster else "not-synced"
        return self._refuse(REVIEW, code, code, ORGANIZATION if self.known.in_roster else ROSTER)

    # --- What the rungs have in common ---

    def _exact(
        self, rung: str, value: str, *, of_one_role: bool = True, asks_of_role: bool = False
    ) -> Decision | None:
        """One living member who answers to it: numbers of staff and of pupils are two things, and may be alike."""
        if not value.strip():
            return self._tell(rung, NO, "blank", PROVIDER)
        answering = self._answering(rung)
        found = [one for one in answering if one.state not in GONE] or list(answering)
        fitting = [one for one in found if not (of_one_role and self._differs(one))]
        members = tuple(one.member for one in found)
        if not found:
            return self._tell(rung, NO, "nobody", ROSTER)
        if not fitting and not asks_of_role:
            return self._tell(rung, NO, "role-differs", ORGANIZATION, members)
        if not fitting:
            self._tell(rung, ASK, "role-differs", ORGANIZATION, members)
            return self._done("role-differs", rung, asks=True)
        if len({one.member for one in fitting}) > 1:
            self._tell(rung, ASK, "several", ORGANIZATION, members)
            return self._done("ambiguous", rung, asks=True)
        return self._take(rung, fitting[0])

    def _take(self, rung: str, one: Candidate) -> Decision:
        if one.subject and one.subject != self.claims.subject:
            self._tell(rung, ASK, "second-subject", ORGANIZATION, (one.member,))
            return self._done("second-subject", rung, asks=True)
        self._tell(rung, YES, "former" if one.former else "one", NOBODY, (one.member,))
        return self._of_state(one, rung)

    def _of_state(self, one: Candidate, rung: str, asks: bool = False) -> Decision:
        if one.state in (ACTIVE, INACTIVE):
            return self._done(MATCHED, rung, one.member, asks=asks)
        code = OF_STATE.get(one.state, "suspended")
        self._tell(SEAT, REFUSE, code, ORGANIZATION, (one.member,))
        return self._done(code, rung, one.member)

    def _answering(self, rung: str) -> tuple[Candidate, ...]:
        return self.known.by.get(rung, ())

    def _differs(self, one: Candidate) -> bool:
        """Whether both sides say what somebody is, and say two things; where an address is all there is, a pupil's never is a grown-up's."""
        return bool(self.claims.role and one.role) and (self.claims.role == STAFF) != (one.role == STAFF)

    def _tell(
        self, rung: str, said: str, why: str, owner: str = NOBODY, members: tuple[int, ...] = ()
    ) -> Decision | None:
        """Keeps the step, and decides nothing: the climb goes on."""
        self.steps.append(Step(rung, said, why, owner, members))
        return None

    def _refuse(self, rung: str, why: str, outcome: str, owner: str) -> Decision:
        self._tell(rung, REFUSE, why, owner)
        return self._done(outcome, rung)

    def _done(self, outcome: str, rung: str, member: int = 0, asks: bool = False) -> Decision:
        return Decision(outcome, rung, member, tuple(self.steps), asks)


RUNGS: dict[str, Callable[[Climb], Decision | None]] = {
    SOURCED_ID: Climb._sourced_id,
    IDENTIFIER: Climb._identifier,
    USERNAME: Climb._username,
    EMAIL: Climb._email,
}
