"""The translations of the console: `python -m tests.house.messages` gathers every text anew and compiles what is translated.

A text without a translation is left empty, and tests/house/test_languages.py says which. Needs GNU gettext.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rollbook"
LOCALES = PACKAGE / "console" / "locale"
LANGUAGES = ("es",)
GATHERED = PACKAGE / "console" / "gathered_sentences.py"
"""Where the sentences of other storeys stand while texts are gathered."""
FIGURED = PACKAGE / "console" / "figured.json"


def main() -> int:
    GATHERED.write_text(
        "".join(f"gettext_noop({sentence!r})\n" for sentence in _sentences()), encoding="utf-8"
    )
    try:
        for language in LANGUAGES:
            _gather(language)
    finally:
        GATHERED.unlink()
    FIGURED.write_text(figured_patterns(), encoding="utf-8")
    for language in LANGUAGES:
        _compile(catalogue_of(language))
    sys.stdout.write(f"Gathered and compiled: {', '.join(LANGUAGES)}.\n")
    return 0


def catalogue_of(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def figured_patterns() -> str:
    """The file of patterns and words by which the console says sentences with figures."""
    told = _told("from tests.house.figured import patterns, words; print(json.dumps([sorted(patterns()), sorted(words())]))")  # fmt: skip
    return (
        json.dumps(dict(zip(("patterns", "words"), told, strict=True)), ensure_ascii=False, indent=1) + "\n"
    )


def _sentences() -> list[str]:
    return list(_told("from tests.house.sentences import sentences; print(json.dumps(sentences()))"))


def _told(code: str) -> Any:
    # In a process of its own: what is gathered here needs Django set up, and every module of Rollbook read.
    code = f"import django, json; django.setup(); {code}"
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "rollbook.settings"}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, stdout=subprocess.PIPE, check=True
    )
    return json.loads(told.stdout)


def _gather(language: str) -> None:
    command = [
        sys.executable,
        "-m",
        "django",
        "makemessages",
        "-l",
        language,
        "--no-location",
        "--no-obsolete",
        "-v",
        "0",
    ]
    subprocess.run(command, cwd=PACKAGE, check=True)
    file = catalogue_of(language)
    text = file.read_text(encoding="utf-8")
    # Else each gathering is a change of its own.
    text = re.sub(r'"POT-Creation-Date: [^"]*"\n', "", text)
    file.write_text("\n\n".join(map(_unguessed, text.split("\n\n"))), encoding="utf-8")


def _unguessed(entry: str) -> str:
    """A text that is new has no translation yet, whatever gettext guesses from another that is like it."""
    if "\n#, fuzzy" not in f"\n{entry}" or 'msgid ""\nmsgstr' in entry:
        return entry
    kept = [line for line in entry.split("\n") if not line.startswith(("#, fuzzy", "#|"))]
    text, _, _ = "\n".join(kept).partition("\nmsgstr")
    return text + ('\nmsgstr[0] ""\nmsgstr[1] ""' if "\nmsgid_plural" in text else '\nmsgstr ""')


def _compile(file: Path) -> None:
    subprocess.run(["msgfmt", "--check-format", "-o", file.with_suffix(".mo"), file], check=True)


if __name__ == "__main__":
    sys.exit(main())
