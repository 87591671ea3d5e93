"""What becomes of the people of the source: a verdict, a match, the fields of a member."""

from collections.abc import Iterable, Iterator, Mapping

from rollbook.engine.sync.aims import Aim, by_target, has_work, operations_of, ordered, resolved, settle
from rollbook.engine.sync.draft import Draft, is_gone, words
from rollbook.engine.sync.leaving import People, archive, leave, leave_unowned, may_archive
from rollbook.engine.sync.lifecycle import (
    GOES,
    WAITS,
    archiving,
    fate,
    missed,
    unlinked,
)
from rollbook.engine.sync.links import (
    KEPT,
    TO_CREATE,
    TO_HOLD,
    TO_IGNORE,
    TO_LINK,
    Decision,
    Link,
)
from rollbook.engine.sync.matching import Ladder, Match, Seeker, is_another
from rollbook.engine.sync.operations import (
    ARCHIVED,
    CREATE,
    LINK,
    MEMBERS,
    RELEASE,
    RELINK,
    STATE,
    Case,
    Operation,
    Value,
    new_handle,
)
from rollbook.engine.sync.roles import Standing, grace_of, standing
from rollbook.engine.sync.roster import MISSING, Person
from rollbook.engine.sync.schools import Places
from rollbook.engine.sync.scoping import is_person_meant
from rollbook.engine.sync.uniqueness import ordered as in_order
from rollbook.engine.sync.uniqueness import settle_disputes
from rollbook.engine.sync.who import (
    IN,
    OUT,
    UNSURE,
    WAITS_FOR_ENROLLMENTS,
    Teaching,
    pupils_with,
    verdict,
    with_teacher,
)


def plan_people(draft: Draft, places: Mapping[str, Places], taught: Teaching | None) -> People:
    """All but the operations of the aims, which `operations` gives once all is settled. `taught`: only where it is asked for."""
    planner = _Planner(draft, places, taught)
    planner.judge()
    planner.admit(planner.apart(staff=True))
    if draft.policy.people.students == "with-teacher":
        planner.judge_pupils()
    planner.admit(planner.apart(staff=False))
    planner.ladder.forget()
    planner.settle()
    leave(draft, planner.found, planner.relinked)
    leave_unowned(draft, planner.found)
    return planner.found


def operations(draft: Draft, found: People) -> Iterator[Operation]:
    """First what is only noted, then the members there are, then new staff, and new pupils. As they are wanted: there may be very many."""
    there = [aim for aim in found.aims if aim.action != CREATE and not aim.feeds]
    yield from found.said
    yield from in_order(draft, there)
    for aim in found.aims:
        if aim.feeds:
            yield from operations_of(draft, aim)
    for aim in sorted((one for one in found.aims if one.action == CREATE), key=_staff_first):
        yield from in_order(draft, [aim])


def _staff_first(aim: Aim) -> tuple[bool, str]:
    return not aim.staff, aim.source_id


class _Planner:
    def __init__(self, draft: Draft, places: Mapping[str, Places], taught: Teaching | None) -> None:
        self.draft, self.taught = draft, taught
        self.found = People()
        people = draft.world.roster.people
        self.found.stands = {one: standing(draft, people[one], places) for one in sorted(people)}
        self.ladder = Ladder(draft, self.found.stands)
        self.relinked: set[str] = set()

    # --- Who ---

    def judge(self) -> None:
        people = self.draft.world.roster.people
        for source_id, stands in self.found.stands.items():
            self.found.verdicts[source_id] = verdict(self.draft, people[source_id], stands, self.taught)

    def apart(self, staff: bool) -> list[str]:
        return [one for one, stands in self.found.stands.items() if stands.staff is staff]

    def judge_pupils(self) -> None:
        """Pupils come with the teachers who are members, or become members now."""
        teachers = set(self.found.members)
        maybe = {one for one, found in self.found.verdicts.items() if found.state == UNSURE}
        maybe |= set(self.taught.away) if self.taught else set()
        taught = self._classes_of(teachers)
        pupils = pupils_with(self.draft, taught)
        perhaps = pupils_with(self.draft, self._classes_of(maybe) - taught)
        for source_id in self.apart(staff=False):
            if self.found.verdicts[source_id].state == IN:
                person = self.draft.world.roster.people[source_id]
                self.found.verdicts[source_id] = with_teacher(self.draft, person, pupils, perhaps)

    def _classes_of(self, teachers: Iterable[str]) -> set[str]:
        classes = self.taught.classes_of if self.taught else {}
        return {one for teacher in teachers for one in classes.get(teacher, ())}

    # --- Who is whom ---

    def admit(self, people: list[str]) -> None:
        seekers: list[Seeker] = []
        for source_id in people:
            person = self.draft.world.roster.people[source_id]
            decision = self.draft.decision(MEMBERS, source_id)
            link = self.draft.link(MEMBERS, source_id)
            if link and self._is_left_alone(person, link, decision):
                self._leave_as_is(link.target)
            elif link and not self._is_parted(person, link, decision):
                self._linked(person, link)
            elif self.found.verdicts[source_id].state != IN:
                self._not_wanted(person)
            elif decision and decision.action in (TO_IGNORE, TO_HOLD):
                self.draft.say(MEMBERS, source_id, f"decided-{decision.action}", line=person.line)
            elif decision and decision.action in (TO_LINK, TO_CREATE):
                self._decided(person, decision)
            else:
                stands = self.found.stands[source_id]
                seekers.append(Seeker(person, stands, self._said(person, stands)))
        for source_id, match in sorted(self.ladder.climb(seekers).items()):
            self._matched(self.draft.world.roster.people[source_id], match)

    def _leave_as_is(self, target: str) -> None:
        self.found.untouched.add(target)
        self.found.linked.add(target)

    def _is_left_alone(self, person: Person, link: Link, decision: Decision | None) -> bool:
        if decision:
            return decision.action in (TO_IGNORE, TO_HOLD)
        if is_another(link.base, self._said(person, self.found.stands[person.source_id])):
            self.draft.ask(Case(MEMBERS, person.source_id, "another-person", (link.target,)))
            return True
        if self.draft.record(MEMBERS, link.target) is None:
            self.draft.say(MEMBERS, person.source_id, "target-gone", line=person.line)
            return True
        return False

    def _is_parted(self, person: Person, link: Link, decision: Decision | None) -> bool:
        """Whether somebody decided that the link is not this person's."""
        if decision is None:
            return False
        elsewhere = decision.action == TO_LINK and decision.target != link.target
        said = self._said(person, self.found.stands[person.source_id])
        gone = self.draft.record(MEMBERS, link.target) is None
        anew = decision.action == TO_CREATE and (gone or is_another(link.base, said))
        if not elsewhere and not anew:
            return False
        self.found.said.append(unlinked(MEMBERS, person.source_id, link, "decided"))
        self.ladder.freed.add(link.target)
        return True

    def _not_wanted(self, person: Person) -> None:
        code = self.found.verdicts[person.source_id].code
        self.draft.say(MEMBERS, person.source_id, code or "not-who", line=person.line)

    def _linked(self, person: Person, link: Link) -> None:
        record = self.draft.record(MEMBERS, link.target)
        found = self.found.verdicts[person.source_id]
        self.found.linked.add(link.target)
        if record is None:
            self.draft.say(MEMBERS, person.source_id, "target-gone", line=person.line)
            return
        if found.state == OUT and self._is_wanted_otherwise(link):
            self.draft.say(MEMBERS, person.source_id, found.code, line=person.line)
            return
        if found.state == OUT and not self._stays(person, link, found.code):
            self.found.untouched.add(link.target)
            return
        if is_gone(record) and (found.state != IN or self._is_archived_by_hand(person, link.target)):
            self.found.untouched.add(link.target)
            return
        looked_at = found.state == IN or (found.state == OUT and found.code in WAITS_FOR_ENROLLMENTS)
        aim = self._aim(person, link.target, "", unsure=not looked_at)
        aim.link, aim.record, aim.restores = link, record, is_gone(record)
        aim.waits = found.state != IN
        if looked_at:
            self.found.members[person.source_id] = link.target
        else:
            self.found.untouched.add(link.target)
        if found.state == IN:
            self._release(person, link)

    def _is_wanted_otherwise(self, link: Link) -> bool:
        """Whether another record makes the same member, and is wanted."""
        others = self.ladder.owners.get(link.target, [])
        states = [self.found.verdicts[one].state for one in others if one in self.found.verdicts]
        return IN in states

    def _is_archived_by_hand(self, person: Person, target: str) -> bool:
        if self.draft.state_by_hand(MEMBERS, target) != ARCHIVED:
            return False
        self.draft.say(MEMBERS, person.source_id, "archived-by-hand", line=person.line)
        return True

    def _release(self, person: Person, link: Link) -> None:
        """Who was kept by hand and is in the source again needs no keeping any more."""
        if self.draft.state_by_hand(MEMBERS, link.target) != KEPT:
            return
        if not any(one.action == RELEASE and one.target == link.target for one in self.found.said):
            self.found.said.append(
                Operation(
                    0,
                    RELEASE,
                    MEMBERS,
                    person.source_id,
                    link.target,
                    changed=(STATE,),
                    reason="back",
                    line=person.line,
                )
            )

    def _stays(self, person: Person, link: Link, code: str) -> bool:
        """Whether somebody who is not wanted any more is a member still. Where only enrollments say so there is grace."""
        record = self.draft.record(MEMBERS, link.target)
        self.draft.say(MEMBERS, person.source_id, code, line=person.line)
        if not may_archive(self.draft, person.source_id, record) or record is None:
            return record is not None and not is_gone(record)
        if code in WAITS_FOR_ENROLLMENTS:
            found = fate(self.draft, MEMBERS, link, MISSING, grace_of(self.draft, record))
            if found == WAITS:
                self.found.said.append(missed(MEMBERS, person.source_id, link))
            if found != GOES:
                return True
        return not archive(self.draft, self.found, archiving(MEMBERS, person.source_id, record, code))

    def _decided(self, person: Person, decision: Decision) -> None:
        if decision.action == TO_CREATE:
            aim = self._create(person)
            if decision.roles:
                aim.after["roles"] = ordered(self.draft, "roles", decision.roles)
            if decision.sites:
                aim.after["sites"] = ordered(
                    self.draft, "sites", {*words(aim.source, "sites"), *decision.sites}
                )
            return
        if self.draft.record(MEMBERS, decision.target) is None:
            self.draft.say(MEMBERS, person.source_id, "target-gone", line=person.line)
            return
        self.ladder.taken.add(decision.target)
        self._adopt(person, Match(decision.target, "decision"))

    def _matched(self, person: Person, match: Match) -> None:
        if match.asked:
            return
        if match.target:
            self._adopt(person, match)
        elif self._may_create(person):
            self._create(person)

    def _adopt(self, person: Person, match: Match) -> None:
        record = self.draft.record(MEMBERS, match.target)
        self.found.linked.add(match.target)
        if record and is_gone(record) and self._is_archived_by_hand(person, match.target):
            self.found.untouched.add(match.target)
            return
        self.draft.found[MEMBERS, person.source_id] = match.rung
        aim = self._aim(person, match.target, RELINK if match.old else LINK)
        aim.record, aim.reason, aim.old = record, match.rung, match.old
        aim.restores = record is not None and is_gone(record)
        if match.old:
            self.relinked.add(match.old)
        self.found.members[person.source_id] = match.target

    def _may_create(self, person: Person) -> bool:
        stands, people = self.found.stands[person.source_id], self.draft.policy.people
        if stands.staff and people.needs_email and not person.email.strip():
            self.draft.say(MEMBERS, person.source_id, "needs-email", "email", person.line)
            return False
        if not people.create and (stands.staff or people.students != "with-teacher"):
            self.draft.say(MEMBERS, person.source_id, "not-created", line=person.line)
            self.found.not_created.append(person.source_id)
            return False
        return True

    def _create(self, person: Person) -> Aim:
        handle = new_handle(person.source_id)
        aim = self._aim(person, handle, CREATE)
        aim.reason = "created"
        self.found.members[person.source_id] = handle
        default = self.draft.policy.roles.default_for_new
        if default and aim.staff:
            aim.after["roles"] = (default,)
        return aim

    def _aim(self, person: Person, handle: str, action: str, unsure: bool = False) -> Aim:
        stands = self.found.stands[person.source_id]
        source = self._said(person, stands)
        if unsure:
            del source["roles"], source["sites"]
        aim = Aim(MEMBERS, person.source_id, handle, action, source, line=person.line, staff=stands.staff)
        self.found.aims.append(aim)
        return aim

    def _said(self, person: Person, stands: Standing) -> dict[str, Value]:
        """What the source says of a person, mapped. Where new staff are given a role of their own, theirs are not mapped at all."""
        by_email = self.draft.policy.people.username == "email"
        by_hand = stands.staff and bool(self.draft.policy.roles.default_for_new)
        return {
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email,
            "username": person.email if by_email else person.username,
            "identifier": person.identifier,
            "grade": person.grades[0] if person.grades else "",
            "roles": () if by_hand else stands.roles,
            "sites": stands.sites,
        }

    # --- Their fields ---

    def settle(self) -> None:
        """Merges the fields of all, several records of one member together, and parts what two may not have both."""
        targets = by_target(self.found.aims)
        self.found.aims = []
        for aims in targets:
            self._settle(aims)
            self.found.aims += [aim for aim in aims if self.draft.scope or has_work(self.draft, aim)]
        feeding = [aim for aim in self.found.aims if aim.feeds]
        left = settle_disputes(self.draft, sorted(self._first(), key=_staff_first))
        kept = {aim.handle for aim in left}
        self.found.members = {
            one: handle
            for one, handle in self.found.members.items()
            if handle in kept or not handle.startswith("+")
        }
        self.found.aims = [*left, *feeding]

    def _first(self) -> list[Aim]:
        """Those whom this run is about: others do not move, and make no room."""
        return [
            aim for aim in self.found.aims if not aim.feeds and is_person_meant(self.draft, aim.source_id)
        ]

    def _settle(self, aims: list[Aim]) -> None:
        aim, *others = aims
        stands = self.found.stands[aim.source_id]
        chosen = dict(aim.after)
        bases = self._bases(aim)
        says = [other.source for other in others] + self._away(aim)
        keeps = self.draft.world.only_adds or not self.draft.certified("users", "roles")
        settle(self.draft, aim, bases, says, keeps, stands.frozen)
        if aim.action == CREATE:
            aim.after |= chosen | {STATE: self.draft.policy.people.starts}
        roles = aim.after.get("roles", aim.present.get("roles", ()))
        if not roles and "roles" in self.draft.fields(MEMBERS):
            self.draft.say(MEMBERS, aim.source_id, "needs-role", "roles", aim.line)
        for other in others:
            other.feeds, other.base = True, dict(other.source)

    def _bases(self, aim: Aim) -> list[dict[str, Value]]:
        """What its own link remembers, and then those of the other records that make this member."""
        own = aim.link or (self.draft.link(MEMBERS, aim.old) if aim.old else None)
        links = [self.draft.link(MEMBERS, one) for one in self.ladder.owners.get(aim.handle, [])]
        others = [link for link in links if link and link is not own]
        if own is None and not others:
            return []
        return [resolved(self.draft, MEMBERS, link.base if link else {}) for link in [own, *others]]

    def _away(self, aim: Aim) -> list[dict[str, Value]]:
        """What other records of this member said that are not there now, and have not been gone for long enough."""
        found = []
        for one in self.ladder.owners.get(aim.handle, []):
            link = self.draft.link(MEMBERS, one)
            if one in self.found.stands or one == aim.old or link is None:
                continue
            why = self.draft.gone(MEMBERS, one)
            days = self.draft.policy.grace.students if not aim.staff else self.draft.policy.grace.staff
            if not why or fate(self.draft, MEMBERS, link, why, days) != GOES:
                found.append(resolved(self.draft, MEMBERS, link.base))
        return found
