"""Imports go down, and only at the top of a module."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT, modules

LANGUAGE = "rollbook/oneroster"
ENGINE = "rollbook/engine"


def imported(tree: ast.AST) -> set[str]:
    """The first word of every absolute import in the tree."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_call_downstairs_never_upstairs_never_next_door():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_language_needs_the_standard_library_alone():
    strangers = {
        f"{path}: {name}"
        for path, tree in modules(LANGUAGE)
        for name in imported(tree)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("rollbook.oneroster")
    }
    assert not strangers


CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
}


def test_the_language_and_the_engine_look_at_no_clock():
    looks = [
        f"{path}:{node.lineno}"
        for path, tree in modules(LANGUAGE, ENGINE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name | ast.Attribute)
        and (getattr(node.value, "attr", getattr(node.value, "id", "")), node.attr) in CLOCKS
    ]
    assert not looks, "let `now` be passed in"


def test_no_import_hides_inside_a_function_or_behind_a_type_check():
    hidden = [
        f"{path}:{inner.lineno}"
        for path, tree in modules("rollbook")
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.If)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert not hidden
