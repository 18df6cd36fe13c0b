"""Since when an agent is out of office. Of who is out already it is not known: for long."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_devices_seen'),
    ]

    operations = [
        migrations.AddField(
            model_name='agentprofile',
            name='out_since',
            field=models.DateTimeField(editable=False, null=True, verbose_name='out since'),
        ),
    ]
