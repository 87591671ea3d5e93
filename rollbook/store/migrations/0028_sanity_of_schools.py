"""A sanity check may be bound to schools."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0027_resources"),
    ]

    operations = [
        migrations.AddField(
            model_name="sanitycheck",
            name="schools",
            field=models.TextField(default=""),
        ),
    ]
