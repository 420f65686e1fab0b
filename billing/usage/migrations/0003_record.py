from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0003_record.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("billing_usage", "0002_events"),
        ("billing_credits", "0002_money"),
        ("billing_subscriptions", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            _SQL.read_text(),
            "DROP FUNCTION quaestor_ingest; DROP FUNCTION quaestor_record_usage; DROP FUNCTION quaestor_count;"
            "DROP FUNCTION quaestor_refuse CASCADE;",
        )
    ]
