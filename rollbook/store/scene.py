"""What a query stands in front of: the rows one view serves now of one collection in one version, and the names SQL knows them by.

`entry` is the served row (of the whole roster, or of the view), `base` the whole roster's behind a view's, `roster` the roster's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollbook.oneroster.json_binding import neutral
from rollbook.oneroster.spec import Entity
from rollbook.store.dialect import Dialect, Sql, sql, value
from rollbook.store.models import RECORDS
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.visibility import WHOLE_ROSTER

STAMPS = {"1.1": "stamp_v1p1", "1.2": "stamp_v1p2"}

GONE = Sql("entry.gone")


@dataclass(frozen=True)
class Scene:
    """One question's rows. `version` decides between texts and stamps; a view's row goes before the whole roster's where it has its own.

    `renamed`: among its rows are tombstones of records under ids they bear no more, kept by the negative of the record id.
    """

    dialect: Dialect
    entity: Entity
    district_id: int
    view_id: int
    renamed: bool = False

    @property
    def version(self) -> str:
        return self.entity.version

    @property
    def collection(self) -> str:
        return self.entity.collection

    @property
    def is_view(self) -> bool:
        return self.view_id != WHOLE_ROSTER

    @property
    def tombstone(self) -> dict[str, object]:
        """The members every tombstone shows but its id and date."""
        return {"status": "tobedeleted", **neutral(self.collection, self.version)}

    @property
    def text(self) -> Sql:
        """The text served, from behind dateLastModified on."""
        columns = ["text_v1p1"] if self.version == "1.1" else ["text_v1p2", "text_v1p1"]
        rows = ["entry", "base"] if self.is_view else ["entry"]
        texts = ", ".join(f"{row}.{column}" for row in rows for column in columns)
        return Sql(f"COALESCE({texts}, ',}}')")

    @property
    def document(self) -> Sql:
        """The JSON object served, without its dateLastModified."""
        return sql("'{{' || substr({}, 2)", self.text)

    @property
    def kind(self) -> Sql:
        return Sql("COALESCE(entry.kind, base.kind)" if self.is_view else "entry.kind")

    @property
    def stamp(self) -> Sql:
        """The publication in which what is served last changed."""
        name = STAMPS[self.version]
        if not self.is_view:
            return Sql(f"entry.{name}")
        return Sql(
            f"CASE WHEN entry.text_v1p1 IS NULL AND base.{name} > entry.{name} THEN base.{name} ELSE entry.{name} END"
        )

    def source(self, mentioned: str) -> Sql:
        """FROM and WHERE of the rows served now, joined with what the rest of the statement mentions."""
        joins = [Sql(f"{self._table} AS entry")]
        if "base." in mentioned and self.is_view:
            joins.append(
                Sql(
                    "LEFT JOIN store_served AS base ON base.district_id = entry.district_id AND base.collection = entry.collection"
                    " AND base.record_id = entry.record_id AND base.to_publication = %s",
                    (FOREVER,),
                )
            )
        if "roster." in mentioned:
            record_id = "abs(entry.record_id)" if self.renamed else "entry.record_id"
            joins.append(
                Sql(
                    f"JOIN {table_of(self.collection)} AS roster"
                    f" ON roster.district_id = entry.district_id AND roster.id = {record_id}"
                )
            )
        tables = Sql(
            " ".join(join.text for join in joins), tuple(value for join in joins for value in join.values)
        )
        return sql("FROM {} WHERE {}", tables, self._rows("entry", self.collection))

    def visible(self, collection: str, record_id: Sql) -> Sql:
        """A condition: the record of this id is served alive, here.

        A look-up and not an EXISTS, which PostgreSQL would turn into a join, and choose badly as long as it knows nothing of a fresh view.
        """
        rows = self._rows("other", collection)
        found = (
            f"SELECT NOT other.gone FROM {self._table} AS other WHERE {{}} AND other.record_id = {{}} LIMIT 1"
        )
        return sql(f"COALESCE(({found}), {self.dialect.false})", rows, record_id)

    def record(self, collection: str, sourced_id: str) -> Sql:
        """The record id of a served id, NULL where there is none."""
        return sql(
            f"(SELECT named.id FROM {table_of(collection)} AS named WHERE named.district_id = {{}} AND named.sourced_id = {{}})",
            value(self.district_id),
            value(sourced_id),
        )

    def served_id(self, collection: str, record_id: str) -> Sql:
        """The served id of a record id."""
        return sql(
            f"(SELECT named.sourced_id FROM {table_of(collection)} AS named"
            f" WHERE named.district_id = {{}} AND named.id = {record_id})",
            value(self.district_id),
        )

    def rows_of(self, collection: str, alias: str) -> Sql:
        """FROM and WHERE of a roster table of this district."""
        return sql(
            f"FROM {table_of(collection)} AS {alias} WHERE {alias}.district_id = {{}}",
            value(self.district_id),
        )

    def written_after(self, number: int) -> Sql:
        """The ids of the records of which a row here, or in the whole roster, was written after this publication."""
        mine = self._rows("late", self.collection)
        roster = replace(self, view_id=WHOLE_ROSTER)._rows("late", self.collection)
        pieces = [
            sql(
                f"SELECT late.record_id FROM {table} AS late WHERE {{}} AND late.from_publication > {{}}"
                " AND late.from_publication > 1",
                rows,
                value(number),
            )
            for table, rows in ((self._table, mine), ("store_served", roster))
        ]
        return sql("{} UNION {}", *pieces)

    @property
    def _table(self) -> str:
        return "store_viewrow" if self.is_view else "store_served"

    def _rows(self, alias: str, collection: str) -> Sql:
        columns: Sequence[tuple[str, int]] = (
            ("district_id", self.district_id),
            *([("view_id", self.view_id)] if self.is_view else []),
            ("collection", NUMBER_OF[collection]),
            ("to_publication", FOREVER),
        )
        text = " AND ".join(f"{alias}.{column} = %s" for column, _ in columns)
        return Sql(text, tuple(number for _, number in columns))


def table_of(collection: str) -> str:
    """The roster table of a collection."""
    return RECORDS[collection]._meta.db_table
