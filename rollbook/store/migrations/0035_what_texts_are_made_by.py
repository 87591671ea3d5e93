"""What the texts of a view's own were made by is kept with the view, so that only what may have changed is rendered again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0034_tests_of_exports"),
    ]

    operations = [
        migrations.AddField(
            model_name="view",
            name="made_by",
            field=models.CharField(default="", max_length=64),
        ),
    ]
