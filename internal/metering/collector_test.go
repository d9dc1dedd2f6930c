package metering_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/metering"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/store/storetest"
)

// key names a window of one Worker.
type key struct {
	bot   string
	start time.Time
}

// agent is an agent whose answers a test scripts. It keeps windows until they are acknowledged, as real ones do.
type agent struct {
	mu   sync.Mutex
	kept map[key]baas.Meters // not acknowledged
	told map[key]baas.Meters // as they were given last: what has grown since isn't acknowledged
	sent map[key]baas.Meters // acknowledged, and remembered to be sent again
	fail string              // what goes wrong with requests: "cut", "refuse", "lost"
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail == "refuse" {
		http.Error(w, "later", http.StatusServiceUnavailable)
		return
	}
	var q agentapi.UsageQuery
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Limit == 0 {
		panic(fmt.Sprintf("%v: %+v", err, q))
	}
	for _, k := range q.Stored {
		id := key{k.BotID, k.Start.UTC()}
		if m, ok := a.kept[id]; ok && m == a.told[id] {
			a.sent[id] = m.Max(a.sent[id])
			delete(a.kept, id)
		}
	}
	report := a.report()
	for _, w := range report.Windows {
		a.told[key{w.BotID, w.Start}] = w.Meters
	}
	raw, err := json.Marshal(report)
	if err != nil {
		panic(err)
	}
	switch a.fail {
	case "cut":
		raw = raw[:len(raw)/2]
		w.Header().Set("Content-Length", fmt.Sprint(2*len(raw)))
	case "lost":
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(raw)
}

// report gives windows oldest first, as the protocol says.
func (a *agent) report() (r agentapi.UsageReport) {
	for k, m := range a.kept {
		r.Windows = append(r.Windows, baas.UsageWindow{BotID: k.bot, Start: k.start, Meters: m})
	}
	slices.SortFunc(r.Windows, func(x, y baas.UsageWindow) int {
		return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.BotID, y.BotID))
	})
	most := min(len(r.Windows), 40) // less than asked for, so that reports follow each other
	r.More = most < len(r.Windows)
	r.Windows = r.Windows[:most]
	return r
}

func (a *agent) set(fail string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = fail
}

// fixture is a ledger with Workers of two tenants and their agents.
type fixture struct {
	store   *store.Store
	now     time.Time
	mu      sync.Mutex
	urls    map[string]*url.URL
	tenants []baas.Tenant
	workers []baas.Worker // one of each tenant
	bots    []baas.Bot    // one on each
}

var base = time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)

func newFixture(t testing.TB, database string) *fixture {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f := &fixture{store: s, now: base, urls: map[string]*url.URL{}}
	f.more(t, 2)
	return f
}

// more makes n tenants with a Worker and a bot each.
func (f *fixture) more(t testing.TB, n int) {
	t.Helper()
	ctx := context.Background()
	f.tenants, f.workers, f.bots = nil, nil, nil
	for range n {
		id := baas.NewID(baas.PrefixTenant)
		tenant := baas.Tenant{ID: id, Slug: baas.Slug("cliente " + id), Name: "Cliente", Plan: baas.PlanPro, Status: baas.TenantActive, Version: 1, CreatedAt: base, UpdatedAt: base}
		w, err := baas.WorkerCreate{Name: "Financeiro"}.Worker(baas.NewID(baas.PrefixWorker), id, base)
		if err != nil {
			t.Fatal(err)
		}
		b, err := baas.BotCreate{WorkerID: w.ID, Name: "Ana", Kind: baas.BotAssistant}.Bot(baas.NewID(baas.PrefixBot), id, base)
		if err != nil {
			t.Fatal(err)
		}
		err = f.store.System().Update(ctx, func(tx baas.SystemTx) error {
			in := tx.In(id)
			return errors.Join(tx.Tenants().Create(ctx, tenant), in.Workers().Create(ctx, w), in.Bots().Create(ctx, b))
		})
		if err != nil {
			t.Fatal(err)
		}
		f.tenants, f.workers, f.bots = append(f.tenants, tenant), append(f.workers, w), append(f.bots, b)
	}
}

func (f *fixture) connect(t testing.TB, worker string, h http.Handler) (stop func()) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	srv.Start()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.urls[worker] = u
	return func() {
		srv.CloseClientConnections()
		srv.Close()
	}
}

func (f *fixture) RoundTripper(worker string) (http.RoundTripper, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.urls[worker]; u != nil {
		return toHost{u}, nil
	}
	return nil, baas.Errorf(baas.CodeUnavailable, "not connected")
}

type toHost struct{ u *url.URL }

func (t toHost) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = t.u.Scheme, t.u.Host
	return http.DefaultTransport.RoundTrip(out)
}

func (f *fixture) collector() *metering.Collector {
	return metering.New(metering.Config{Store: f.store, Agents: f, Connected: func() []string { return nil }, Now: func() time.Time { return f.now },
		Log: slog.New(slog.DiscardHandler)})
}

// ledger reads what is stored of a tenant, by minutes and by hours.
func (f *fixture) ledger(t testing.TB, tenant string) (minutes map[key]baas.Meters, hours baas.Meters) {
	t.Helper()
	ctx := context.Background()
	minutes = map[key]baas.Meters{}
	err := f.store.Tenant(tenant).View(ctx, func(tx baas.TenantTx) error {
		for _, bots := range []bool{false, true} {
			q := baas.UsageQuery{ByBot: bots, From: base.Add(-20 * 24 * time.Hour), To: base.Add(20 * 24 * time.Hour), Step: baas.StepMinute}
			ps, err := tx.Usage().Query(ctx, q)
			if err != nil {
				return err
			}
			for _, p := range ps {
				minutes[key{p.BotID, p.Start}] = p.Meters
			}
			q.Step = baas.StepHour
			if ps, err = tx.Usage().Query(ctx, q); err != nil {
				return err
			}
			for _, p := range ps {
				hours = hours.Add(p.Meters)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return minutes, hours
}

// TestExact lets an agent measure while reports are cut, acknowledgements are lost, agent and control plane restart,
// the control plane's clock steps, and windows come late, again, and grown. The ledger is compared with what the agent
// measured, which is summed apart from everything that is tested.
func TestExact(t *testing.T) {
	for _, c := range []struct {
		name string
		url  func(testing.TB) string
	}{
		{"SQLite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "baas.db") }},
		{"Postgres", storetest.Postgres},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, c.url(t))
			rapid.Check(t, func(r *rapid.T) { exact(t, f, r) })
		})
	}
}

func exact(t *testing.T, f *fixture, r *rapid.T) {
	f.more(t, 1)
	f.now = base
	worker, bot := f.workers[0].ID, f.bots[0].ID
	gone := baas.NewID(baas.PrefixBot) // deleted before its last windows came
	a := &agent{kept: map[key]baas.Meters{}, told: map[key]baas.Meters{}, sent: map[key]baas.Meters{}}
	defer f.connect(t, worker, a)()
	c := f.collector()
	reconnect := func() { // to another control plane or this one: by an address that compares as another
		f.mu.Lock()
		defer f.mu.Unlock()
		u := *f.urls[worker]
		f.urls[worker] = &u
	}
	measured := map[key]baas.Meters{} // what must be in the ledger
	measure := func(k key, m baas.Meters) {
		a.mu.Lock()
		defer a.mu.Unlock()
		m = m.Max(a.kept[k]).Max(a.sent[k])
		a.kept[k] = m
		if k.start.After(base.Add(-6 * 24 * time.Hour)) {
			measured[k] = m
		}
	}
	amount := rapid.Int64Range(0, 60_000)
	meters := func(r *rapid.T) baas.Meters {
		return baas.Meters{CPUMillis: amount.Draw(r, "cpu"), MemoryByteSeconds: amount.Draw(r, "memory"), BytesIn: amount.Draw(r, "in"),
			Requests: amount.Draw(r, "requests"), RunningMillis: amount.Draw(r, "running")}
	}
	who := rapid.SampledFrom([]string{"", bot, gone})
	r.Repeat(map[string]func(*rapid.T){
		"measure": func(r *rapid.T) {
			// Up to hours ahead of the control plane's clock, whose steps make windows early.
			minute := rapid.OneOf(rapid.IntRange(-3, 3), rapid.IntRange(-90, 90), rapid.IntRange(-5*24*60, 0))
			for range rapid.IntRange(1, 60).Draw(r, "windows") {
				measure(key{who.Draw(r, "who"), base.Add(time.Duration(minute.Draw(r, "minute")) * time.Minute)}, meters(r))
			}
		},
		"come too late": func(r *rapid.T) {
			measure(key{who.Draw(r, "who"), base.Add(-time.Duration(rapid.IntRange(8*24*60, 9*24*60).Draw(r, "minute")) * time.Minute)}, meters(r))
		},
		"collect": func(r *rapid.T) {
			if err := c.Collect(t.Context(), worker); err != nil {
				r.Fatal(err)
			}
		},
		"collect in trouble": func(r *rapid.T) {
			a.set(rapid.SampledFrom([]string{"cut", "refuse", "lost"}).Draw(r, "trouble"))
			_ = c.Collect(t.Context(), worker)
			a.set("")
		},
		"collect twice at once": func(r *rapid.T) {
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					if err := c.Collect(t.Context(), worker); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		},
		"agent restarts": func(*rapid.T) { // without what it had noted of acknowledgements
			a.mu.Lock()
			defer a.mu.Unlock()
			for k, m := range a.sent {
				a.kept[k] = m.Max(a.kept[k])
			}
		},
		"control plane restarts": func(*rapid.T) { c = f.collector() },
		"another control plane asks and ends": func(r *rapid.T) { // and the agent is back
			reconnect()
			rt, err := f.RoundTripper(worker)
			if err != nil {
				r.Fatal(err)
			}
			if _, err := agentapi.NewClient(rt).Usage(t.Context(), agentapi.UsageQuery{Limit: 1000}); err != nil {
				r.Fatal(err)
			}
			reconnect()
		},
		"clock steps": func(r *rapid.T) {
			f.now = base.Add(time.Duration(rapid.IntRange(-12*60, 12*60).Draw(r, "minutes")) * time.Minute)
		},
		"purge": func(r *rapid.T) {
			err := f.store.System().Update(t.Context(), func(tx baas.SystemTx) error { _, err := tx.Purge(t.Context(), f.now); return err })
			if err != nil {
				r.Fatal(err)
			}
		},
	})
	f.now = base.Add(12 * time.Hour)
	for range 50 { // the last acknowledges only
		if err := c.Collect(t.Context(), worker); err != nil {
			r.Fatal(err)
		}
	}
	if len(a.kept) != 0 {
		r.Fatalf("the agent is left with %d windows", len(a.kept))
	}
	minutes, hours := f.ledger(t, f.tenants[0].ID)
	var sum baas.Meters
	for k, m := range measured {
		sum = sum.Add(m)
		if minutes[k] != m {
			r.Errorf("%v: measured %+v, in the ledger %+v", k, m, minutes[k])
		}
		delete(minutes, k)
	}
	if len(minutes) != 0 {
		r.Errorf("in the ledger and never measured: %v", minutes)
	}
	if hours != sum {
		r.Errorf("the hours hold %+v, measured was %+v", hours, sum)
	}
}

// TestLostAnswer loses the answer that tells more of a window than is stored. What was stored before is acknowledged by
// the question of that answer, and not again by the next.
func TestLostAnswer(t *testing.T) {
	for _, trouble := range []string{"cut", "lost"} {
		t.Run(trouble, func(t *testing.T) {
			f := newFixture(t, filepath.Join(t.TempDir(), "baas.db"))
			worker, k := f.workers[0].ID, key{"", base.Add(-time.Hour)}
			a := &agent{kept: map[key]baas.Meters{k: {Requests: 1}}, told: map[key]baas.Meters{}, sent: map[key]baas.Meters{}}
			defer f.connect(t, worker, a)()
			c := f.collector()
			collect := func() error { return c.Collect(t.Context(), worker) }
			if err := collect(); err != nil {
				t.Fatal(err)
			}
			a.mu.Lock()
			a.kept[k] = baas.Meters{Requests: 2}
			a.mu.Unlock()
			a.set(trouble)
			if err := collect(); err == nil {
				t.Fatal("the answer wasn't lost")
			}
			a.set("")
			if err := errors.Join(collect(), collect()); err != nil {
				t.Fatal(err)
			}
			if minutes, _ := f.ledger(t, f.tenants[0].ID); minutes[k].Requests != 2 || len(a.kept) != 0 {
				t.Errorf("in the ledger %v, with the agent %v", minutes, a.kept)
			}
		})
	}
}

// TestHostileAgent answers as an agent that a bot has taken over would.
func TestHostileAgent(t *testing.T) {
	f := newFixture(t, filepath.Join(t.TempDir(), "baas.db"))
	report := func(ws ...baas.UsageWindow) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(agentapi.UsageReport{Windows: ws, More: true})
		}
	}
	one := baas.Meters{Requests: 1}
	start := base.Add(-time.Hour)
	inventions := func(n int) (ws []baas.UsageWindow) {
		for range n {
			ws = append(ws, baas.UsageWindow{BotID: baas.NewID(baas.PrefixBot), Start: start, Meters: one})
		}
		return ws
	}
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		rows   int // in its own tenant's ledger
		code   baas.Code
	}{
		{"never ends", report(baas.UsageWindow{Start: start, Meters: one}), 1, ""},
		{"another Worker's", func(w http.ResponseWriter, r *http.Request) {
			report(baas.UsageWindow{WorkerID: f.workers[1].ID, Start: start, Meters: one})(w, r)
		}, 1, ""},
		{"another tenant's bot", func(w http.ResponseWriter, r *http.Request) {
			report(baas.UsageWindow{BotID: f.bots[1].ID, Start: start, Meters: one})(w, r)
		}, 0, ""},
		{"invented bots", report(inventions(1000)...), 100, ""},
		{"no id", report(baas.UsageWindow{BotID: "../../etc", Start: start, Meters: one}), 0, ""},
		{"negative", report(baas.UsageWindow{Start: start, Meters: baas.Meters{CPUMillis: -1}}), 0, ""},
		{"more than there is", report(baas.UsageWindow{Start: start, Meters: baas.Meters{CPUMillis: 1 << 60}}), 0, ""},
		{"half a minute", report(baas.UsageWindow{Start: start.Add(30 * time.Second), Meters: one}), 0, ""},
		{"far ahead", report(baas.UsageWindow{Start: base.Add(1000 * time.Hour), Meters: one}), 0, ""},
		{"before time", report(baas.UsageWindow{Start: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Meters: one}), 0, ""},
		{"more than asked", report(slices.Concat(inventions(50), slices.Repeat([]baas.UsageWindow{{Start: start, Meters: one}}, 1100))...), 51, ""},
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"windows":[`)
			for range 1 << 20 {
				if _, err := io.WriteString(w, `{"bot_id":"","start":"2026-03-14T14:00:00Z"},`); err != nil {
					return
				}
			}
		}, 0, baas.CodeInternal},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, 0, baas.CodeInternal},
		{"the control plane's code", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"code":"unauthenticated","message":"log in"}`)
		}, 0, baas.CodeInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.more(t, 2)
			worker := f.workers[0].ID
			defer f.connect(t, worker, c.answer)()
			if err := f.collector().Collect(t.Context(), worker); baas.CodeOf(err) != c.code {
				t.Errorf("got %v", err)
			}
			if rows, _ := f.ledger(t, f.tenants[0].ID); len(rows) != c.rows {
				t.Errorf("%d rows are in its ledger, want %d", len(rows), c.rows)
			}
			if rows, _ := f.ledger(t, f.tenants[1].ID); len(rows) != 0 {
				t.Errorf("another tenant's ledger has %d rows", len(rows))
			}
		})
	}
}

// TestRun collects from every connected agent until it is told to end.
func TestRun(t *testing.T) {
	f := newFixture(t, filepath.Join(t.TempDir(), "baas.db"))
	acked := make(chan string, 2)
	var ids []string
	for _, w := range f.workers {
		ids = append(ids, w.ID)
		defer f.connect(t, w.ID, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			var q agentapi.UsageQuery
			if err := json.NewDecoder(r.Body).Decode(&q); err == nil && len(q.Stored) == 1 {
				select {
				case acked <- w.ID:
				default:
				}
			}
			_ = json.NewEncoder(rw).Encode(agentapi.UsageReport{Windows: []baas.UsageWindow{{Start: base.Add(-time.Minute), Meters: baas.Meters{Requests: 3}}}})
		}))()
	}
	c := metering.New(metering.Config{Store: f.store, Agents: f, Connected: func() []string { return ids }, Interval: time.Millisecond,
		Now: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, func() {}) }()
	seen := map[string]bool{}
	for len(seen) < 2 {
		select {
		case id := <-acked:
			seen[id] = true
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was collected")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, tenant := range f.tenants {
		if rows, hours := f.ledger(t, tenant.ID); len(rows) != 1 || hours.Requests != 3 {
			t.Errorf("the ledger has %v", rows)
		}
	}
}

// counted is a store whose updates are counted, and of which the first may fail.
type counted struct {
	baas.Store
	updates  atomic.Int64
	failures int64
}

func (s *counted) System() baas.SystemScope { return countedScope{s.Store.System(), s} }

type countedScope struct {
	baas.SystemScope
	s *counted
}

func (s countedScope) Update(ctx context.Context, fn func(baas.SystemTx) error) error {
	if s.s.updates.Add(1) <= s.s.failures {
		return errors.New("the database is away")
	}
	return s.SystemScope.Update(ctx, fn)
}

// TestGather stores what many agents report in few transactions, and when those fail each report in one of its own.
func TestGather(t *testing.T) {
	const agents = 40
	for _, c := range []struct {
		name                  string
		failures, least, most int64
	}{
		{"few transactions", 0, 1, agents / 4},
		{"each by itself after a failure", 1, 2, 2 * agents},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, filepath.Join(t.TempDir(), "baas.db"))
			f.more(t, agents)
			store := &counted{Store: f.store, failures: c.failures}
			col := metering.New(metering.Config{Store: store, Agents: f, Connected: func() []string { return nil }, Gather: time.Second,
				Now: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler)})
			var wg sync.WaitGroup
			for i, w := range f.workers {
				a := &agent{kept: map[key]baas.Meters{{"", base.Add(-time.Minute)}: {Requests: int64(i)}}, told: map[key]baas.Meters{}, sent: map[key]baas.Meters{}}
				defer f.connect(t, w.ID, a)()
				wg.Go(func() {
					if err := col.Collect(t.Context(), w.ID); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := store.updates.Load(); n < c.least || n > c.most {
				t.Errorf("%d transactions, want %d to %d", n, c.least, c.most)
			}
			for i, tenant := range f.tenants {
				if rows, hours := f.ledger(t, tenant.ID); len(rows) != 1 || hours.Requests != int64(i) {
					t.Errorf("the ledger of tenant %d has %v", i, rows)
				}
			}
		})
	}
}
