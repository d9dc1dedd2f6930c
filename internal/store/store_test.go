package store_test

import (
	"context"
	"path/filepath"
	"testing"

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
