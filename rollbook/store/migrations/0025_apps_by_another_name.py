from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("store", "0024_deliveries"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="grant", name="grant_app"),
        migrations.AddField(
            model_name="grant", name="name", field=models.CharField(default="", max_length=200)
        ),
        migrations.AddField(model_name="grant", name="own", field=models.JSONField(default=dict)),
        migrations.AddField(model_name="grant", name="removed_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="grant", name="removed_by", field=models.CharField(default="", max_length=254)
        ),
        migrations.AlterField(
            model_name="grant", name="enabled", field=models.BooleanField(default=False)
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at", None)), fields=("district", "app"), name="grant_app"
            ),
        ),
    ]
