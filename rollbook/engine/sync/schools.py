"""How the orgs of a source become sites: by what a person decided, by link, by key, by identifier, by name, and never by likeness alone."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from rollbook.engine.sync.aims import Aim, archived, by_target, operations_of, resolved, settle
from rollbook.engine.sync.draft import Draft, is_gone, text
from rollbook.engine.sync.lifecycle import GOES, WAITS, archiving, fate, may_go, missed
from rollbook.engine.sync.links import TO_CREATE, TO_HOLD, TO_IGNORE, TO_LINK, Link
from rollbook.engine.sync.operations import (
    ARCHIVED,
    CREATE,
    LINK,
    NEW,
    RELINK,
    SITES,
    Case,
    Fields,
    Operation,
    new_handle,
)
from rollbook.engine.sync.roster import MARKED, Org
from rollbook.engine.sync.target import Record
from rollbook.oneroster.folding import fold

WANTED, IGNORED, HELD, ELSEWHERE = "wanted", "ignored", "held", "elsewhere"

ALIKE = 0.75
"""From this likeness of names on (difflib's ratio) a site is suggested for a school."""

SHORTENED = 0.9


@dataclass(frozen=True, slots=True)
class Places:
    """Where the people and classes of an org go. `site` is a handle, empty where there is none; `by_grade` is {grade: site}.

    ELSEWHERE: an org that is no school and becomes no site, as a district: who is there counts, without a site.
    """

    state: str
    site: str = ""
    by_grade: Mapping[str, str] = field(default_factory=dict)

    def site_for(self, grades: Iterable[str]) -> str:
        """The site of a pupil, or a class, of these grades."""
        return next((self.by_grade[one] for one in grades if one in self.by_grade), self.site)


def map_schools(draft: Draft) -> tuple[dict[str, Places], list[Operation]]:
    """Where each active org goes, and the operations on sites, those that take away apart (`draft.removals`)."""
    mapper = _Mapper(draft)
    found = {org.source_id: mapper.places(org) for org in _in_order(draft)}
    return found, mapper.operations()


def place_of(draft: Draft, org: str, places: Mapping[str, Places]) -> Places | None:
    """Where an org goes that a post or a class names; None for one that is neither there nor gone.

    A school that is gone keeps its people and classes as long as its site has grace.
    """
    if found := places.get(org):
        return found
    why, link = draft.gone(SITES, org), draft.link(SITES, org)
    if not org:
        return Places(IGNORED)
    if link is None:
        return Places(IGNORED) if why == MARKED or (why and draft.certified("orgs")) else None
    if not why:
        return None
    over = fate(draft, SITES, link, why, draft.policy.grace.staff) == GOES
    return Places(IGNORED if over else HELD, link.target)


def suggestions(draft: Draft, org: Org) -> list[tuple[str, float]]:
    """Sites with a name like the org's, the likest first: (id, likeness)."""
    rated = (
        (site.id, likeness(org.name, text(site.fields, "name")))
        for site in draft.world.directory.sites.values()
        if not is_gone(site)
    )
    return sorted((one for one in rated if one[1] >= ALIKE), key=lambda one: (-one[1], one[0]))


def likeness(one: str, other: str) -> float:
    """How like two names are, from 0 to 1; 0 for those less like than ALIKE. One that only shortens words of the other (Lincoln Elem)
    is as like as SHORTENED says.
    """
    one, other = named_alike(one), named_alike(other)
    if is_shortened(one, other):
        return SHORTENED
    matcher = SequenceMatcher(None, one, other)
    # The quick ratios are bounds from above: most pairs need no more.
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return matcher.ratio()


def is_shortened(one: str, other: str) -> bool:
    """Whether both begin with the same word, and each word of the shorter name begins one of the longer, in order."""
    short, long = sorted((named_alike(one).split(), named_alike(other).split()), key=len)
    if len(short) < 2 or short[0] != long[0]:
        return False
    rest = iter(long)
    return all(any(_begins(word, whole) for whole in rest) for word in short)


def _begins(one: str, other: str) -> bool:
    one, other = one.rstrip("."), other.rstrip(".")
    return bool(one and other) and (one.startswith(other) or other.startswith(one))


def named_alike(name: str) -> str:
    """A name as it is compared: without case and superfluous space."""
    return " ".join(fold(name).split())


def _in_order(draft: Draft) -> list[Org]:
    return sorted(draft.world.roster.orgs.values(), key=lambda org: org.source_id)


class _Mapper:
    """The walk over all orgs: what is taken already, and what is to be done."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.orgs = [org for org in _in_order(draft) if self._is_school(org)]
        self.owners: dict[str, list[str]] = {}
        for source_id, link in sorted(draft.world.links.of(SITES).items()):
            self.owners.setdefault(link.target, []).append(source_id)
        self.aims: list[Aim] = []
        self.relinked: set[str] = set()
        self.taken: set[str] = set()
        self.decided = {
            decision.target
            for (kind, _), decision in draft.world.decisions.items()
            if kind == SITES and decision.action == TO_LINK
        }

    def _is_school(self, org: Org) -> bool:
        return org.type in self.draft.policy.schools.types

    def places(self, org: Org) -> Places:
        if not self._is_school(org):
            return Places(ELSEWHERE)
        if self.draft.policy.schools.only and org.source_id not in self.draft.policy.schools.only:
            self.draft.say(SITES, org.source_id, "school-not-chosen", line=org.line)
            return Places(IGNORED)
        decision = self.draft.decision(SITES, org.source_id)
        if decision and decision.action == TO_IGNORE:
            return Places(IGNORED)
        if decision and decision.action == TO_HOLD:
            return self._held(org)
        if decision and decision.action == TO_LINK:
            return self._decided(org, decision.target, decision.by_grade)
        link = self.draft.link(SITES, org.source_id)
        anew = decision is not None and decision.action == TO_CREATE
        if link and not (anew and self.draft.record(SITES, link.target) is None):
            return self._linked(org, link)
        if anew:
            return self._created(org)
        return self._matched(org)

    def _held(self, org: Org) -> Places:
        link = self.draft.link(SITES, org.source_id)
        return Places(HELD, link.target if link else "")

    def _decided(self, org: Org, target: str, by_grade: Mapping[str, str]) -> Places:
        record = self.draft.record(SITES, target)
        if record is None and self.draft.keeps(SITES):
            self.draft.say(SITES, org.source_id, "target-gone", line=org.line)
            return self._held(org)
        link = self.draft.link(SITES, org.source_id)
        is_linked = link is not None and link.target == target
        self._aim(org, record, "" if is_linked else LINK, "decision", link if is_linked else None, by_grade)
        return Places(WANTED, target, by_grade)

    def _linked(self, org: Org, link: Link) -> Places:
        record = self.draft.record(SITES, link.target)
        if record is None:
            self.draft.say(SITES, org.source_id, "target-gone", line=org.line)
            return self._held(org)
        self._aim(org, record, "", "", link, {})
        if is_gone(record) and self.draft.state_by_hand(SITES, link.target) == ARCHIVED:
            self.draft.say(SITES, org.source_id, "archived-by-hand", line=org.line)
            return Places(IGNORED, link.target)
        return Places(WANTED, link.target)

    def _created(self, org: Org) -> Places:
        handle = new_handle(org.source_id) if self.draft.keeps(SITES) else ""
        self._aim(org, None, CREATE, "created", None, {})
        return Places(WANTED, handle)

    # --- By what they have in common ---

    def _matched(self, org: Org) -> Places:
        own = self.draft.world.directory.sites.values()
        by_key = [site for site in own if site.managed and site.key == org.source_id]
        if len(by_key) == 1 and self._is_free(by_key[0]):
            return self._take(org, by_key[0], "key")
        for rung in self.draft.policy.schools.match:
            sites = self._answering(org, rung)
            if len(sites) == 1 and self._is_only(org, rung) and self._is_free(sites[0]):
                return self._take(org, sites[0], rung)
            if sites and rung != "key":
                return self._disputed(org, sites, rung)
        return self._again(org) or self._unmatched(org)

    def _answering(self, org: Org, rung: str) -> list[Record]:
        wanted = self._said(rung)(org)
        if not wanted:
            return []
        found = [
            site
            for site in self.draft.world.directory.sites.values()
            if not is_gone(site) and SITE_SAYS[rung](site) == wanted
        ]
        return sorted(found, key=lambda site: site.id)

    def _is_only(self, org: Org, rung: str) -> bool:
        said = self._said(rung)
        return Counter(said(one) for one in self.orgs)[said(org)] == 1

    def _said(self, rung: str) -> Callable[[Org], str]:
        return ORG_SAYS[rung]

    def _is_free(self, site: Record) -> bool:
        """Whether no living school of the source has it: one whose school is gone may be the same under another id."""
        return site.id not in self.taken and site.id not in self.decided and self._is_left(site.id)

    def _again(self, org: Org) -> Places | None:
        """The site that somebody gave to a school that is gone, where all that was known of that is now said of this one alone."""
        said = _known_of({"name": org.name, "identifier": org.identifier})
        alike = [
            (one, link)
            for one, link in sorted(self.draft.world.links.of(SITES).items())
            if self.draft.gone(SITES, one) and _known_of(link.base) == said
        ]
        again = [
            one for one in self.orgs if _known_of({"name": one.name, "identifier": one.identifier}) == said
        ]
        if len(alike) != 1 or len(again) != 1 or alike[0][1].target in self.taken:
            return None
        (old, link), site = alike[0], self.draft.record(SITES, alike[0][1].target)
        decision = self.draft.decision(SITES, old)
        if site is None or is_gone(site) or not self._is_left(link.target):
            return None
        if decision and decision.by_grade:
            # Which grades go where is said of the old id alone: until somebody says it again, all stay where they are.
            self._disputed(org, [site], "name")
            return Places(HELD, site.id, decision.by_grade)
        return self._take(org, site, "re-keyed")

    def _is_left(self, site: str) -> bool:
        """Whether all schools that have this site are gone."""
        return all(self.draft.gone(SITES, one) for one in self.owners.get(site, []))

    def _take(self, org: Org, site: Record, rung: str) -> Places:
        owners = self.owners.get(site.id, [])
        self._aim(org, site, RELINK if owners else LINK, rung, None, {}, old=owners[0] if owners else "")
        return Places(WANTED, site.id)

    def _disputed(self, org: Org, sites: list[Record], rung: str) -> Places:
        others = tuple(
            one.source_id
            for one in self.orgs
            if one is not org and self._said(rung)(one) == self._said(rung)(org)
        )
        ids = tuple(site.id for site in sites)
        self.draft.ask(Case(SITES, org.source_id, "school-disputed", ids, others, rung))
        return Places(HELD)

    def _unmatched(self, org: Org) -> Places:
        action = self.draft.policy.schools.unmatched
        if action == "create" or not self.draft.keeps(SITES):
            return self._created(org)
        if action == "ignore":
            self.draft.say(SITES, org.source_id, "school-ignored", line=org.line)
            return Places(IGNORED)
        alike = tuple(site for site, _ in suggestions(self.draft, org))
        self.draft.ask(Case(SITES, org.source_id, "school-unmatched", alike))
        return Places(HELD)

    def _aim(
        self,
        org: Org,
        record: Record | None,
        action: str,
        rung: str,
        link: Link | None,
        by_grade: Mapping[str, str],
        old: str = "",
    ) -> None:
        handle = record.id if record else new_handle(org.source_id)
        aim = Aim(SITES, org.source_id, handle, action, {"name": org.name, "identifier": org.identifier})
        aim.record, aim.link, aim.reason, aim.old, aim.line = record, link, rung, old, org.line
        aim.feeds = bool(by_grade)
        self.taken.add(handle)
        self.draft.found[SITES, org.source_id] = rung or "link"
        if old:
            self.relinked.add(old)
        self.aims.append(aim)

    # --- As operations ---

    def operations(self) -> list[Operation]:
        if not self.draft.keeps(SITES):
            return []
        for several in by_target(aim for aim in self.aims if not aim.feeds):
            for aim in several[1:]:
                aim.feeds = True
        found = [operation for aim in self.aims for operation in self._operations_of(aim)]
        for source_id, link in sorted(self.draft.world.links.of(SITES).items()):
            if source_id not in self.draft.world.roster.orgs and source_id not in self.relinked:
                found += self._gone(source_id, link)
        return found

    def _operations_of(self, aim: Aim) -> list[Operation]:
        link = aim.link or (self.draft.link(SITES, aim.old) if aim.old else None)
        base = [resolved(self.draft, SITES, link.base)] if link else []
        if aim.feeds:
            aim.base = {**aim.source}
        else:
            settle(self.draft, aim, base)
        if archived(aim):
            if self.draft.state_by_hand(SITES, aim.handle) == ARCHIVED:
                return []
            aim.restores = not aim.feeds
        return list(operations_of(self.draft, aim))

    def _gone(self, source_id: str, link: Link) -> list[Operation]:
        """A site goes with its school only where this connection made it; one that was there before stays."""
        why, record = self.draft.gone(SITES, source_id), self.draft.record(SITES, link.target)
        if not why or link.target in self.taken or not may_go(self.draft, SITES, source_id, record):
            return []
        found = fate(self.draft, SITES, link, why, self.draft.policy.grace.staff)
        if found == GOES and record is not None and record.key == source_id:
            scope = self.draft.scope
            focused = scope is None or source_id in scope.schools
            self.draft.remove(archiving(SITES, source_id, record, why), focused)
        elif found == GOES:
            self.draft.say(SITES, source_id, "site-stays")
        return [missed(SITES, source_id, link)] if found == WAITS else []


ORG_SAYS: Mapping[str, Callable[[Org], str]] = {
    "key": lambda org: org.source_id,
    "identifier": lambda org: org.identifier.strip(),
    "name": lambda org: named_alike(org.name),
}
SITE_SAYS: Mapping[str, Callable[[Record], str]] = {
    "key": lambda site: site.key if site.managed else "",
    "identifier": lambda site: text(site.fields, "identifier").strip(),
    "name": lambda site: named_alike(text(site.fields, "name")),
}
"""What an org and a site are compared by; empty is nothing."""


def _known_of(said: Fields) -> tuple[str, str]:
    return named_alike(text(said, "name")), text(said, "identifier").strip()


def site_of_new(handle: str) -> str:
    """The sourcedId of the org that a new site is made for; empty for one that is there."""
    return handle.removeprefix(NEW) if handle.startswith(NEW) else ""
