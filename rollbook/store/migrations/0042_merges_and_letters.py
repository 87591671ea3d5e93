"""Two members made one, and the way back; letters to an organization; when people were told of what a sync holds."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0041_sync_progress'),
    ]

    operations = [
        migrations.CreateModel(
            name='MemberMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kept_id', models.BigIntegerField()),
                ('other_id', models.BigIntegerField()),
                ('moved', models.JSONField(default=dict)),
                ('by', models.CharField(max_length=320)),
                ('why', models.CharField(default='', max_length=500)),
                ('at', models.DateTimeField()),
                ('undone_by', models.CharField(default='', max_length=320)),
                ('undone_at', models.DateTimeField(null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges', to='store.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('organization', 'other_id'), name='merge_once')],
            },
        ),
        migrations.AddField(
            model_name='letter',
            name='organization',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='store.organization'),
        ),
        migrations.AlterField(
            model_name='letter',
            name='district',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='store.district'),
        ),
        migrations.AddField(
            model_name='synchold',
            name='reminded_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='synchold',
            name='told_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='synchold',
            index=models.Index(condition=models.Q(('decision', '')), fields=['connection'], name='sync_hold_open'),
        ),
    ]
