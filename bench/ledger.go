package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store"
)

// The shape of the load: each report is one Worker with its bots over some minutes, as an agent's that is asked again
// after a while; one in repeatEvery comes twice, as after an acknowledgement that was lost.
const (
	ledgerTenants = 20
	ledgerWorkers = 1000
	ledgerSeries  = 10 // the Worker itself and 9 bots
	ledgerMinutes = 5
	ledgerWriters = 32
	repeatEvery   = 20
	ledgerTarget  = 20000 // windows/s
)

// measureLedger writes usage windows for as long as the run was told and compares the ledger with a sum of its own.
func measureLedger(ctx context.Context, b *bench) error {
	path := filepath.Join(b.dir, "ledger.db")
	errSQLite := b.ledgerOn(ctx, "SQLite", path)
	for _, f := range []string{path, path + "-wal", path + "-shm"} {
		_ = os.Remove(f) // the folder is removed at the end in any case
	}
	return errors.Join(errSQLite, b.ledgerOnPostgres(ctx))
}

// ledgerOnPostgres measures in a database of its own.
func (b *bench) ledgerOnPostgres(ctx context.Context) (err error) {
	address, drop, err := newDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	return b.ledgerOn(ctx, "PostgreSQL", address)
}

// newDatabase makes a database on the PostgreSQL server.
func newDatabase(ctx context.Context) (address string, drop func() error, err error) {
	server := os.Getenv("BAAS_TEST_POSTGRES_URL")
	if server == "" {
		return "", nil, errors.New(`no PostgreSQL server: start one with eval "$(scripts/postgres.sh durable)"`)
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, errors.New("BAAS_TEST_POSTGRES_URL is not an address")
	}
	name := fmt.Sprintf("baas_bench_%08x", rand.Uint32())
	if err := statement(ctx, server, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() error {
		return statement(context.WithoutCancel(ctx), server, "DROP DATABASE "+name+" WITH (FORCE)")
	}, nil
}

func statement(ctx context.Context, server, sql string) error {
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// tally is an independent sum of what was reported for one tenant.
type tally struct {
	mu      sync.Mutex
	windows int64
	baas.Meters
}

// ledgerOn measures on one database.
func (b *bench) ledgerOn(ctx context.Context, database, url string) (err error) {
	s, err := store.Open(ctx, store.Config{URL: url})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	tenants := make([]string, ledgerTenants)
	sums := make([]tally, ledgerTenants)
	for i := range tenants {
		tenants[i] = baas.NewID(baas.PrefixTenant)
		err := s.System().Update(ctx, func(tx baas.SystemTx) error {
			return tx.Tenants().Create(ctx, baas.Tenant{ID: tenants[i], Slug: fmt.Sprint("bench-", i), Name: "Bench", Plan: baas.PlanEnterprise,
				Status: baas.TenantActive, Version: 1})
		})
		if err != nil {
			return fmt.Errorf("making a tenant: %w", err)
		}
	}
	var names [ledgerWorkers][ledgerSeries]string // 0 is the Worker
	for i := range names {
		names[i][0] = baas.NewID(baas.PrefixWorker)
		for j := 1; j < ledgerSeries; j++ {
			names[i][j] = baas.NewID(baas.PrefixBot)
		}
	}
	now := time.Now()
	start := now.Add(-baas.KeepMinutes + time.Hour).Truncate(time.Hour)
	report := func(i int64) (tenant int, ws []baas.UsageWindow) {
		w, round := i%ledgerWorkers, i/ledgerWorkers
		for m := range int64(ledgerMinutes) {
			for j, name := range names[w] {
				if j == 0 {
					name = ""
				}
				ws = append(ws, baas.UsageWindow{WorkerID: names[w][0], BotID: name, Start: start.Add(time.Duration(round*ledgerMinutes+m) * time.Minute),
					Meters: baas.Meters{CPUMillis: rand.Int64N(60000), MemoryByteSeconds: rand.Int64N(64 << 30), DiskByteSeconds: rand.Int64N(64 << 33),
						BytesIn: rand.Int64N(1 << 20), BytesOut: rand.Int64N(1 << 20), Requests: rand.Int64N(1000), RunningMillis: 60000}})
			}
		}
		return int(w % ledgerTenants), ws
	}

	var next, windows atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, ledgerWriters)
	began := time.Now()
	for range ledgerWriters {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(began) < b.ledger {
				i := next.Add(1)
				tenant, ws := report(i)
				record := func() error {
					return s.Tenant(tenants[tenant]).Update(ctx, func(tx baas.TenantTx) error {
						late, err := tx.Usage().Record(ctx, now, ws)
						if err == nil && late > 0 {
							err = fmt.Errorf("%d windows were late", late)
						}
						return err
					})
				}
				if err := record(); err != nil {
					failed <- err
					return
				}
				windows.Add(int64(len(ws)))
				sums[tenant].add(ws)
				if i%repeatEvery == 0 {
					if err := record(); err != nil {
						failed <- err
						return
					}
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return fmt.Errorf("recording usage on %s: %w", database, err)
	default:
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	end := start.Add(time.Duration(next.Load()/ledgerWorkers+1) * ledgerMinutes * time.Minute)
	wrong, err := differences(ctx, s, tenants, sums, start, end)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("usage ledger on %s for %.0f s", database, took.Seconds())
	b.add(atLeast(what, float64(windows.Load())/took.Seconds(), "windows/s", ledgerTarget),
		atMost(what+", sums that differ", float64(wrong), "sums", 0))
	return nil
}

func (t *tally) add(ws []baas.UsageWindow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range ws {
		t.windows++
		t.Meters = t.Add(w.Meters)
	}
}

// differences counts the sums, of minutes and of hours by tenant, that aren't what was reported.
func differences(ctx context.Context, s *store.Store, tenants []string, sums []tally, start, end time.Time) (wrong int, err error) {
	for i, id := range tenants {
		for _, step := range []baas.UsageStep{baas.StepMinute, baas.StepHour} {
			var got tally
			// An hour at a time: all the minutes of one tenant would be a large answer.
			for from := start; from.Before(end); from = from.Add(time.Hour) {
				for _, byBot := range []bool{false, true} {
					err := s.Tenant(id).View(ctx, func(tx baas.TenantTx) error {
						points, err := tx.Usage().Query(ctx, baas.UsageQuery{ByBot: byBot, From: from, To: from.Add(time.Hour), Step: step})
						for _, p := range points {
							got.windows += p.Windows
							got.Meters = got.Meters.Add(p.Meters)
						}
						return err
					})
					if err != nil {
						return 0, fmt.Errorf("reading the ledger: %w", err)
					}
				}
			}
			if got.windows != sums[i].windows || got.Meters != sums[i].Meters {
				wrong++
			}
		}
	}
	return wrong, nil
}
