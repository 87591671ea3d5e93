"""Sentences that runs, plans and connections put together while they work: their patterns, read out of the modules that write them.

A pattern has a number in brackets, or a name, where a figure or a name stands. Letters to people, log lines and documents are not among them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from rollbook.engine import package, safeguards

ROOT = Path(__file__).parents[2] / "rollbook"
WRITERS = (
    "connectors", "engine/sync/memory.py", "engine/sync/policy.py", "engine/sync/timing.py", "flows/by_hand.py", "flows/completeness.py",
    "flows/deliveries.py", "flows/exports.py", "flows/handing_over.py", "flows/holds.py", "flows/ingest.py", "flows/jobs", "flows/kept.py",
    "flows/manual/cautions.py", "flows/merging.py", "flows/previews.py", "flows/rehearsals.py", "flows/sanity_plans.py",
    "flows/signing_in/providers.py", "flows/spans.py", "flows/sync", "flows/timetable.py", "flows/waiting.py", "engine/package.py", "sftp",
)  # fmt: skip
SAID_ELSEWHERE = ("acting.py", "cancel.py")
"""Modules of `flows/sync` whose sentences have words of their own, with plurals, in console/organization/run_words.py."""
SENTENCE = re.compile(r"[A-Z“{0-9].*\s.*", re.DOTALL)
WORDS = re.compile(r"[a-z]{2,}[,:]? [a-z]{2,}")
NO_SENTENCE = re.compile(
    r"\n|\b(SELECT|INSERT|UPDATE|DELETE|WHERE|FROM|JOIN|COPY|ATTACH|SET|AND)\b|list_\w+\(|https?:"
)


def patterns() -> set[str]:
    """Each with at least one place."""
    found = {one for one in _written() if re.search(r"\{\d\}", one)}
    return found | set(safeguards.SENTENCES.values())


def fixed() -> set[str]:
    """Those without any place."""
    return {one for one in _written() if "{" not in one}


def words() -> set[str]:
    """What stands in the places of hazards, and in front of what is no package."""
    return {*safeguards.CALLED.values(), *safeguards.FIELDS_CALLED.values(), package.UNNAMED}


def _written() -> Iterator[str]:
    for writer in WRITERS:
        place = ROOT / writer
        for file in [place] if place.suffix else sorted(place.rglob("*.py")):
            if file.name in SAID_ELSEWHERE:
                continue
            found = _of_module(ast.parse(file.read_text(encoding="utf-8")))
            # What settings mean stands in their own words on the pages.
            yield from (one for one in found if "{" in one or writer != "engine/sync/policy.py")


def _of_module(tree: ast.Module) -> Iterator[str]:
    apart = {id(part) for one in ast.walk(tree) for part in _not_said(one)}
    for node in ast.walk(tree):
        if id(node) in apart:
            continue
        text = _pattern(node) if isinstance(node, ast.JoinedStr) else getattr(node, "value", None)
        if isinstance(text, str) and _is_sentence(text):
            yield text


def _not_said(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in documentation, in a part of a longer text, or in a fault of ours."""
    if isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        yield from list(ast.walk(node))[1:]
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("AssertionError", "RuntimeError"):
        yield from ast.walk(node)


def _pattern(node: ast.JoinedStr) -> str:
    places = iter(range(len(node.values)))
    return "".join(
        str(one.value) if isinstance(one, ast.Constant) else f"{{{next(places)}}}" for one in node.values
    )


def _is_sentence(text: str) -> bool:
    bare = re.sub(r"\{\w+\}", "", text)
    is_said = text.endswith((".", "?", "…", "}")) if "{" not in text else True
    return bool(SENTENCE.fullmatch(text) and WORDS.search(bare) and is_said and not NO_SENTENCE.search(text))
