from django.db import migrations


class Migration(migrations.Migration):
    """A workspace is paid for by an account of its own tenant: held by the database, whoever writes."""

    dependencies = [("billing_subscriptions", "0001_initial"), ("tenants", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE billing_subscriptions_workspacebilling
                ADD CONSTRAINT workspacebilling_workspace_of_tenant FOREIGN KEY (tenant_id, workspace_id)
                    REFERENCES tenants_workspace (tenant_id, id) ON DELETE CASCADE,
                ADD CONSTRAINT workspacebilling_account_of_tenant FOREIGN KEY (tenant_id, account_id)
                    REFERENCES billing_subscriptions_billingaccount (tenant_id, id);
            """,
            """
            ALTER TABLE billing_subscriptions_workspacebilling
                DROP CONSTRAINT workspacebilling_workspace_of_tenant,
                DROP CONSTRAINT workspacebilling_account_of_tenant;
            """,
        )
    ]
