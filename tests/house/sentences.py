"""The sentences that pages show and other storeys write: what refusals say, what codes mean, what settings are for, what runs write down.

`script/messages` gathers them for translation; templates show them by the filter `said`, and those with figures in them by `dated` too.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import rollbook
from rollbook.connectors import SOURCES
from rollbook.engine import catalogue, codes
from rollbook.engine.preparation.kinds import ALL_KINDS
from rollbook.engine.sanity.lines import LINES
from rollbook.engine.signing_in.claims import PRESETS, REPLAYED
from rollbook.engine.signing_in.ladder import OUTCOMES, REASONS
from rollbook.engine.sync import remarks
from rollbook.flows.connections import KINDS as CONNECTORS
from rollbook.flows.own_sign_in.coming import OWN_OUTCOMES
from rollbook.flows.sync.helping import ANSWERED
from rollbook.refusal import Refusal, message_of
from tests.house import figured


def sentences() -> list[str]:
    """All of them, each once."""
    found = (
        *_of_refusals(),
        *_of_findings(),
        *_of_syncs(),
        *_of_checks(),
        *_of_settings(),
        *_of_steps(),
        *_of_sign_in(),
        *ANSWERED,
        *figured.fixed(),
        *figured.patterns(),
        *figured.words(),
    )
    return sorted({sentence for sentence in found if sentence})


def _of_refusals() -> Iterator[str]:
    for module in pkgutil.walk_packages(rollbook.__path__, "rollbook."):
        if not module.name.endswith(("__main__", "wsgi", "worker")) and ".migrations" not in module.name:
            import_module(module.name)
    yield from map(message_of, _below(Refusal))


def _below(one: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in one.__subclasses__():
        yield each
        yield from _below(each)


def _of_findings() -> Iterator[str]:
    for code in catalogue.CODES:
        yield from (code.title, code.meaning, code.why, code.remedy)
    yield from (*codes.SEVERITY_MEANING.values(), *codes.WHO.values())


def _of_syncs() -> Iterator[str]:
    for code in remarks.CODES:
        yield from (code.title, code.meaning, code.remedy)
    yield from remarks.OWNERS.values()


def _of_checks() -> Iterator[str]:
    for line in LINES:
        yield from (line.group, line.title, line.meaning)


def _of_settings() -> Iterator[str]:
    for connector in {**CONNECTORS, **SOURCES}.values():
        yield connector.title
        for option in connector.options:
            yield from (option.title, option.meaning)


def _of_steps() -> Iterator[str]:
    for kind in ALL_KINDS:
        yield from (kind.title, kind.meaning)
        for parameter in kind.parameters:
            yield from (parameter.title, parameter.meaning, *(parameter.choices or {}).values())


def _of_sign_in() -> Iterator[str]:
    yield REPLAYED
    yield from (words for words, _ in OUTCOMES.values())
    yield from REASONS.values()
    yield from OWN_OUTCOMES.values()
    for preset in PRESETS.values():
        yield from (preset.title, preset.tenants, preset.quirk)
