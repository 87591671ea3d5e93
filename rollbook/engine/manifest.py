"""The manifest of a package, read and judged: its version and the mode of each file. Without one, the version is read from the headers."""

import csv
from dataclasses import dataclass, field

from rollbook.engine.facts import Facts
from rollbook.engine.findings import Findings
from rollbook.engine.headers import first_line
from rollbook.engine.package import Package
from rollbook.oneroster.spec import Binding, loose
from rollbook.oneroster.tables import (
    BINDINGS,
    MANIFEST_HEADER,
    MANIFEST_MODES,
    MANIFEST_OPTIONAL,
    MANIFEST_VERSION,
)

FILE = "manifest.csv"
LARGEST = 1 << 20
LONGEST_ROW = 10_000


@dataclass
class Manifest:
    """Which version the package has, and the mode (bulk or delta) of every file that is to be read, by table name.

    `binding` is None where the version cannot be known. `given` is false where there was no manifest: then every file counts as bulk.
    `promised` are the tables of which it says that all there is comes, also those whose file did not come.
    """

    binding: Binding | None
    modes: dict[str, str] = field(default_factory=dict)
    given: bool = True
    promised: frozenset[str] = frozenset()


def read_manifest(package: Package, findings: Findings) -> Manifest:
    """Reads manifest.csv (OneRoster 1.2.1 CSV binding, manifest), or does without."""
    if FILE not in package.files:
        findings.add("manifest-missing", FILE)
        return _without(package)
    file = package.files[FILE]
    if file.facts.bom:
        findings.add("byte-order-mark", FILE)
    rows = _rows(file.path.read_bytes()[:LARGEST], file.facts, findings)
    header = tuple(name.strip() if findings.lenient else name for name in rows[0][1]) if rows else ()
    if header != MANIFEST_HEADER:
        findings.add("manifest-header", FILE, 1, value=",".join(header))
        return Manifest(None)
    properties = _properties(rows[1:], findings)
    binding = _version(properties, findings)
    if binding is None:
        return Manifest(None)
    said = {table.name: loose(properties.get(f"file.{table.name}", (0, ""))[1]) for table in binding.tables}
    promised = frozenset(name for name, mode in said.items() if mode == "bulk")
    return Manifest(binding, _modes(binding, properties, package, findings), promised=promised)


def _rows(content: bytes, facts: Facts, findings: Findings) -> list[tuple[int, list[str]]]:
    """(line, fields) of every line that is not empty."""
    if facts.bad_line:
        findings.add("encoding", FILE, facts.bad_line)
    text = content.decode("utf-8-sig", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    rows: list[tuple[int, list[str]]] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    for line, one in enumerate(lines, 1):
        fields = next(csv.reader([one[:LONGEST_ROW]]), [])
        if any(fields):
            rows.append((line, fields))
        else:
            findings.add("csv-blank-line", FILE, line)
    return rows


def _properties(rows: list[tuple[int, list[str]]], findings: Findings) -> dict[str, tuple[int, str]]:
    """name → (line, value)"""
    properties: dict[str, tuple[int, str]] = {}
    for line, fields in rows:
        if len(fields) != 2:
            findings.add("manifest-row", FILE, line, value=",".join(fields))
        elif fields[0] in properties:
            findings.add(
                "manifest-row", FILE, line, fields[0], fields[1], f"{fields[0]} stands twice. Keep one."
            )
        else:
            properties[fields[0]] = (line, fields[1])
    return properties


def _version(properties: dict[str, tuple[int, str]], findings: Findings) -> Binding | None:
    line, version = properties.get("manifest.version", (0, ""))
    if version != MANIFEST_VERSION:
        findings.add("manifest-version", FILE, line, "manifest.version", version)
    line, version = properties.get("oneroster.version", (0, ""))
    if version not in BINDINGS:
        findings.add("oneroster-version", FILE, line, "oneroster.version", version)
        return None
    return BINDINGS[version]


def _modes(
    binding: Binding, properties: dict[str, tuple[int, str]], package: Package, findings: Findings
) -> dict[str, str]:
    keys = {f"file.{table.name}": table.name for table in binding.tables}
    fixed = {"manifest.version", "oneroster.version", *MANIFEST_OPTIONAL}
    for key, (line, _) in properties.items():
        if key not in keys and key not in fixed:
            findings.add("manifest-key-unknown", FILE, line, key)
    for name in package.files:
        if name != FILE and name.removesuffix(".csv") not in binding:
            findings.add(
                "unknown-file", name, message=f"OneRoster {binding.version} has no {name}. It is not read."
            )
    modes = {name: _mode(key, name, properties, package, findings) for key, name in keys.items()}
    return {name: mode for name, mode in modes.items() if mode in ("bulk", "delta")}


def _mode(
    key: str, name: str, properties: dict[str, tuple[int, str]], package: Package, findings: Findings
) -> str:
    """The mode of one file, `absent` where it is not to be read."""
    file, there = f"{name}.csv", f"{name}.csv" in package.files
    if key not in properties:
        findings.add("manifest-key-missing", FILE, field=key)
        if there:
            findings.add(
                "manifest-file-unexpected", file, message=f"{FILE} has no row {key}. The file is not read."
            )
        return "absent"
    line, mode = properties[key]
    if mode not in MANIFEST_MODES and loose(mode) in MANIFEST_MODES:
        findings.add("manifest-mode-case", FILE, line, key, mode)
        mode = loose(mode)
    if mode not in MANIFEST_MODES:
        findings.add("manifest-mode", FILE, line, key, mode)
    elif mode == "absent" and there:
        findings.add("manifest-file-unexpected", file, value=mode)
    elif mode != "absent" and not there:
        findings.add("manifest-file-missing", FILE, line, key, mode)
    return mode if there else "absent"


def _without(package: Package) -> Manifest:
    """As if all files were bulk files of the version whose required columns they have; 1.2 where both fit, for its wider vocabularies."""
    headers = {name.removesuffix(".csv"): set(first_line(file.path)) for name, file in package.files.items()}
    binding = min(reversed(BINDINGS.values()), key=lambda candidate: _misfit(candidate, headers))
    modes = {name: "bulk" for name in headers if name in binding}
    return Manifest(binding, modes, given=False, promised=frozenset(modes))


def _misfit(binding: Binding, headers: dict[str, set[str]]) -> int:
    """How many columns are missing or unknown when the files are read as this version's."""
    return sum(
        len(columns ^ set(binding.table(name).columns)) if name in binding else len(columns)
        for name, columns in headers.items()
    )
