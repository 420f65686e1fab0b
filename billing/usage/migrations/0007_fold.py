from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0007_fold.sql"


class Migration(migrations.Migration):
    """Rollups by period, place and session; counters of the day, of tries and of overage."""

    dependencies = [("billing_usage", "0006_rollups_and_alerts")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
