"""What is served: publications, and the texts and views valid from one publication to another.

A served row is never changed but for `to_publication`: a change closes it and adds its successor. `position` is given when a record is first
served and never changes, so a page in default order is a range of positions at any offset; positions are dense, so the last is the total.
"""

from django.db import models

from rollbook.store.models.roster import District

FOREVER = 2**62
"""`to_publication` of a row nothing has replaced."""

COLLECTIONS = (
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "users",
    "enrollments",
    "demographics",
    "resources",
)
"""The collections served as records of their own; a row's `collection` is the index here. Only ever appended to."""

NUMBER_OF = {name: number for number, name in enumerate(COLLECTIONS)}


class Publication(models.Model):
    """What a district serves from one moment on. `instant` is in milliseconds UTC, later than every earlier one of the district;
    `instant_text` is the same as a dateTime of the standard.

    `state` maps each view's id (0 for the whole roster) to {collection: [total, publication in which it last changed, tombstones in the
    total]}; publications of earlier versions lack the last, which then is not known.
    `local_date` is the district's date at that instant: roles and sessions were judged current by it.
    """

    district = models.ForeignKey(
        District, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    number = models.BigIntegerField()
    pk = models.CompositePrimaryKey("district_id", "number")
    instant = models.BigIntegerField()
    instant_text = models.CharField(max_length=24)
    local_date = models.CharField(max_length=10)
    reason = models.CharField(max_length=200)
    state = models.JSONField()


class Served(models.Model):
    """One record of the whole roster as a full grant sees it, valid for publications from ≤ p < to.

    `text_v1p1` and `text_v1p2` are the JSON text from behind `dateLastModified` on (see `oneroster.json_binding`); `text_v1p2` is null where
    both versions agree. `stamp_…` is the publication in which that text last changed. `gone` marks a tombstone.
    `kind` is what sub-collections go by: an org's or session's type, a user's one role of 1.1, an enrollment's role; a tombstone keeps the
    last one, so that who reads only /students learns of deletions.
    """

    district = models.ForeignKey(
        District, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    collection = models.SmallIntegerField()
    position = models.BigIntegerField()
    from_publication = models.BigIntegerField()
    pk = models.CompositePrimaryKey("district_id", "collection", "position", "from_publication")
    to_publication = models.BigIntegerField(default=FOREVER)
    record_id = models.BigIntegerField()
    gone = models.BooleanField(default=False)
    kind = models.CharField(max_length=100, default="")
    stamp_v1p1 = models.BigIntegerField()
    stamp_v1p2 = models.BigIntegerField()
    text_v1p1 = models.TextField()
    text_v1p2 = models.TextField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["district", "collection", "record_id"], name="served_record"),
            # A first publication is by far the largest, and nobody asks for what came after none.
            models.Index(
                fields=["district", "collection", "from_publication"],
                name="served_from",
                condition=models.Q(from_publication__gt=1),
            ),
            models.Index(
                fields=["district", "to_publication"],
                name="served_replaced",
                condition=models.Q(to_publication__lt=FOREVER),
            ),
        ]


class View(models.Model):
    """What one rule lets through, with its history of entries and exits. Grants with the same rule and history share one.

    `rule` is the canonical JSON of the rule (`store.visibility.Rule`). A grant to everything needs no view (its view is 0). `made_by` is a
    digest of what the view's own texts were made by, beside the records themselves (`store.own_texts`).
    """

    id = models.BigAutoField(primary_key=True)
    district = models.ForeignKey(District, models.CASCADE, related_name="views")
    rule = models.TextField()
    shared = models.BooleanField(default=True)
    made_by = models.CharField(max_length=64, default="")


class ViewRow(models.Model):
    """One record's place in a view, valid for publications from ≤ p < to.

    Where the view shows the record as everybody sees it, the texts are null and come from `Served`, and the stamps say when it entered; where
    it trims the record, it has texts of its own, and the stamps say when those last changed. `gone` marks a tombstone, which always has
    texts of its own. `kind` is as in `Served`, by what this view shows; null where the texts are. `place` is the record's position in
    `Served` when it entered: a hint by which the texts of a page are read from one place, looked up by record where it no longer holds.
    """

    district = models.ForeignKey(
        District, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    view_id = models.BigIntegerField()
    collection = models.SmallIntegerField()
    position = models.BigIntegerField()
    from_publication = models.BigIntegerField()
    pk = models.CompositePrimaryKey("district_id", "view_id", "collection", "position", "from_publication")
    to_publication = models.BigIntegerField(default=FOREVER)
    record_id = models.BigIntegerField()
    place = models.BigIntegerField(default=0)
    gone = models.BooleanField(default=False)
    kind = models.CharField(max_length=100, null=True)
    stamp_v1p1 = models.BigIntegerField()
    stamp_v1p2 = models.BigIntegerField()
    text_v1p1 = models.TextField(null=True)
    text_v1p2 = models.TextField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["district", "view_id", "collection", "record_id"], name="viewrow_record"),
            models.Index(
                fields=["district", "view_id", "collection", "from_publication"], name="viewrow_from"
            ),
            models.Index(
                fields=["district", "to_publication"],
                name="viewrow_replaced",
                condition=models.Q(to_publication__lt=FOREVER),
            ),
        ]
