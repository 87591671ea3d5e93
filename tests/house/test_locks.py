"""What is installed is locked by hash, names no place to get it from, and no file names this or that machine."""

import json
import re
import tomllib

import pytest

from tests.house.source import ROOT, texts

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

# Spelled apart, so that this file does not name them either.
PLACES = re.compile(
    "|".join(
        [
            r"py" + r"pi\.(org|python\.org)",
            r"python" + r"hosted\.org",
            r"registry\." + r"(npm" + r"js|yarnpkg)",
            r"(?<![\w.~-])/(wo" + r"rk|fa" + r"rm|tmp/brief)/",
            r"\.lib" + r"rary\b",
            r"/home/[a-z]+/",
        ]
    )
)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_carries_its_hashes(lock):
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert packages
    assert not [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry]
    assert not [
        entry.splitlines()[0] for entry in packages if not re.match(r"[\w.-]+(\[[\w,-]+\])?==", entry)
    ]


def test_the_lock_is_made_from_what_the_project_declares():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    listed = (ROOT / "requirements/runtime.in").read_text(encoding="utf-8").splitlines()
    assert declared == [line for line in listed if line and not line.startswith("#")]


def test_the_locks_agree_with_one_another():
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(
            r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE
        ):
            versions.setdefault(name, set()).add(version)
    assert not {name: several for name, several in versions.items() if len(several) > 1}


def test_the_npm_lock_has_hashes_and_no_addresses():
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert not [name for name, package in packages.items() if name and "integrity" not in package]
    assert not [name for name, package in packages.items() if "resolved" in package]


def test_no_file_names_a_registry_or_a_machine():
    named = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if PLACES.search(line)
    ]
    assert not named
