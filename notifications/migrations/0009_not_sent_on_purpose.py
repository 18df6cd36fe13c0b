"""Plainer words for what is left out. Changes no row."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0008_mails_within_the_hour'),
    ]

    operations = [
        migrations.AlterField(
            model_name='outgoingmail',
            name='state',
            field=models.CharField(choices=[('owed', 'Waiting to be sent'), ('sent', 'Accepted by the server'), ('failed', 'Given up'), ('dropped', 'Not sent on purpose')], default='owed', max_length=10, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='shortmessage',
            name='state',
            field=models.CharField(choices=[('owed', 'Waiting to be sent'), ('sent', 'Accepted by the server'), ('failed', 'Given up'), ('dropped', 'Not sent on purpose')], default='owed', max_length=10, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='state',
            field=models.CharField(choices=[('owed', 'Waiting to be sent'), ('sent', 'Accepted by the server'), ('failed', 'Given up'), ('dropped', 'Not sent on purpose')], default='owed', max_length=10, verbose_name='state'),
        ),
    ]
