"""A module is named for the noun it defines or the verb it does; no name is vague, none tells history."""

import ast
import re
from pathlib import PurePosixPath

from tests.house.source import ROOT, modules

VAGUE_MODULES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "base",
    "core",
    "services",
    "service",
    "misc",
}
VAGUE_CLASSES = re.compile(r"(Manager|Helper|Handler|Service|Processor|Factory|Utils?)$")
HISTORY = re.compile(r"(^|_)(new|old|legacy|v2)(_|$)")


def test_no_module_has_a_vague_name():
    named = [path for path, _ in modules("rollbook", "tests", "bench")]
    vague = [path for path in named if set(PurePosixPath(path.removesuffix(".py")).parts) & VAGUE_MODULES]
    assert not vague


def test_no_class_has_a_vague_name():
    vague = [
        f"{path}: {node.name}"
        for path, tree in modules("rollbook", "tests", "bench")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and VAGUE_CLASSES.search(node.name)
    ]
    assert not vague


def test_no_module_is_named_for_its_history():
    named = [path for path, _ in modules("rollbook", "bench")]
    assert not [path for path in named if HISTORY.search(PurePosixPath(path).stem)]


def test_every_module_begins_by_saying_what_it_is():
    silent = [
        path
        for path, tree in modules("rollbook", "bench")
        if not 1 <= sum(bool(line) for line in (ast.get_docstring(tree) or "").splitlines()) <= 5
    ]
    assert not silent, "each of these needs a docstring of one to five lines"


def test_only_the_table_of_settings_reads_rollbook_variables():
    readers = {
        path
        for path, tree in modules("rollbook")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("os.environ.get", "os.getenv")
        and "ROLLBOOK_" in ast.unparse(node)
    }
    # serve asks whether the public address was given, to derive it from its port; demo sets the variables of its own server.
    assert readers <= {"rollbook/environment.py", "rollbook/cli/serve.py", "rollbook/cli/demo.py"}
    assert (ROOT / "rollbook/environment.py").exists()
