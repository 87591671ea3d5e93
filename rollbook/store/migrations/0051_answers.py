"""Whether a sign-in service of one's own leads back to here after signing out there; in which language somebody asked for help."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0050_hubs'),
    ]

    operations = [
        migrations.AddField(
            model_name='districtsignin',
            name='leads_back',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='organizationsignin',
            name='leads_back',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='helprequest',
            name='language',
            field=models.CharField(default='', max_length=10),
        ),
    ]
