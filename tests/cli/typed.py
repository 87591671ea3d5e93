"""Commands typed in this process: what they answer is read, and no process is started for each."""

from dataclasses import dataclass

from typer.testing import CliRunner

from rollbook.cli.main import app


@dataclass(frozen=True)
class Answer:
    """What a command wrote."""

    stdout: str
    stderr: str


def typed(*arguments: str, expect: int = 0) -> Answer:
    """Types `rollbook …`; fails with what it wrote when the exit code is not `expect`."""
    done = CliRunner().invoke(app, list(arguments))
    if done.exit_code != expect:
        raise AssertionError(
            f"{arguments}: exit {done.exit_code}\n{done.stdout}\n{done.stderr}"
        ) from done.exception
    return Answer(done.stdout, done.stderr)
