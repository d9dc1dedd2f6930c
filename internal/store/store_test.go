package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/store/storetest"
)

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func sqlitePath(t testing.TB) string { return filepath.Join(t.TempDir(), "data", "baas.db") }

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t testing.TB) baas.Store { return open(t, "sqlite://"+sqlitePath(t)) })
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t testing.TB) baas.Store { return open(t, storetest.Postgres(t)) })
}

func TestInstallationStaysTheSame(t *testing.T) {
	url := filepath.Join(t.TempDir(), "baas.db")
	var ids []string
	for range 2 {
		s, err := store.Open(t.Context(), store.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		id, err := s.Installation(t.Context())
		if err != nil || len(id) != 12 {
			t.Fatalf("%q %v", id, err)
		}
		ids = append(ids, id)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if ids[0] != ids[1] {
		t.Fatalf("it changed: %v", ids)
	}
}

// within waits for something that must happen soon.
func within(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it didn't happen")
	}
}
