from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0002_money.sql"


class Migration(migrations.Migration):
    dependencies = [("billing_credits", "0001_initial")]

    operations = [
        migrations.RunSQL(
            _SQL.read_text(),
            "DROP FUNCTION quaestor_capture; DROP FUNCTION quaestor_void; DROP FUNCTION quaestor_hold;",
        )
    ]
