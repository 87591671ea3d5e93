"""When a sync run came into its phase, when it came on last, and how long its phases took."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0040_directory_lists")]

    operations = [
        migrations.AddField("syncrun", "phase_at", models.DateTimeField(null=True)),
        migrations.AddField("syncrun", "moved_at", models.DateTimeField(null=True)),
        migrations.AddField("syncrun", "durations", models.JSONField(default=dict)),
    ]
