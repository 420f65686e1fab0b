from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0008_caps_count_overage.sql"


class Migration(migrations.Migration):
    """The cap of a day admits an execution past the limit with its price."""

    dependencies = [("billing_runtime", "0007_decide_sessions")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
