package agent

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// ledger merges reports as the control plane does.
type ledger map[agentapi.UsageKey]baas.Meters

func (l ledger) record(ws []baas.UsageWindow) {
	for _, w := range ws {
		k := agentapi.UsageKey{BotID: w.BotID, Start: w.Start}
		l[k] = l[k].Max(w.Meters)
	}
}

func keysOf(ws []baas.UsageWindow) []agentapi.UsageKey {
	var ks []agentapi.UsageKey
	for _, w := range ws {
		ks = append(ks, agentapi.UsageKey{BotID: w.BotID, Start: w.Start})
	}
	return ks
}

// Whatever the clock does, however often the agent restarts, and whatever of reports and acknowledgements is lost,
// repeated or late: the ledger's sum is exactly what was booked.
func TestUsageIsExact(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		sub := filepath.Join(dir, time.Duration(n).String())
		if err := os.MkdirAll(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(sub)
		open := func() *meter {
			m, err := newMeter(sub, "wrk_1")
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		m := open()
		wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		begin := wall
		booked := map[string]baas.Meters{}
		book := ledger{}
		var late [][]baas.UsageWindow
		report := func(limit int, ack bool) bool {
			r, err := m.closed(limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range r.Windows {
				if w.WorkerID != "wrk_1" || w.Start.Second() != 0 || w.Meters != w.Meters.Max(baas.Meters{}) {
					t.Fatalf("bad window %+v", w)
				}
			}
			book.record(r.Windows)
			if ack {
				if err := m.ack(keysOf(r.Windows)); err != nil {
					t.Fatal(err)
				}
			}
			return r.More || ack && len(r.Windows) > 0
		}
		t.Repeat(map[string]func(*rapid.T){
			"use": func(t *rapid.T) {
				elapsed := time.Duration(rapid.Int64Range(1, int64(90*time.Second)).Draw(t, "elapsed"))
				wall = wall.Add(elapsed)
				amounts := map[string]baas.Meters{}
				for _, bot := range []string{"", "bot_1", "bot_2"} {
					g := rapid.Int64Range(0, 1<<50)
					a := baas.Meters{
						CPUMillis: g.Draw(t, "cpu"), MemoryByteSeconds: g.Draw(t, "memory"), Requests: rapid.Int64Range(0, 5).Draw(t, "requests"),
						BytesIn: g.Draw(t, "in"), RunningMillis: elapsed.Milliseconds(),
					}
					if rapid.Bool().Draw(t, "used") {
						amounts[bot] = a
						booked[bot] = booked[bot].Add(a)
					}
				}
				if err := m.add(wall, elapsed, amounts); err != nil {
					t.Fatal(err)
				}
			},
			"clock": func(t *rapid.T) {
				step := time.Duration(rapid.Int64Range(-int64(3*time.Hour), int64(3*time.Hour)).Draw(t, "step"))
				if d := wall.Add(step).Sub(begin); d.Abs() < baas.KeepMinutes/3 { // what is older than is kept may be lost
					wall = wall.Add(step)
				}
			},
			"restart": func(*rapid.T) { m = open() },
			"report, acknowledged": func(t *rapid.T) {
				report(rapid.IntRange(1, 20).Draw(t, "limit"), true)
			},
			"report, acknowledgement lost": func(t *rapid.T) { report(100, false) },
			"report, acknowledged late": func(t *rapid.T) {
				r, err := m.closed(100)
				if err != nil {
					t.Fatal(err)
				}
				book.record(r.Windows)
				late = append(late, r.Windows)
			},
			"late acknowledgement": func(t *rapid.T) {
				if len(late) > 0 {
					// Stored again, too: a duplicate.
					book.record(late[0])
					if err := m.ack(keysOf(late[0])); err != nil {
						t.Fatal(err)
					}
					late = late[1:]
				}
			},
		})
		// Let the open minute close, then take everything.
		if next := time.Unix((m.newest+2)*60, 0); wall.Before(next) {
			wall = next
		}
		wall = wall.Add(2 * time.Minute)
		if err := m.add(wall, time.Second, nil); err != nil {
			t.Fatal(err)
		}
		for report(7, true) {
		}
		sum := map[string]baas.Meters{}
		for k, v := range book {
			sum[k.BotID] = sum[k.BotID].Add(v)
		}
		for _, bot := range []string{"", "bot_1", "bot_2"} {
			if sum[bot] != booked[bot] {
				t.Fatalf("%q: the ledger has %+v, used was %+v", bot, sum[bot], booked[bot])
			}
		}
	})
}

func TestUsageIsKeptAWeekAtMost(t *testing.T) {
	dir := t.TempDir()
	m, err := newMeter(dir, "wrk_1")
	if err != nil {
		t.Fatal(err)
	}
	wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for range 9 * 24 {
		wall = wall.Add(time.Hour)
		if err := m.add(wall, time.Second, map[string]baas.Meters{"": {Requests: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := m.closed(100000)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Windows); n < 7*24 || n > 7*24+1 {
		t.Errorf("%d windows are kept", n)
	}
	if first := r.Windows[0].Start; wall.Sub(first) > baas.KeepMinutes+time.Hour+time.Minute {
		t.Errorf("the oldest is of %s, at %s", first, wall)
	}
}

func TestSplitKeepsTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "from"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanos"))
		to := from.Add(time.Duration(rapid.Int64Range(1, int64(10*time.Minute)).Draw(t, "length")))
		a := baas.Meters{CPUMillis: rapid.Int64Range(0, 1<<62).Draw(t, "cpu"), RunningMillis: rapid.Int64Range(0, 1000).Draw(t, "running")}
		var sum baas.Meters
		for n, part := range split(from, to, map[string]baas.Meters{"b": a}) {
			if n < minuteOf(from) || n > minuteOf(to) || part["b"] != part["b"].Max(baas.Meters{}) {
				t.Fatalf("minute %d got %+v", n, part["b"])
			}
			sum = sum.Add(part["b"])
		}
		if sum != a {
			t.Fatalf("parts add up to %+v, want %+v", sum, a)
		}
	})
}
