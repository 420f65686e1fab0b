from django.db import migrations


class Migration(migrations.Migration):
    """Whatever changes which provider key a run is on raises the version of the tenant's accounts.

    The account's own switch too. A credential's triggers fire only where it becomes usable or ceases to be, so that
    checks and counts cost the accounts nothing.
    """

    dependencies = [("billing_subscriptions", "0004_own_keys"), ("vault", "0002_one_tenant")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION quaestor_keys_changed(tenant uuid) RETURNS void LANGUAGE sql AS $$
                WITH locked AS (
                    SELECT a.id FROM billing_subscriptions_billingaccount AS a
                     WHERE a.tenant_id = tenant ORDER BY a.id FOR NO KEY UPDATE
                )
                UPDATE billing_subscriptions_billingaccount AS a SET version = a.version + 1
                  FROM locked WHERE a.id = locked.id;
            $$;

            CREATE FUNCTION quaestor_key_row_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP <> 'INSERT' THEN
                    PERFORM quaestor_keys_changed(OLD.tenant_id);
                END IF;
                IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.tenant_id <> OLD.tenant_id) THEN
                    PERFORM quaestor_keys_changed(NEW.tenant_id);
                END IF;
                RETURN NULL;
            END $$;

            CREATE TRIGGER quaestor_version AFTER INSERT OR UPDATE OR DELETE ON vault_assignment
                FOR EACH ROW EXECUTE FUNCTION quaestor_key_row_changed();
            CREATE TRIGGER quaestor_version AFTER INSERT OR UPDATE OR DELETE ON vault_keypolicy
                FOR EACH ROW EXECUTE FUNCTION quaestor_key_row_changed();
            CREATE TRIGGER quaestor_version AFTER UPDATE ON vault_credential
                FOR EACH ROW
                WHEN (OLD.tenant_id IS NOT NULL AND (
                    OLD.health IS DISTINCT FROM NEW.health
                    OR OLD.disabled_at IS DISTINCT FROM NEW.disabled_at
                    OR OLD.revoked_at IS DISTINCT FROM NEW.revoked_at
                    OR OLD.current_number IS DISTINCT FROM NEW.current_number))
                EXECUTE FUNCTION quaestor_key_row_changed();

            CREATE FUNCTION quaestor_own_keys_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.version := OLD.version + 1;
                RETURN NEW;
            END $$;
            CREATE TRIGGER quaestor_own_keys BEFORE UPDATE OF own_keys ON billing_subscriptions_billingaccount
                FOR EACH ROW WHEN (OLD.own_keys IS DISTINCT FROM NEW.own_keys)
                EXECUTE FUNCTION quaestor_own_keys_changed();
            """,
            """
            DROP TRIGGER quaestor_own_keys ON billing_subscriptions_billingaccount;
            DROP FUNCTION quaestor_own_keys_changed;
            DROP TRIGGER quaestor_version ON vault_credential;
            DROP TRIGGER quaestor_version ON vault_keypolicy;
            DROP TRIGGER quaestor_version ON vault_assignment;
            DROP FUNCTION quaestor_key_row_changed;
            DROP FUNCTION quaestor_keys_changed;
            """,
        )
    ]
