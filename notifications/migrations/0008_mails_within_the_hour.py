"""Indexes for the limit within the hour, for what waits, and for the order of digests.

On a large table each takes a while to make, in which PostgreSQL lets nobody write to it. Going back
is safe.
"""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0007_told_before_the_bell'),
        ('tickets', '0007_replies_by_themselves'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='outgoingmail',
            name='mail_owed_order',
        ),
        migrations.AlterField(
            model_name='notification',
            name='kind',
            field=models.CharField(choices=[('welcome', 'Account confirmed'), ('application_received', 'New role request'), ('application_accepted', 'Role request accepted'), ('application_declined', 'Role request declined'), ('application_expired', 'Role request expired'), ('suspended', 'Account suspended'), ('reactivated', 'Account let in again'), ('role_changed', 'Role changed'), ('new_device', 'Sign-in from a new device'), ('export_ready', 'Download ready'), ('erasure_asked', 'Account deletion asked for'), ('erasure_stopped', 'Account deletion stopped'), ('ticket_raised', 'Ticket received'), ('ticket_unassigned', 'Ticket without an agent'), ('assigned', 'Agent assigned, to the customer'), ('assigned_to_you', 'Agent assigned, to the agent'), ('message', 'New message'), ('status_changed', 'Status changed'), ('resolved', 'Resolved'), ('closed', 'Closed'), ('call_asked', 'Customer asks to be called'), ('call_logged', 'Call written down, to the customer'), ('reminder', 'Reminder, to the customer'), ('at_risk', 'Promise at risk'), ('missed', 'Promise missed'), ('joined', 'Added to a ticket'), ('merged', 'Tickets merged or split, to the customer'), ('children_done', 'The parts of a ticket are done'), ('mended', 'Problem mended, to the customer'), ('staged', 'Regulated complaint moved on, to the customer'), ('ruled', 'Told by a rule'), ('left_alone', 'Ticket too long without an agent'), ('silenced', 'Automatic answers stopped'), ('rating_answered', 'Rating answered'), ('concern_settled', 'Concern answered'), ('webhook_off', 'Webhook switched off'), ('mail_stopped', 'The mail server refuses everything'), ('mail_given_up', 'Mails were given up')], max_length=30, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='preference',
            name='kind',
            field=models.CharField(choices=[('welcome', 'Account confirmed'), ('application_received', 'New role request'), ('application_accepted', 'Role request accepted'), ('application_declined', 'Role request declined'), ('application_expired', 'Role request expired'), ('suspended', 'Account suspended'), ('reactivated', 'Account let in again'), ('role_changed', 'Role changed'), ('new_device', 'Sign-in from a new device'), ('export_ready', 'Download ready'), ('erasure_asked', 'Account deletion asked for'), ('erasure_stopped', 'Account deletion stopped'), ('ticket_raised', 'Ticket received'), ('ticket_unassigned', 'Ticket without an agent'), ('assigned', 'Agent assigned, to the customer'), ('assigned_to_you', 'Agent assigned, to the agent'), ('message', 'New message'), ('status_changed', 'Status changed'), ('resolved', 'Resolved'), ('closed', 'Closed'), ('call_asked', 'Customer asks to be called'), ('call_logged', 'Call written down, to the customer'), ('reminder', 'Reminder, to the customer'), ('at_risk', 'Promise at risk'), ('missed', 'Promise missed'), ('joined', 'Added to a ticket'), ('merged', 'Tickets merged or split, to the customer'), ('children_done', 'The parts of a ticket are done'), ('mended', 'Problem mended, to the customer'), ('staged', 'Regulated complaint moved on, to the customer'), ('ruled', 'Told by a rule'), ('left_alone', 'Ticket too long without an agent'), ('silenced', 'Automatic answers stopped'), ('rating_answered', 'Rating answered'), ('concern_settled', 'Concern answered'), ('webhook_off', 'Webhook switched off'), ('mail_stopped', 'The mail server refuses everything'), ('mail_given_up', 'Mails were given up')], max_length=30, verbose_name='kind'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('mail', None)), fields=['recipient', 'id'], name='notification_waiting'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('state', 'owed')), fields=['recipient', 'id'], name='mail_owed_to'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(fields=['recipient', '-created_at'], name='mail_lately'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['-sent_at'], name='mail_accepted'),
        ),
    ]
