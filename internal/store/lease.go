package store

import (
	"context"
	"fmt"
	"time"
)

// keepLeases is how long a lease that nobody renews is remembered.
const keepLeases = 24 * time.Hour

// Clock tells the time that every process on this database agrees on: that of the PostgreSQL server, whose clients'
// clocks may differ, or of this machine, on which alone an SQLite file is used.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.db.view(ctx, scope{system: true}, func(c conn) error { return row(ctx, c, []any{&at}, `SELECT `+c.clock()) })
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the database's clock: %w", err)
	}
	return time.UnixMicro(at).UTC(), nil
}

// Leases gives the holders of the leases whose names begin with prefix and that haven't expired, by name.
func (s *Store) Leases(ctx context.Context, prefix string, now time.Time) (map[string]string, error) {
	holders := map[string]string{}
	err := s.db.view(ctx, scope{system: true}, func(c conn) error {
		clear(holders)
		type lease struct{ name, holder string }
		ls, err := list(ctx, c, "leases", func(l *lease) []any { return []any{&l.name, &l.holder} },
			`SELECT name, holder FROM leases WHERE expires_at > ? AND SUBSTR(name, 1, ?) = ?`, micros(now), len(prefix), prefix)
		for _, l := range ls {
			holders[l.name] = l.holder
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return holders, nil
}
