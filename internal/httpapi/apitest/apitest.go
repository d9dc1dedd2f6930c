// Package apitest runs the API on a real store for tests, with people of every kind and an agent that tests script.
package apitest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/httpapi"
	"github.com/baas-platform/baas/internal/sealing"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/store/storetest"
)

// Password is that of every person.
const Password = "uma senha comprida"

// OperatorEmail is that of the operator of the platform.
const OperatorEmail = "operador@baas.example"

// Config changes what New makes; the zero Config is fine.
type Config struct {
	// Database is an SQLite file or the address of a PostgreSQL database. When empty it is a new SQLite file, or with
	// BAAS_TEST_DATABASE=postgres a new database on the server that BAAS_TEST_POSTGRES_URL names.
	Database string
	Keys     string // file of the master key; next to an SQLite file when empty
	HTTP     httpapi.Config
	Now      func() time.Time
	Caps     *engine.Capabilities
	CacheTTL time.Duration
}

// Platform is a running API.
type Platform struct {
	T      testing.TB
	URL    string
	App    *app.App
	Store  *store.Store
	Agents *Agents

	operator string // log-in
}

// New runs an API until the test ends.
func New(t testing.TB, c Config) *Platform {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	if c.Database == "" {
		c.Database = newDatabase(t)
	}
	if c.Keys == "" {
		dir := filepath.Dir(c.Database)
		if strings.Contains(c.Database, "://") {
			dir = t.TempDir()
		}
		c.Keys = filepath.Join(dir, "master.key")
	}
	st, err := store.Open(ctx, store.Config{URL: c.Database})
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() { _ = st.Close() })
	p := &Platform{T: t, Store: st, Agents: &Agents{}}
	srv := httptest.NewUnstartedServer(nil)
	p.URL = "http://" + srv.Listener.Addr().String()
	caps := Capabilities()
	if c.Caps != nil {
		caps = *c.Caps
	}
	p.App, err = app.New(app.Config{
		Store: st, Sealer: keys(t, c.Keys), Engine: fixedEngine(caps), Agents: p.Agents, PublicURL: p.URL, Now: c.Now, CacheTTL: c.CacheTTL,
		SignPreview: func(botID string, until time.Time) string { return "baas_preview=signed-" + botID },
	})
	if err != nil {
		t.Fatalf("making the use cases: %v", err)
	}
	ready := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.App.Run(ctx, func() { close(ready) })
	}()
	<-ready
	if c.HTTP.PublicURL == "" {
		c.HTTP.PublicURL = p.URL
	}
	srv.Config.Handler = httpapi.New(p.App, c.HTTP)
	srv.Start()
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		cancel()
		<-ended
	})
	return p
}

func newDatabase(t testing.TB) string {
	t.Helper()
	switch kind := os.Getenv("BAAS_TEST_DATABASE"); kind {
	case "", "sqlite":
	case "postgres":
		return storetest.Postgres(t)
	default:
		t.Fatalf("BAAS_TEST_DATABASE is %q; must be sqlite or postgres", kind)
	}
	return filepath.Join(t.TempDir(), "baas.db")
}

// keys are the same for every platform on one database.
func keys(t testing.TB, file string) *sealing.Keys {
	t.Helper()
	k, err := sealing.Load(t.Context(), sealing.Config{File: file})
	if err != nil {
		t.Fatalf("loading the master key: %v", err)
	}
	return k
}

// Capabilities are those of a Docker engine with gVisor.
func Capabilities() engine.Capabilities {
	return engine.Capabilities{Engine: "docker", Version: "27", LiveResize: true, DiskLimit: "watched", Images: true,
		Isolation: map[baas.Isolation]string{baas.IsolationContainer: "runc 1.2", baas.IsolationSandbox: "runsc"},
		Missing:   map[baas.Isolation]string{baas.IsolationVM: "no kata runtime"}}
}

type fixedEngine engine.Capabilities

func (e fixedEngine) Capabilities(context.Context) (engine.Capabilities, error) {
	return engine.Capabilities(e), nil
}

// Agents are the agents that tests connect.
type Agents struct {
	mu   sync.Mutex
	urls map[string]*url.URL
}

// Connect lets the Worker's agent answer with h until the test ends.
func (a *Agents) Connect(t testing.TB, workerID string, h http.Handler) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.urls == nil {
		a.urls = map[string]*url.URL{}
	}
	a.urls[workerID] = u
}

// RoundTripper gives the way to a connected agent.
func (a *Agents) RoundTripper(workerID string) (http.RoundTripper, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.urls[workerID]
	if u == nil {
		return nil, baas.Errorf(baas.CodeUnavailable, "the agent isn't connected")
	}
	return toHost{u}, nil
}

type toHost struct{ u *url.URL }

func (t toHost) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = t.u.Scheme, t.u.Host
	return http.DefaultTransport.RoundTrip(out)
}

// Operator is the actor of an operator of the platform, who is made when missing.
func (p *Platform) Operator() authz.Actor {
	p.T.Helper()
	if p.operator == "" {
		p.must(p.App.EnsureOperator(context.Background(), OperatorEmail, "Operador", Password))
		p.operator = p.LogIn(OperatorEmail)
	}
	return p.Actor(p.operator)
}

// LogIn logs a person in and gives the secret.
func (p *Platform) LogIn(email string) string {
	p.T.Helper()
	l, err := p.App.LogIn(context.Background(), baas.Credentials{Email: email, Password: Password})
	p.must(err)
	return l.Secret
}

// Actor is who holds a secret.
func (p *Platform) Actor(secret string) authz.Actor {
	p.T.Helper()
	a, err := p.App.Authenticate(context.Background(), secret)
	p.must(err)
	return a
}

// Tenant makes a tenant with an owner and gives the owner's log-in.
func (p *Platform) Tenant(name, plan, owner string) (baas.Tenant, string) {
	p.T.Helper()
	op := p.Operator()
	t, err := p.App.CreateTenant(context.Background(), op, baas.TenantCreate{Name: name, Plan: plan})
	p.must(err)
	return t, p.Join(op, t.ID, baas.InvitationCreate{Email: owner, Role: baas.RoleOwner})
}

// Join makes a person a member and gives the log-in.
func (p *Platform) Join(by authz.Actor, tenant string, in baas.InvitationCreate) string {
	p.T.Helper()
	i, err := p.App.CreateInvitation(context.Background(), by, tenant, in)
	p.must(err)
	l, err := p.App.AcceptInvitation(context.Background(), baas.InvitationAccept{Token: i.Token, Name: in.Email, Password: Password})
	p.must(err)
	return l.Secret
}

// Client is a client with the secret.
func (p *Platform) Client(secret string) *client.Client {
	p.T.Helper()
	c, err := client.New(p.URL, secret)
	p.must(err)
	return c
}

func (p *Platform) must(err error) {
	p.T.Helper()
	if err != nil {
		p.T.Fatal(err)
	}
}
