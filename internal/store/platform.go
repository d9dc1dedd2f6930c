package store

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
)

// Census implements baas.SystemTx.
func (y systemTx) Census(ctx context.Context) (baas.Census, error) {
	c := baas.Census{Workers: map[baas.WorkerState]int{}, Bots: map[baas.BotState]int{}}
	err := row(ctx, y, []any{&c.Tenants, &c.Suspended}, `SELECT COUNT(*), COUNT(CASE WHEN status = ? THEN 1 END) FROM tenants`,
		string(baas.TenantSuspended))
	if err != nil {
		return c, doing("counting tenants", err)
	}
	type group struct {
		state string
		due   bool // should run
		n     int
	}
	workers, err := list(ctx, y, "Workers by state", func(g *group) []any { return []any{&g.state, &g.due, &g.n} },
		`SELECT w.state, w.desired = ? AND t.status = ? AS due, COUNT(*) FROM workers w JOIN tenants t ON t.id = w.tenant_id GROUP BY w.state, due`,
		string(baas.DesiredRunning), string(baas.TenantActive))
	if err != nil {
		return c, err
	}
	for _, g := range workers {
		state := baas.WorkerState(g.state)
		c.Workers[state] += g.n
		if !g.due {
			continue
		}
		c.Agents.Expected += g.n
		switch state {
		case baas.WorkerRunning, baas.WorkerDegraded:
			c.Agents.Connected += g.n
		case baas.WorkerUnreachable:
			c.Agents.Unreachable += g.n
		}
	}
	bots, err := list(ctx, y, "bots by state", func(g *group) []any { return []any{&g.state, &g.n} },
		`SELECT state, COUNT(*) FROM bots GROUP BY state`)
	for _, g := range bots {
		c.Bots[baas.BotState(g.state)] = g.n
	}
	return c, err
}

// Summaries implements baas.SystemTx. The tenants of a page come first; what they have is counted for all of them at once.
func (y systemTx) Summaries(ctx context.Context, f baas.TenantFilter, since time.Time) ([]baas.TenantSummary, string, error) {
	ts, next, err := page(ctx, y, "tenants", func(s *baas.TenantSummary) []any {
		n := &s.Totals
		return append(tenantFields(&s.Tenant), &n.Workers, &n.CPUMillis, &n.MemoryMiB, &n.DiskGiB, &n.Bots, &n.Members, asJSON(&s.Limits))
	}, `SELECT `+tenantColumns+`, t.workers, t.cpu_millis, t.memory_mib, t.disk_gib, t.bots, t.members, p.limits
		FROM tenants t JOIN plans p ON p.id = t.plan`, tenantFilter(f),
		"t.id", ascending, f.Page, baas.PrefixTenant, func(s baas.TenantSummary) string { return s.Tenant.ID })
	if err != nil || len(ts) == 0 {
		return ts, next, err
	}
	byID := make(map[string]*baas.TenantSummary, len(ts))
	ids := make([]string, len(ts))
	for i := range ts {
		ids[i] = ts[i].Tenant.ID
		ts[i].Workers, ts[i].Bots = map[baas.WorkerState]int{}, map[baas.BotState]int{}
		byID[ids[i]] = &ts[i]
	}
	type group struct {
		tenant, state string
		n             int
	}
	count := func(what string, add func(s *baas.TenantSummary, g group)) error {
		var w filter
		in(&w, "tenant_id", ids)
		gs, err := list(ctx, y, what+" by state", func(g *group) []any { return []any{&g.tenant, &g.state, &g.n} },
			`SELECT tenant_id, state, COUNT(*) FROM `+what+w.sql()+` GROUP BY tenant_id, state`, w.args...)
		for _, g := range gs {
			add(byID[g.tenant], g)
		}
		return err
	}
	if err := count("workers", func(s *baas.TenantSummary, g group) { s.Workers[baas.WorkerState(g.state)] = g.n }); err != nil {
		return nil, "", err
	}
	if err := count("bots", func(s *baas.TenantSummary, g group) { s.Bots[baas.BotState(g.state)] = g.n }); err != nil {
		return nil, "", err
	}
	return ts, next, y.addUsage(ctx, byID, ids, since)
}

// addUsage adds what the tenants' Workers used in the full hours since then; a bot's amounts are part of its Worker's.
func (y systemTx) addUsage(ctx context.Context, byID map[string]*baas.TenantSummary, ids []string, since time.Time) error {
	var w filter
	in(&w, "tenant_id", ids)
	w.and("start >= ? AND bot_id = ''", micros(since.Truncate(time.Hour)))
	type used struct {
		tenant string
		baas.Meters
	}
	us, err := list(ctx, y, "usage by tenant", func(u *used) []any { return append([]any{&u.tenant}, meterFields(&u.Meters)...) },
		`SELECT tenant_id, `+meterSums+` FROM usage_hours`+w.sql()+` GROUP BY tenant_id`, w.args...)
	for _, u := range us {
		byID[u.tenant].Usage = u.Meters
	}
	return err
}

// meterSums are whole numbers on both databases: a plain SUM of integers is a decimal number on PostgreSQL.
const meterSums = `CAST(SUM(cpu_ms) AS BIGINT), CAST(SUM(memory_byte_seconds) AS BIGINT), CAST(SUM(disk_byte_seconds) AS BIGINT),
	CAST(SUM(bytes_in) AS BIGINT), CAST(SUM(bytes_out) AS BIGINT), CAST(SUM(requests) AS BIGINT), CAST(SUM(running_ms) AS BIGINT)`
