"""The documents are true of the code: every setting, check and command is in the reference, every link leads somewhere."""

import re
from collections.abc import Callable

import pytest

from tests.house.reference import FOLDER, PAGES, commands_page, documented_checks, settings_page
from tests.house.source import ROOT, texts


@pytest.mark.parametrize(("page", "write"), PAGES.items(), ids=PAGES)
def test_a_reference_page_says_what_the_code_says(page: str, write: Callable[[], str]):
    assert (FOLDER / page).read_text(encoding="utf-8") == write(), "script/docs writes it anew"


def test_every_setting_the_code_names_is_documented():
    page = settings_page()
    named = {
        word.removesuffix("_FILE")
        for path, text in texts()
        if path.startswith("rollbook/")
        for word in re.findall(r"\bROLLBOOK_[A-Z_]*[A-Z]\b", text)
    }
    assert named
    assert not {name for name in named if f"`{name}`" not in page}


def test_every_system_check_is_documented():
    source = (ROOT / "rollbook/checks.py").read_text(encoding="utf-8")
    assert set(re.findall(r'id="(rollbook\.[EW]\d{3})"', source)) == set(documented_checks())


def test_every_command_says_what_it_does():
    sections = re.findall(r"^## (rollbook.*)\n\n(.*)", commands_page(), re.MULTILINE)
    assert len(sections) > 2
    assert not [name for name, text in sections if len(text) < 10]


def test_every_link_between_documents_leads_to_a_file():
    broken = [
        f"{path} → {target}"
        for path, text in texts()
        if path.endswith(".md")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
        if "://" not in target
        and not target.startswith("mailto:")
        and not ((ROOT / path).parent / target).exists()
    ]
    assert not broken


def test_the_architecture_is_told_in_two_hundred_lines():
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 200
