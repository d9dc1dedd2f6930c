package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/store/storetest"
)

// databases runs a benchmark on both.
func databases(b *testing.B, run func(b *testing.B, s *store.Store)) {
	b.Run("sqlite", func(b *testing.B) { run(b, open(b, sqlitePath(b))) })
	b.Run("postgres", func(b *testing.B) { run(b, open(b, storetest.Postgres(b))) })
}

func benchTenant(b *testing.B, s *store.Store) string {
	b.Helper()
	ctx := context.Background()
	id := baas.NewID(baas.PrefixTenant)
	err := s.System().Update(ctx, func(tx baas.SystemTx) error {
		p := baas.Plan{ID: "BENCH", Limits: baas.Limits{Workers: 1 << 30, CPUMillis: 1 << 50, MemoryMiB: 1 << 50, DiskGiB: 1 << 50}}
		if err := tx.Plans().Put(ctx, p); err != nil {
			return err
		}
		return tx.Tenants().Create(ctx, baas.Tenant{ID: id, Slug: baas.Slug(id), Name: "Bench", Plan: p.ID, Status: baas.TenantActive, Version: 1})
	})
	if err != nil {
		b.Fatal(err)
	}
	return id
}

// createWorker does what the use case does: lock, check the plan, write the Worker, an event and the outcome.
func createWorker(ctx context.Context, s *store.Store, tenant, name string) (id string, err error) {
	now := time.Now()
	w, err := baas.WorkerCreate{Name: name}.Worker(baas.NewID(baas.PrefixWorker), tenant, now)
	if err != nil {
		return "", err
	}
	return w.ID, s.Tenant(tenant).Update(ctx, func(tx baas.TenantTx) error {
		if _, err := tx.Idempotency().Get(ctx, "user/usr/"+name); baas.CodeOf(err) != baas.CodeNotFound {
			return fmt.Errorf("the key is new: %w", err)
		}
		if _, err := tx.Lock(ctx); err != nil {
			return err
		}
		p, err := tx.Plan(ctx)
		if err != nil {
			return err
		}
		n, err := tx.Totals(ctx)
		if err != nil {
			return err
		}
		n.Workers++
		if err := p.Limits.Check(n); err != nil {
			return err
		}
		if err := tx.Workers().Create(ctx, w); err != nil {
			return err
		}
		e := baas.Event{ID: baas.NewID(baas.PrefixEvent), At: now, Kind: "worker.created", Level: baas.LevelInfo, WorkerID: w.ID, UserID: "usr_x", Message: "Worker created"}
		if err := tx.Events().Add(ctx, e); err != nil {
			return err
		}
		return tx.Idempotency().Put(ctx, baas.IdempotencyRecord{Key: "user/usr/" + name, Fingerprint: make([]byte, 32), Result: []byte(`{"id":"` + w.ID + `"}`), CreatedAt: now})
	})
}

// concurrently runs fn b.N times on 64 goroutines and reports the rate and the 99th percentile.
func concurrently(b *testing.B, fn func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			var mine []time.Duration
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				start := time.Now()
				if err := fn(int(i)); err != nil {
					b.Error(err)
					return
				}
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(all)
	if len(all) > 0 {
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkWorkerCreate(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		tenants := make([]string, 20)
		for i := range tenants {
			tenants[i] = benchTenant(b, s)
		}
		concurrently(b, func(i int) error {
			_, err := createWorker(context.Background(), s, tenants[i%len(tenants)], fmt.Sprint("Worker ", i))
			return err
		})
	})
}

func BenchmarkWorkerGet(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		ctx := context.Background()
		tenant := benchTenant(b, s)
		ids := make([]string, 1000)
		for i := range ids {
			var err error
			if ids[i], err = createWorker(ctx, s, tenant, fmt.Sprint("Worker ", i)); err != nil {
				b.Fatal(err)
			}
		}
		concurrently(b, func(i int) error {
			return s.Tenant(tenant).View(ctx, func(tx baas.TenantTx) error {
				_, err := tx.Workers().Get(ctx, ids[i%len(ids)])
				return err
			})
		})
	})
}

// BenchmarkUsage records windows the way that agents report them: per call one Worker with its 9 bots over some minutes.
func BenchmarkUsage(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		ctx := context.Background()
		tenants := make([]string, 20)
		for i := range tenants {
			tenants[i] = benchTenant(b, s)
		}
		const workers, bots, minutes = 1000, 10, 5
		names := make([]string, workers)
		bot := make([][bots]string, workers)
		for i := range names {
			names[i] = baas.NewID(baas.PrefixWorker)
			for j := 1; j < bots; j++ {
				bot[i][j] = baas.NewID(baas.PrefixBot)
			}
		}
		start := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
		concurrently(b, func(i int) error {
			w, round := i%workers, i/workers
			ws := make([]baas.UsageWindow, 0, bots*minutes)
			for m := range minutes {
				at := start.Add(time.Duration(round*minutes+m) * time.Minute)
				for j := range bots {
					ws = append(ws, baas.UsageWindow{WorkerID: names[w], BotID: bot[w][j], Start: at, Meters: baas.Meters{CPUMillis: int64(i), MemoryByteSeconds: 64 << 30,
						DiskByteSeconds: 1 << 33, BytesIn: 1 << 20, BytesOut: 1 << 20, Requests: 100, RunningMillis: 60000}})
				}
			}
			return s.Tenant(tenants[w%len(tenants)]).Update(ctx, func(tx baas.TenantTx) error {
				_, err := tx.Usage().Record(ctx, start, ws)
				return err
			})
		})
		b.ReportMetric(float64(b.N*bots*minutes)/b.Elapsed().Seconds(), "windows/s")
	})
}
