from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "0005_record.sql"


class Migration(migrations.Migration):
    """Events say on which key they ran and why."""

    dependencies = [("billing_usage", "0004_credential_of_event")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
