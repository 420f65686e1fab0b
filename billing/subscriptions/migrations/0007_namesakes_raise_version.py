from django.db import migrations


class Migration(migrations.Migration):
    """Which agents a name may mean decides which provider key a run is on, where one of them has a key of its own.

    Registering, renaming, moving or retiring an agent whose name no such agent has costs the accounts nothing.
    """

    dependencies = [
        ("billing_subscriptions", "0006_spend_controls"),
        ("tenants", "0002_agents_and_offices_in_workspace"),
        ("vault", "0005_replaced_at"),
    ]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION quaestor_agent_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                room uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.workspace_id ELSE NEW.workspace_id END;
                called text[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.name]
                    WHEN 'DELETE' THEN ARRAY[OLD.name] ELSE ARRAY[OLD.name, NEW.name] END;
            BEGIN
                PERFORM quaestor_keys_changed(w.tenant_id) FROM tenants_workspace AS w
                  WHERE w.id = room AND EXISTS (
                      SELECT FROM vault_assignment AS a JOIN tenants_agent AS g ON g.id = a.agent_id
                       WHERE a.workspace_id = room AND g.name = ANY (called));
                RETURN NULL;
            END $$;

            CREATE TRIGGER quaestor_version AFTER INSERT OR DELETE ON tenants_agent
                FOR EACH ROW EXECUTE FUNCTION quaestor_agent_changed();
            CREATE TRIGGER quaestor_version_of_name AFTER UPDATE ON tenants_agent
                FOR EACH ROW
                WHEN ((OLD.name, OLD.office_id, OLD.retired_at) IS DISTINCT FROM (NEW.name, NEW.office_id, NEW.retired_at))
                EXECUTE FUNCTION quaestor_agent_changed();
            """,
            """
            DROP TRIGGER quaestor_version_of_name ON tenants_agent;
            DROP TRIGGER quaestor_version ON tenants_agent;
            DROP FUNCTION quaestor_agent_changed;
            """,
        )
    ]
