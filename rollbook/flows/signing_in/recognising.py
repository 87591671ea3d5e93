"""Who of an organization answers to what a provider said: the candidates of the ladder, and nothing decided."""

from collections.abc import Iterable

from rollbook.engine.signing_in.claims import PUPIL, STAFF, Claims
from rollbook.engine.signing_in.ladder import EMAIL, IDENTIFIER, SOURCED_ID, USERNAME, Candidate, Known
from rollbook.engine.sync.operations import MEMBERS, PURGED
from rollbook.engine.sync.policy import read_policy
from rollbook.engine.sync.read_file import has_person
from rollbook.engine.sync.roles import STUDENT
from rollbook.oneroster.folding import fold
from rollbook.store.directory_rows import listed
from rollbook.store.linking import NOT_AGAIN
from rollbook.store.models import Identity, IdentityProvider, Link, Member, SyncConnection
from rollbook.store.sync_shelf import accepted_read

MOST = 5
"""More candidates than this make nothing clearer."""


def known_by(provider: IdentityProvider, claims: Claims) -> Known:
    """Everybody who answers to one of the claims."""
    return Search(provider, claims).known()


class Search:
    """One look for those who answer."""

    def __init__(self, provider: IdentityProvider, claims: Claims) -> None:
        self.provider, self.claims = provider, claims
        self.organization = provider.organization
        self.members = Member.objects.filter(organization=self.organization).exclude(state=PURGED)
        self.identities = Identity.objects.filter(organization=self.organization, ended_at=None)
        self.pupils = pupil_roles(provider)

    def known(self) -> Known:
        claims = self.claims
        mine = self.identities.filter(issuer=claims.issuer, tenant=claims.tenant, subject=claims.subject)
        linked = mine.values_list("member_id", flat=True).first()
        living, former = self._by_record()
        in_roster = not living and self._is_in_roster()
        by = {
            SOURCED_ID: self._of_numbers(living)
            or (() if in_roster else self._of_numbers(former, former=True)),
            IDENTIFIER: self._with(claims.identifier, identifier=claims.identifier),
            USERNAME: self._with(claims.username, username_folded=fold(claims.username.strip())),
            EMAIL: self._with(claims.email, email_folded=fold(claims.email.strip())),
        }
        # Also of somebody purged: their sign-in is known, and they are not let in by another way round.
        who = (
            self._candidates(Member.objects.filter(organization=self.organization, id=linked))
            if linked
            else ()
        )
        return Known(who[0] if who else None, by, bool(self.provider.connection_id), in_roster)

    def _by_record(self) -> tuple[list[int], list[int]]:
        """Who the roster's record of this sourcedId is, and who it was before it was followed by another."""
        if not self.provider.connection_id or not self.claims.sourced_id:
            return [], []
        links = Link.objects.filter(
            connection=self.provider.connection_id, kind=MEMBERS, source_id=self.claims.sourced_id
        )
        living = links.filter(ended_at=None).values_list("target", flat=True)
        ended = links.exclude(ended_at=None).exclude(end_reason__in=NOT_AGAIN).order_by("-ended_at", "-pk")
        last = ended.values_list("target", flat=True)[:1]
        return [int(one) for one in living], [int(one) for one in last]

    def _is_in_roster(self) -> bool:
        connection = self.provider.connection
        folder = accepted_read(connection) if connection and self.claims.sourced_id else None
        return folder is not None and has_person(folder, self.claims.sourced_id)

    def _with(self, said: str, **column: str) -> tuple[Candidate, ...]:
        """Blank values never match, not even each other."""
        if not said.strip() or not all(column.values()):
            return ()
        return self._candidates(self.members.filter(**column).order_by("id")[:MOST])

    def _of_numbers(self, numbers: list[int], former: bool = False) -> tuple[Candidate, ...]:
        return self._candidates(self.members.filter(id__in=numbers), former) if numbers else ()

    def _candidates(self, members: Iterable[Member], former: bool = False) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(one.id, one.state, role_of(one, self.pupils), self._subject_of(one), former)
            for one in members
        )

    def _subject_of(self, member: Member) -> str:
        """Who the member is at this issuer already; one of another tenant is another one, whatever it is called."""
        own = self.identities.filter(member_id=member.id, issuer=self.claims.issuer).first()
        if own is None:
            return ""
        return own.subject if own.tenant == self.claims.tenant else f"{own.tenant} {own.subject}"


def pupil_roles(provider: IdentityProvider) -> frozenset[str]:
    """What pupils are called in the organization: by the settings of the roster that goes with the provider, or of all of them."""
    rosters = SyncConnection.objects.filter(organization=provider.organization_id)
    if provider.connection_id:
        rosters = rosters.filter(pk=provider.connection_id)
    mapped = {
        read_policy(policy).roles.map.get(STUDENT, "")
        for policy in rosters.values_list("policy", flat=True)
        if policy
    }
    return frozenset({STUDENT, *mapped} - {""})


def role_of(member: Member, pupils: frozenset[str]) -> str:
    """Staff, pupil, or empty for somebody without a role."""
    roles = set(listed(member.roles))
    if not roles:
        return ""
    return PUPIL if roles <= pupils else STAFF
