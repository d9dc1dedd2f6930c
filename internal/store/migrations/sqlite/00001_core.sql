-- Times are microseconds since 1970 in UTC, JSON is text: the same in both databases, so that one set of queries does.
-- +goose Up

CREATE TABLE plans (
    id     TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    limits TEXT NOT NULL
);

-- The columns from workers to members are the tenant's totals, kept by every transaction that changes them.
CREATE TABLE tenants (
    id         TEXT PRIMARY KEY,
    slug       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    plan       TEXT NOT NULL REFERENCES plans (id),
    status     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    workers    INTEGER NOT NULL DEFAULT 0,
    cpu_millis INTEGER NOT NULL DEFAULT 0,
    memory_mib INTEGER NOT NULL DEFAULT 0,
    disk_gib   INTEGER NOT NULL DEFAULT 0,
    bots       INTEGER NOT NULL DEFAULT 0,
    members    INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL,
    locale        TEXT NOT NULL,
    operator      BOOLEAN NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);

CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE members (
    tenant_id  TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (id),
    role       TEXT NOT NULL,
    worker_ids TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) WITHOUT ROWID;
CREATE INDEX members_user ON members (user_id, tenant_id);

CREATE TABLE invitations (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    email      TEXT NOT NULL,
    role       TEXT NOT NULL,
    worker_ids TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (tenant_id, email)
);
CREATE INDEX invitations_expiry ON invitations (expires_at);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id      TEXT NOT NULL REFERENCES users (id),
    name         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    hash         BLOB NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
);
CREATE INDEX tokens_tenant ON tokens (tenant_id, id);

CREATE TABLE workers (
    id               TEXT NOT NULL UNIQUE,
    tenant_id        TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name             TEXT NOT NULL,
    name_key         TEXT NOT NULL,
    image            TEXT NOT NULL,
    isolation        TEXT NOT NULL,
    cpu_millis       INTEGER NOT NULL,
    memory_mib       INTEGER NOT NULL,
    disk_gib         INTEGER NOT NULL,
    desired          TEXT NOT NULL,
    restarts         INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    state            TEXT NOT NULL,
    status           TEXT NOT NULL,
    revision         INTEGER NOT NULL,
    revision_hash    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name_key)
);

CREATE TABLE secrets (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    worker_id  TEXT,
    name       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    FOREIGN KEY (tenant_id, worker_id) REFERENCES workers (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX secrets_name ON secrets (tenant_id, COALESCE(worker_id, ''), name);
CREATE INDEX secrets_worker ON secrets (tenant_id, worker_id);

-- The composite key keeps a bot from naming another tenant's Worker.
CREATE TABLE bots (
    id                TEXT NOT NULL UNIQUE,
    tenant_id         TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    worker_id         TEXT NOT NULL,
    name              TEXT NOT NULL,
    name_key          TEXT NOT NULL,
    kind              TEXT NOT NULL,
    access            TEXT NOT NULL,
    desired           TEXT NOT NULL,
    spec              TEXT NOT NULL,
    files             TEXT,
    restarts          INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    state             TEXT NOT NULL,
    status            TEXT NOT NULL,
    move_id           TEXT NOT NULL,
    access_token_hash BLOB,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name_key),
    FOREIGN KEY (tenant_id, worker_id) REFERENCES workers (tenant_id, id)
);
CREATE INDEX bots_worker ON bots (tenant_id, worker_id, id);

CREATE TABLE artifacts (
    tenant_id   TEXT NOT NULL,
    bot_id      TEXT NOT NULL,
    digest      TEXT NOT NULL,
    size        INTEGER NOT NULL,
    format      TEXT NOT NULL,
    uploaded_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, bot_id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE artifact_chunks (
    tenant_id TEXT NOT NULL,
    bot_id    TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    data      BLOB NOT NULL,
    PRIMARY KEY (tenant_id, bot_id, seq),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES artifacts (tenant_id, bot_id) ON DELETE CASCADE
);

CREATE TABLE moves (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    bot_id      TEXT NOT NULL,
    from_worker TEXT NOT NULL,
    to_worker   TEXT NOT NULL,
    step        TEXT NOT NULL,
    active      BOOLEAN NOT NULL,
    reason      TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    ended_at    INTEGER,
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX moves_tenant ON moves (tenant_id, id);
CREATE INDEX moves_bot ON moves (tenant_id, bot_id, id);
-- A bot is a singleton and so is its move.
CREATE UNIQUE INDEX moves_active ON moves (bot_id) WHERE active;
CREATE INDEX moves_open ON moves (id) WHERE active;

-- Events and usage outlive the Workers and bots that they tell of, so they refer to the tenant alone.
CREATE TABLE events (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    level       TEXT NOT NULL,
    worker_id   TEXT,
    bot_id      TEXT,
    user_id     TEXT,
    message     TEXT NOT NULL,
    message_key TEXT NOT NULL,
    data        TEXT
);
CREATE INDEX events_tenant ON events (tenant_id, id);
CREATE INDEX events_worker ON events (worker_id, id) WHERE worker_id IS NOT NULL;
CREATE INDEX events_bot ON events (bot_id, id) WHERE bot_id IS NOT NULL;
CREATE INDEX events_at ON events (at);

-- The ledger. Time comes before the Worker in the key, so that what is written at once lies together; a foreign key
-- would cost a look-up per row, so the transaction checks the tenant once instead.
CREATE TABLE usage_minutes (
    tenant_id           TEXT NOT NULL,
    start               INTEGER NOT NULL,
    worker_id           TEXT NOT NULL,
    bot_id              TEXT NOT NULL,
    cpu_ms              INTEGER NOT NULL,
    memory_byte_seconds INTEGER NOT NULL,
    disk_byte_seconds   INTEGER NOT NULL,
    bytes_in            INTEGER NOT NULL,
    bytes_out           INTEGER NOT NULL,
    requests            INTEGER NOT NULL,
    running_ms          INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, start, worker_id, bot_id)
) WITHOUT ROWID;

CREATE TABLE usage_hours (
    tenant_id           TEXT NOT NULL,
    start               INTEGER NOT NULL,
    worker_id           TEXT NOT NULL,
    bot_id              TEXT NOT NULL,
    windows             INTEGER NOT NULL,
    cpu_ms              INTEGER NOT NULL,
    memory_byte_seconds INTEGER NOT NULL,
    disk_byte_seconds   INTEGER NOT NULL,
    bytes_in            INTEGER NOT NULL,
    bytes_out           INTEGER NOT NULL,
    requests            INTEGER NOT NULL,
    running_ms          INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, start, worker_id, bot_id)
) WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant_id   TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    result      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE leases (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);

-- One row: the id of this installation, which is on everything that it makes outside of the database.
CREATE TABLE installation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
);
