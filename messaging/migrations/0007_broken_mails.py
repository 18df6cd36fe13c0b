"""Mails that their server can't give out are remembered, so that those behind them are fetched."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0006_mail_sender_prefix'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailbox',
            name='broken_uids',
            field=models.JSONField(default=list, editable=False),
        ),
    ]
