"""A consumer as it takes packages in: whole files replace, changes are added or taken away. And what our own validator says of a package."""

import csv
import zipfile
from pathlib import Path

from rollbook.engine.findings import Finding
from rollbook.flows.packages import Edition, Package, instant_of, make_zip
from rollbook.oneroster.csv_binding import read_manifest
from rollbook.store.models import District, Grant
from tests.delivered import reader_of
from tests.engine.packages import judged

Held = dict[str, dict[str, dict[str, str]]]
LIFECYCLE = ("status", "dateLastModified")


def package_of(
    grant: Grant, folder: Path, version: str = "1.2", since: int | None = None, had: set[str] | None = None
) -> Package | None:
    """What the grant's app sees now, as a zip in `folder`; since a publication where one is named."""
    spool = folder / f"spool-{version}-{since}-{len(list(folder.iterdir()))}"
    spool.mkdir()
    publication = District.objects.get(pk=grant.district_id).publication
    edition = Edition(version, publication, instant_of(grant.district_id, since) if since else "")
    return make_zip(reader_of(grant), edition, spool / "package.zip", spool, had=had or set())


def rows_of(package: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each file by the file's name, without .csv."""
    found = {}
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            if name != "manifest.csv":
                text = archive.read(name).decode()
                found[name.removesuffix(".csv")] = list(csv.DictReader(text.splitlines()))
    return found


def modes_of(package: Path) -> dict[str, str]:
    with zipfile.ZipFile(package) as archive:
        modes = read_manifest(archive.read("manifest.csv").decode()).modes
    return {name: mode for name, mode in modes.items() if mode != "absent"}


def take_in(held: Held, package: Path) -> Held:
    """What a consumer holds that held `held`, and took the package in as its manifest says."""
    after = {name: dict(rows) for name, rows in held.items()}
    rows = rows_of(package)
    for name, mode in modes_of(package).items():
        if mode == "bulk":
            after[name] = {row["sourcedId"]: _payload(row) for row in rows[name]}
            continue
        kept = after.setdefault(name, {})
        for row in rows[name]:
            if row["status"] == "tobedeleted":
                kept.pop(row["sourcedId"], None)
            else:
                kept[row["sourcedId"]] = _payload(row)
    return {name: some for name, some in after.items() if some}


def _payload(row: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in row.items() if name not in LIFECYCLE and text}


def wrong_with(package: Path, work: Path) -> list[Finding]:
    """The errors that our validator finds in the package, by the letter of the standard."""
    folder = work / f"judged-{package.parent.name}"
    folder.mkdir()
    return [one for one in judged(package, folder) if one.severity in ("fatal", "error")]
