from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0002_decide.sql"


class Migration(migrations.Migration):
    dependencies = [("billing_runtime", "0001_initial"), ("billing_usage", "0003_record")]

    operations = [
        migrations.RunSQL(
            _SQL.read_text(),
            "DROP FUNCTION quaestor_release; DROP FUNCTION quaestor_settle; DROP FUNCTION quaestor_release_meters;"
            "DROP FUNCTION quaestor_authorize; DROP FUNCTION quaestor_check_meters; DROP FUNCTION quaestor_lock_ledgers;",
        )
    ]
