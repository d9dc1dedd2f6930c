package storetest

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/baas-platform/baas"
)

func testUsage(f *fixture) {
	t := f.tenant()
	day := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	now := day.Add(48 * time.Hour)
	m := func(n int64) baas.Meters {
		return baas.Meters{CPUMillis: n, MemoryByteSeconds: 2 * n, DiskByteSeconds: 3 * n, BytesIn: 4 * n, BytesOut: 5 * n, Requests: 6 * n, RunningMillis: 7 * n}
	}
	record := func(ws ...baas.UsageWindow) {
		f.Helper()
		late, err := f.recordAt(t.ID, now, ws)
		f.ok(err)
		f.equal(late, 0)
	}
	at := func(worker, bot string, d time.Duration, n int64) baas.UsageWindow {
		return baas.UsageWindow{WorkerID: worker, BotID: bot, Start: day.Add(d), Meters: m(n)}
	}
	record(at("wrk_1", "", 0, 10), at("wrk_1", "bot_1", 0, 4), at("wrk_1", "bot_2", 0, 5), at("wrk_2", "", 0, 1))
	record(at("wrk_1", "", time.Minute, 20), at("wrk_1", "", 59*time.Minute, 30), at("wrk_1", "", time.Hour, 40), at("wrk_1", "", 24*time.Hour, 50))
	record(at("wrk_1", "", 0, 10))                                                             // again
	record(at("wrk_1", "", 0, 3))                                                              // an earlier report of the same window arrives late
	record(at("wrk_1", "", time.Minute, 25))                                                   // a later one
	record(at("wrk_2", "", time.Minute, 7), at("wrk_2", "", time.Minute, 9))                   // both at once
	record(baas.UsageWindow{WorkerID: "wrk_2", Start: day, Meters: baas.Meters{Requests: 99}}) // meter by meter
	record()

	query := func(q baas.UsageQuery) []baas.UsagePoint {
		f.Helper()
		var ps []baas.UsagePoint
		f.view(t.ID, func(tx baas.TenantTx) (err error) {
			ps, err = tx.Usage().Query(f.ctx, q)
			return err
		})
		return ps
	}
	p := func(worker, bot string, d time.Duration, windows, n int64) baas.UsagePoint {
		return baas.UsagePoint{WorkerID: worker, BotID: bot, Start: day.Add(d), Windows: windows, Meters: m(n)}
	}
	wrk2 := func(d time.Duration, windows, n int64) baas.UsagePoint {
		x := p("wrk_2", "", d, windows, n)
		x.Requests = 99
		if windows == 2 {
			x.Requests = 99 + 9*6
		}
		return x
	}
	one := []string{"wrk_1", "wrk_x"}
	f.equal(query(baas.UsageQuery{WorkerIDs: one, From: day, To: day.Add(time.Hour), Step: baas.StepMinute}),
		[]baas.UsagePoint{p("wrk_1", "", 0, 1, 10), p("wrk_1", "", time.Minute, 1, 25), p("wrk_1", "", 59*time.Minute, 1, 30)})
	f.equal(query(baas.UsageQuery{From: day, To: day.Add(time.Minute), Step: baas.StepMinute}),
		[]baas.UsagePoint{p("wrk_1", "", 0, 1, 10), wrk2(0, 1, 1)})
	f.equal(query(baas.UsageQuery{WorkerIDs: one, From: day, To: day.Add(48 * time.Hour), Step: baas.StepHour}),
		[]baas.UsagePoint{p("wrk_1", "", 0, 3, 65), p("wrk_1", "", time.Hour, 1, 40), p("wrk_1", "", 24*time.Hour, 1, 50)})
	f.equal(query(baas.UsageQuery{From: day.Add(time.Hour), To: day.Add(48 * time.Hour), Step: baas.StepDay}), // from is aligned down
		[]baas.UsagePoint{p("wrk_1", "", 0, 4, 105), p("wrk_1", "", 24*time.Hour, 1, 50), wrk2(0, 2, 10)})
	f.equal(query(baas.UsageQuery{ByBot: true, From: day, To: now, Step: baas.StepHour}),
		[]baas.UsagePoint{p("wrk_1", "bot_1", 0, 1, 4), p("wrk_1", "bot_2", 0, 1, 5)})
	f.equal(query(baas.UsageQuery{BotID: "bot_2", From: day, To: now, Step: baas.StepDay}), []baas.UsagePoint{p("wrk_1", "bot_2", 0, 1, 5)})
	f.equal(len(query(baas.UsageQuery{WorkerIDs: []string{}, From: day, To: now, Step: baas.StepDay})), 0)
	f.equal(len(query(baas.UsageQuery{WorkerIDs: one, To: now.Add(1e6 * time.Hour), Step: baas.StepMinute})), 5) // a range without end is no work
	f.equal(len(query(baas.UsageQuery{From: now, To: day, Step: baas.StepMinute})), 0)

	late, err := f.recordAt(t.ID, now, []baas.UsageWindow{{WorkerID: "wrk_1", Start: now.Add(-baas.KeepMinutes - time.Minute), Meters: m(1)}, at("wrk_3", "", 0, 1)})
	f.ok(err)
	f.equal(late, 1)
	f.equal(len(query(baas.UsageQuery{WorkerIDs: []string{"wrk_3"}, To: now, Step: baas.StepMinute})), 1)
}

func testUsageBadInput(f *fixture) {
	t := f.tenant()
	good := baas.UsageWindow{WorkerID: "wrk_1", Start: f.now.Truncate(time.Minute), Meters: baas.Meters{Requests: 1}}
	for name, w := range map[string]baas.UsageWindow{
		"no Worker":   {Start: good.Start},
		"not aligned": {WorkerID: "wrk_1", Start: good.Start.Add(time.Second)},
		"no start":    {WorkerID: "wrk_1"},
		"negative":    {WorkerID: "wrk_1", Start: good.Start, Meters: baas.Meters{BytesIn: -1}},
		"too much":    {WorkerID: "wrk_1", Start: good.Start, Meters: baas.Meters{MemoryByteSeconds: math.MaxInt64}},
	} {
		if _, err := f.recordAt(t.ID, f.now, []baas.UsageWindow{good, w}); !errors.Is(err, baas.ErrInvalid) {
			f.Fatalf("%s: got %v", name, err)
		}
	}
	f.wants(baas.ErrInvalid, f.s.Tenant(t.ID).View(f.ctx, func(tx baas.TenantTx) error {
		_, err := tx.Usage().Query(f.ctx, baas.UsageQuery{To: f.now, Step: "week"})
		return err
	}))
	f.view(t.ID, func(tx baas.TenantTx) error {
		ps, err := tx.Usage().Query(f.ctx, baas.UsageQuery{To: f.now.Add(time.Hour), Step: baas.StepHour})
		f.ok(err)
		f.equal(len(ps), 0)
		return nil
	})
}

// ledger is an independent account of what should be in the store.
type ledger map[ledgerKey]baas.Meters

type ledgerKey struct {
	worker, bot string
	start       time.Time
}

func (l ledger) add(w baas.UsageWindow) {
	k := ledgerKey{w.WorkerID, w.BotID, w.Start}
	l[k] = l[k].Max(w.Meters)
}

// points sums the account by step.
func (l ledger) points(bots bool, step time.Duration) []baas.UsagePoint {
	sums := map[ledgerKey]baas.UsagePoint{}
	for k, m := range l {
		if (k.bot != "") != bots {
			continue
		}
		k.start = k.start.Truncate(step)
		p := sums[k]
		sums[k] = baas.UsagePoint{WorkerID: k.worker, BotID: k.bot, Start: k.start, Windows: p.Windows + 1, Meters: p.Add(m)}
	}
	ps := []baas.UsagePoint{}
	for _, p := range sums {
		ps = append(ps, p)
	}
	slices.SortFunc(ps, func(a, b baas.UsagePoint) int {
		return cmp.Or(cmp.Compare(a.WorkerID, b.WorkerID), cmp.Compare(a.BotID, b.BotID), a.Start.Compare(b.Start))
	})
	return ps
}

func (f *fixture) compareLedger(tenant string, want ledger, now time.Time) {
	f.Helper()
	f.view(tenant, func(tx baas.TenantTx) error {
		for step, d := range map[baas.UsageStep]time.Duration{baas.StepMinute: time.Minute, baas.StepHour: time.Hour, baas.StepDay: 24 * time.Hour} {
			for _, bots := range []bool{false, true} {
				got, err := tx.Usage().Query(f.ctx, baas.UsageQuery{ByBot: bots, From: now.Add(-baas.KeepHours), To: now.Add(24 * time.Hour), Step: step})
				f.ok(err)
				f.equal(got, want.points(bots, d))
			}
		}
		return nil
	})
}

// testUsageExact replays windows with duplicates, in any order, grown, late, with a clock that steps back, with
// failing transactions and purges in between, and compares the ledger with an independent sum.
func testUsageExact(f *fixture) {
	rapid.Check(f.T, func(r *rapid.T) {
		t := f.tenant()
		start := f.now.Truncate(time.Hour)
		now := start
		want := ledger{}
		meter := rapid.Int64Range(0, 1<<40)
		window := rapid.Custom(func(r *rapid.T) baas.UsageWindow {
			return baas.UsageWindow{
				WorkerID: rapid.SampledFrom([]string{"wrk_1", "wrk_2", "wrk_3"}).Draw(r, "worker"),
				BotID:    rapid.SampledFrom([]string{"", "bot_1", "bot_2"}).Draw(r, "bot"),
				Start: start.Add(time.Duration(rapid.OneOf(rapid.IntRange(-3, 3), rapid.IntRange(-125, 125),
					rapid.IntRange(-8*24*60, 0)).Draw(r, "minute")) * time.Minute),
				Meters: baas.Meters{CPUMillis: meter.Draw(r, "cpu"), MemoryByteSeconds: meter.Draw(r, "memory"), DiskByteSeconds: meter.Draw(r, "disk"),
					BytesIn: meter.Draw(r, "in"), BytesOut: meter.Draw(r, "out"), Requests: meter.Draw(r, "requests"), RunningMillis: meter.Draw(r, "running")},
			}
		})
		var sent []baas.UsageWindow
		send := func(ws []baas.UsageWindow) {
			wantLate := 0
			for _, w := range ws {
				if w.Start.Before(now.Add(-baas.KeepMinutes)) {
					wantLate++
				} else {
					want.add(w)
				}
			}
			late, err := f.recordAt(t.ID, now, ws)
			f.ok(err)
			f.equal(late, wantLate)
			sent = append(sent, ws...)
		}
		r.Repeat(map[string]func(*rapid.T){
			"send": func(r *rapid.T) { send(rapid.SliceOfN(window, 1, 40).Draw(r, "windows")) },
			"send again": func(r *rapid.T) {
				if len(sent) > 0 {
					send(rapid.SliceOfN(rapid.SampledFrom(sent), 1, 40).Draw(r, "windows"))
				}
			},
			"fail": func(r *rapid.T) {
				ws := rapid.SliceOfN(window, 1, 5).Draw(r, "windows")
				f.wants(baas.ErrConflict, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
					_, err := tx.Usage().Record(f.ctx, now, ws)
					f.ok(err)
					return baas.ErrConflict
				}))
			},
			"clock steps": func(r *rapid.T) {
				now = start.Add(time.Duration(rapid.IntRange(-59, 59).Draw(r, "step")) * time.Minute)
			},
		})
		f.compareLedger(t.ID, want, start)
		f.system(func(tx baas.SystemTx) error { return tx.Tenants().Delete(f.ctx, t.ID) })
	})
}

// testUsageConcurrent sends the same windows from several goroutines at once.
func testUsageConcurrent(f *fixture) {
	t := f.tenant()
	start := f.now.Truncate(time.Hour)
	want := ledger{}
	var batches [][]baas.UsageWindow
	for i := range 24 {
		var ws []baas.UsageWindow
		for j := range 150 {
			w := baas.UsageWindow{WorkerID: "wrk_" + string(rune('a'+j%7)), BotID: []string{"", "bot_1"}[j%2], Start: start.Add(time.Duration((i%3)*20+j%61) * time.Minute),
				Meters: baas.Meters{CPUMillis: int64(i*j%97 + 1), Requests: int64((i + j) % 13), BytesIn: int64(i)}}
			ws = append(ws, w)
			want.add(w)
		}
		slices.SortFunc(ws, func(a, b baas.UsageWindow) int { return cmp.Compare((a.CPUMillis*7)%11, (b.CPUMillis*7)%11) })
		batches = append(batches, ws)
	}
	var wg sync.WaitGroup
	for _, ws := range batches {
		for range 2 {
			wg.Go(func() {
				if _, err := f.recordAt(t.ID, f.now, ws); err != nil {
					f.Error(err)
				}
			})
		}
	}
	wg.Wait()
	f.compareLedger(t.ID, want, f.now)
}
