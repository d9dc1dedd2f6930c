-- The application works as baas_app, which owns nothing, and says in every transaction whose rows it is about:
-- baas.tenant names a tenant, baas.scope = 'system' means all. With neither set nothing is visible. The settings are
-- read through a sub-select so that they are evaluated once per statement and not once per row.
-- +goose Up

-- +goose StatementBegin
DO $$
DECLARE
    t TEXT;
BEGIN
    FOREACH t IN ARRAY ARRAY['members', 'invitations', 'tokens', 'workers', 'secrets', 'bots', 'artifacts', 'artifact_chunks',
        'moves', 'events', 'usage_minutes', 'usage_hours', 'idempotency'] LOOP
        EXECUTE format('CREATE POLICY tenant ON %I
            USING (tenant_id = (SELECT current_setting(''baas.tenant'', true))
                OR (SELECT current_setting(''baas.scope'', true)) = ''system'')', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['sessions', 'leases', 'installation'] LOOP
        EXECUTE format('CREATE POLICY system ON %I USING ((SELECT current_setting(''baas.scope'', true)) = ''system'')', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['plans', 'tenants', 'users', 'sessions', 'members', 'invitations', 'tokens', 'workers', 'secrets', 'bots',
        'artifacts', 'artifact_chunks', 'moves', 'events', 'usage_minutes', 'usage_hours', 'idempotency', 'leases', 'installation'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO baas_app', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

CREATE POLICY tenant ON tenants
    USING (id = (SELECT current_setting('baas.tenant', true)) OR (SELECT current_setting('baas.scope', true)) = 'system');

-- A tenant sees the people who are its members, and writes none of them.
CREATE POLICY system ON users USING ((SELECT current_setting('baas.scope', true)) = 'system');
CREATE POLICY member ON users FOR SELECT
    USING (EXISTS (SELECT 1 FROM members m
        WHERE m.tenant_id = (SELECT current_setting('baas.tenant', true)) AND m.user_id = users.id));

-- Everybody sees the plans; the platform writes them.
CREATE POLICY system ON plans USING ((SELECT current_setting('baas.scope', true)) = 'system');
CREATE POLICY everybody ON plans FOR SELECT USING (true);
