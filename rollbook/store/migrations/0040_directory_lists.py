"""Members in the order of their names and groups in that of their titles: keys to sort by, and indexes to enter a list at any place."""

from django.db import migrations, models

import rollbook.store.columns
from rollbook.oneroster.folding import fold

AT_ONCE = 2_000


def fill(apps, editor):
    """The keys of what is there. Row by row: what folds a text is no function of the databases."""
    of = {"Member": ("name_folded", ("family_name", "given_name")), "Group": ("title_folded", ("title",))}
    for name, (column, parts) in of.items():
        model = apps.get_model("store", name)
        statement = f'UPDATE {model._meta.db_table} SET "{column}" = %s WHERE organization_id = %s AND id = %s'
        rows = model.objects.values_list("organization_id", "id", *parts)
        told = [(fold("\t".join(texts)), organization, number) for organization, number, *texts in rows.iterator()]
        with editor.connection.cursor() as cursor:
            for begin in range(0, len(told), AT_ONCE):
                cursor.executemany(statement, told[begin : begin + AT_ONCE])


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0039_administrators'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='name_folded',
            field=rollbook.store.columns.CodePointText(default=''),
        ),
        migrations.AddField(
            model_name='group',
            name='title_folded',
            field=rollbook.store.columns.CodePointText(default=''),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.RemoveIndex(
            model_name='member',
            name='member_state',
        ),
        migrations.AddIndex(
            model_name='member',
            index=models.Index(fields=['organization', 'state', 'name_folded', 'id'], name='member_by_name'),
        ),
        migrations.AddIndex(
            model_name='group',
            index=models.Index(fields=['organization', 'state', 'title_folded', 'id'], name='group_by_title'),
        ),
    ]
