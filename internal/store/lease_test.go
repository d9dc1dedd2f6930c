package store_test

import (
	"maps"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/store/storetest"
)

func onBoth(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, "sqlite://"+sqlitePath(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, storetest.Postgres(t))) })
}

func TestClock(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		first, err := s.Clock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Both run on this machine, and SQLite tells milliseconds.
		if d := time.Since(first); d < -time.Second || d > 30*time.Second {
			t.Errorf("the clock is %s behind", d)
		}
		second, err := s.Clock(t.Context())
		if err != nil || second.Before(first) {
			t.Errorf("%s, then %s, %v", first, second, err)
		}
	})
}

func TestLeasesListsThoseThatHold(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		take := func(name, holder string, ttl time.Duration) {
			t.Helper()
			if _, err := s.Lease(t.Context(), name, holder, now, ttl); err != nil {
				t.Fatal(err)
			}
		}
		take("replica/a", "10.0.0.1:8082", 10*time.Second)
		take("replica/b", "10.0.0.2:8082", time.Minute)
		take("replica/c", "10.0.0.3:8082", time.Minute)
		take("replica/c", "10.0.0.3:8082", 0) // given up
		take("replicas", "another", time.Minute)
		list := func(at time.Time) map[string]string {
			t.Helper()
			found, err := s.Leases(t.Context(), "replica/", at)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		if got, want := list(now.Add(time.Second)), map[string]string{"replica/a": "10.0.0.1:8082", "replica/b": "10.0.0.2:8082"}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got, want := list(now.Add(10*time.Second)), map[string]string{"replica/b": "10.0.0.2:8082"}; !maps.Equal(got, want) {
			t.Errorf("after one expired: got %v, want %v", got, want)
		}
		if err := s.System().Update(t.Context(), func(tx baas.SystemTx) error {
			_, err := tx.Purge(t.Context(), now.Add(24*time.Hour+30*time.Second))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		// A day after its end nothing is remembered of a; the purge's own clock decides, not the list's.
		if got, want := list(now), map[string]string{"replica/b": "10.0.0.2:8082"}; !maps.Equal(got, want) {
			t.Errorf("after a purge: got %v, want %v", got, want)
		}
	})
}
