-- Who supported, why and when stays as long as the tenant; name and e-mail are the operator's at that time, since a
-- tenant sees no people but its members.
-- +goose Up

CREATE TABLE support (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at   INTEGER,
    ended_by   TEXT
);
CREATE INDEX support_tenant ON support (tenant_id, id);
CREATE UNIQUE INDEX support_open ON support (tenant_id, user_id) WHERE ended_at IS NULL;
