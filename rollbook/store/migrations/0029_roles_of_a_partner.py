"""Who works for a partner is a developer or product support."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0028_sanity_of_schools"),
    ]

    operations = [
        migrations.AddField(
            model_name="developer",
            name="role",
            field=models.CharField(
                choices=[("partner", "Partner"), ("product support", "Support")],
                default="partner",
                max_length=40,
            ),
        ),
    ]
