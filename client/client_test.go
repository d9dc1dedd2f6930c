package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// lossy loses the answers to the first requests, after they were carried out.
type lossy struct {
	http.RoundTripper
	mu   sync.Mutex
	lose int
	keys []string
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = append(l.keys, r.Header.Get("Idempotency-Key"))
	if err == nil && l.lose > 0 {
		l.lose--
		_ = res.Body.Close()
		return nil, errors.New("connection reset")
	}
	return res, err
}

func TestLostAnswers(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	l := &lossy{RoundTripper: http.DefaultTransport, lose: 2}
	c, err := client.New(p.URL, secret, client.WithHTTPClient(&http.Client{Transport: l}))
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.Tenant(tenant.ID).CreateWorker(t.Context(), baas.WorkerCreate{Name: "Financeiro"})
	if err != nil {
		t.Fatal(err)
	}
	ws, err := client.Collect(c.Tenant(tenant.ID).Workers(t.Context(), client.WorkerQuery{}))
	if err != nil || len(ws) != 1 || ws[0].ID != w.ID {
		t.Fatalf("got %v, %v", ws, err)
	}
	if k := l.keys[:3]; k[0] == "" || len(slices.Compact(k)) != 1 {
		t.Errorf("sent with the keys %q", l.keys)
	}
}

func TestNotAPlatform(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	c, err := client.New(srv.URL, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Account(t.Context()); baas.CodeOf(err) != baas.CodeInternal || !errors.As(err, new(*baas.Error)) {
		t.Errorf("got %v", err)
	}
	if _, err := client.New("baas.example", ""); err == nil {
		t.Error("an address without a scheme is accepted")
	}
}

func TestChangesConnectAgain(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	transport := &http.Transport{}
	c, err := client.New(p.URL, secret, client.WithHTTPClient(&http.Client{Transport: &cutting{RoundTripper: transport}}))
	if err != nil {
		t.Fatal(err)
	}
	begun := 0
	for ch, err := range c.Tenant(tenant.ID).Changes(ctx) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			break
		}
		if ch.Kind == baas.ChangeResync {
			if begun++; begun == 2 {
				cancel()
			}
		}
	}
	if begun < 2 {
		t.Errorf("connected %d times", begun)
	}
}

// cutting ends the body of the first answer after some bytes.
type cutting struct {
	http.RoundTripper
	once sync.Once
}

func (c *cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		c.once.Do(func() { res.Body = &cut{ReadCloser: res.Body} })
	}
	return res, err
}

// cut breaks after the first event.
type cut struct {
	io.ReadCloser
	seen []byte
}

func (c *cut) Read(p []byte) (int, error) {
	if bytes.Contains(c.seen, []byte("\n\n")) {
		return 0, errors.New("connection reset")
	}
	n, err := c.ReadCloser.Read(p)
	c.seen = append(c.seen, p[:n]...)
	return n, err
}
