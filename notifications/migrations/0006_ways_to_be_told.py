"""Bell, push, SMS and what they need. One notification is for all channels, so ``channel`` goes.

What ran before can't write notifications any more: it is to be stopped first, as
docs/operations.md says. While its four indexes of notifications are made PostgreSQL lets nobody read
or write them. Going back is safe, but forgets what was read, chosen and waited for.
"""

import datetime
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import phonenumber_field.modelfields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0005_webhooks'),
        ('tickets', '0007_replies_by_themselves'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AddressTrouble',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='mail address')),
                ('bounces', models.PositiveIntegerField(default=0, verbose_name='mails that came back')),
                ('last_bounced_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last time')),
                ('last_answer', models.TextField(blank=True, verbose_name='last answer')),
                ('flagged_at', models.DateTimeField(null=True, verbose_name='no more mail since')),
            ],
            options={
                'verbose_name': 'address in trouble',
                'verbose_name_plural': 'addresses in trouble',
                'ordering': ['-last_bounced_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Circuit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=20, unique=True, verbose_name='name')),
                ('refused', models.JSONField(blank=True, default=list, editable=False)),
                ('opened_at', models.DateTimeField(null=True, verbose_name='stopped since')),
                ('next_try_at', models.DateTimeField(null=True, verbose_name='next try')),
                ('last_answer', models.TextField(blank=True, verbose_name='last answer')),
            ],
            options={
                'verbose_name': 'mail server',
                'verbose_name_plural': 'mail servers',
            },
        ),
        migrations.CreateModel(
            name='PushSubscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('session_key', models.CharField(editable=False, max_length=40)),
                ('endpoint', models.CharField(editable=False, max_length=1000)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('p256dh', models.CharField(editable=False, max_length=100)),
                ('auth', models.CharField(editable=False, max_length=40)),
                ('browser', models.CharField(blank=True, max_length=200, verbose_name='browser')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='since')),
            ],
            options={
                'verbose_name': 'browser with push',
                'verbose_name_plural': 'browsers with push',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Reaching',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quiet_from', models.TimeField(blank=True, null=True, verbose_name='quiet from')),
                ('quiet_until', models.TimeField(blank=True, null=True, verbose_name='quiet until')),
                ('digest_at', models.TimeField(default=datetime.time(8, 0), verbose_name='daily digest at')),
                ('sms_number', phonenumber_field.modelfields.PhoneNumberField(blank=True, max_length=128, region=None, verbose_name='SMS to')),
            ],
            options={
                'verbose_name': 'hours and SMS number',
                'verbose_name_plural': 'hours and SMS numbers',
            },
        ),
        migrations.CreateModel(
            name='ShortMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease', models.UUIDField(editable=False, null=True)),
                ('leased_until', models.DateTimeField(editable=False, null=True)),
                ('state', models.CharField(choices=[('owed', 'Waiting to be sent'), ('sent', 'Accepted by the server'), ('failed', 'Given up'), ('dropped', 'Not sent: no longer meant')], default='owed', max_length=10, verbose_name='state')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                ('next_try_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='next try')),
                ('last_answer', models.TextField(blank=True, verbose_name='last answer')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='owed since')),
                ('sent_at', models.DateTimeField(null=True, verbose_name='sent')),
                ('channel', models.CharField(choices=[('push', 'Push'), ('sms', 'SMS')], max_length=10, verbose_name='channel')),
                ('number', phonenumber_field.modelfields.PhoneNumberField(blank=True, max_length=128, region=None, verbose_name='to')),
                ('text', models.CharField(blank=True, editable=False, max_length=300)),
                ('expires_at', models.DateTimeField(editable=False)),
            ],
            options={
                'verbose_name': 'push or SMS',
                'verbose_name_plural': 'push and SMS',
                'ordering': ['-pk'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='notification',
            name='notification_once_per_cause',
        ),
        migrations.RemoveConstraint(
            model_name='outgoingmail',
            name='mail_sent_with_time',
        ),
        migrations.RemoveField(
            model_name='notification',
            name='channel',
        ),
        migrations.AddField(
            model_name='notification',
            name='not_before',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name='notification',
            name='read_at',
            field=models.DateTimeField(null=True, verbose_name='read'),
        ),
        migrations.AddField(
            model_name='outgoingmail',
            name='bounced_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='came back'),
        ),
        migrations.AddField(
            model_name='preference',
            name='is_daily',
            field=models.BooleanField(default=False, verbose_name='once a day'),
        ),
        migrations.AlterField(
            model_name='notification',
            name='kind',
            field=models.CharField(choices=[('welcome', 'Account confirmed'), ('application_received', 'New role request'), ('application_accepted', 'Role request accepted'), ('application_declined', 'Role request declined'), ('application_expired', 'Role request expired'), ('suspended', 'Account suspended'), ('reactivated', 'Account let in again'), ('role_changed', 'Role changed'), ('new_device', 'Sign-in from a new device'), ('export_ready', 'Download ready'), ('erasure_asked', 'Account deletion asked for'), ('erasure_stopped', 'Account deletion stopped'), ('ticket_raised', 'Ticket received'), ('ticket_unassigned', 'Ticket without an agent'), ('assigned', 'Agent assigned, to the customer'), ('assigned_to_you', 'Agent assigned, to the agent'), ('message', 'New message'), ('status_changed', 'Status changed'), ('resolved', 'Resolved'), ('closed', 'Closed'), ('call_asked', 'Customer asks to be called'), ('call_logged', 'Call written down, to the customer'), ('reminder', 'Reminder, to the customer'), ('at_risk', 'Promise at risk'), ('missed', 'Promise missed'), ('joined', 'Added to a ticket'), ('merged', 'Tickets merged or split, to the customer'), ('children_done', 'The parts of a ticket are done'), ('mended', 'Problem mended, to the customer'), ('staged', 'Regulated complaint moved on, to the customer'), ('ruled', 'Told by a rule'), ('left_alone', 'Ticket too long without an agent'), ('rating_answered', 'Rating answered'), ('concern_settled', 'Concern answered'), ('webhook_off', 'Webhook switched off'), ('mail_stopped', 'The mail server refuses everything'), ('mail_given_up', 'Mails were given up')], max_length=30, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='preference',
            name='channel',
            field=models.CharField(choices=[('email', 'Mail'), ('push', 'Push'), ('sms', 'SMS')], default='email', max_length=10, verbose_name='channel'),
        ),
        migrations.AlterField(
            model_name='preference',
            name='kind',
            field=models.CharField(choices=[('welcome', 'Account confirmed'), ('application_received', 'New role request'), ('application_accepted', 'Role request accepted'), ('application_declined', 'Role request declined'), ('application_expired', 'Role request expired'), ('suspended', 'Account suspended'), ('reactivated', 'Account let in again'), ('role_changed', 'Role changed'), ('new_device', 'Sign-in from a new device'), ('export_ready', 'Download ready'), ('erasure_asked', 'Account deletion asked for'), ('erasure_stopped', 'Account deletion stopped'), ('ticket_raised', 'Ticket received'), ('ticket_unassigned', 'Ticket without an agent'), ('assigned', 'Agent assigned, to the customer'), ('assigned_to_you', 'Agent assigned, to the agent'), ('message', 'New message'), ('status_changed', 'Status changed'), ('resolved', 'Resolved'), ('closed', 'Closed'), ('call_asked', 'Customer asks to be called'), ('call_logged', 'Call written down, to the customer'), ('reminder', 'Reminder, to the customer'), ('at_risk', 'Promise at risk'), ('missed', 'Promise missed'), ('joined', 'Added to a ticket'), ('merged', 'Tickets merged or split, to the customer'), ('children_done', 'The parts of a ticket are done'), ('mended', 'Problem mended, to the customer'), ('staged', 'Regulated complaint moved on, to the customer'), ('ruled', 'Told by a rule'), ('left_alone', 'Ticket too long without an agent'), ('rating_answered', 'Rating answered'), ('concern_settled', 'Concern answered'), ('webhook_off', 'Webhook switched off'), ('mail_stopped', 'The mail server refuses everything'), ('mail_given_up', 'Mails were given up')], max_length=30, verbose_name='kind'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('mail', None)), fields=['not_before', 'id'], name='notification_unwritten'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(fields=['recipient', '-id'], name='notification_bell'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('read_at', None)), fields=['recipient'], name='notification_unread'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.UniqueConstraint(fields=('cause', 'recipient'), name='notification_once_per_cause'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmail',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bounced_at', None), ('sent_at__isnull', False), ('state', 'sent')), models.Q(('bounced_at__isnull', False), ('sent_at__isnull', False), ('state', 'failed')), models.Q(models.Q(('state', 'sent'), _negated=True), ('bounced_at', None), ('sent_at', None)), _connector='OR'), name='mail_sent_with_time'),
        ),
        migrations.AddIndex(
            model_name='addresstrouble',
            index=models.Index(fields=['-last_bounced_at', '-id'], name='trouble_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='addresstrouble',
            constraint=models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='troubled_address_is_lower_case'),
        ),
        migrations.AddField(
            model_name='pushsubscription',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='push_subscriptions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='reaching',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='reaching', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='shortmessage',
            name='notification',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='short_messages', to='notifications.notification'),
        ),
        migrations.AddField(
            model_name='shortmessage',
            name='recipient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person'),
        ),
        migrations.AddField(
            model_name='shortmessage',
            name='subscription',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='short_messages', to='notifications.pushsubscription'),
        ),
        migrations.AddIndex(
            model_name='pushsubscription',
            index=models.Index(fields=['session_key'], name='push_by_session'),
        ),
        migrations.AddConstraint(
            model_name='reaching',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='quiet_from_and_until'),
        ),
        migrations.AddIndex(
            model_name='shortmessage',
            index=models.Index(condition=models.Q(('state', 'owed')), fields=['next_try_at', 'id'], name='short_owed'),
        ),
        migrations.AddIndex(
            model_name='shortmessage',
            index=models.Index(fields=['created_at'], name='short_by_age'),
        ),
        migrations.AddConstraint(
            model_name='shortmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('subscription__isnull', False)), fields=('notification', 'subscription'), name='pushed_once_to_a_browser'),
        ),
        migrations.AddConstraint(
            model_name='shortmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('channel', 'sms')), fields=('notification',), name='texted_once'),
        ),
        migrations.AddConstraint(
            model_name='shortmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at', None)), _connector='OR'), name='short_message_sent_with_time'),
        ),
    ]
