"""What every target has to keep, as checks that need no test framework: docs/how-to/write-a-target.md.

A check is given a function that returns a target whose directory is empty. It raises AssertionError with words where something does not hold.
What a target does not say it can do is not asked of it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from rollbook.engine.sync.operations import (
    ARCHIVE,
    CONFLICT,
    CREATE,
    DONE,
    GONE_STATES,
    GROUPS,
    MEMBERS,
    MEMBERSHIPS,
    NOOP,
    PURGE,
    REJECT,
    RESTORE,
    UPDATE,
    Operation,
    Outcome,
    Value,
)
from rollbook.engine.sync.target import Scope, Target
from rollbook.engine.sync.trial import SAMPLES, Trial

log = logging.getLogger(__name__)

Fresh = Callable[[], Target]

CANARY = "canary-3f9a-never-keep-this"
MANY = 1_000
UNKNOWN = "999999999"


@dataclass(frozen=True)
class Check:
    """One thing a target has to keep. `says` is it in words; `run` raises AssertionError where it does not hold."""

    name: str
    says: str
    run: Callable[[Fresh], None]


def failures(fresh: Fresh) -> dict[str, str]:
    """All checks, one after the other: what is wrong, by name of the check. Nothing is wrong where it is empty."""
    found: dict[str, str] = {}
    for check in CHECKS:
        try:
            check.run(fresh)
        except AssertionError as wrong:
            found[check.name] = str(wrong)
        except Exception as fault:  # a target that falls over in one check is asked the others all the same
            log.exception("the target raised in the check %s", check.name)
            found[check.name] = f"it raised {type(fault).__name__}"
    return found


def _expect(holds: bool, words: str) -> None:
    if not holds:
        raise AssertionError(words)


def _done(outcomes: list[Outcome], status: str = DONE) -> None:
    wrong = [one for one in outcomes if one.status != status]
    _expect(not wrong, f"expected {status} of every operation, not {wrong[:1]}")


def _furnished(fresh: Fresh) -> Trial:
    """A target with the small directory in it."""
    trial = Trial(fresh())
    _done(trial.send(trial.sample()))
    return trial


def _is_kept(trial: Trial, kind: str, *names: str) -> bool:
    return kind in trial.can.kinds and all(name in trial.can.fields[kind] for name in names)


def _can(trial: Trial, *actions: str) -> bool:
    return all(action in trial.can.actions for action in actions)


# --- What was told stands there -----------------------------------------------------------------------------------------------------


def _tells_back(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    for kind, records in SAMPLES.items():
        if kind in trial.can.kinds:
            there = trial.picture()[kind]
            _expect(
                set(there) == set(records), f"{kind}: {sorted(records)} were told, {sorted(there)} are there"
            )
            for source_id, fields in records.items():
                is_there, found = there[source_id]
                wanted = {name: value for name, value in fields.items() if name in trial.can.fields[kind]}
                told = {name: found.get(name) for name in wanted}
                _expect(is_there, f"{kind} {source_id} was created and is archived")
                _expect(told == wanted, f"{kind} {source_id}: {wanted} was told, {told} is there")


def _verify_reads_anew(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    for kind in trial.can.kinds:
        scanned = {one.id: one for one in trial.records(kind)}
        verified = {one.id: one for one in trial.target.verify(kind, [*scanned, UNKNOWN])}
        _expect(verified == scanned, f"{kind}: verify and scan tell different records")
        _expect(all(one.version for one in scanned.values()), f"{kind}: a record has a version")
        _expect(all(one.managed for one in scanned.values()), f"{kind}: who created a record manages it")


def _scan_in_order(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    if MEMBERSHIPS in trial.can.kinds:
        groups = [str(one.fields["group"]) for one in trial.records(MEMBERSHIPS)]
        _expect(groups == sorted(groups), "memberships are scanned in code point order of their groups")


def _scope_narrows(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    ana = trial.ids[MEMBERS, "p1"]
    _expect(
        [one.id for one in trial.records(MEMBERS, Scope(ids=(ana,)))] == [ana],
        "a scope of one id is one record",
    )
    if _is_kept(trial, MEMBERS, "email"):
        found = trial.records(
            MEMBERS, Scope(values={"email": ("ANA@School.example", "nobody@school.example")})
        )
        _expect([one.id for one in found] == [ana], "a scope of values finds them without case")
    if MEMBERSHIPS in trial.can.kinds:
        found = trial.records(MEMBERSHIPS, Scope(ids=(ana,)))
        _expect(len(found) == 2, "memberships of a scope are those of its members and groups")
        found = trial.records(MEMBERSHIPS, Scope(ids=(trial.ids[GROUPS, "c1"],)))
        _expect(len(found) == 3, "memberships of a scope are those of its members and groups")


# --- Again, and in pieces -----------------------------------------------------------------------------------------------------------


def _twice_is_once(fresh: Fresh) -> None:
    trial = Trial(fresh())
    told = trial.sample()
    _done(trial.send(told))
    before, versions = trial.picture(), _versions(trial)
    _done(trial.send(told), NOOP)
    change = _a_change(trial)
    _done(trial.send([change]))
    _done(trial.send([change]), NOOP)
    _done(trial.send([replace(change, id="8-1")]), NOOP)
    if _can(trial, ARCHIVE):
        _done(trial.send([trial.archive(MEMBERS, "p2")]))
        _done(trial.send([trial.archive(MEMBERS, "p2")]), NOOP)
    moved = {name for name, version in _versions(trial).items() if version != versions[name]}
    touched = {(MEMBERS, trial.ids[MEMBERS, one]) for one in ("p1", "p2")}
    _expect(moved <= touched, "what is told twice changes nothing the second time")
    _expect(len(trial.picture()[MEMBERS]) == len(before[MEMBERS]), "what is created twice is there once")
    _expect(list(trial.target.apply([])) == [], "nothing told, nothing answered")


def _versions(trial: Trial) -> dict[tuple[str, str], str]:
    return {(kind, one.id): one.version for kind in trial.can.kinds for one in trial.records(kind)}


def _a_change(trial: Trial, value: Value = "Zoë") -> Operation:
    return trial.update(MEMBERS, "p1", {"given_name": value})


def _resumes_anywhere(fresh: Fresh) -> None:
    whole = _furnished(fresh).picture()
    for cut in range(1, sum(len(records) for records in SAMPLES.values())):
        trial = Trial(fresh())
        told = trial.sample()
        trial.send(told[:cut])
        trial.ids.clear()  # killed: nobody remembers what was answered
        trial.send(told)
        _expect(trial.picture() == whole, f"broken off after {cut} operations and begun anew, it differs")


def _in_any_order(fresh: Fresh) -> None:
    pictures = []
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)):
        trial = _furnished(fresh)
        told = [
            trial.update(MEMBERS, "t1", {"family_name": "Okafor-Lind"}),
            _a_change(trial),
            trial.update(MEMBERS, "p2", {"given_name": "Benjamin"}),
            trial.update(MEMBERS, "p3", {"family_name": "Eze-Ito"}),
        ]
        if _can(trial, ARCHIVE):
            told[3] = trial.archive(MEMBERS, "p3")
        _done(trial.send([told[place] for place in order]))
        pictures.append(trial.picture())
    _expect(pictures[0] == pictures[1] == pictures[2], "operations on different records go in any order")


# --- Values and references ----------------------------------------------------------------------------------------------------------


def _swap_and_chain(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    for name in trial.can.unique:
        if not _is_kept(trial, MEMBERS, name):
            continue
        first, second = (str(SAMPLES[MEMBERS][one][name]) for one in ("p1", "p2"))
        told = [
            trial.update(MEMBERS, "p1", {name: f"new-{first}"}),
            trial.update(MEMBERS, "p2", {name: first}),
        ]
        if name in trial.can.blankable:
            told += [
                trial.update(MEMBERS, "p1", {name: ""}),
                trial.update(MEMBERS, "p2", {name: second}),
                trial.update(MEMBERS, "p1", {name: first}),
                trial.update(MEMBERS, "p2", {name: ""}),
                trial.update(MEMBERS, "p1", {name: second}),
                trial.update(MEMBERS, "p2", {name: first}),
            ]
            _done(trial.send(told))
            found = [trial.record(MEMBERS, one).fields[name] for one in ("p1", "p2")]
            _expect(found == [second, first], f"{name}: two members swap, and {found} is there")
        else:
            _done(trial.send(told))


def _value_taken(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    for name in trial.can.unique:
        if _is_kept(trial, MEMBERS, name):
            taken = str(SAMPLES[MEMBERS]["p1"][name])
            before = trial.picture()
            told = [
                trial.update(MEMBERS, "p2", {name: taken.upper()}),
                trial.update(MEMBERS, "t1", {"given_name": f"Mary {name}"}),
            ]
            refused, other = trial.send(told)
            _expect(refused.status == REJECT, f"{name} of another member, in capitals, is {refused.status}")
            _expect(bool(refused.code), "a rejected operation has a code")
            _expect(taken not in refused.words.lower(), "the words of an outcome name nobody")
            _expect(other.status == DONE, "one rejected operation stops no other")
            after = trial.picture()
            _expect(after[MEMBERS]["p2"] == before[MEMBERS]["p2"], "what is rejected changes nothing")


def _unknown_reference(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    if MEMBERSHIPS not in trial.can.kinds:
        return
    told = [
        trial.create(MEMBERSHIPS, f"c2/{UNKNOWN}", {"role": "student"}),
        trial.create(MEMBERSHIPS, f"{UNKNOWN}/p2", {"role": "student"}),
        trial.create(MEMBERSHIPS, "c2/p2", {"role": "student"}),
    ]
    first, second, third = trial.send(told)
    _expect(first.status == second.status == REJECT, "who refers to nothing is rejected")
    _expect(third.status == DONE, "one rejected operation stops no other")
    _expect(len(trial.records(MEMBERSHIPS)) == 5, "what is rejected is not there")


def _unknown_record(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    trial.ids[MEMBERS, "nobody"] = UNKNOWN
    actions = [trial.update(MEMBERS, "nobody", {"given_name": "No"})]
    actions += [trial.archive(MEMBERS, "nobody")] if _can(trial, ARCHIVE) else []
    for outcome in trial.send(actions):
        _expect(outcome.status in (REJECT, CONFLICT), f"a record that is not there is {outcome.status}")
    _expect(len(trial.records(MEMBERS)) == 4, "a record that is not there is not made by an update")


def _one_in_many(fresh: Fresh) -> None:
    trial = Trial(fresh())
    number = min(MANY, 3 * trial.can.batch)
    bad = number // 2
    told = []
    for one in range(number):
        unique = {name: f"{name}{one if one != bad else 0}@school.example" for name in trial.can.unique}
        told.append(trial.create(MEMBERS, f"m{one}", {"given_name": "Kim", "family_name": "Lee", **unique}))
    counts = Counter(one.status for one in trial.send(told))
    wanted = {DONE: number - 1, REJECT: 1} if trial.can.unique else {DONE: number}
    _expect(counts == wanted, f"of {number} operations, one of them bad: {dict(counts)}")


def _stale(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    seen = trial.record(MEMBERS, "p1").version
    _done(trial.send([_a_change(trial)]))
    now = trial.record(MEMBERS, "p1")
    _expect(now.version != seen, "a record that changed has another version")
    (late,) = trial.send([trial.update(MEMBERS, "p1", {"family_name": "Late"}, version=seen)])
    _expect(late.status == CONFLICT, f"an operation on a version that is past is {late.status}")
    _expect(trial.record(MEMBERS, "p1") == now, "a conflict changes nothing")
    (timely,) = trial.send([trial.update(MEMBERS, "p1", {"family_name": "Timely"}, version=now.version)])
    _expect(timely.status == DONE, f"an operation on the version that is there is {timely.status}")
    _expect(timely.version == trial.record(MEMBERS, "p1").version, "an outcome has the version there is now")


def _only_what_was_told(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    before, versions = trial.picture(), _versions(trial)
    _done(trial.send([_a_change(trial)]))
    wanted = before[MEMBERS]["p1"][1] | {"given_name": "Zoë"}
    _expect(trial.picture()[MEMBERS]["p1"][1] == wanted, "an update leaves the fields it does not name")
    moved = [name for name, version in _versions(trial).items() if version != versions[name]]
    _expect(moved == [(MEMBERS, trial.ids[MEMBERS, "p1"])], f"one member was told, {moved} moved")


def _any_text(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    for value in (
        "Żółć Ñandú",
        "李小龍",
        "عبد الرحمن",
        "e\u0301",
        'O\'Brien "Bo" <b>&amp;',
        "🎓",
        "a\\b%_;--",
        "x" * 200,
    ):
        _done(trial.send([_a_change(trial, value)]))
        found = trial.record(MEMBERS, "p1").fields["given_name"]
        _expect(found == value, f"{value!r} was told, {found!r} is there")


# --- Archiving and coming back ------------------------------------------------------------------------------------------------------


def _comes_back_whole(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    if not _can(trial, ARCHIVE, RESTORE):
        return
    before = trial.picture()
    for kind, source_id in ((MEMBERS, "p1"), (GROUPS, "c1")):
        if kind in trial.can.kinds and (ARCHIVE, kind) not in trial.can.unable:
            _done(trial.send([trial.archive(kind, source_id)]))
            _expect(
                trial.record(kind, source_id).state in GONE_STATES, f"an archived record of {kind} says so"
            )
            others = {key: value for key, value in trial.picture()[kind].items() if key != source_id}
            was = {key: value for key, value in before[kind].items() if key != source_id}
            _expect(others == was, f"archiving one record of {kind} leaves the others")
            _done(trial.send([trial.restore(kind, source_id)]))
            _expect(trial.picture() == before, f"restoring {kind} brings back all that was there")
    _done(trial.send([trial.restore(MEMBERS, "p1")]), NOOP)


def _changes_while_coming_back(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    if not _can(trial, ARCHIVE, RESTORE):
        return
    _done(trial.send([trial.archive(MEMBERS, "p1")]))
    _done(trial.send([trial.update(MEMBERS, "p1", {"given_name": "Anna"}, action=RESTORE)]))
    found = trial.record(MEMBERS, "p1")
    _expect(found.state not in GONE_STATES, "what is restored is there")
    _expect(found.fields["given_name"] == "Anna", "what is restored may be told something new")


def _memberships_end_and_begin(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    if MEMBERSHIPS not in trial.can.kinds or not _can(trial, ARCHIVE, CREATE):
        return
    _done(trial.send([trial.archive(MEMBERSHIPS, "c1/p2")]))
    _expect(not _is_in(trial, "c1/p2"), "an archived membership does not hold")
    _expect(_is_in(trial, "c1/p1"), "another one does")
    _done(trial.send([trial.create(MEMBERSHIPS, "c1/p2", {"role": "student"})]))
    _expect(_is_in(trial, "c1/p2"), "a membership that is told again holds again")
    found = [one for one in trial.records(MEMBERSHIPS) if one.state not in GONE_STATES]
    _expect(len(found) == 4, "and is there once")


def _is_in(trial: Trial, name: str) -> bool:
    return trial.picture()[MEMBERSHIPS].get(name, (False, {}))[0]


# --- What is nobody's business ------------------------------------------------------------------------------------------------------


def _keeps_nothing_else(fresh: Fresh) -> None:
    trial = Trial(fresh())
    told = trial.create(MEMBERS, "p1", {"given_name": "Ana", "family_name": "Silva"})
    told = replace(
        told, after={**told.after, "birth_date": CANARY}, base={"birth_date": CANARY, "notes": CANARY}
    )
    with _listening() as heard:
        outcomes = trial.send([replace(told, changed=(*told.changed, "birth_date"))])
        kept = repr(trial.records(MEMBERS))
        outcomes += trial.send([trial.update(MEMBERS, "p1", {"given_name": CANARY.upper()})])
        trial.ids[MEMBERS, "nobody"] = UNKNOWN
        outcomes += trial.send([trial.update(MEMBERS, "nobody", {"given_name": CANARY})])
    _expect(CANARY not in kept, "a field that is not mapped is not kept")
    _expect(CANARY not in repr(outcomes).lower(), "the words of an outcome hold no value")
    _expect(not any(CANARY in one.lower() for one in heard), "no log holds a value")


@contextmanager
def _listening() -> Iterator[list[str]]:
    """All that is logged meanwhile."""
    heard: list[str] = []
    ear = logging.Handler()
    ear.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]  # one ear, for a moment
    root = logging.getLogger()
    root.addHandler(ear)
    try:
        yield heard
    finally:
        root.removeHandler(ear)


def _refuses_what_it_cannot(fresh: Fresh) -> None:
    trial = _furnished(fresh)
    before = trial.picture()
    for action in (UPDATE, ARCHIVE, RESTORE, PURGE):
        if action not in trial.can.actions:
            (outcome,) = trial.send([trial.update(MEMBERS, "p1", {"given_name": "No"}, action=action)])
            _expect(outcome.status == REJECT, f"{action} is not offered, and answered {outcome.status}")
    for action, kind in sorted(trial.can.unable):
        some = next(iter(SAMPLES[kind]))
        (outcome,) = trial.send([trial.update(kind, some, {}, action=action)])
        _expect(outcome.status == REJECT, f"{action} of {kind} is not offered, and answered {outcome.status}")
    _expect(trial.picture() == before, "what is not offered changes nothing")


CHECKS: tuple[Check, ...] = (
    Check("tells-back", "What was told stands there, and nothing else.", _tells_back),
    Check(
        "verify", "verify reads the same as scan; records have a version and are managed.", _verify_reads_anew
    ),
    Check("order", "Memberships are scanned in code point order of their groups.", _scan_in_order),
    Check("scope", "A scope narrows a scan: ids, values without case.", _scope_narrows),
    Check("twice", "What is told twice changes nothing the second time.", _twice_is_once),
    Check("resume", "Broken off anywhere and begun anew, it comes to the same.", _resumes_anywhere),
    Check("shuffle", "Operations on different records go in any order.", _in_any_order),
    Check("swap", "Values that must be unique can be passed on, and swapped.", _swap_and_chain),
    Check("taken", "A value that another member has is rejected, and names nobody.", _value_taken),
    Check("unknown-reference", "Who refers to a record that is not there is rejected.", _unknown_reference),
    Check("unknown-record", "A record that is not there is rejected, and not made.", _unknown_record),
    Check("one-in-many", "One bad operation among very many stops no other.", _one_in_many),
    Check("stale", "An operation on a version that is past is a conflict.", _stale),
    Check(
        "only-what-was-told",
        "An update leaves all other fields and records as they are.",
        _only_what_was_told,
    ),
    Check("any-text", "Every text comes back as it was told.", _any_text),
    Check("comes-back", "Restoring brings back all that archiving took, memberships too.", _comes_back_whole),
    Check("comes-back-changed", "What is restored may be told something new.", _changes_while_coming_back),
    Check("memberships", "A membership ends, and begins again.", _memberships_end_and_begin),
    Check("canary", "What is not mapped is neither kept nor logged nor told.", _keeps_nothing_else),
    Check("not-offered", "What a target does not offer, it rejects.", _refuses_what_it_cannot),
)
"""All that is asked of a target."""
