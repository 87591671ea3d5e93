"""A fault rises. Where one does not, the reason stands beside it and the log has it."""

import ast

from tests.house.source import ROOT, modules

ANY_FAULT = {"", "Exception", "BaseException"}


def test_where_any_fault_is_caught_it_is_logged_or_raised_and_the_reason_is_told():
    silent = []
    for path, tree in modules("rollbook"):
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and _caught(node) in ANY_FAULT:
                beside = lines[node.lineno - 1 : node.body[0].lineno]
                inside = "\n".join(map(ast.unparse, node.body))
                told = "log.exception(" in inside and any("#" in line for line in beside)
                if not (told or "raise" in inside.splitlines()):
                    silent.append(f"{path}:{node.lineno}")
    assert not silent


def _caught(handler: ast.ExceptHandler) -> str:
    return ast.unparse(handler.type) if handler.type else ""
