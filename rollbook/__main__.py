"""`python -m rollbook` is the `rollbook` command."""

from rollbook.cli.main import app

if __name__ == "__main__":
    app(prog_name="rollbook")
