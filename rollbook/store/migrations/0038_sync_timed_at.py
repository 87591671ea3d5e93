"""When the times of a sync were changed, so that what was due before by the new ones is not made up for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0037_member_archived_from"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncconnection",
            name="timed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
