"""The page about the standard leaves nothing out; that it is current, tests/house asks."""

from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.operations import OPERATIONS
from rollbook.oneroster.reference import reference_markdown
from rollbook.oneroster.scopes import NAMES
from rollbook.oneroster.tables import BINDINGS

PAGE = reference_markdown()


def section(title: str) -> str:
    """The text under a heading of the third level."""
    return PAGE.split(f"### {title}\n", 1)[1].split("\n#", 1)[0]


def test_every_file_stands_there_with_every_column():
    for version, binding in BINDINGS.items():
        for table in binding.tables:
            text = section(f"{table.file} ({version})")
            assert [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")] == [
                *table.columns
            ]


def test_every_record_stands_there_with_every_member():
    for (version, _), entity in ENTITIES.items():
        text = section(f"{entity.name} ({version})")
        assert all(f"| `{member.name}` |" in text for member in entity.members)


def test_every_operation_and_scope_stands_there():
    for operation in OPERATIONS:
        assert f"| `{operation.operation_id}` | `{operation.method} {operation.path}` |" in PAGE
    for version, names in NAMES.items():
        assert all(f"| `{name}` |" in section(f"Scopes of {version}") for name in names)


def test_every_table_has_rows_as_wide_as_its_head():
    for block in PAGE.split("\n\n"):
        if block.startswith("| "):
            assert (
                len({line.count(" | ") for line in block.splitlines() if not line.startswith("|-")}) == 1
            ), block
