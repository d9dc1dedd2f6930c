package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/baas-platform/baas"
)

// A batch is committed when nobody waits to join it, or when it is this large or this old.
const (
	maxBatch    = 256
	maxBatchAge = 10 * time.Millisecond
	// maxTries bounds how often a caller runs because others in its batch made the database undo it.
	maxTries = 5
)

// writer is the one SQLite connection that writes. Callers take turns on it, each with its own savepoint in the
// transaction that the first of them began; the last of them, the one that sees nobody waiting, commits for all.
// While it waits for the disk the next batch gathers behind the lock. Functions run on their callers' goroutines.
type writer struct {
	waiting atomic.Int64 // callers that will take the lock for certain
	mu      sync.Mutex   // held while a caller uses the connection
	c       *sqliteConn
	hub     *hub
	open    *batch // the transaction that the next caller joins; nil when there is none
	closed  bool
}

// batch is one transaction that several callers share.
type batch struct {
	began   time.Time
	size    int
	changes []baas.Change
	done    chan struct{} // closed after the commit, or its failure
	err     error
	undone  bool // by the failure of one of its callers, so that the others may try again
}

func newWriter(c *sqliteConn, h *hub) *writer { return &writer{c: c, hub: h} }

func (w *writer) update(ctx context.Context, fn func(conn) ([]baas.Change, error)) error {
	for tries := 1; ; tries++ {
		b, err := w.join(ctx, fn)
		if err != nil {
			return err
		}
		<-b.done
		if b.err == nil || !b.undone || tries == maxTries {
			return b.err
		}
	}
}

// join runs fn within the open batch, and commits the batch when there is no reason to wait for more. Who waits for
// the lock can't give up, since the batch may have been left open for it; the wait is as short as a batch.
func (w *writer) join(ctx context.Context, fn func(conn) ([]baas.Change, error)) (*batch, error) {
	w.waiting.Add(1)
	w.mu.Lock()
	w.waiting.Add(-1)
	defer w.mu.Unlock()
	defer func() { // also after a panic of fn
		if b := w.open; b != nil && (w.waiting.Load() == 0 || b.size >= maxBatch || time.Since(b.began) >= maxBatchAge) {
			w.commit()
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.closed {
		return nil, errClosed
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	b := w.open
	changes, err := w.savepoint(ctx, fn)
	if err != nil {
		return nil, err
	}
	b.size++
	b.changes = append(b.changes, changes...)
	return b, nil
}

func (w *writer) begin() error {
	if w.open != nil {
		return nil
	}
	w.c.broken = nil
	if _, err := w.c.exec(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		return doing("beginning to write", err)
	}
	w.open = &batch{began: time.Now(), done: make(chan struct{})}
	return nil
}

// savepoint runs fn and undoes what it did when it fails or panics.
func (w *writer) savepoint(ctx context.Context, fn func(conn) ([]baas.Change, error)) (changes []baas.Change, err error) {
	background := context.Background()
	if _, err := w.c.exec(background, "SAVEPOINT caller"); err != nil {
		w.fail(doing("beginning to write", err))
		return nil, err
	}
	ok := false
	defer func() {
		if ok {
			return
		}
		w.c.broken = nil
		_, undo := w.c.exec(background, "ROLLBACK TO caller")
		if undo == nil {
			_, undo = w.c.exec(background, "RELEASE caller")
		}
		if undo != nil {
			// SQLite gave up the whole transaction (full disk, I/O error): nobody in it may believe in it.
			w.open.undone = true
			w.fail(fmt.Errorf("the transaction was undone by the database: %w", errors.Join(err, undo)))
		}
	}()
	if changes, err = fn(w.c); err != nil {
		return nil, err
	}
	if _, err = w.c.exec(background, "RELEASE caller"); err != nil {
		return nil, doing("ending a write", err)
	}
	ok = true
	return changes, nil
}

// commit ends the open batch and wakes its callers. Changes are announced before they return, so that who writes and
// then looks for the announcement finds it.
func (w *writer) commit() {
	if _, err := w.c.exec(context.Background(), "COMMIT"); err != nil {
		w.fail(doing("committing", err))
		return
	}
	b := w.open
	w.open = nil
	w.hub.publish(b.changes...)
	close(b.done)
}

// fail ends the open batch with an error for all its callers.
func (w *writer) fail(err error) {
	w.c.broken = nil
	_, _ = w.c.exec(context.Background(), "ROLLBACK") // an error says that SQLite did it before
	b := w.open
	w.open = nil
	b.err = err
	close(b.done)
}

// foreignVersion is a number that changes when another process commits to the file.
func (w *writer) foreignVersion(ctx context.Context) (version int64, err error) {
	w.waiting.Add(1)
	w.mu.Lock()
	w.waiting.Add(-1)
	defer w.mu.Unlock()
	if w.open != nil {
		w.commit()
	}
	if w.closed {
		return 0, errClosed
	}
	return version, row(ctx, w.c, []any{&version}, "PRAGMA data_version")
}

func (w *writer) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open != nil {
		w.commit()
	}
	if w.closed {
		return nil
	}
	w.closed = true
	return w.c.close()
}
