"""Second steps required, open sessions, and break-glass accounts."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0044_directory_sources'),
    ]

    operations = [
        migrations.CreateModel(
            name='OpenSession',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=40, unique=True)),
                ('account_id', models.UUIDField(db_index=True)),
                ('address', models.CharField(default='', max_length=64)),
                ('agent', models.CharField(default='', max_length=300)),
                ('signed_in_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='district',
            name='requires_second_step',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='operator',
            name='is_break_glass',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='organization',
            name='requires_second_step',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='BreakGlassUse',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('account_id', models.UUIDField()),
                ('email', models.CharField(max_length=254)),
                ('address', models.CharField(default='', max_length=64)),
                ('at', models.DateTimeField()),
                ('told_at', models.DateTimeField(null=True)),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('acknowledged_by', models.CharField(default='', max_length=254)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('acknowledged_at__isnull', True)), fields=['at'], name='break_glass_open')],
            },
        ),
    ]
