package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/baas-platform/baas"
)

// DefaultKeepEvents is how long events are kept unless the configuration says otherwise.
const DefaultKeepEvents = 90 * 24 * time.Hour

// keepIdempotency is how long the outcome of a write is remembered.
const keepIdempotency = 24 * time.Hour

// Config says which database to open.
type Config struct {
	// URL is "postgres://…", or the path of an SQLite file, with or without "sqlite://" before it. The file and its
	// directory are made when missing.
	URL string
	Log *slog.Logger // discards when nil
	// KeepEvents is how long Purge lets events live; DefaultKeepEvents when zero.
	KeepEvents time.Duration
}

// scope is whose rows a transaction may touch: one tenant's or everybody's.
type scope struct {
	tenant string
	system bool
}

// database is what the two kinds of database do differently about transactions.
type database interface {
	view(ctx context.Context, sc scope, fn func(conn) error) error
	// update returns once the transaction is durable. fn gives the changes to announce after that.
	update(ctx context.Context, sc scope, fn func(conn) ([]baas.Change, error)) error
	ping(ctx context.Context) error
	about(ctx context.Context) (baas.Database, error)
	close() error
}

// Store is a baas.Store on SQLite or PostgreSQL. Its methods may be called at once from many goroutines.
type Store struct {
	db         database
	hub        *hub
	keepEvents time.Duration
	closing    sync.Once
	closeErr   error
}

var _ baas.Store = (*Store)(nil)

// Open connects to the database and brings its schema forward to what this build knows, which it does once even when
// several processes open the database at the same time. An installation without plans gets baas.DefaultPlans. A
// database made by a newer build is refused.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.KeepEvents == 0 {
		cfg.KeepEvents = DefaultKeepEvents
	}
	s := &Store{hub: newHub(), keepEvents: cfg.KeepEvents}
	var err error
	switch {
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		s.db, err = openPostgres(ctx, cfg.URL, cfg.Log, s.hub, s.furnish)
	default:
		path := strings.TrimPrefix(cfg.URL, "sqlite://")
		if path == "" || strings.Contains(path, "://") || strings.Contains(path, ":memory:") {
			return nil, baas.Errorf(baas.CodeInvalid, "the database address must begin with postgres:// or be the path of an SQLite file")
		}
		s.db, err = openSQLite(ctx, path, cfg.Log, s.hub, s.furnish)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return s, nil
}

// Close waits for the transactions that run, then ends every subscription and connection. It may be repeated.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closeErr = s.db.close()
		s.hub.close()
	})
	return s.closeErr
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.ping(ctx) }

// Database implements baas.Store.
func (s *Store) Database(ctx context.Context) (baas.Database, error) { return s.db.about(ctx) }

// Subscribe implements baas.Store.
func (s *Store) Subscribe(ctx context.Context) <-chan baas.Change { return s.hub.subscribe(ctx) }

// Tenant implements baas.Store.
func (s *Store) Tenant(tenantID string) baas.TenantScope { return tenantScope{s, tenantID} }

// System implements baas.Store.
func (s *Store) System() baas.SystemScope { return systemScope{s} }

// Lease implements baas.Store. A ttl of zero gives the lease up.
func (s *Store) Lease(ctx context.Context, name, holder string, now time.Time, ttl time.Duration) (held bool, err error) {
	err = s.db.update(ctx, scope{system: true}, func(c conn) ([]baas.Change, error) {
		n, err := c.exec(ctx, `INSERT INTO leases (name, holder, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
			WHERE leases.holder = excluded.holder OR leases.expires_at <= ?`,
			name, holder, micros(now.Add(ttl)), micros(now))
		held = n == 1
		return nil, err
	})
	if err != nil {
		return false, fmt.Errorf("taking the lease %s: %w", name, err)
	}
	return held && ttl > 0, nil
}

// Installation is the id of this database's installation, made with it: up to 16 lower-case letters and digits. It is
// on everything that the installation makes elsewhere, so that a new database never touches what an older one made.
func (s *Store) Installation(ctx context.Context) (id string, err error) {
	err = s.db.view(ctx, scope{system: true}, func(c conn) error {
		return row(ctx, c, []any{&id}, `SELECT id FROM installation`)
	})
	if err != nil {
		return "", fmt.Errorf("reading the installation's id: %w", err)
	}
	return id, nil
}

// furnish gives a new database its id and the default plans.
func (s *Store) furnish(ctx context.Context, c conn) error {
	id := strings.ToLower(rand.Text()[:12])
	if _, err := c.exec(ctx, `INSERT INTO installation (one, id) VALUES (1, ?) ON CONFLICT (one) DO NOTHING`, id); err != nil {
		return err
	}
	var n int
	if err := row(ctx, c, []any{&n}, `SELECT COUNT(*) FROM plans`); err != nil || n > 0 {
		return err
	}
	for _, p := range baas.DefaultPlans() {
		if err := (plans{&tx{conn: c}}).Put(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

type tenantScope struct {
	s  *Store
	id string
}

func (t tenantScope) View(ctx context.Context, fn func(baas.TenantTx) error) error {
	return t.s.db.view(ctx, scope{tenant: t.id}, func(c conn) error {
		return fn(tenantTx{&tx{conn: c, s: t.s}, t.id})
	})
}

func (t tenantScope) Update(ctx context.Context, fn func(baas.TenantTx) error) error {
	return t.s.db.update(ctx, scope{tenant: t.id}, func(c conn) ([]baas.Change, error) {
		x := &tx{conn: c, s: t.s}
		err := fn(tenantTx{x, t.id})
		return x.changes, err
	})
}

type systemScope struct{ s *Store }

func (y systemScope) View(ctx context.Context, fn func(baas.SystemTx) error) error {
	return y.s.db.view(ctx, scope{system: true}, func(c conn) error {
		return fn(systemTx{&tx{conn: c, s: y.s}})
	})
}

func (y systemScope) Update(ctx context.Context, fn func(baas.SystemTx) error) error {
	return y.s.db.update(ctx, scope{system: true}, func(c conn) ([]baas.Change, error) {
		x := &tx{conn: c, s: y.s}
		err := fn(systemTx{x})
		return x.changes, err
	})
}

// errClosed is returned by transactions on a closed store.
var errClosed = errors.New("the store is closed")
