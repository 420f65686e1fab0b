from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0007_decide_sessions.sql"


class Migration(migrations.Migration):
    """Decisions know sessions, and executions past the limit that are paid for."""

    dependencies = [("billing_runtime", "0006_sessions"), ("billing_usage", "0007_fold")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
