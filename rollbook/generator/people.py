"""Students, guardians and staff as the records say them on a given night. Everything about a person falls from the person's own dice."""

import datetime
from typing import NamedTuple

from rollbook.generator.chance import Chance, pick
from rollbook.generator.names import LANGUAGES, Language, Name
from rollbook.generator.nights import EDIT, RARE, TURNOVER, share, turns
from rollbook.generator.seating import Family, Student

SPEAKERS: tuple[Language, ...] = tuple(language for language in LANGUAGES for _ in range(language.share))
OLDEST_BIRTHDAY = datetime.date(2026, 9, 1).toordinal()
ANY_NIGHT_FROM_BIRTH = 365
RACES = 5
CITIES = (
    "",
    "Fairhaven",
    "Millbrook",
    "Port Clement",
    "Ash Fork",
    "Ciudad Juárez",
    "",
    "Kraków",
    "São Paulo",
    "東京",
    "Αθήνα",
)
COUNTRIES = ("US", "US", "US", "US", "US", "MX", "VN", "CN", "SY", "UA", "SO")
PRONOUNS = ("she/her", "he/him", "they/them")


class Role(NamedTuple):
    """What a user is at an org; `kind` is primary or secondary, `org` the sourcedId, `key` the seed of the role's own."""

    word: str
    org: str
    kind: str
    key: bytes
    profile: str = ""


class User(NamedTuple):
    """One user, ready to be written in either version; lists are comma lists."""

    sourced_id: str
    enabled: str
    username: str
    user_ids: str
    given: str
    family: str
    middle: str
    identifier: str
    email: str
    sms: str
    phone: str
    agents: str
    grades: str
    master: str
    preferred: str
    pronouns: str
    language: str
    roles: tuple[Role, ...]


class Post(NamedTuple):
    """One place on the staff of a school: `number` in the school `school` (its number; -1 the district office)."""

    school: int
    number: int
    word: str


def student_id(person: int, generation: int, chance: Chance) -> str:
    return chance.guid(b"p%d.%d" % (person, generation))


def student_user(
    student: Student, family: Family, guardians: str, school: str, students: int, night: int, chance: Chance
) -> User:
    """`guardians` are the agents as a comma list, `school` the sourcedId of the school now, `students` the size of the district."""
    person, generation = student.person, student.generation
    bits, home = (
        chance.bits(b"P%d.%d" % (person, generation)),
        chance.bits(b"F%d.%d" % (family.lead, family.generation)),
    )
    speaker = SPEAKERS[home % 100]
    turn, offset = turns(night, chance.phase(person, EDIT), EDIT), bits >> 112 & 255
    given_names = speaker.female if bits & 1 else speaker.male
    first = (bits >> 1 & 1023) % len(given_names)
    given = given_names[(first + share(turn, offset, 5, 1)) % len(given_names)]
    surname = family_name(speaker, home >> 8)
    number = person + generation * students
    username = f"{given_names[first][1][0]}{surname[1][:12]}{number}"
    emails = share(turn, offset, 5, 0)
    young = student.school.level.age == 5 and student.grade < 3
    sourced_id = student_id(person, generation, chance)
    key = b"%d.%d.%d" % (person, generation, student.school.number)
    return User(
        sourced_id,
        "false" if (bits >> 12) % 97 == 0 else "true",
        username,
        f"{{State:{99_000_000 + number}}},{{Library:L{number:07d}}}" if bits >> 20 & 1 else "",
        given[0],
        surname[0],
        pick(given_names, bits >> 24 & 63)[0] if (bits >> 30 & 3 == 0) != (share(turn, offset, 5, 3) % 2 == 1) else "",
        f"{100_000 + number}",
        "" if young and not emails else f"{username}{f'.{emails}' if emails else ''}@students.district.example",
        "",
        telephone(bits >> 32, share(turn, offset, 5, 2)),
        guardians,
        grades(student, share(turn, offset, 5, 4)),
        f"SM-{number:08d}",
        preferred(given, bits >> 48),
        PRONOUNS[(bits >> 60) % 3] if (bits >> 64) % 41 == 0 else "",
        speaker.code,
        (Role("student", school, "primary", key, chance.guid(b"u" + key) if has_profile(student) else ""),),
    )  # fmt: skip


def has_profile(student: Student) -> bool:
    """One student in twenty has a sign-in of its own at a product."""
    return student.person % 20 == 7


def family_name(speaker: Language, bits: int) -> Name:
    """Some households carry two names: with a space in Spanish and Portuguese, else with a hyphen."""
    native, plain = pick(speaker.family, bits & 1023)
    second = pick(speaker.family, bits >> 10 & 1023)[0]
    if speaker.code in ("es", "pt") and bits >> 20 & 3 == 0:
        return f"{native} {second}", plain
    if speaker.code in ("en", "sv", "fr") and bits >> 20 & 31 == 0 and " " not in native:
        return f"{native}-{second}", plain
    return native, plain


def preferred(given: Name, bits: int) -> str:
    """Names in other letters often have a short Latin form beside them."""
    native, plain = given
    return plain.capitalize() if not native[0].isascii() and bits & 1 else ""


def telephone(bits: int, turn: int) -> str:
    return f"555-{(bits + turn * 7) % 10000:04d}"


def grades(student: Student, turn: int) -> str:
    """The grade of the seat, or, after a correction, the one beside it."""
    codes = student.school.level.grades
    if turn % 2:
        return codes[student.grade - 1] if student.grade else codes[1]
    return codes[student.grade]


def demographics(student: Student, family: Family, night: int, chance: Chance) -> tuple[str, ...]:
    """The columns of demographics.csv behind dateLastModified."""
    bits = chance.bits(b"P%d.%d" % (student.person, student.generation))
    home = chance.bits(b"F%d.%d" % (family.lead, family.generation)) >> 32
    days = (student.school.level.age + student.grade) * 1461 // 4 + (bits >> 70) % ANY_NIGHT_FROM_BIRTH
    races = 1 << home % RACES | (1 << (home >> 8) % RACES if home >> 16 & 7 == 0 else 0)
    moves = turns(night, chance.phase(student.person, RARE), RARE)
    return (
        datetime.date.fromordinal(OLDEST_BIRTHDAY - days).isoformat(),
        sex(bits),
        *("true" if races >> race & 1 else "false" for race in range(RACES)),
        "true" if races & (races - 1) else "false",
        "true" if home >> 20 & 3 == 0 else "false",
        pick(COUNTRIES, home >> 24 & 255),
        "",
        pick(CITIES, (home >> 32 & 255) + moves),
        "01652" if home >> 40 & 7 else "01653",
    )


def sex(bits: int) -> str:
    """As the given name would have it, for all but six in a thousand."""
    rare = bits >> 80 & 1023
    return "other" if rare < 3 else "unspecified" if rare < 6 else "female" if bits & 1 else "male"


def guardian_count(family: Family, chance: Chance) -> int:
    """None for one household in five, else one or two."""
    return (0, 0, 1, 1, 1, 1, 2, 2, 2, 2)[
        chance.bits(b"F%d.%d" % (family.lead, family.generation)) % 1009 % 10
    ]


def guardian_id(family: Family, n: int, chance: Chance) -> str:
    return chance.guid(b"g%d.%d.%d" % (family.lead, family.generation, n))


def guardian_user(family: Family, n: int, orgs: tuple[str, ...], night: int, chance: Chance) -> User:
    """The guardian `n` (0 or 1); `orgs` are the sourcedIds of the schools of the children, each once."""
    who = b"%d.%d.%d" % (family.lead, family.generation, n)
    bits, home = (
        chance.bits(b"G" + who),
        chance.bits(b"F%d.%d" % (family.lead, family.generation)),
    )
    speaker = SPEAKERS[home % 100]
    turn = turns(night, chance.phase(family.lead * 2 + n, EDIT), EDIT)
    username = f"family{family.lead}{'abcdefgh'[family.generation % 8]}{family.generation // 8 or ''}{n + 1}"
    word = "guardian" if bits >> 40 & 7 == 0 else "parent"
    emails, phones = share(turn, bits >> 48 & 1, 2, 0), share(turn, bits >> 48 & 1, 2, 1)
    return User(
        guardian_id(family, n, chance),
        "true",
        username,
        "",
        pick(speaker.female if n == 0 else speaker.male, bits & 1023)[0],
        family_name(speaker, home >> 8 if bits >> 12 & 7 else bits >> 16)[0],
        "",
        "",
        f"{username}{f'.{emails}' if emails else ''}@mail.example",
        telephone(bits >> 20, phones),
        "",
        "",
        "",
        "",
        "",
        "",
        speaker.code,
        tuple(Role(word, org, "primary", b"G" + who + b"/" + org.encode()) for org in orgs),
    )


def holder(post: Post, night: int, chance: Chance) -> bytes:
    """The key of who fills a post on `night`."""
    return b"s%d.%d.%d" % (
        post.school,
        post.number,
        turns(night, staff_phase(post, chance, TURNOVER), TURNOVER),
    )


def staff_phase(post: Post, chance: Chance, period: int) -> int:
    return chance.phase((post.school + 1) * 1009 + post.number, period)


def staff_id(post: Post, night: int, chance: Chance) -> str:
    return chance.guid(holder(post, night, chance))


def staff_number(post: Post, night: int, chance: Chance) -> str:
    """The number on the badge, unique in the district: school (0 the office), post, and which holder of it after the first."""
    holders = turns(night, staff_phase(post, chance, TURNOVER), TURNOVER)
    return f"{post.school + 1}-{post.number:03d}" + (f"-{holders}" if holders else "")


def staff_user(post: Post, orgs: tuple[str, ...], night: int, chance: Chance) -> User:
    """`orgs` are the sourcedIds of the schools the post is at, the primary one first."""
    who = holder(post, night, chance)
    bits = chance.bits(b"S" + who)
    speaker = SPEAKERS[bits % 100]
    turn, offset = turns(night, staff_phase(post, chance, EDIT), EDIT), bits >> 8 & 1
    given = pick(speaker.female if bits >> 16 & 3 else speaker.male, bits >> 20 & 1023)
    surname = family_name(speaker, (bits >> 32) + share(turn, offset, 2, 0))
    number = staff_number(post, night, chance)
    username = f"{given[1][:1]}{family_name(speaker, bits >> 32)[1][:14]}.{number}"
    roles = [Role(post.word, org, "primary", who + b"/" + org.encode()) for org in orgs]
    if post.word == "teacher" and (bits >> 60) % 50 == 0:
        roles.append(Role("siteAdministrator", orgs[0], "secondary", who + b"+" + orgs[0].encode()))
    return User(
        chance.guid(who),
        "true",
        username,
        f"{{LDAP:{username}}}",
        given[0],
        surname[0],
        "",
        f"E{number}",
        f"{username}@district.example",
        "",
        telephone(bits >> 70, share(turn, offset, 2, 1)),
        "",
        "",
        "",
        preferred(given, bits >> 84),
        pick(PRONOUNS, bits >> 90 & 255) if (bits >> 100) % 29 == 0 else "",
        speaker.code,
        tuple(roles),
    )
