import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0010_first_publications'),
    ]

    operations = [
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.EmailField(max_length=254)),
                ('subject', models.CharField(max_length=300)),
                ('words', models.TextField()),
                ('written_at', models.DateTimeField()),
                ('next_at', models.DateTimeField()),
                ('tries', models.IntegerField(default=0)),
                ('fault', models.CharField(default='', max_length=100)),
                ('given_up_at', models.DateTimeField(null=True)),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='store.district')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('given_up_at__isnull', True)), fields=['next_at'], name='letter_due')],
            },
        ),
    ]
