package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/store/storetest"
)

// raw opens the same database without the store.
func raw(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if strings.HasPrefix(url, "postgres://") {
		driver = "pgx"
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func eachDatabase(t *testing.T, run func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { run(t, sqlitePath(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, storetest.Postgres(t)) })
}

func TestOpenAtOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := store.Open(t.Context(), store.Config{URL: url})
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				err = s.System().View(t.Context(), func(tx baas.SystemTx) error {
					ps, err := tx.Plans().List(t.Context())
					if len(ps) != len(baas.DefaultPlans()) {
						t.Errorf("%d plans", len(ps))
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var rows, versions int
		if err := raw(t, url).QueryRow(`SELECT COUNT(*), COUNT(DISTINCT version_id) FROM goose_db_version`).Scan(&rows, &versions); err != nil {
			t.Fatal(err)
		}
		if rows != versions || rows < 2 {
			t.Fatalf("%d migrations were recorded for %d versions", rows, versions)
		}
	})
}

func TestOpenAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		s := open(t, url)
		want := baas.Plan{ID: baas.PlanFree, Name: "Changed", Limits: baas.Limits{Workers: 2}}
		if err := s.System().Update(t.Context(), func(tx baas.SystemTx) error { return tx.Plans().Put(t.Context(), want) }); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// What the operator changed stays.
		if err := open(t, url).System().View(t.Context(), func(tx baas.SystemTx) error {
			p, err := tx.Plans().Get(t.Context(), baas.PlanFree)
			if p.Name != "Changed" {
				t.Errorf("got %+v", p)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOpenNewerSchema(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		if err := open(t, url).Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := raw(t, url).Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), store.Config{URL: url}); err == nil || !strings.Contains(err.Error(), "newer build") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestOpenBadAddress(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte(strings.Repeat("not a database", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"", "sqlite://", "mysql://x", ":memory:", filepath.Join(dir, "file"), filepath.Join(dir, "file", "below"), dir} {
		if s, err := store.Open(t.Context(), store.Config{URL: url}); err == nil {
			s.Close()
			t.Errorf("%q was opened", url)
		}
	}
}

// TestSQLiteFile looks at the file: who may read it, that strange names work, and that commits wait for the disk.
func TestSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dados & café 100%?x=1#y", "baas.db")
	s := open(t, path)
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestOtherProcess changes a database through one store and hears of it through another.
func TestOtherProcess(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		heard := b.Subscribe(t.Context())
		id := baas.NewID(baas.PrefixTenant)
		var once sync.Once
		done := make(chan struct{})
		go func() {
			for c := range heard {
				if c.ID == id || c.Kind == baas.ChangeResync {
					once.Do(func() { close(done) })
				}
			}
		}()
		if err := a.System().Update(t.Context(), func(tx baas.SystemTx) error {
			return tx.Tenants().Create(t.Context(), baas.Tenant{ID: id, Slug: "a", Name: "A", Plan: baas.PlanFree, Status: baas.TenantActive, Version: 1})
		}); err != nil {
			t.Fatal(err)
		}
		within(t, done)
		if err := b.Tenant(id).Update(t.Context(), func(tx baas.TenantTx) error {
			_, err := tx.Lock(t.Context())
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClosed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		s := open(t, url)
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		if s.Ping(ctx) == nil || s.System().Update(ctx, func(baas.SystemTx) error { return nil }) == nil ||
			s.System().View(ctx, func(baas.SystemTx) error { return nil }) == nil {
			t.Fatal("a closed store works")
		}
		if _, ok := <-s.Subscribe(ctx); ok {
			t.Fatal("a closed store sends changes")
		}
	})
}
