"""Every text of the console is said in every language of it, with the same places for names and numbers."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

from rollbook import settings
from tests.house.messages import LANGUAGES, LOCALES, PACKAGE
from tests.house.sentences import sentences

TEXT = r"""u(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(n?p?gettext|_)\(({TEXT}(?:, ?{TEXT})*)")
PLACES = re.compile(r"%\(\w+\)s|\{\w*\}|%%|</?\w+[^>]*>|&\w+;")
NAMES = {
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
}
BY_CONTEXT = "\x04"
"""Between a context and its text in a catalogue."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_its_translation(language: str):
    said = catalogue(language)
    assert [text for text in sorted(texts()) if not said.get(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_its_text_and_no_others(language: str):
    wrong = []
    for text, said in catalogue(language).items():
        theirs = [set(PLACES.findall(one)) for one in said]
        ours = set(PLACES.findall(text))
        # Of a text with a plural only the singular stands in what is compiled; it may do without the number.
        if not ours <= set().union(*theirs) or (len(said) == 1 and theirs[0] != ours):
            wrong.append((text, said))
    assert wrong == []


def test_the_languages_with_a_catalogue_are_those_that_are_offered():
    offered = {code for code, _ in settings.LANGUAGES if not code.startswith("en")}
    assert offered == set(LANGUAGES) == {one.name for one in LOCALES.iterdir()}


def catalogue(language: str) -> dict[str, tuple[str, ...]]:
    """What is compiled: each text with its translation, or those of its singular and plural."""
    with (LOCALES / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    found: dict[str, list[str]] = {}
    for key, said in compiled._catalog.items():  # type: ignore[attr-defined]  # the only way to what stands in it
        text = key if isinstance(key, str) else key[0]
        found.setdefault(text.rpartition(BY_CONTEXT)[2], []).append(said)
    return {text: tuple(said) for text, said in found.items() if text}


def texts() -> set[str]:
    """Every text that is to be translated; of one with a plural, its singular."""
    found = set(sentences())
    for file in PACKAGE.rglob("*.html"):
        for call, literals in CALL.findall(templatize(file.read_text(encoding="utf-8"))):
            found.add(ast.literal_eval(f"({literals},)")[-1 if "pgettext" in call else 0])
    for file in PACKAGE.rglob("*.py"):
        found.update(_of_module(file))
    return {text for text in found if text}


def _of_module(file: Path) -> Iterator[str]:
    source = file.read_text(encoding="utf-8")
    if "gettext" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            constants = [one.value for one in node.args if isinstance(one, ast.Constant)]
            place = 1 if node.func.id.startswith("pgettext") else 0
            if len(constants) > place and isinstance(constants[place], str):
                yield constants[place]
