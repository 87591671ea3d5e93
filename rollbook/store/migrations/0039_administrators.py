"""Who works in the console on a product's side, their asking for help, and invitations between organizations and districts."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0038_sync_timed_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='app',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='products', to='store.app'),
        ),
        migrations.CreateModel(
            name='Administrator',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('organization administrator', 'Organization'), ('site administrator', 'Site'), ('product support', 'Support')], max_length=40)),
                ('name', models.CharField(default='', max_length=200)),
                ('sites', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('left_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='administrators', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='administrators', to='store.organization')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='administrators', to='store.product')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'product', 'organization'), name='administrator_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='HelpRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('page', models.CharField(default='', max_length=60)),
                ('words', models.TextField(default='')),
                ('asked_by', models.CharField(max_length=254)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('answer', models.TextField(default='')),
                ('answered_by', models.CharField(default='', max_length=254)),
                ('answered_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='help_requests', to='store.syncconnection')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='help_requests', to='store.organization')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='help_requests', to='store.syncrun')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('answered_at__isnull', True)), fields=['organization'], name='help_waiting')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_by', models.CharField(max_length=254)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('answer', models.CharField(choices=[('accepted', 'Accepted'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='', max_length=10)),
                ('answered_by', models.CharField(default='', max_length=254)),
                ('answered_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='invitations', to='store.syncconnection')),
                ('credential', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='invitations', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='store.district')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='store.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('answer__in', ['', 'accepted'])), fields=('organization', 'district'), name='invitation_once')],
            },
        ),
    ]
