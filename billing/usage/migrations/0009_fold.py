from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0009_fold.sql"


class Migration(migrations.Migration):
    """Folding of given deltas, and their events by id."""

    dependencies = [("billing_usage", "0008_counters_of_users")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
