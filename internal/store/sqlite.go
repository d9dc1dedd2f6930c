package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/baas-platform/baas"
)

const (
	// sqliteReaders is the number of connections for Views.
	sqliteReaders = 8
	// preparedStatements is how many statements a connection keeps prepared.
	preparedStatements = 300
	// foreignWrites is how often the writer looks whether another process wrote to the file.
	foreignWrites = time.Second
)

type sqliteDB struct {
	pool    *sql.DB
	writer  *writer
	readers chan *sqliteConn
	hub     *hub
	stop    context.CancelFunc
	stopped chan struct{}
}

func openSQLite(ctx context.Context, path string, log *slog.Logger, h *hub, seed func(context.Context, conn) error) (_ database, err error) {
	if err := makeFile(path); err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(sqliteReaders + 2) // and the writer, and the migrations
	d := &sqliteDB{pool: pool, readers: make(chan *sqliteConn, sqliteReaders), hub: h, stopped: make(chan struct{})}
	defer func() {
		if err != nil {
			pool.Close()
		}
	}()
	unlock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := migrate(ctx, pool, goose.DialectSQLite3, "sqlite", log); err != nil {
		return nil, err
	}
	w, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	d.writer = newWriter(w, h)
	for range sqliteReaders {
		r, err := d.connect(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := r.exec(ctx, "PRAGMA query_only = 1"); err != nil {
			return nil, err
		}
		d.readers <- r
	}
	err = d.update(ctx, scope{system: true}, func(c conn) ([]baas.Change, error) { return nil, seed(ctx, c) })
	if err != nil {
		return nil, fmt.Errorf("adding the default plans: %w", err)
	}
	// Before anybody reads: a write after that is one to tell of.
	seen, err := d.writer.foreignVersion(ctx)
	if err != nil {
		return nil, err
	}
	watchCtx, stop := context.WithCancel(context.Background())
	d.stop = stop
	go d.watch(watchCtx, log, seen)
	return d, nil
}

// sqliteDSN: WAL so that readers and the writer don't wait for each other; synchronous=FULL so that a commit is on
// disk when it returns; the cache and the memory map only save system calls.
func sqliteDSN(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-32768)", "temp_store(MEMORY)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// makeFile makes the database file, for its owner alone, and the directory around it.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the directory of the database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("making the database file: %w", err)
	}
	return f.Close()
}

// lockFile waits for the lock on a file. The system gives it up when the process ends, however it ends.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the lock file: %w", err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another process to migrate the schema: %w", ctx.Err())
		}
	}
}

func (d *sqliteDB) connect(ctx context.Context) (*sqliteConn, error) {
	c, err := d.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return newSQLiteConn(c)
}

func (d *sqliteDB) view(ctx context.Context, _ scope, fn func(conn) error) error {
	var c *sqliteConn
	select {
	case c = <-d.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	if c == nil {
		return errClosed
	}
	defer func() { d.readers <- c }()
	// Nothing is ever written here, so that a rollback is the cheapest end, also of a panic.
	c.broken = nil
	if _, err := c.exec(ctx, "BEGIN"); err != nil {
		return doing("beginning to read", err)
	}
	defer func() {
		c.broken = nil
		_, _ = c.exec(context.WithoutCancel(ctx), "ROLLBACK") // nothing is there to be lost
	}()
	return fn(c)
}

func (d *sqliteDB) update(ctx context.Context, _ scope, fn func(conn) ([]baas.Change, error)) error {
	return d.writer.update(ctx, fn)
}

func (d *sqliteDB) ping(ctx context.Context) error {
	return d.view(ctx, scope{}, func(c conn) error {
		var n int
		return doing("asking the database", row(ctx, c, []any{&n}, "SELECT COUNT(*) FROM plans"))
	})
}

func (d *sqliteDB) about(ctx context.Context) (b baas.Database, err error) {
	b.Kind = "sqlite"
	err = d.view(ctx, scope{}, func(c conn) error {
		return doing("asking the database about itself", row(ctx, c, []any{&b.Version, &b.SizeBytes},
			`SELECT sqlite_version(), page_count * page_size FROM pragma_page_count(), pragma_page_size()`))
	})
	return b, err
}

// watch announces a resync when another process wrote to the file, since its changes can't be told one by one.
func (d *sqliteDB) watch(ctx context.Context, log *slog.Logger, seen int64) {
	defer close(d.stopped)
	tick := time.NewTicker(foreignWrites)
	defer tick.Stop()
	for {
		version, err := d.writer.foreignVersion(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			log.WarnContext(ctx, "looking for other processes' writes", "error", err)
		case err == nil && version != seen:
			d.hub.publish(baas.Change{Kind: baas.ChangeResync})
		}
		if err == nil {
			seen = version
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (d *sqliteDB) close() error {
	d.stop()
	<-d.stopped
	err := d.writer.close()
	for range sqliteReaders {
		c, ok := <-d.readers
		if !ok {
			return nil // closed before
		}
		err = errors.Join(err, c.close())
	}
	close(d.readers)
	return errors.Join(err, d.pool.Close())
}

// sqliteConn is one connection with its prepared statements. It is used by one goroutine at a time.
type sqliteConn struct {
	c     *sql.Conn
	stmts *lru.LRU[string, *sql.Stmt]
	// broken is an error after which SQLite may have undone the transaction by itself. Statements are refused from then
	// on: outside of a transaction each would be kept on its own.
	broken error
}

func newSQLiteConn(c *sql.Conn) (*sqliteConn, error) {
	stmts, err := lru.NewLRU(preparedStatements, func(_ string, s *sql.Stmt) { s.Close() })
	return &sqliteConn{c: c, stmts: stmts}, err
}

func (c *sqliteConn) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := c.stmts.Get(query); ok {
		return s, nil
	}
	s, err := c.c.PrepareContext(ctx, query)
	if err == nil {
		c.stmts.Add(query, s)
	}
	return s, err
}

// exec and query look at ctx before the statement and never interrupt one: on the shared transaction of the writer an
// interrupt would undo the work of others.
func (c *sqliteConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := cmp.Or(ctx.Err(), c.broken); err != nil {
		return 0, err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := c.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, c.failed(err)
	}
	return r.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := cmp.Or(ctx.Err(), c.broken); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, c.failed(err)
	}
	return rows, nil
}

func (c *sqliteConn) failed(err error) error {
	err = explainSQLite(err)
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CORRUPT:
		c.broken = err
	}
	return err
}

func (c *sqliteConn) close() error {
	c.stmts.Purge()
	return c.c.Close()
}

// exclusively has nothing to do: there is one writer.
func (*sqliteConn) exclusively(context.Context, string, []string) error { return nil }

func (*sqliteConn) forUpdate() string { return "" }
func (*sqliteConn) forShare() string  { return "" }
func (*sqliteConn) clock() string {
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
}

func (*sqliteConn) taken(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func (*sqliteConn) dangling(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// explainSQLite says "try again later" where that is true.
func explainSQLite(err error) error {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_FULL:
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the disk of the database is full", Err: err}
	case sqlite3.SQLITE_BUSY:
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the database is busy", Err: err}
	}
	return err
}

func sqliteCode(err error) int {
	var e *sqlitedriver.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
