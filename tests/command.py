"""The `rollbook` command run inside this process, on the test's own database: all of it but the start of a process.

That it starts as a process, ends with its exit code and reads its settings, tests/installation.py's own processes show.
"""

from typer.testing import CliRunner, Result

from rollbook.cli.main import app


def rollbook(*arguments: str, stdin: str = "", expect: int = 0) -> Result:
    """What it said and ended with; fails with its output when the exit code is not `expect`."""
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    assert result.exit_code == expect, f"exit {result.exit_code}\n{result.output}\n{result.exception!r}"
    return result
