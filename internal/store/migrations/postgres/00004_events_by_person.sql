-- What one person did, newest first.
-- +goose Up
CREATE INDEX events_user ON events (tenant_id, user_id, id) WHERE user_id IS NOT NULL;
