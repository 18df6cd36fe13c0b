"""Of a known browser is kept when it was seen last, which until now is when it was seen first."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_signup'),
    ]

    operations = [
        migrations.RenameField(
            model_name='knowndevice',
            old_name='created_at',
            new_name='seen_at',
        ),
        migrations.AddField(
            model_name='knowndevice',
            name='address',
            field=models.CharField(blank=True, max_length=50),
        ),
        migrations.AlterField(
            model_name='accountevent',
            name='kind',
            field=models.CharField(choices=[('applied', 'Asked for a role'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('invited', 'Invited'), ('created', 'Created by an administrator'), ('role_changed', 'Role changed'), ('suspended', 'Suspended'), ('reactivated', 'Let in again'), ('binned', 'Deleted'), ('restored', 'Restored'), ('password_changed', 'Password changed'), ('email_changed', 'Email address changed'), ('factor_added', 'Second factor added'), ('factor_removed', 'Second factor removed'), ('codes_made', 'Recovery codes made'), ('google_connected', 'Google connected'), ('google_removed', 'Google disconnected'), ('exported', 'Data downloaded'), ('erasure_asked', 'Asked to be deleted'), ('erasure_stopped', 'Deletion stopped'), ('erased', 'Erased'), ('held', 'Put on legal hold'), ('released', 'Legal hold ended')], max_length=20, verbose_name='what'),
        ),
    ]
