"""The settings of a sync, as data: what a settings file may say, section by section, with its default and its meaning.

The four files in `presets` are such settings. What a settings file does not say has the default. docs/reference/sync-settings.md follows.
"""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from rollbook.engine.sync.timing import pattern_of
from rollbook.refusal import Refusal

NEVER_MAPPED = frozenset({"guardian", "parent", "relative"})
"""Roles that become nothing in a directory, whatever a settings file says."""

STAFF_ROLES = frozenset(
    {
        "teacher",
        "aide",
        "proctor",
        "administrator",
        "counselor",
        "principal",
        "siteAdministrator",
        "districtAdministrator",
        "systemAdministrator",
    }
)


class BadPolicy(Refusal):
    """These settings of a sync cannot be used."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self._words = words

    @property
    def words(self) -> str:
        return self._words


def _of(default: Any, meaning: str, *choices: str) -> Any:
    about = {"meaning": meaning, "choices": choices}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=about)
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Schools:
    """How schools of the source become sites."""

    types: tuple[str, ...] = _of(("school",), "The types of orgs that become sites.")
    match: tuple[str, ...] = _of(
        ("key", "identifier", "name"),
        "By what a school is recognised, the surest first: key (its sourcedId), identifier, name.",
        "key",
        "identifier",
        "name",
    )
    unmatched: str = _of(
        "create",
        "A school without a counterpart is created under its name, ignored, or held until somebody decides.",
        "create",
        "ignore",
        "hold",
    )
    only: tuple[str, ...] = _of((), "The sourcedIds of the schools that are synced; none: all.")


@dataclass(frozen=True)
class People:
    """Who becomes a member."""

    who: str = _of(
        "everyone",
        "everyone, staff, teachers, or teaching (teachers who have classes that contain students).",
        "everyone",
        "staff",
        "teachers",
        "teaching",
    )
    students: str = _of(
        "by-who",
        "by-who (as `who` says), or with-teacher: pupils of a teacher who is a member; until then they are kept, and appear with the teacher.",
        "by-who",
        "with-teacher",
    )
    create: bool = _of(True, "Whether members are created, or only by hand (import).")
    starts: str = _of(
        "inactive",
        "What a new member is: inactive (no seat until the first sign-in), pending, or active.",
        "inactive",
        "pending",
        "active",
    )
    username: str = _of("username", "Where the username comes from: username, or email.", "username", "email")
    needs_email: bool = _of(False, "Whether staff without an e-mail address are left out.")
    grades: tuple[str, ...] = _of((), "The grades whose pupils are synced; none: all.")
    roles: tuple[str, ...] = _of((), "The roles of the source that are synced; none: all that are mapped.")
    archive: bool = _of(True, "Whether members are archived when the source has them no longer.")
    archive_unowned: tuple[str, ...] = _of(
        (),
        "Local roles whose members are archived when the source lacks them, hand-made or not: a power that has to be named.",
    )


@dataclass(frozen=True)
class Match:
    """How a person without a link is recognised among the members."""

    rungs: tuple[str, ...] = _of(
        ("former", "identifier", "email"),
        "The rungs of the ladder, below the link: former (ids it had before), identifier, email.",
        "former",
        "identifier",
        "email",
    )
    email_domains: str = _of(
        "verified",
        "verified (only addresses of the organization's domains), or any.",
        "verified",
        "any",
    )
    email_among: str = _of(
        "same-role",
        "same-role (staff with staff, pupils with pupils), or staff (staff only: a pupil is a case).",
        "same-role",
        "staff",
    )
    email_sites: str = _of("same", "same (a site in common), or any.", "same", "any")
    adopt_classes: bool = _of(
        False, "Whether classes of the same site and title, or code, are taken over at the first sync."
    )


@dataclass(frozen=True)
class Roles:
    """How roles become local roles."""

    map: Mapping[str, str] = _of(
        {"student": "student", "teacher": "teacher"},
        "The local role of each role of the source; a role that is not here becomes nothing.",
    )
    ceiling: str = _of("teacher", "The highest local role a sync may give; higher ones are given by hand.")
    default: str = _of(
        "", "The role of a person whose roles become nothing else; empty: none (needs a role)."
    )
    default_for_new: str = _of(
        "", "The role given to whoever a sync creates, in the place of the mapped ones."
    )


@dataclass(frozen=True)
class Classes:
    """How classes and enrollments become groups and memberships."""

    sync: bool = _of(True, "Whether classes are synced at all.")
    form: str = _of("class", "What a class becomes: class, or group.", "class", "group")
    title: str = _of(
        "{title}",
        "The title, made of {title}, {code}, {course}, {course_code}, {period}, {term}, {teacher} and {location}.",
    )
    terms: str = _of(
        "current",
        "Of which terms: current, current-and-future, or all.",
        "current",
        "current-and-future",
        "all",
    )
    only_with_teacher: bool = _of(False, "Only classes one of whose teachers is a member.")
    only_with_students: bool = _of(False, "Only classes that contain students.")
    central: bool = _of(False, "Whether synced classes are read-only by hand.")
    archive: bool = _of(True, "Whether groups are archived when their class is gone, or its term over.")
    roles: Mapping[str, str] = _of(
        {"teacher": "teacher", "student": "student", "aide": "aide", "proctor": "proctor"},
        "The role in a group of each role of an enrollment.",
    )


SOURCE_WINS, LOCAL_UNTIL_CHANGE, ONCE, LOCAL = "source", "local-until-change", "once", "local"


@dataclass(frozen=True)
class FieldRules:
    """Who wins, field by field: source; local-until-change; once (set when created); local (never set)."""

    rules: Mapping[str, str] = _of(
        {"groups.title": LOCAL_UNTIL_CHANGE, "sites.name": LOCAL_UNTIL_CHANGE},
        "`kind.field` = source, local-until-change, once or local; what is not named: source.",
    )
    clear: tuple[str, ...] = _of(
        (), "Fields (`kind.field`) that an empty value of the source empties; others keep what they have."
    )

    def of(self, kind: str, name: str) -> str:
        return self.rules.get(f"{kind}.{name}", SOURCE_WINS)


@dataclass(frozen=True)
class Grace:
    """How long a record is missing before it is archived. What is marked `tobedeleted` has no grace."""

    reads: int = _of(2, "In how many whole reads a record has to be missing.")
    students: int = _of(7, "For how many days a pupil has to be missing.")
    staff: int = _of(30, "For how many days another person has to be missing.")
    classes: int = _of(0, "For how many days a class has to be missing.")


@dataclass(frozen=True)
class Limit:
    """When removals of one kind are held; 0 is no limit. A percentage counts only where there are at least `floor` records."""

    percent: int = _of(10, "Of the whole organization.")
    number: int = _of(0, "Of the whole organization, however many there are.")
    site_percent: int = _of(20, "Of one site.")
    group_percent: int = _of(0, "Of one group.")
    weekly_percent: int = _of(10, "Of what there was seven days ago, within seven days.")
    floor: int = _of(20, "The fewest records of which a percentage of the organization or a site is taken.")
    group_floor: int = _of(5, "The fewest records of which a percentage of a group is taken.")
    to_zero: bool = _of(True, "Whether it is held that none would be left, where there were any.")


@dataclass(frozen=True)
class Limits:
    """The limits that guard every plan. `>=` on whole numbers."""

    sites: Limit = Limit()
    members: Limit = Limit()
    groups: Limit = Limit(site_percent=20)
    memberships: Limit = Limit(site_percent=20, group_percent=50)
    teachers: Limit = Limit(percent=5, site_percent=0, weekly_percent=5)
    unowned: Limit = Limit()
    identifying_percent: int = _of(30, "Of the values of username, e-mail or identifier that change.")
    rekey_percent: int = _of(1, "Of the records that seem to be the same under another id.")
    create_percent: int = _of(0, "Of the members that would be added, in a run that is not the first.")
    last_administrator: bool = _of(True, "Whether it is held that no administrator would be left.")


@dataclass(frozen=True)
class Timing:
    """When it runs by itself, by the organization's clock."""

    every: str = _of(
        "night",
        "by-hand, night, week, month, or cron (as `cron` says).",
        "by-hand",
        "night",
        "week",
        "month",
        "cron",
    )
    at: str = _of("02:00", "The time of the day.")
    weekday: int = _of(0, "Of every week: 0 is Monday.")
    day: int = _of(1, "Of every month: 1 to 28.")
    cron: str = _of("", "Five fields as cron has them, minute first: 30 2 * * mon-fri.")


@dataclass(frozen=True)
class Access:
    """Who may have this sync."""

    entitlement: str = _of("rostering", "What the organization's plan has to include; empty: nothing.")
    activation: str = _of(
        "sign-in",
        "What takes a seat: sign-in (the first, by the source's provider), any-sign-in, or sync (when created).",
        "sign-in",
        "any-sign-in",
        "sync",
    )


@dataclass(frozen=True)
class Policy:
    """All settings of a sync."""

    title: str = _of("", "What the settings are called.")
    about: str = _of("", "What they are for, in a sentence or two.")
    schools: Schools = Schools()
    people: People = People()
    match: Match = Match()
    roles: Roles = Roles()
    classes: Classes = Classes()
    fields: FieldRules = FieldRules()
    grace: Grace = Grace()
    limits: Limits = Limits()
    timing: Timing = Timing()
    access: Access = Access()


# --- Reading ------------------------------------------------------------------------------------------------------------------------


def read_policy(given: Mapping[str, Any]) -> Policy:
    """The settings as they stand in a settings file, or were kept as JSON. Raises BadPolicy, which names the setting."""
    policy: Policy = _read(Policy, given, "")
    forbidden = sorted(NEVER_MAPPED & {role for role, local in policy.roles.map.items() if local})
    if forbidden:
        raise BadPolicy(f"roles.map: {', '.join(forbidden)} never becomes a member. Take it out.")
    try:
        pattern_of(**dataclasses.asdict(policy.timing))
    except ValueError as fault:
        raise BadPolicy(str(fault)) from fault
    if "email" in policy.match.rungs and policy.people.username == "email" and not policy.people.needs_email:
        raise BadPolicy("people.needs_email has to be true where the username is the e-mail address.")
    return policy


def written(policy: Policy) -> dict[str, Any]:
    """The settings as JSON keeps them; `read_policy` reads them again."""
    found: dict[str, Any] = _plain(dataclasses.asdict(policy))
    return found


def presets() -> tuple[str, ...]:
    """The names of the settings that come with Rollbook."""
    found = files("rollbook.engine.sync").joinpath("presets").iterdir()
    return tuple(sorted(one.name.removesuffix(".toml") for one in found if one.name.endswith(".toml")))


@cache
def preset(name: str) -> Policy:
    """The settings of that name. Raises BadPolicy."""
    if name not in presets():
        raise BadPolicy(f"There are no settings called “{name}”: {', '.join(presets())}.")
    text = files("rollbook.engine.sync").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return read_policy(tomllib.loads(text))


def fitted(policy: Policy, local: Sequence[str]) -> Policy:
    """The settings for an organization with these roles, the highest first: roles of the source that would become another are not mapped.

    Where it does not have the ceiling, that is the highest role which is given.
    """
    roles, people = policy.roles, policy.people
    known = {*local, ""}
    if not local:
        return policy
    given = {role: one for role, one in roles.map.items() if one in known}
    highest = next((one for one in local if one in given.values()), local[-1])
    return replace(
        policy,
        roles=replace(
            roles,
            map=given,
            ceiling=roles.ceiling if roles.ceiling in local else highest,
            default=roles.default if roles.default in known else "",
            default_for_new=roles.default_for_new if roles.default_for_new in known else "",
        ),
        people=replace(people, archive_unowned=tuple(one for one in people.archive_unowned if one in known)),
    )


@dataclass(frozen=True)
class Setting:
    """One setting, for documents and forms: `name` as `people.who`, its default and its meaning."""

    name: str
    default: Any
    meaning: str
    choices: tuple[str, ...]


def settings() -> Iterator[Setting]:
    """Every setting, in order."""
    return _settings(Policy(), "")


def _settings(section: Any, above: str) -> Iterator[Setting]:
    for one in dataclasses.fields(section):
        value = getattr(section, one.name)
        if dataclasses.is_dataclass(value):
            yield from _settings(value, f"{above}{one.name}.")
        else:
            about = one.metadata
            yield Setting(f"{above}{one.name}", _plain(value), about["meaning"], about["choices"])


def _read(kind: type[Any], given: Any, above: str) -> Any:
    if not isinstance(given, Mapping):
        raise BadPolicy(f"{above.rstrip('.')} is a section of settings.")
    known = {one.name: one for one in dataclasses.fields(kind)}
    for name in given:
        if name not in known:
            raise BadPolicy(f"There is no setting {above}{name}. There are: {', '.join(known)}.")
    wanted = typing.get_type_hints(kind)
    return kind(
        **{name: _value(wanted[name], given[name], f"{above}{name}", known[name].metadata) for name in given}
    )


def _value(wanted: Any, given: Any, name: str, about: Mapping[str, Any]) -> Any:
    if dataclasses.is_dataclass(wanted):
        return _read(wanted, given, f"{name}.") if isinstance(wanted, type) else given
    value = _typed(wanted, given, name)
    if choices := about.get("choices"):
        wrong = [one for one in (value if isinstance(value, tuple) else (value,)) if one not in choices]
        if wrong:
            raise BadPolicy(f"{name} is “{wrong[0]}”: write {' or '.join(choices)}.")
    return value


def _typed(wanted: Any, given: Any, name: str) -> Any:
    if isinstance(wanted, types.GenericAlias) and wanted.__origin__ is tuple:
        if isinstance(given, list | tuple) and all(isinstance(one, str) for one in given):
            return tuple(given)
        raise BadPolicy(f"{name} is a list of words.")
    if isinstance(wanted, types.GenericAlias):
        if isinstance(given, Mapping) and all(isinstance(one, str) for one in given.values()):
            return dict(given)
        raise BadPolicy(f"{name} is a table of words.")
    if not isinstance(given, wanted) or (wanted is int and isinstance(given, bool)):
        raise BadPolicy(f"{name} is {WORDS[wanted]}.")
    if wanted is int and given < 0:
        raise BadPolicy(f"{name} is not less than 0.")
    return given


WORDS = {str: "a text", bool: "true or false", int: "a whole number"}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value
