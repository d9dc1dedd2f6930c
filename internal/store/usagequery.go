package store

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
)

// Query implements baas.UsageStore.
func (t usage) Query(ctx context.Context, q baas.UsageQuery) ([]baas.UsagePoint, error) {
	table, windows, row, step := "usage_hours", "u.windows", time.Hour, time.Hour
	switch q.Step {
	case baas.StepMinute:
		table, windows, row, step = "usage_minutes", "1", time.Minute, time.Minute
	case baas.StepHour:
	case baas.StepDay:
		step = 24 * time.Hour
	default:
		var p baas.Problems
		p.Add("step", "must be minute, hour or day")
		return nil, p.Err()
	}
	from, to, err := t.clamp(ctx, table, micros(q.From.Truncate(step)), micros(q.To.Truncate(step)), row)
	if err != nil || from >= to {
		return []baas.UsagePoint{}, err
	}
	var f filter
	f.and("u.tenant_id = ?", t.tenant)
	source := table + " u"
	if q.WorkerIDs != nil {
		// The key begins with the time: naming each time lets the database go to the Workers' rows alone.
		source = "steps s CROSS JOIN " + source
		f.and("u.start = s.start")
		in(&f, "u.worker_id", q.WorkerIDs)
	} else {
		f.and("u.start >= ? AND u.start < ?", from, to)
	}
	switch {
	case q.BotID != "":
		f.and("u.bot_id = ?", q.BotID)
	case q.ByBot:
		f.and("u.bot_id <> ''")
	default:
		f.and("u.bot_id = ''")
	}
	start := "u.start"
	if step != row {
		start = "u.start - u.start % 86400000000"
	}
	args := f.args
	with := ""
	if q.WorkerIDs != nil {
		with = `WITH RECURSIVE steps (start) AS (SELECT CAST(? AS BIGINT) UNION ALL
			SELECT start + CAST(? AS BIGINT) FROM steps WHERE start + CAST(? AS BIGINT) < CAST(? AS BIGINT)) `
		args = append([]any{from, row.Microseconds(), row.Microseconds(), to}, args...)
	}
	// A plain SUM of integers is a decimal number on PostgreSQL.
	sum := func(col string) string { return ", CAST(SUM(u." + col + ") AS BIGINT)" }
	query := with + `SELECT u.worker_id, u.bot_id, ` + start + ` AS step, CAST(SUM(` + windows + `) AS BIGINT)` +
		sum("cpu_ms") + sum("memory_byte_seconds") + sum("disk_byte_seconds") + sum("bytes_in") + sum("bytes_out") + sum("requests") + sum("running_ms") +
		` FROM ` + source + f.sql() + ` GROUP BY u.worker_id, u.bot_id, ` + start + ` ORDER BY 1, 2, 3`
	return list(ctx, t, "usage", func(p *baas.UsagePoint) []any {
		return append([]any{&p.WorkerID, &p.BotID, timeCol{&p.Start}, &p.Windows}, meterFields(&p.Meters)...)
	}, query, args...)
}

// clamp narrows a range to what the tenant has, so that a range without end costs no more than its rows.
func (t usage) clamp(ctx context.Context, table string, from, to int64, step time.Duration) (int64, int64, error) {
	var first, last *int64
	err := row(ctx, t, []any{&first, &last}, `SELECT (SELECT MIN(start) FROM `+table+` WHERE tenant_id = ?),
		(SELECT MAX(start) FROM `+table+` WHERE tenant_id = ?)`, t.tenant, t.tenant)
	if err != nil || first == nil || last == nil {
		return 0, 0, doing("reading usage", err)
	}
	return max(from, *first), min(to, *last+step.Microseconds()), nil
}
