from django.db import migrations


class Migration(migrations.Migration):
    """A key is assigned inside its own tenant, to a place inside one workspace: held by the database, whoever writes."""

    dependencies = [("vault", "0001_initial"), ("tenants", "0002_agents_and_offices_in_workspace")]

    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE vault_assignment
                ADD CONSTRAINT assignment_credential_of_tenant FOREIGN KEY (tenant_id, credential_id)
                    REFERENCES vault_credential (tenant_id, id),
                ADD CONSTRAINT assignment_workspace_of_tenant FOREIGN KEY (tenant_id, workspace_id)
                    REFERENCES tenants_workspace (tenant_id, id) ON DELETE CASCADE,
                ADD CONSTRAINT assignment_office_of_workspace FOREIGN KEY (workspace_id, office_id)
                    REFERENCES tenants_office (workspace_id, id) ON DELETE CASCADE,
                ADD CONSTRAINT assignment_agent_of_workspace FOREIGN KEY (workspace_id, agent_id)
                    REFERENCES tenants_agent (workspace_id, id) ON DELETE CASCADE;
            """,
            """
            ALTER TABLE vault_assignment
                DROP CONSTRAINT assignment_credential_of_tenant,
                DROP CONSTRAINT assignment_workspace_of_tenant,
                DROP CONSTRAINT assignment_office_of_workspace,
                DROP CONSTRAINT assignment_agent_of_workspace;
            """,
        )
    ]
