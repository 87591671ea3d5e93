"""How many people an app is licensed for stands beside what else is looked at when its sanity is checked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0029_roles_of_a_partner"),
    ]

    operations = [
        migrations.AddField(
            model_name="sanityplan",
            name="licences",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="sanityplan",
            name="licensed",
            field=models.CharField(default="people", max_length=20),
        ),
    ]
