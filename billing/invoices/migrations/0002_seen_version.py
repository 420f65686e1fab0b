from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing_invoices', '0001_initial'),
    ]

    operations = [
        migrations.RemoveField(model_name='billingcycle', name='looked_at'),
        migrations.AddField(
            model_name='billingcycle',
            name='seen_version',
            field=models.BigIntegerField(default=0, help_text="The account's version that its end was read at."),
            preserve_default=False,
        ),
    ]
