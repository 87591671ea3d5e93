"""Which people an app was shown, kept on when the rows that showed them are no longer needed by any reader."""

from django.db import models

from rollbook.store.models.roster import District


class Shown(models.Model):
    """A person of the roster lay in the view of a grant, from publication `first` on and before `until`.

    Written when replaced rows are removed (`flows.prune`); what is shown now stands in `Served` and `ViewRow`. Somebody who left and came
    back has one row from the first to the last time.
    """

    district = models.ForeignKey(
        District, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    grant_id = models.BigIntegerField()
    record_id = models.BigIntegerField()
    pk = models.CompositePrimaryKey("district_id", "grant_id", "record_id")
    first = models.BigIntegerField()
    until = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["district", "record_id"], name="shown_record")]
