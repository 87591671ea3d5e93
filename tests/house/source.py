"""The project's files as the house's tests read them: what git tracks, or would."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked or could be: not the ignored ones, not those deleted but not yet committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(sorted({ROOT / name for name in listed if (ROOT / name).is_file()}))


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """(path, syntax tree) of every Python file under these folders; migrations are the tools' own."""
    for file in files():
        name = file.relative_to(ROOT).as_posix()
        if (
            file.suffix == ".py"
            and name.startswith(tuple(f"{folder}/" for folder in folders))
            and "/migrations/" not in name
        ):
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every text file."""
    for file in files():
        try:
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
