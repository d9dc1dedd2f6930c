package storetest

import (
	"time"

	"github.com/baas-platform/baas"
)

// testPlatform counts over tenants: two with Workers, bots and usage, one with nothing.
func testPlatform(f *fixture) {
	db, err := f.s.Database(f.ctx)
	f.ok(err)
	if (db.Kind != "sqlite" && db.Kind != "postgres") || db.Version == "" || db.SizeBytes < 4096 {
		f.Fatalf("the database is %+v", db)
	}
	a, b, empty := f.tenant(), f.tenant(), f.tenant()
	state := func(tenant string, s baas.WorkerState) baas.Worker {
		w := f.worker(tenant)
		f.update(tenant, func(tx baas.TenantTx) error {
			return tx.Workers().SetStatus(f.ctx, w.ID, baas.WorkerStatus{State: s, Since: f.now})
		})
		return w
	}
	w := state(a.ID, baas.WorkerRunning)
	state(a.ID, baas.WorkerRunning)
	state(a.ID, baas.WorkerUnreachable)
	stopped := state(a.ID, baas.WorkerStopped)
	late := state(b.ID, baas.WorkerDegraded)
	bot := f.bot(a.ID, w.ID)
	f.bot(a.ID, w.ID)
	f.update(a.ID, func(tx baas.TenantTx) error {
		stopped.Desired = baas.DesiredStopped
		_, err := tx.Workers().Update(f.ctx, stopped)
		f.ok(err)
		return tx.Bots().SetStatus(f.ctx, bot.ID, baas.BotStatus{State: baas.BotRunning, Since: f.now})
	})
	minute := f.now.Truncate(time.Minute)
	use := func(tenant string, ws ...baas.UsageWindow) {
		_, err := f.recordAt(tenant, f.now, ws)
		f.ok(err)
	}
	use(a.ID, baas.UsageWindow{WorkerID: w.ID, Start: minute, Meters: baas.Meters{CPUMillis: 5, Requests: 2}},
		baas.UsageWindow{WorkerID: w.ID, BotID: bot.ID, Start: minute, Meters: baas.Meters{CPUMillis: 3, Requests: 2}}, // part of its Worker's
		baas.UsageWindow{WorkerID: stopped.ID, Start: minute.Add(-2 * time.Hour), Meters: baas.Meters{CPUMillis: 7}},
		baas.UsageWindow{WorkerID: w.ID, Start: minute.Add(-25 * time.Hour), Meters: baas.Meters{CPUMillis: 1000}})
	use(b.ID, baas.UsageWindow{WorkerID: late.ID, Start: minute, Meters: baas.Meters{CPUMillis: 11}})

	f.system(func(tx baas.SystemTx) error {
		b.Status = baas.TenantSuspended
		b, err = tx.Tenants().Update(f.ctx, b)
		f.ok(err)
		c, err := tx.Census(f.ctx)
		f.ok(err)
		f.equal(c, baas.Census{Tenants: 3, Suspended: 1,
			Workers: map[baas.WorkerState]int{baas.WorkerRunning: 2, baas.WorkerUnreachable: 1, baas.WorkerStopped: 1, baas.WorkerDegraded: 1},
			Bots:    map[baas.BotState]int{baas.BotRunning: 1, baas.BotPending: 1},
			Agents:  baas.AgentCensus{Expected: 3, Connected: 2, Unreachable: 1}})

		since := f.now.Add(-24 * time.Hour)
		ss, next, err := tx.Summaries(f.ctx, baas.TenantFilter{Page: baas.Page{Limit: 2}}, since)
		f.ok(err)
		plan, err := tx.Plans().Get(f.ctx, a.Plan)
		f.ok(err)
		size := baas.DefaultSize
		f.equal(ss, []baas.TenantSummary{
			{Tenant: a, Limits: plan.Limits,
				Totals:  baas.Totals{Workers: 4, CPUMillis: 4 * size.CPUMillis, MemoryMiB: 4 * size.MemoryMiB, DiskGiB: 4 * size.DiskGiB, Bots: 2},
				Workers: map[baas.WorkerState]int{baas.WorkerRunning: 2, baas.WorkerUnreachable: 1, baas.WorkerStopped: 1},
				Bots:    map[baas.BotState]int{baas.BotRunning: 1, baas.BotPending: 1},
				Usage:   baas.Meters{CPUMillis: 12, Requests: 2}},
			{Tenant: b, Limits: plan.Limits,
				Totals:  baas.Totals{Workers: 1, CPUMillis: size.CPUMillis, MemoryMiB: size.MemoryMiB, DiskGiB: size.DiskGiB},
				Workers: map[baas.WorkerState]int{baas.WorkerDegraded: 1}, Bots: map[baas.BotState]int{}, Usage: baas.Meters{CPUMillis: 11}}})
		ss, next, err = tx.Summaries(f.ctx, baas.TenantFilter{Page: baas.Page{Limit: 2, Cursor: next}}, since)
		f.ok(err)
		f.equal(ss, []baas.TenantSummary{{Tenant: empty, Limits: plan.Limits, Workers: map[baas.WorkerState]int{}, Bots: map[baas.BotState]int{}}})
		f.equal(next, "")
		ss, _, err = tx.Summaries(f.ctx, baas.TenantFilter{Search: b.Slug, Status: baas.TenantSuspended, Plan: b.Plan}, since)
		f.ok(err)
		f.equal(len(ss), 1)
		ss, _, err = tx.Summaries(f.ctx, baas.TenantFilter{Search: "nobody"}, since)
		f.ok(err)
		f.equal(len(ss), 0)
		return nil
	})
}
