package service_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baas-platform/baas/internal/service"
)

func wait(ctx context.Context, started func()) error {
	started()
	<-ctx.Done()
	return ctx.Err()
}

// TestStress starts and stops loops from many goroutines in random order: each must end stopped, without a leak.
func TestStress(t *testing.T) {
	for seed := range uint64(200) {
		var running atomic.Int32
		l := service.New("stress", func(ctx context.Context, started func()) error {
			running.Add(1)
			defer running.Add(-1)
			return wait(ctx, started)
		})
		var wg sync.WaitGroup
		for i := range uint64(8) {
			r := rand.New(rand.NewPCG(seed, i))
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 5 {
					if r.IntN(2) == 0 {
						l.Start(t.Context())
					} else if err := l.Stop(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		wg.Wait()
		if err := l.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := running.Load(); n != 0 {
			t.Fatalf("seed %d: %d still running after Stop", seed, n)
		}
		if l.Err() != nil {
			t.Fatal(l.Err())
		}
	}
}

func TestGroupStopsInReverseOrder(t *testing.T) {
	var mu sync.Mutex
	var order []string
	mk := func(name string) *service.Loop {
		return service.New(name, func(ctx context.Context, started func()) error {
			mu.Lock()
			order = append(order, "+"+name)
			mu.Unlock()
			err := wait(ctx, started)
			mu.Lock()
			order = append(order, "-"+name)
			mu.Unlock()
			return err
		})
	}
	g := service.NewGroup(mk("a"), mk("b"), mk("c"))
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"+a", "+b", "+c", "-c", "-b", "-a"}
	for i := range want {
		if i >= len(order) || order[i] != want[i] {
			t.Fatalf("order %v, want %v", order, want)
		}
	}
}

func TestGroupReportsAFailure(t *testing.T) {
	boom := errors.New("boom")
	first := service.New("first", wait)
	g := service.NewGroup(first, service.New("second", func(context.Context, func()) error { return boom }))
	if err := g.Start(t.Context()); !errors.Is(err, boom) {
		t.Fatalf("got %v, want boom", err)
	}
	select {
	case <-first.Stopped():
	case <-time.After(5 * time.Second):
		t.Fatal("the first loop still runs after the second failed to start")
	}
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	release := make(chan struct{})
	l := service.New("stubborn", func(_ context.Context, started func()) error { started(); <-release; return nil })
	l.Start(t.Context())
	<-l.Started()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	close(release)
	<-l.Stopped()
}
