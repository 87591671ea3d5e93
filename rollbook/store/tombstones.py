"""Tombstones whose time is over leave what is served. Positions stay dense: the last records take the places that become free.

A record that moves keeps its text and its stamps: for its readers nothing changed but its place in the default order of the next publication.
"""

from dataclasses import dataclass

from rollbook.store.bulk import among, load, many, temporary
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.publishing import Edition
from rollbook.store.visibility import WHOLE_ROSTER

MOVED = "record_id, gone, kind, stamp_v1p1, stamp_v1p2, text_v1p1, text_v1p2"


@dataclass(frozen=True)
class Rows:
    """The rows of one collection in one view: table, the condition that selects them, and its key columns with their values."""

    table: str
    keys: dict[str, int]

    @property
    def moved(self) -> str:
        """The columns a moved row keeps."""
        return MOVED if self.table == "store_served" else f"{MOVED}, place"

    @property
    def condition(self) -> str:
        return " AND ".join(f"{column} = %s" for column in self.keys) + " AND to_publication = %s"

    @property
    def parameters(self) -> list[int]:
        return [*self.keys.values(), FOREVER]


def drop_tombstones(edition: Edition, view_id: int, collection: str, last: int, total: int) -> int:
    """Drop the tombstones stamped in publication `last` or before; the collection's new total."""
    rows = _rows_of(edition, view_id, collection)
    cursor = edition.cursor
    cursor.execute(
        f"SELECT position FROM {rows.table} WHERE {rows.condition} AND gone AND stamp_v1p1 <= %s AND stamp_v1p2 <= %s ORDER BY position",
        [*rows.parameters, last, last],
    )
    holes = [row[0] for row in cursor.fetchall()]
    if not holes:
        return total
    left = total - len(holes)
    _move(edition, rows, _movers(edition, rows, left, set(holes)), [hole for hole in holes if hole <= left])
    _close(edition, rows, holes)
    return left


def _rows_of(edition: Edition, view_id: int, collection: str) -> Rows:
    keys = {"district_id": edition.district.pk, "collection": NUMBER_OF[collection]}
    if view_id == WHOLE_ROSTER:
        return Rows("store_served", keys)
    return Rows("store_viewrow", {**keys, "view_id": view_id})


def _movers(edition: Edition, rows: Rows, left: int, holes: set[int]) -> list[int]:
    """The positions beyond the new total that hold something to keep."""
    edition.cursor.execute(
        f"SELECT position FROM {rows.table} WHERE {rows.condition} AND position > %s ORDER BY position",
        [*rows.parameters, left],
    )
    return [position for (position,) in edition.cursor.fetchall() if position not in holes]


def _move(edition: Edition, rows: Rows, movers: list[int], places: list[int]) -> None:
    cursor = edition.cursor
    temporary(cursor, "moving", "old_position bigint PRIMARY KEY, new_position bigint")
    load(cursor, "moving", ["old_position", "new_position"], zip(movers, places, strict=True))
    columns = ", ".join(rows.keys)
    cursor.execute(
        f"""INSERT INTO {rows.table} ({columns}, position, from_publication, to_publication, {rows.moved})
            SELECT {columns}, m.new_position, %s, %s, {rows.moved}
            FROM {rows.table} JOIN moving m ON m.old_position = position WHERE {rows.condition}""",
        [edition.number, FOREVER, *rows.parameters],
    )
    _close(edition, rows, movers)


def _close(edition: Edition, rows: Rows, positions: list[int]) -> None:
    """End rows of earlier publications; a row just moved into one of these places began with this one and stays."""
    cursor = edition.cursor
    cursor.execute(
        f"UPDATE {rows.table} SET to_publication = %s WHERE {rows.condition} AND from_publication < %s AND {among(cursor, 'position')}",
        [edition.number, *rows.parameters, edition.number, many(cursor, positions)],
    )
