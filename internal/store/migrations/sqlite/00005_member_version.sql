-- Counts changes of a membership, so that of two people who change it at once one is told.
-- +goose Up
ALTER TABLE members ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
