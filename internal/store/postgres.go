package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/baas-platform/baas"
)

const (
	// appRole is the role that all work is done as. It owns no table, so row-level security binds it.
	appRole = "baas_app"
	// migrationLock is the key of the advisory lock around migrations.
	migrationLock = 0x62616173
	// usageBuckets is how many locks the usage of a tenant has; a power of two.
	usageBuckets = 64
	// postgresConns bounds the connections of one process.
	postgresConns = 32
	// maxRepeats is how often a transaction that lost a deadlock is run again.
	maxRepeats = 40
)

type postgresDB struct {
	pool     *sql.DB
	listener *listener
}

func openPostgres(ctx context.Context, url string, log *slog.Logger, h *hub, seed func(context.Context, conn) error) (_ database, err error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's error may quote the address with its password.
		return nil, baas.Errorf(baas.CodeInvalid, "the database address is not a PostgreSQL connection string such as postgres://user:password@host:5432/database")
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "baas"
	}
	listening := cfg.Copy()
	// Who gives up has the server told so, and the connection stays good for the next.
	cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 5 * time.Second}
	}
	d := &postgresDB{pool: stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SET ROLE "+appRole)
		return err
	}))}
	d.pool.SetMaxOpenConns(postgresConns)
	d.pool.SetMaxIdleConns(postgresConns)
	d.pool.SetConnMaxIdleTime(5 * time.Minute)
	defer func() {
		if err != nil {
			d.pool.Close()
		}
	}()
	if err := migratePostgres(ctx, cfg, log, func(ctx context.Context) error {
		return d.update(ctx, scope{system: true}, func(c conn) ([]baas.Change, error) { return nil, seed(ctx, c) })
	}); err != nil {
		return nil, err
	}
	if d.listener, err = listen(ctx, listening, log, h); err != nil {
		return nil, err
	}
	return d, nil
}

// migratePostgres makes the role, migrates the schema and runs seed, as the log-in role and one process at a time.
func migratePostgres(ctx context.Context, cfg *pgx.ConnConfig, log *slog.Logger, seed func(context.Context) error) error {
	owner := stdlib.OpenDB(*cfg)
	defer owner.Close() // ends the sessions and with them the lock
	c, err := owner.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("waiting for another process to migrate the schema: %w", err)
	}
	if err := ensureRole(ctx, c); err != nil {
		return err
	}
	if err := migrate(ctx, owner, goose.DialectPostgres, "postgres", log); err != nil {
		return err
	}
	if err := seed(ctx); err != nil {
		return fmt.Errorf("adding the default plans: %w", err)
	}
	return nil
}

// ensureRole makes appRole and lets the log-in role become it. Roles belong to the whole cluster, so another database's
// set-up may do the same at the same moment; then this one looks again.
func ensureRole(ctx context.Context, c *sql.Conn) error {
	const quiet = `DO $$ BEGIN
		IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '` + appRole + `') THEN
			CREATE ROLE ` + appRole + ` NOLOGIN;
		END IF;
		IF NOT pg_has_role(current_user, '` + appRole + `', 'MEMBER') THEN
			GRANT ` + appRole + ` TO CURRENT_USER;
		END IF;
	END $$`
	var err error
	for range maxRepeats {
		if _, err = c.ExecContext(ctx, quiet); err == nil {
			return nil
		}
		if code := pgCode(err); code == "42501" {
			break
		}
		if err := pause(ctx, 0); err != nil {
			return err
		}
	}
	return fmt.Errorf("making the role %s (if the log-in role may not, run as an administrator: CREATE ROLE %[1]s NOLOGIN; GRANT %[1]s TO the log-in role): %[2]w", appRole, err)
}

func (d *postgresDB) view(ctx context.Context, sc scope, fn func(conn) error) error {
	return d.transact(ctx, sc, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(c pgConn) error { return fn(c) })
}

func (d *postgresDB) update(ctx context.Context, sc scope, fn func(conn) ([]baas.Change, error)) error {
	for repeats := 0; ; repeats++ {
		err := d.transact(ctx, sc, nil, func(c pgConn) error {
			changes, err := fn(c)
			if err != nil {
				return err
			}
			return notify(ctx, c, changes)
		})
		switch pgCode(err) {
		case "40001", "40P01": // serialization failure, deadlock
			if repeats < maxRepeats {
				if err := pause(ctx, repeats); err != nil {
					return err
				}
				continue
			}
		}
		return err
	}
}

// transact runs fn in a transaction that is bound to sc. The settings are local to the transaction: a pooled connection
// carries nothing over to the next.
func (d *postgresDB) transact(ctx context.Context, sc scope, opts *sql.TxOptions, fn func(pgConn) error) (err error) {
	defer func() {
		// The driver doesn't always say that it failed because ctx ended.
		if done := ctx.Err(); err != nil && done != nil && !errors.Is(err, done) {
			err = fmt.Errorf("%w: %w", done, err)
		}
	}()
	t, err := d.begin(ctx, sc, opts)
	if err != nil {
		return doing("beginning a transaction", explainPostgres(err))
	}
	defer t.Rollback() // after a commit it does nothing
	if err := fn(pgConn{t, opts != nil && opts.ReadOnly}); err != nil {
		return err
	}
	return doing("committing", explainPostgres(t.Commit()))
}

// begin begins a transaction for sc. After a restart of the server every pooled connection is dead and each is noticed
// only when it is used; nothing has been done by then, so that the next one may be tried.
func (d *postgresDB) begin(ctx context.Context, sc scope, opts *sql.TxOptions) (*sql.Tx, error) {
	name := ""
	if sc.system {
		name = "system"
	}
	for repeats := 0; ; repeats++ {
		t, err := d.pool.BeginTx(ctx, opts)
		if err == nil {
			_, err = t.ExecContext(ctx, "SELECT set_config('baas.tenant', $1, true), set_config('baas.scope', $2, true)", sc.tenant, name)
			if err == nil {
				return t, nil
			}
			t.Rollback()
		}
		dead := errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) || strings.HasPrefix(pgCode(err), "57P")
		var connect *pgconn.ConnectError
		if !dead || errors.As(err, &connect) || repeats == maxRepeats || ctx.Err() != nil {
			return nil, err
		}
	}
}

func (d *postgresDB) ping(ctx context.Context) error {
	return doing("asking the database", explainPostgres(d.pool.PingContext(ctx)))
}

func (d *postgresDB) about(ctx context.Context) (b baas.Database, err error) {
	b.Kind = "postgres"
	err = d.view(ctx, scope{}, func(c conn) error {
		return doing("asking the database about itself", row(ctx, c, []any{&b.Version, &b.SizeBytes},
			`SELECT current_setting('server_version'), pg_database_size(current_database())`))
	})
	return b, err
}

func (d *postgresDB) close() error {
	d.listener.close()
	return d.pool.Close()
}

// pause waits a little longer after every repeat, at random so that those who met once don't meet again.
func pause(ctx context.Context, repeats int) error {
	most := min(time.Millisecond<<min(repeats, 7), 100*time.Millisecond)
	t := time.NewTimer(rand.N(most) + time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pgConn is a transaction on PostgreSQL. pgx keeps its statements prepared.
type pgConn struct {
	t        *sql.Tx
	readOnly bool
}

func (c pgConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if !storable(args) {
		var p baas.Problems
		p.Add("body", "holds a text that can't be stored; texts must be UTF-8 without NUL")
		return 0, p.Err()
	}
	r, err := c.t.ExecContext(ctx, numbered(query), args...)
	if err != nil {
		return 0, explainPostgres(err)
	}
	return r.RowsAffected()
}

func (c pgConn) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if !storable(args) {
		return nil, errMissing // nothing that is stored can be the same
	}
	rows, err := c.t.QueryContext(ctx, numbered(query), args...)
	return rows, explainPostgres(err)
}

// storable reports whether PostgreSQL can take the texts among args: it refuses NUL and what isn't UTF-8, and the
// transaction with it. SQLite takes both.
func storable(args []any) bool {
	for _, a := range args {
		if v := reflect.ValueOf(a); v.Kind() == reflect.String && (strings.ContainsRune(v.String(), 0) || !utf8.ValidString(v.String())) {
			return false
		}
	}
	return true
}

// exclusively locks the buckets that the Workers fall into, always in the same order. Rows would be locked in the order
// in which they turn out to be new or known, which two transactions may meet in a circle.
func (c pgConn) exclusively(ctx context.Context, tenant string, workers []string) error {
	hash := func(s string) int32 {
		h := fnv.New32a()
		h.Write([]byte(s))
		return int32(h.Sum32())
	}
	buckets := map[int32]bool{}
	for _, w := range workers {
		buckets[hash(w)&(usageBuckets-1)] = true
	}
	args := []any{hash(tenant)}
	for _, b := range slices.Sorted(maps.Keys(buckets)) {
		args = append(args, b)
	}
	_, err := c.exec(ctx, `SELECT pg_advisory_xact_lock(CAST(? AS INT), CAST(b AS INT)) FROM (VALUES `+
		strings.TrimSuffix(strings.Repeat("(CAST(? AS INT)), ", len(args)-1), ", ")+`) AS v (b)`, args...)
	return err
}

// forUpdate locks in a way that lets others refer to the row's key, which FOR UPDATE would not.
func (c pgConn) forUpdate() string {
	if c.readOnly {
		return ""
	}
	return " FOR NO KEY UPDATE"
}

func (pgConn) forShare() string { return " FOR KEY SHARE" }
func (pgConn) clock() string {
	return "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"
}

func (pgConn) taken(err error) bool    { return pgCode(err) == "23505" }
func (pgConn) dangling(err error) bool { return pgCode(err) == "23503" }

// numbered turns the ? placeholders of a query into $1, $2 … No query holds a ? of another meaning.
func numbered(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 32)
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// explainPostgres says "try again later" where that is true.
func explainPostgres(err error) error {
	var connect *pgconn.ConnectError
	code := pgCode(err)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &connect), strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"):
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the database can't be reached", Err: err}
	case code == "53100":
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the disk of the database is full", Err: err}
	case code == "53300":
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the database has no connection left", Err: err}
	}
	return err
}

func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
