from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0005_decide_keys.sql"


class Migration(migrations.Migration):
    """Decisions know the key that a run is on, and the platform's budgets."""

    dependencies = [("billing_runtime", "0004_keys_and_budgets"), ("billing_usage", "0005_record_credential")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
