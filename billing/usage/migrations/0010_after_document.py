from pathlib import Path

from django.db import migrations, models

_SQL = Path(__file__).parent / "sql" / "0010_after_document.sql"


class Migration(migrations.Migration):
    """Which documents came before an event, by the ledger lock."""

    dependencies = [
        ('billing_usage', '0009_events_by_period'),
    ]

    operations = [
        migrations.CreateModel(
            name='DocumentMark',
            fields=[
                ('account_id', models.UUIDField(primary_key=True, serialize=False)),
                ('position', models.IntegerField()),
            ],
        ),
        migrations.AddField(
            model_name='usageevent',
            name='after_document',
            field=models.IntegerField(db_default=0, default=0, help_text="Position of the account's last document when it was recorded; 0 for none."),
        ),
        migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop),
    ]
