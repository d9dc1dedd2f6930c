package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/baas-platform/baas"
)

// usage implements baas.UsageStore.
type usage struct{ tenantTx }

// maxMeter bounds one meter of one window, so that no sum of windows overflows in a ledger's lifetime.
const maxMeter = 1 << 50

const meterColumns = `cpu_ms, memory_byte_seconds, disk_byte_seconds, bytes_in, bytes_out, requests, running_ms`

func meterFields(m *baas.Meters) []any {
	return []any{&m.CPUMillis, &m.MemoryByteSeconds, &m.DiskByteSeconds, &m.BytesIn, &m.BytesOut, &m.Requests, &m.RunningMillis}
}

func meterValues(m baas.Meters) []any {
	return []any{m.CPUMillis, m.MemoryByteSeconds, m.DiskByteSeconds, m.BytesIn, m.BytesOut, m.Requests, m.RunningMillis}
}

// usageKey is the key of a row of the ledger, within its tenant.
type usageKey struct {
	start         int64
	worker, botID string
}

func (k usageKey) compare(o usageKey) int {
	return cmp.Or(cmp.Compare(k.start, o.start), cmp.Compare(k.worker, o.worker), cmp.Compare(k.botID, o.botID))
}

func (k usageKey) hour() usageKey {
	k.start -= k.start % time.Hour.Microseconds()
	return k
}

// usageRow is a row of either table; windows is what it adds to the count of its hour.
type usageRow struct {
	usageKey
	windows int64
	baas.Meters
}

// Record implements baas.UsageStore. Windows that are new are inserted; only for those that were there, the stored
// amounts are read. What the minutes grew by is then added to the hours.
func (t usage) Record(ctx context.Context, now time.Time, ws []baas.UsageWindow) (late int, err error) {
	rows, late, err := mergeWindows(now, ws)
	if err != nil || len(rows) == 0 {
		return late, err
	}
	var one int
	if err := row(ctx, t, []any{&one}, `SELECT 1 FROM tenants WHERE id = ?`+t.forShare(), t.tenant); err != nil {
		return 0, doing("recording usage", notFound(err, "tenant"))
	}
	workers := make([]string, 0, len(rows))
	for _, r := range rows {
		if len(workers) == 0 || workers[len(workers)-1] != r.worker {
			workers = append(workers, r.worker)
		}
	}
	if err := t.exclusively(ctx, t.tenant, workers); err != nil {
		return 0, doing("recording usage", err)
	}
	grown := map[usageKey]*usageRow{}
	grow := func(k usageKey, windows int64, by baas.Meters) {
		h := grown[k.hour()]
		if h == nil {
			h = &usageRow{usageKey: k.hour()}
			grown[h.usageKey] = h
		}
		h.windows += windows
		h.Meters = h.Add(by)
	}
	for chunk := range chunks(rows) {
		there, err := t.insertMinutes(ctx, chunk)
		if err != nil {
			return 0, doing("recording usage", err)
		}
		for _, r := range chunk {
			if !there[r.usageKey] {
				grow(r.usageKey, 1, r.Meters)
			}
		}
		if len(there) == 0 {
			continue
		}
		if err := t.mergeMinutes(ctx, chunk, there, grow); err != nil {
			return 0, doing("recording usage", err)
		}
	}
	if err := t.addToHours(ctx, grown); err != nil {
		return 0, doing("recording usage", err)
	}
	return late, nil
}

// mergeWindows checks windows, merges those of one minute, and sorts them.
func mergeWindows(now time.Time, ws []baas.UsageWindow) (rows []usageRow, late int, err error) {
	oldest := now.Add(-baas.KeepMinutes)
	seen := make(map[usageKey]int, len(ws))
	rows = make([]usageRow, 0, len(ws))
	for i, w := range ws {
		if err := checkWindow(i, w); err != nil {
			return nil, 0, err
		}
		if w.Start.Before(oldest) {
			late++
			continue
		}
		k := usageKey{micros(w.Start), w.WorkerID, w.BotID}
		if j, ok := seen[k]; ok {
			rows[j].Meters = rows[j].Max(w.Meters)
			continue
		}
		seen[k] = len(rows)
		rows = append(rows, usageRow{k, 1, w.Meters})
	}
	slices.SortFunc(rows, func(a, b usageRow) int { return a.compare(b.usageKey) })
	return rows, late, nil
}

func checkWindow(i int, w baas.UsageWindow) error {
	var p baas.Problems
	if w.WorkerID == "" {
		p.Add(fmt.Sprintf("windows[%d].worker_id", i), "must name a Worker")
	}
	if !w.Start.Equal(w.Start.Truncate(baas.Window)) || w.Start.Before(time.Unix(0, 0)) {
		p.Add(fmt.Sprintf("windows[%d].start", i), "must be a full minute of UTC after 1970")
	}
	zero, most := baas.Meters{}, baas.Meters{CPUMillis: maxMeter, MemoryByteSeconds: maxMeter, DiskByteSeconds: maxMeter,
		BytesIn: maxMeter, BytesOut: maxMeter, Requests: maxMeter, RunningMillis: maxMeter}
	if w.Max(zero) != w.Meters || w.Max(most) != most {
		p.Add(fmt.Sprintf("windows[%d]", i), "every meter must be between 0 and %d", int64(maxMeter))
	}
	return p.Err()
}

// chunks cuts rows into few different lengths, so that few different statements are prepared.
func chunks(rows []usageRow) func(yield func([]usageRow) bool) {
	return func(yield func([]usageRow) bool) {
		for len(rows) > 0 {
			n := len(rows)
			for _, size := range []int{16, 24, 32, 48, 64, 96, 128} {
				if size <= len(rows) {
					n = size
				}
			}
			if !yield(rows[:n]) {
				return
			}
			rows = rows[n:]
		}
	}
}

// tuples repeats a parenthesized list of n placeholders rows times.
func tuples(rows, n int) string {
	one := "(?" + strings.Repeat(", ?", n-1) + ")"
	return one + strings.Repeat(", "+one, rows-1)
}

func (t usage) minuteArgs(rows []usageRow) []any {
	args := make([]any, 0, len(rows)*11)
	for _, r := range rows {
		args = append(args, t.tenant, r.start, r.worker, r.botID)
		args = append(args, meterValues(r.Meters)...)
	}
	return args
}

// insertMinutes stores the minutes that are new and tells which were there.
func (t usage) insertMinutes(ctx context.Context, rows []usageRow) (there map[usageKey]bool, err error) {
	inserted, err := list(ctx, t, "new minutes", func(k *usageKey) []any { return []any{&k.start, &k.worker, &k.botID} },
		`INSERT INTO usage_minutes (tenant_id, start, worker_id, bot_id, `+meterColumns+`) VALUES `+tuples(len(rows), 11)+`
		ON CONFLICT DO NOTHING RETURNING start, worker_id, bot_id`, t.minuteArgs(rows)...)
	if err != nil || len(inserted) == len(rows) {
		return nil, err
	}
	there = make(map[usageKey]bool, len(rows))
	for _, r := range rows {
		there[r.usageKey] = true
	}
	for _, k := range inserted {
		delete(there, k)
	}
	return there, nil
}

// mergeMinutes raises the minutes that were there to what rows say and reports by how much.
func (t usage) mergeMinutes(ctx context.Context, rows []usageRow, there map[usageKey]bool, grow func(usageKey, int64, baas.Meters)) error {
	args := []any{t.tenant}
	for _, r := range rows {
		args = append(args, r.start, r.worker, r.botID)
	}
	one := "(CAST(? AS BIGINT), ?, ?)"
	stored, err := list(ctx, t, "minutes", func(r *usageRow) []any {
		return append([]any{&r.start, &r.worker, &r.botID}, meterFields(&r.Meters)...)
	}, `SELECT start, worker_id, bot_id, `+meterColumns+` FROM usage_minutes
		WHERE tenant_id = ? AND (start, worker_id, bot_id) IN (VALUES `+one+strings.Repeat(", "+one, len(rows)-1)+`)`+t.forUpdate(), args...)
	if err != nil {
		return err
	}
	old := make(map[usageKey]baas.Meters, len(stored))
	for _, r := range stored {
		old[r.usageKey] = r.Meters
	}
	var larger []usageRow
	for _, r := range rows {
		if !there[r.usageKey] {
			continue
		}
		before := old[r.usageKey]
		if r.Meters = before.Max(r.Meters); r.Meters != before {
			larger = append(larger, r)
			grow(r.usageKey, 0, r.Sub(before))
		}
	}
	for chunk := range chunks(larger) {
		_, err := t.exec(ctx, `INSERT INTO usage_minutes (tenant_id, start, worker_id, bot_id, `+meterColumns+`) VALUES `+tuples(len(chunk), 11)+`
			ON CONFLICT (tenant_id, start, worker_id, bot_id) DO UPDATE SET cpu_ms = excluded.cpu_ms,
			memory_byte_seconds = excluded.memory_byte_seconds, disk_byte_seconds = excluded.disk_byte_seconds,
			bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out, requests = excluded.requests, running_ms = excluded.running_ms`,
			t.minuteArgs(chunk)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t usage) addToHours(ctx context.Context, grown map[usageKey]*usageRow) error {
	hours := make([]usageRow, 0, len(grown))
	for _, h := range grown {
		hours = append(hours, *h)
	}
	slices.SortFunc(hours, func(a, b usageRow) int { return a.compare(b.usageKey) })
	for chunk := range chunks(hours) {
		args := make([]any, 0, len(chunk)*12)
		for _, h := range chunk {
			args = append(args, t.tenant, h.start, h.worker, h.botID, h.windows)
			args = append(args, meterValues(h.Meters)...)
		}
		_, err := t.exec(ctx, `INSERT INTO usage_hours (tenant_id, start, worker_id, bot_id, windows, `+meterColumns+`) VALUES `+tuples(len(chunk), 12)+`
			ON CONFLICT (tenant_id, start, worker_id, bot_id) DO UPDATE SET windows = usage_hours.windows + excluded.windows,
			cpu_ms = usage_hours.cpu_ms + excluded.cpu_ms,
			memory_byte_seconds = usage_hours.memory_byte_seconds + excluded.memory_byte_seconds,
			disk_byte_seconds = usage_hours.disk_byte_seconds + excluded.disk_byte_seconds,
			bytes_in = usage_hours.bytes_in + excluded.bytes_in, bytes_out = usage_hours.bytes_out + excluded.bytes_out,
			requests = usage_hours.requests + excluded.requests, running_ms = usage_hours.running_ms + excluded.running_ms`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}
