package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/gateway"
	"github.com/baas-platform/baas/internal/store"
)

// seen remembers the last path that an agent was asked for.
type seen struct{ path *string }

func (s seen) RoundTripper(string) (http.RoundTripper, error) { return s, nil }

func (s seen) RoundTrip(r *http.Request) (*http.Response, error) {
	*s.path = r.URL.EscapedPath()
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("oi")), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

// FuzzPaths asks for any path and query. What reaches an agent is within the one public bot, for which nothing else can
// be taken; everything else is refused and never our fault.
func FuzzPaths(f *testing.F) {
	ctx := f.Context()
	st, err := store.Open(ctx, store.Config{URL: filepath.Join(f.TempDir(), "baas.db")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { st.Close() })
	now := time.Now().UTC()
	tenant := baas.Tenant{ID: baas.NewID(baas.PrefixTenant), Slug: "a", Name: "A", Plan: baas.PlanPro, Status: baas.TenantActive, Version: 1, CreatedAt: now, UpdatedAt: now}
	w, err := baas.WorkerCreate{Name: "Financeiro"}.Worker(baas.NewID(baas.PrefixWorker), tenant.ID, now)
	if err != nil {
		f.Fatal(err)
	}
	bot := func(name string, a baas.Access) baas.Bot {
		b, err := baas.BotCreate{WorkerID: w.ID, Name: name, Kind: baas.BotProgram, Access: a, Program: &baas.Program{Command: []string{"x"}, Port: 8080}}.
			Bot(baas.NewID(baas.PrefixBot), tenant.ID, now)
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	public, private := bot("a", baas.AccessPublic), bot("b", baas.AccessPrivate)
	err = st.System().Update(ctx, func(tx baas.SystemTx) error {
		if err := tx.Tenants().Create(ctx, tenant); err != nil {
			return err
		}
		in := tx.In(tenant.ID)
		if err := in.Workers().Create(ctx, w); err != nil {
			return err
		}
		if err := in.Bots().Create(ctx, public); err != nil {
			return err
		}
		return in.Bots().Create(ctx, private)
	})
	if err != nil {
		f.Fatal(err)
	}
	var asked string
	g, err := gateway.New(gateway.Config{Store: st, Agents: seen{&asked}, SignKey: signKey, PublicURL: "https://baas.example", BotHosts: "*.bots.example",
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{"/", "//", "/b/", "/b/ID", "/b/ID/", "/b/ID//", "/b/ID/../PRIVATE/", "/b/ID/%2e%2e/PRIVATE/", "/b/ID/..%2fPRIVATE/", "/b/ID/a/./b", "/b/%49D/",
		"/b/ID/x%00y", "/b/ID/\\..\\", "/b/ID/;/../..", "/b/PRIVATE/", "/b/ID/~preview-x/../..", "/b/PRIVATE/~preview-/", "/b/ID/%252e%252e/", "/b/../b/ID/", "/v1/bots/ID/http/"} {
		path = strings.ReplaceAll(strings.ReplaceAll(path, "PRIVATE", private.ID), "ID", public.ID)
		for _, host := range []string{"baas.example", strings.ReplaceAll(public.ID, "_", "-") + ".bots.example", "x.y.bots.example", ".bots.example"} {
			f.Add(host, path, "baas_preview=x&a=b")
		}
	}
	f.Fuzz(func(t *testing.T, host, path, query string) {
		u, err := url.ParseRequestURI("/" + strings.TrimPrefix(path, "/"))
		if err != nil {
			return // no server hands this on
		}
		u.RawQuery = query
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.URL, r.Host = u, host
		asked = ""
		rec := httptest.NewRecorder()
		g.ServeHTTP(rec, r)
		if rec.Code >= 500 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		if asked == "" {
			return
		}
		within := "/v1/bots/" + public.ID + "/http/"
		decoded, err := url.PathUnescape(asked)
		if err != nil || !strings.HasPrefix(asked, within) || strings.Contains(decoded+"/", "/../") || strings.Contains(decoded+"/", "/./") {
			t.Errorf("%q of %q asks the agent for %q", path, host, asked)
		}
	})
}
