"""The ladder: how a person without a link is recognised among the members. Never by name alone; blank values never match."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rollbook.engine.sync.draft import Draft, is_gone, text, words
from rollbook.engine.sync.operations import MEMBERS, Case, Fields
from rollbook.engine.sync.roles import Standing, is_pupil
from rollbook.engine.sync.roster import Person
from rollbook.engine.sync.target import Record
from rollbook.oneroster.folding import fold


@dataclass(frozen=True, slots=True)
class Match:
    """`target` is a member's id, empty where there is none. `old` is the sourcedId it had, if that is gone. `asked`: it is a Case."""

    target: str = ""
    rung: str = ""
    old: str = ""
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Seeker:
    """A person without a link, with what they are compared by."""

    person: Person
    standing: Standing
    fields: Fields


class Ladder:
    """The members by what they can be recognised by, and who has been recognised so far."""

    def __init__(self, draft: Draft, stands: Mapping[str, Standing]) -> None:
        self.draft = draft
        self.owners: dict[str, list[str]] = {}
        for source_id, link in sorted(draft.world.links.of(MEMBERS).items()):
            self.owners.setdefault(link.target, []).append(source_id)
        self.taken: set[str] = set()
        self.freed: set[str] = set()
        self._by = {name: self._index(name) for name in ("identifier", "email", "username")}
        self._by_key = self._index_of_keys()
        self._by_name = self._index_of_the_gone()
        self._said = self._count(stands)

    def _index(self, name: str) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in self.draft.world.directory.members.values():
            if value := _compared(name, text(record.fields, name)):
                found.setdefault(value, []).append(record)
        return found

    def _index_of_keys(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in self.draft.world.directory.members.values():
            if record.managed and record.key:
                found.setdefault(record.key, []).append(record)
        return found

    def _index_of_the_gone(self) -> dict[tuple[str, str], list[str]]:
        """Members that are not archived yet and whose source record is gone, by name."""
        found: dict[tuple[str, str], list[str]] = {}
        for target, owners in self.owners.items():
            record = self.draft.record(MEMBERS, target)
            if record and not is_gone(record) and all(self.draft.gone(MEMBERS, one) for one in owners):
                found.setdefault(_name_of(record.fields), []).append(target)
        return found

    def _count(self, stands: Mapping[str, Standing]) -> dict[tuple[str, bool], Counter[str]]:
        """How many people of the source have a value, staff and pupils apart; those who never become members do not count."""
        found: dict[tuple[str, bool], Counter[str]] = {
            (name, staff): Counter() for name in EVIDENCE for staff in (False, True)
        }
        for source_id, person in self.draft.world.roster.people.items():
            if stands[source_id].code != "never-a-member":
                staff = stands[source_id].staff
                found["identifier", staff][_compared("identifier", person.identifier)] += 1
                found["username", staff][_compared("username", person.username)] += 1
                found["email", False][_compared("email", person.email)] += 1
        return found

    def forget(self) -> None:
        """Lets go of what only climbing asks, once everybody has: it is as large as the directory."""
        self._by, self._by_key, self._by_name, self._said = {}, {}, {}, {}

    # --- Climbing ---

    def climb(self, seekers: Iterable[Seeker]) -> dict[str, Match]:
        """Everybody tries the surest rung first, so that nobody takes by a weaker one what another has by a surer."""
        left = {one.person.source_id: one for one in seekers}
        found: dict[str, Match] = {}
        for rung in self._rungs():
            for source_id, seeker in sorted(left.items()):
                if match := rung(seeker):
                    found[source_id] = match
            left = {one: seeker for one, seeker in left.items() if one not in found}
        return found | dict.fromkeys(left, Match())

    def _rungs(self) -> list[Callable[[Seeker], Match | None]]:
        chosen = self.draft.policy.match.rungs
        by = {"former": self._former, "identifier": self._identifier, "email": self._email}
        return [self._key, *(by[one] for one in chosen), self._username, self._alike]

    def _key(self, seeker: Seeker) -> Match | None:
        """A member that was made for this very record, and whose link was lost."""
        found = [one for one in self._by_key.get(seeker.person.source_id, []) if not self.owners.get(one.id)]
        return self._take(seeker, found[0], "key") if len(found) == 1 else None

    def _former(self, seeker: Seeker) -> Match | None:
        target = self.draft.world.links.formerly(MEMBERS).get(seeker.person.source_id, "")
        record = self.draft.record(MEMBERS, target) if target else None
        if record is None or target in self.freed or not self._may_take(record):
            return None
        if is_another(record.fields, seeker.fields):
            return None
        return self._take(seeker, record, "former")

    def _identifier(self, seeker: Seeker) -> Match | None:
        """Numbers of staff and of pupils are two things, and may be alike."""
        value = _compared("identifier", text(seeker.fields, "identifier"))
        found = [
            one
            for one in self._by["identifier"].get(value, [])
            if self._is_of_kind(one, seeker) and not self._gives_up(one, "identifier", value)
        ]
        if not value or not found:
            return None
        alone = self._said["identifier", seeker.standing.staff][value] <= 1
        if len(found) > 1 or not alone or not self._may_take(found[0]):
            return self._dispute(seeker, found, "identifier")
        if self.owners.get(found[0].id) and is_another(found[0].fields, seeker.fields, "identifier"):
            return self._thin(seeker, found, "identifier")
        return self._take(seeker, found[0], "identifier")

    def _email(self, seeker: Seeker) -> Match | None:
        value = _compared("email", text(seeker.fields, "email"))
        if not value:
            return None
        found = [one for one in self._by["email"].get(value, []) if not self._gives_up(one, "email", value)]
        if not found:
            return None
        if len(found) > 1 or self._said["email", False][value] > 1 or not self._may_take(found[0]):
            return self._dispute(seeker, found, "email")
        if self._is_thin(seeker, found[0], value):
            return self._thin(seeker, found, "email")
        return self._take(seeker, found[0], "email")

    def _is_thin(self, seeker: Seeker, record: Record, address: str) -> bool:
        match = self.draft.policy.match
        if match.email_domains == "verified" and address.rpartition("@")[2] not in self._domains():
            return True
        if match.email_among == "staff" and not seeker.standing.staff:
            return True
        if not self._is_of_kind(record, seeker):
            return True
        if match.email_sites == "same" and not set(words(record.fields, "sites")) & set(
            words(seeker.fields, "sites")
        ):
            return True
        return bool(self.owners.get(record.id)) and not _is_alike(record.fields, seeker.fields)

    def _domains(self) -> frozenset[str]:
        return frozenset(map(fold, self.draft.world.domains))

    def _username(self, seeker: Seeker) -> Match | None:
        """Only for somebody who comes back under another id: the same username and the same name, and the record it had is gone."""
        value = _compared("username", seeker.person.username)
        found = [
            one
            for one in self._by["username"].get(value, [])
            if self._is_of_kind(one, seeker) and _name_of(one.fields) == _name_of_person(seeker.person)
        ]
        if not value or len(found) != 1 or self._said["username", seeker.standing.staff][value] > 1:
            return None
        if not self.owners.get(found[0].id) or not self._may_take(found[0]):
            return None
        return self._take(seeker, found[0], "username")

    def _alike(self, seeker: Seeker) -> Match | None:
        """One new person who has all of the name of one member who is just gone, at the same site: a person decides."""
        name = _name_of_person(seeker.person)
        alike = [self.draft.record(MEMBERS, one) for one in self._by_name.get(name, [])]
        found = [
            one
            for one in alike
            if one
            and one.id not in self.taken
            and self._is_of_kind(one, seeker)
            and set(words(one.fields, "sites")) & set(words(seeker.fields, "sites"))
        ]
        known = any(
            text(one.fields, field) and text(seeker.fields, field) for one in found for field in EVIDENCE
        )
        if not all(name) or not found or known:
            return None
        return self._thin(seeker, found, "name")

    # --- What may be taken ---

    def _gives_up(self, record: Record, name: str, value: str) -> bool:
        """Whether the living records that a member has all say another value now: then this one is free for somebody new."""
        people = self.draft.world.roster.people
        said = [
            _compared(name, person.email if name == "email" else person.identifier)
            for person in map(people.get, self.owners.get(record.id, []))
            if person is not None
        ]
        return bool(said) and all(one not in ("", value) for one in said)

    def _is_of_kind(self, record: Record, seeker: Seeker) -> bool:
        """Staff with staff and pupils with pupils; whom this connection made without a role may be either."""
        pupil = is_pupil(self.draft, record)
        return record.managed if pupil is None else pupil is not seeker.standing.staff

    def _may_take(self, record: Record) -> bool:
        """Not one that a living record has, nor one whose record is neither there nor gone."""
        if record.id in self.taken:
            return False
        return all(self.draft.gone(MEMBERS, one) for one in self.owners.get(record.id, []))

    def _take(self, seeker: Seeker, record: Record, rung: str) -> Match:
        self.taken.add(record.id)
        owners = self.owners.get(record.id, [])
        return Match(record.id, rung, owners[0] if owners else "")

    def _dispute(self, seeker: Seeker, found: list[Record], name: str) -> Match:
        return self._ask("match-disputed", seeker, found, name)

    def _thin(self, seeker: Seeker, found: list[Record], name: str) -> Match:
        return self._ask("match-thin", seeker, found, name)

    def _ask(self, code: str, seeker: Seeker, found: list[Record], name: str) -> Match:
        ids = tuple(sorted(one.id for one in found))
        others = tuple(sorted({owner for one in ids for owner in self.owners.get(one, [])}))
        self.draft.ask(Case(MEMBERS, seeker.person.source_id, code, ids, others, name))
        return Match(asked=True)


EVIDENCE = ("identifier", "email", "username")


def _compared(name: str, value: str) -> str:
    value = value.strip()
    folded = value if name == "identifier" else fold(value)
    return value if folded == value else folded  # one text, and not two that are alike: there are very many


def _name_of(fields: Fields) -> tuple[str, str]:
    return fold(text(fields, "given_name").strip()), fold(text(fields, "family_name").strip())


def _name_of_person(person: Person) -> tuple[str, str]:
    return fold(person.given_name.strip()), fold(person.family_name.strip())


def _is_alike(known: Fields, said: Fields) -> bool:
    """Whether more than an address says that somebody gone is back: brothers and sisters may have one, and the same family name."""
    return any(
        _compared(name, text(known, name)) == _compared(name, text(said, name)) != ""
        for name in ("given_name", "identifier")
    )


def is_another(known: Fields, said: Fields, but: str = "") -> bool:
    """Whether all by which a person is known, `but` one field, is another's now: both names, and whatever else both sides have."""
    pairs = [
        (_compared(name, text(known, name)), _compared(name, text(said, name)))
        for name in ("given_name", "family_name", "email", "identifier")
        if name != but
    ]
    if not all(pairs[0]) or not all(pairs[1]):
        return False
    return all(one != other for one, other in pairs if one and other)
