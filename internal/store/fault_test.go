package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store/storetest"
)

func openSQLiteForTest(t *testing.T) (*Store, *sqliteDB) {
	t.Helper()
	s, err := Open(context.Background(), Config{URL: filepath.Join(t.TempDir(), "baas.db")})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s, s.db.(*sqliteDB)
}

// pragma sets or reads something of the writing connection.
func pragma(t *testing.T, d *sqliteDB, query string) (n int64) {
	t.Helper()
	d.writer.mu.Lock()
	defer d.writer.mu.Unlock()
	must(t, row(context.Background(), d.writer.c, []any{&n}, "PRAGMA "+query))
	return n
}

func TestSQLiteWaitsForTheDisk(t *testing.T) {
	_, d := openSQLiteForTest(t)
	if n := pragma(t, d, "synchronous"); n != 2 {
		t.Errorf("synchronous is %d, want 2 (FULL)", n)
	}
	if n := pragma(t, d, "foreign_keys"); n != 1 {
		t.Error("foreign keys are not checked")
	}
}

// TestFullDisk lets writers fill all the room that there is.
func TestFullDisk(t *testing.T) {
	s, d := openSQLiteForTest(t)
	ctx := context.Background()
	a, _ := storetest.Fill(t, s)
	unlimited := pragma(t, d, "max_page_count")
	pragma(t, d, fmt.Sprintf("max_page_count = %d", pragma(t, d, "page_count")+40))
	add := func(id string) error {
		return s.Tenant(a.ID).Update(ctx, func(tx baas.TenantTx) error {
			return tx.Events().Add(ctx, baas.Event{ID: id, At: time.Unix(0, 0), Message: strings.Repeat("x", 2000)})
		})
	}
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	refused := 0
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 30 {
				id := baas.NewID(baas.PrefixEvent)
				err := add(id)
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[id] = true
				case errors.Is(err, baas.ErrUnavailable):
					refused++
				default:
					t.Errorf("a full disk was reported as: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if refused == 0 || len(acknowledged) == 0 {
		t.Fatalf("%d writes were acknowledged and %d refused", len(acknowledged), refused)
	}
	present := func() map[string]bool {
		ids := map[string]bool{}
		must(t, s.db.view(ctx, scope{system: true}, func(c conn) error {
			es, err := list(ctx, c, "events", func(s *string) []any { return []any{s} }, `SELECT id FROM events WHERE message <> ''`)
			for _, id := range es {
				ids[id] = true
			}
			return err
		}))
		return ids
	}
	// Reading goes on; what is there is what was acknowledged, no more and no less.
	there := present()
	for id := range acknowledged {
		if !there[id] {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	if len(there) != len(acknowledged) {
		t.Errorf("%d events are there and %d were acknowledged", len(there), len(acknowledged))
	}
	// Who goes on after the refusal keeps nothing either.
	err := s.Tenant(a.ID).Update(ctx, func(tx baas.TenantTx) error {
		es := tx.Events()
		if es.Add(ctx, baas.Event{ID: "evt_large", At: time.Unix(0, 0), Message: strings.Repeat("x", 1<<20)}) == nil {
			t.Error("the large event found room")
		}
		if err := es.Add(ctx, baas.Event{ID: "evt_small", At: time.Unix(0, 0), Message: "x"}); !errors.Is(err, baas.ErrUnavailable) {
			t.Errorf("a statement after the refusal: %v", err)
		}
		return nil
	})
	if !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("an update that went on after a refusal: %v", err)
	}
	if n := len(present()); n != len(acknowledged) {
		t.Errorf("%d events are there and %d were acknowledged", n, len(acknowledged))
	}
	pragma(t, d, fmt.Sprintf("max_page_count = %d", unlimited))
	must(t, add(baas.NewID(baas.PrefixEvent)))
	if n := len(present()); n != len(acknowledged)+1 {
		t.Errorf("with room again, %d events are there", n)
	}
}

// TestGroupCommit shows that callers share a transaction, and that one that fails leaves the others alone.
func TestGroupCommit(t *testing.T) {
	s, d := openSQLiteForTest(t)
	ctx := context.Background()
	a, _ := storetest.Fill(t, s)
	boom := errors.New("boom")
	const callers = 50
	errs := make([]error, callers)
	var wg sync.WaitGroup
	d.writer.mu.Lock() // so that all of them wait
	for i := range callers {
		wg.Go(func() {
			errs[i] = s.Tenant(a.ID).Update(ctx, func(tx baas.TenantTx) error {
				err := tx.Events().Add(ctx, baas.Event{ID: fmt.Sprintf("evt_%02d", i), At: time.Unix(0, 0), Message: "shared"})
				if i%7 == 3 {
					return boom
				}
				return err
			})
		})
	}
	for d.writer.waiting.Load() < callers {
		runtime.Gosched()
	}
	d.writer.mu.Unlock()
	wg.Wait()
	var there int
	must(t, s.db.view(ctx, scope{}, func(c conn) error {
		return row(ctx, c, []any{&there}, `SELECT COUNT(*) FROM events WHERE message = 'shared'`)
	}))
	want := 0
	for i, err := range errs {
		switch {
		case i%7 == 3 && !errors.Is(err, boom):
			t.Errorf("caller %d: %v", i, err)
		case i%7 != 3 && err != nil:
			t.Errorf("caller %d: %v", i, err)
		case i%7 != 3:
			want++
		}
	}
	if there != want {
		t.Errorf("%d rows are there, want %d", there, want)
	}
}

// TestPostgresConnectionsCut cuts every connection of the store.
func TestPostgresConnectionsCut(t *testing.T) {
	s, d := openPostgresForTest(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a, _ := storetest.Fill(t, s)
	heard := s.Subscribe(ctx)
	// A busy pool, so that there are many bad connections.
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := s.Ping(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	admin := storetest.PostgresAdmin(t)
	var database string
	must(t, d.pool.QueryRowContext(ctx, "SELECT current_database()").Scan(&database))
	admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database + "'")
	for c := range heard {
		if c.Kind == baas.ChangeResync {
			break
		}
	}
	must(t, s.Tenant(a.ID).Update(ctx, func(tx baas.TenantTx) error {
		return tx.Events().Add(ctx, baas.Event{ID: "evt_after", At: time.Unix(0, 0)})
	}))
	for c := range heard {
		if c.ID == "evt_after" {
			return
		}
	}
	t.Fatal("no change arrived after the connection was cut")
}
