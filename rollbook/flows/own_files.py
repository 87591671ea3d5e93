"""An app's own files: those that its packages have instead of OneRoster's, as its export keeps them, one of them changed at a time."""

from collections.abc import Sequence
from hashlib import sha256

from rollbook.engine.holdings import Holdings, holdings
from rollbook.engine.scope import Rule
from rollbook.engine.tailoring import Tailored, parse, spelled
from rollbook.flows.exports import set_export
from rollbook.flows.samples import Sample, sample
from rollbook.refusal import Refusal
from rollbook.store.models import Export, Grant


class FilesMoved(Refusal):
    """Somebody has changed the files of this app since this page was opened. Nothing was kept: look at them as they are now, and do it again."""


class NameTaken(Refusal):
    """Another file of this app is called so already. Give this one another name."""


def held_by(grant: Grant, version: str) -> Holdings:
    """Which files and columns the packages for this app can hold."""
    return holdings(Rule.parse(grant.rule), version)


def files_of(export: Export) -> tuple[Tailored, ...]:
    """The files of the app's own; none where it gets a OneRoster package."""
    return parse(export.template, export.version) if export.template else ()


def samples_of(grant: Grant, text: str, version: str, most: int) -> list[tuple[str, Sample]]:
    """(file, its first rows) of each file of a template. Raises BadTemplate, NothingServed."""
    files = parse(text, version, held_by(grant, version))
    return [(one.file, sample(grant, one, version, most)) for one in files]


def mark_of(export: Export) -> str:
    """Names what the files are now, so that who changes them can say what they have seen."""
    return sha256(f"{export.version}\n{export.template}".encode()).hexdigest()[:16]


def keep_file(export: Export, place: int | None, tailored: Tailored, seen: str, by: str) -> Export:
    """One file instead of the one at this place, or behind all others. Raises FilesMoved, NameTaken, BadTemplate."""
    files = list(files_of(export))
    _refuse_moved(export, seen)
    others = [one.file.lower() for at, one in enumerate(files) if at != place]
    if tailored.file.lower() in others:
        raise NameTaken(tailored.file)
    if place is None:
        files.append(tailored)
    else:
        files[place] = tailored
    return _kept(export, files, by)


def drop_file(export: Export, place: int, seen: str, by: str) -> Export:
    """Without that file; without the last of them the app gets a OneRoster package. Raises FilesMoved."""
    _refuse_moved(export, seen)
    files = files_of(export)
    return _kept(export, [one for at, one in enumerate(files) if at != place], by)


def keep_text(export: Export, text: str, seen: str, by: str) -> Export:
    """All of them, as a template. Raises FilesMoved, BadTemplate."""
    _refuse_moved(export, seen)
    return set_export(export.grant, export.way, {"template": text}, by)


def _refuse_moved(export: Export, seen: str) -> None:
    if seen != mark_of(export):
        raise FilesMoved(str(export.grant_id))


def _kept(export: Export, files: Sequence[Tailored], by: str) -> Export:
    return set_export(export.grant, export.way, {"template": spelled(files)}, by)
