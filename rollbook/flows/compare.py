"""Compare: a package against the roster, another server or another package; or a list of people against the roster. Nothing is kept of it."""

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rollbook.connectors.contract import BadSetting, Progress
from rollbook.connectors.oneroster_rest import ONEROSTER_REST
from rollbook.engine.compare import Compared, compare_sides
from rollbook.engine.package import NAMES
from rollbook.engine.sides import Whole, compare_wholes, list_side, whole_package, whole_snapshot
from rollbook.engine.tabular import Table, plain_table
from rollbook.flows.fetch import fetched
from rollbook.refusal import Refusal
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import Connection, District, User
from rollbook.store.models.roster import ACTIVE

PACKAGE, ROSTER, SERVER, OTHER, LIST = "package", "roster", "server", "other package", "list"
"""What the two sides are called in files and reports."""

KEYS = ("sourcedId", "username", "identifier", "email")
"""By what people of a list are looked for in the roster."""

WITHOUT_CASE = ("username", "email")

PEOPLE = {
    "sourcedId": "sourced_id",
    "username": "username",
    "identifier": "identifier",
    "email": "email",
    "givenName": "given_name",
    "familyName": "family_name",
    "middleName": "middle_name",
    "grades": "grades",
}
"""What of the roster's people is compared with a list, and the columns it stands in."""

KNOWN_AS = {
    "sourcedId": ("sourcedid", "sourceid", "sisid", "personid", "userid", "id"),
    "username": ("username", "login", "loginid", "userlogin", "samaccountname", "userprincipalname"),
    "identifier": ("identifier", "studentid", "studentnumber", "employeeid", "staffid", "localid", "stateid"),
    "email": ("email", "emailaddress", "mail", "useremail", "primaryemail", "emailid"),
    "givenName": ("givenname", "firstname", "first"),
    "familyName": ("familyname", "lastname", "surname", "last"),
    "middleName": ("middlename", "middle"),
    "grades": ("grades", "grade", "gradelevel"),
}
"""What lists call these columns, without case, blanks and signs; the surest first."""


class NoSuchColumn(Refusal):
    """The list has no such column."""


class NoSuchKey(Refusal):
    """People are looked for by sourcedId, username, identifier or email."""


class NoSuchField(Refusal):
    """People are compared by sourcedId, username, identifier, email, givenName, familyName, middleName or grades."""


class NotAServer(Refusal):
    """Only another OneRoster server can be read to compare with: choose a connection of that kind."""


def compare_with_roster(
    package: Path, connection: Connection, work: Path, collections: Sequence[str] = ()
) -> list[Compared]:
    """The package against what is stored of this connection, by delivered ids. Raises NotAPackage, Unreadable."""
    generation = District.objects.values_list("generation", flat=True).get(pk=connection.district_id)
    second = whole_snapshot(ROSTER, accepted_for(connection, generation))
    return compare_wholes(_package(package, work), second, work / "out", collections)


def compare_with_connection(
    package: Path, connection: Connection, work: Path, progress: Progress, collections: Sequence[str] = ()
) -> list[Compared]:
    """The package against what the server of this connection says now. Raises NotAServer, CannotFetch and the same."""
    refuse_no_server(connection)
    first = _package(package, work)
    delivery = fetched(connection, _empty(work / "fetched"), datetime.now(UTC), progress)
    return _with_package(first, SERVER, delivery.path, work, collections)


def refuse_no_server(connection: Connection) -> None:
    """Raises NotAServer."""
    if connection.kind != ONEROSTER_REST.kind:
        raise NotAServer(connection.name)


def compare_with_server(
    package: Path, filled: Mapping[str, str], work: Path, progress: Progress, collections: Sequence[str] = ()
) -> list[Compared]:
    """The package against a server by the settings of a REST connection (text by option name). Raises BadSetting, CannotFetch and the same."""
    options = {option.name: option for option in ONEROSTER_REST.options}
    if unknown := [one for one in filled if one not in options]:
        raise BadSetting(f"There is no setting “{unknown[0]}”.")
    secrets = {one: text for one, text in filled.items() if options[one].secret}
    given = {one: text for one, text in filled.items() if not options[one].secret}
    assert ONEROSTER_REST.fetch is not None
    settings, kept = ONEROSTER_REST.checked(given, secrets)
    first = _package(package, work)
    delivery = ONEROSTER_REST.fetch(settings, kept, _empty(work / "fetched"), datetime.now(UTC), progress)
    return _with_package(first, SERVER, delivery.path, work, collections)


def compare_packages(
    package: Path, other: Path, work: Path, collections: Sequence[str] = ()
) -> list[Compared]:
    """One package against another. Raises NotAPackage, Unreadable."""
    return _with_package(
        _package(package, work), OTHER, _as_package(other, work / "other-file"), work, collections
    )


def compare_list(
    source: Path,
    district: District,
    by: str,
    work: Path,
    column: str = "",
    fields: Sequence[tuple[str, str]] = (),
) -> Compared:
    """A list of people against the roster, looked for `by` one of KEYS; `column` is where the list has that, else it is guessed.

    `fields` are (column of the list, field of the roster) to compare; where none is given, those that bear known names.
    Raises NotATable, NoSuchKey, NoSuchColumn, NoSuchField.
    """
    if by not in KEYS:
        raise NoSuchKey(by)
    work.mkdir(parents=True, exist_ok=True)
    table = plain_table(source, work / "list.csv")
    key = _column(table, column) if column else _guessed(table, by)
    pairs = [(_column(table, one), _field(other)) for one, other in fields] or _alike(table, key, by)
    people = list_side(ROSTER, _people(district, work / "people.csv"), by)
    sides = list_side(LIST, table, key), people
    return compare_sides("people", *sides, pairs, work / "out", fold=by in WITHOUT_CASE)


def is_list(source: Path) -> bool:
    """Whether this is a CSV file that is none of the standard's."""
    return source.is_file() and source.suffix.casefold() == ".csv" and source.name.casefold() not in NAMES


# --- Packages -----------------------------------------------------------------------------------------------------------------------------


def _package(package: Path, work: Path) -> Whole:
    return whole_package(PACKAGE, _as_package(package, work / "file"), _empty(work / "first"))


def _with_package(
    first: Whole, label: str, other: Path, work: Path, collections: Sequence[str]
) -> list[Compared]:
    second = whole_package(label, other, _empty(work / "second"))
    return compare_wholes(first, second, work / "out", collections)


def _as_package(package: Path, folder: Path) -> Path:
    """A single file of the standard as a package of one file; all else as it is."""
    if not package.is_file() or package.name.casefold() not in NAMES:
        return package
    shutil.copyfile(package, _empty(folder) / package.name)
    return folder


def _empty(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


# --- Lists --------------------------------------------------------------------------------------------------------------------------------


def _people(district: District, target: Path) -> Table:
    """The people of the roster who are active, by the ids they are served under, as a plain table."""
    rows = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for row in _people_rows(district):
            writer.writerow(["", *row])
            rows += 1
    return Table(target, tuple(PEOPLE), rows)


def _people_rows(district: District) -> Iterator[list[str]]:
    people = (
        User.objects.filter(district=district, status=ACTIVE).order_by("id").values_list(*PEOPLE.values())
    )
    for values in people.iterator(chunk_size=5_000):
        named = dict(zip(PEOPLE, values, strict=True))
        named["grades"] = ",".join(json.loads(named["grades"])) if named["grades"] else ""
        yield [value or "" for value in named.values()]


def _column(table: Table, column: str) -> str:
    """The list's own name of a column, whatever the case. Raises NoSuchColumn, which names those there are."""
    for one in table.columns:
        if one.casefold() == column.strip().casefold():
            return one
    raise NoSuchColumn(f"{column}; it has {', '.join(table.columns)}")


def _guessed(table: Table, by: str) -> str:
    found = _known(table, by)
    if found is None:
        raise NoSuchColumn(f"nothing that looks like {by}; name the column: {', '.join(table.columns)}")
    return found


def _alike(table: Table, key: str, by: str) -> list[tuple[str, str]]:
    """The columns that bear a known name, and are not the key."""
    found = ((_known(table, one), one) for one in PEOPLE if one != by)
    return [(column, one) for column, one in found if column is not None and column != key]


def _known(table: Table, field: str) -> str | None:
    plain = {"".join(filter(str.isalnum, column)).casefold(): column for column in reversed(table.columns)}
    return next((plain[one] for one in KNOWN_AS[field] if one in plain), None)


def _field(field: str) -> str:
    if field not in PEOPLE:
        raise NoSuchField(field)
    return field
