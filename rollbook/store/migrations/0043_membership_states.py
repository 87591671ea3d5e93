"""How many memberships there are, by state, is read from an index alone: an overview of half a million takes no look at their rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0042_merges_and_letters")]

    operations = [
        migrations.AddIndex(
            "membership", models.Index(fields=["organization", "state"], name="membership_state")
        ),
    ]
