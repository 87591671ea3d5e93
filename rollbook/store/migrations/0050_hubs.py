"""Roster hubs where products are registered as partners: by which client a district proves itself there, and with which key it is read."""

import django.db.models.deletion
import rollbook.store.columns
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0049_own_sign_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='Hub',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('preset', models.CharField(max_length=20)),
                ('issuer', rollbook.store.columns.CodePointText()),
                ('client_id', models.CharField(max_length=500)),
                ('client_secret', rollbook.store.columns.EncryptedText(default='')),
                ('listing', rollbook.store.columns.CodePointText(default='')),
                ('partner_key', rollbook.store.columns.EncryptedText(default='')),
                ('names', models.JSONField(default=dict)),
                ('made_by', models.CharField(max_length=254)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hubs', to='store.product')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'issuer'), name='hub_once')],
            },
        ),
    ]
