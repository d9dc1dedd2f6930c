package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/gateway"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/tunnel"
)

var signKey = []byte("a key for tests that is long enough")

// world is a gateway on a real store (SQLite) and a real hub, with agents that connect through real tunnels.
type world struct {
	t      testing.TB
	store  *store.Store
	hub    *tunnel.Hub
	gate   *gateway.Gateway
	url    string
	hubURL string
	tenant baas.Tenant
	client *http.Client
}

func newWorld(t testing.TB, tune ...func(*gateway.Config)) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t}
	var err error
	if w.store, err = store.Open(ctx, store.Config{URL: filepath.Join(t.TempDir(), "baas.db")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	w.hub = tunnel.NewHub(tunnel.HubConfig{
		Authenticate: func(context.Context, string, string) error { return nil },
		OnConnect:    func(p tunnel.Peer) { w.gate.Wake(p.WorkerID) },
	})
	cfg := gateway.Config{
		Store: w.store, Agents: w.hub, SignKey: signKey, PublicURL: "https://baas.example", Log: slog.New(slog.DiscardHandler),
		Limits: gateway.Limits{Wait: 10 * time.Second},
	}
	for _, f := range tune {
		f(&cfg)
	}
	if w.gate, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.gate.Run(run) }()
	front := httptest.NewServer(w.gate)
	agents := httptest.NewServer(w.hub)
	w.url, w.hubURL = front.URL, strings.Replace(agents.URL, "http", "ws", 1)
	w.client = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 100},
	}
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		front.CloseClientConnections()
		front.Close()
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = w.hub.Close(closing)
		agents.Close()
		stop()
		<-ended
	})
	now := time.Now().UTC()
	w.tenant = baas.Tenant{ID: baas.NewID(baas.PrefixTenant), Slug: "cliente-a", Name: "Cliente A", Plan: baas.PlanPro,
		Status: baas.TenantActive, Version: 1, CreatedAt: now, UpdatedAt: now}
	w.system(func(ctx context.Context, tx baas.SystemTx) error { return tx.Tenants().Create(ctx, w.tenant) })
	return w
}

func (w *world) system(fn func(context.Context, baas.SystemTx) error) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.store.System().Update(ctx, func(tx baas.SystemTx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) change(fn func(context.Context, baas.TenantTx) error) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.store.Tenant(w.tenant.ID).Update(ctx, func(tx baas.TenantTx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) worker(name string) baas.Worker {
	w.t.Helper()
	wk, err := baas.WorkerCreate{Name: name}.Worker(baas.NewID(baas.PrefixWorker), w.tenant.ID, time.Now().UTC())
	if err != nil {
		w.t.Fatal(err)
	}
	wk.Status.State = baas.WorkerRunning
	w.change(func(ctx context.Context, tx baas.TenantTx) error {
		if err := tx.Workers().Create(ctx, wk); err != nil {
			return err
		}
		return tx.Workers().SetStatus(ctx, wk.ID, wk.Status)
	})
	return wk
}

func (w *world) bot(wk baas.Worker, name string, access baas.Access, change ...func(*baas.BotCreate)) baas.Bot {
	w.t.Helper()
	c := baas.BotCreate{WorkerID: wk.ID, Name: name, Kind: baas.BotProgram, Access: access,
		Program: &baas.Program{Command: []string{"bot"}, Port: 8080}}
	for _, f := range change {
		f(&c)
	}
	b, err := c.Bot(baas.NewID(baas.PrefixBot), w.tenant.ID, time.Now().UTC())
	if err != nil {
		w.t.Fatal(err)
	}
	w.change(func(ctx context.Context, tx baas.TenantTx) error {
		if err := tx.Bots().Create(ctx, b); err != nil {
			return err
		}
		return tx.Bots().SetStatus(ctx, b.ID, baas.BotStatus{State: baas.BotRunning, Since: time.Now().UTC()})
	})
	return b
}

// update changes a bot's settings.
func (w *world) update(id string, fn func(*baas.Bot)) {
	w.t.Helper()
	w.change(func(ctx context.Context, tx baas.TenantTx) error {
		b, err := tx.Bots().Get(ctx, id)
		if err != nil {
			return err
		}
		fn(&b)
		_, err = tx.Bots().Update(ctx, b)
		return err
	})
}

// agent is an agent whose bots are handlers in this process.
type agent struct {
	mu   sync.Mutex
	bots map[string]http.Handler
	stop func()
}

// agent connects an agent for the Worker and returns when the hub has it.
func (w *world) agent(wk baas.Worker) *agent {
	w.t.Helper()
	a := &agent{bots: map[string]http.Handler{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	up := make(chan struct{}, 1)
	go func() {
		defer close(done)
		_ = tunnel.Serve(ctx, tunnel.DialConfig{URL: w.hubURL, Token: "t", WorkerID: wk.ID, Handler: a,
			Backoff: tunnel.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond},
			OnState: func(on bool) {
				if on {
					select {
					case up <- struct{}{}:
					default:
					}
				}
			}})
	}()
	a.stop = sync.OnceFunc(func() { cancel(); <-done })
	w.t.Cleanup(a.stop)
	select {
	case <-up:
	case <-time.After(10 * time.Second):
		w.t.Fatal("the agent didn't connect")
	}
	w.until("the hub knows the agent", func() bool { _, ok := w.hub.Peer(wk.ID); return ok })
	return a
}

func (a *agent) serve(id string, h http.Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h == nil {
		delete(a.bots, id)
		return
	}
	a.bots[id] = h
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/bots/"), "/http/")
	a.mu.Lock()
	h := a.bots[id]
	a.mu.Unlock()
	if !ok || h == nil {
		w.Header().Set(agentapi.HeaderError, string(baas.CodeUnavailable))
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, `{"code":"unavailable","message":"the bot is not there"}`)
		return
	}
	r.URL.Path = "/" + rest
	h.ServeHTTP(w, r)
}

func hello(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, text+" "+r.Method+" "+r.URL.RequestURI()+" "+string(body))
	})
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) problem(t *testing.T) (p struct {
	Type, Title, Detail, Code string
	Status                    int
}) {
	t.Helper()
	if a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the type is %q", a.header.Get("Content-Type"))
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Errorf("the body is no problem: %q", a.body)
	}
	if p.Status != a.status || p.Code == "" || p.Detail == "" || p.Title == "" {
		t.Errorf("the problem is %+v with status %d", p, a.status)
	}
	return p
}

func (w *world) do(method, path, body string, headers ...string) answer {
	w.t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, w.url+path, rd)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	res, err := w.client.Do(req)
	if err != nil {
		w.t.Errorf("%s %s: %v", method, path, err)
		return answer{}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Errorf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, string(raw)}
}

func (w *world) get(path string, headers ...string) answer {
	w.t.Helper()
	return w.do(http.MethodGet, path, "", headers...)
}

func hash(s string) []byte { sum := sha256.Sum256([]byte(s)); return sum[:] }

// countingAgents counts how often a Worker was looked for.
type countingAgents struct {
	gateway.Agents
	looks chan struct{}
}

func (c countingAgents) RoundTripper(id string) (http.RoundTripper, error) {
	select {
	case c.looks <- struct{}{}:
	default:
	}
	return c.Agents.RoundTripper(id)
}
