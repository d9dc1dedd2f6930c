package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/tunnel"
)

// A connection that comes while its predecessor's end is still being told must not be told of first: who listens would
// take the end for its own.
func TestAConnectionIsToldOfAfterTheEndOfTheOneBefore(t *testing.T) {
	events, hold := make(chan string, 8), make(chan struct{})
	hub := tunnel.NewHub(tunnel.HubConfig{
		Authenticate: func(context.Context, string, string) error { return nil },
		OnConnect:    func(p tunnel.Peer) { events <- "+" + p.Version },
		OnDisconnect: func(p tunnel.Peer, _ error) { events <- "ending " + p.Version; <-hold; events <- "-" + p.Version },
	})
	server := httptest.NewServer(hub)
	defer server.Close()
	serve := func(version string) (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = tunnel.Serve(ctx, tunnel.DialConfig{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Token: token, WorkerID: "wrk_1", Version: version, Handler: hello})
		}()
		return func() { cancel(); <-done }
	}
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-events:
			if got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no event %q", want)
		}
	}
	first := serve("1")
	expect("+1")
	first()
	expect("ending 1")
	if p, ok := hub.Peer("wrk_1"); ok {
		t.Errorf("a connection that ended counts: %+v", p)
	}
	second := serve("2")
	eventually(t, "the second connection to be there", func() error {
		if p, ok := hub.Peer("wrk_1"); !ok || p.Version != "2" {
			return fmt.Errorf("%+v", p)
		}
		return nil
	})
	close(hold)
	expect("-1")
	expect("+2")
	second()
	expect("ending 2")
	expect("-2")
}

func TestDialAndDisplace(t *testing.T) {
	var order atomic.Int64
	hub := tunnel.NewHub(tunnel.HubConfig{
		Authenticate: func(context.Context, string, string) error { return nil },
		Order: func(context.Context) (int64, error) {
			if order.Load() == 0 {
				return 0, errors.New("the database is away")
			}
			return order.Load(), nil
		},
	})
	server := httptest.NewServer(hub)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = tunnel.Serve(ctx, tunnel.DialConfig{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Token: token, WorkerID: "wrk_1", Handler: hello,
			Backoff: tunnel.Backoff{Min: 10 * time.Millisecond, Max: 10 * time.Millisecond}})
	}()
	if _, err := hub.Dial("wrk_1"); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("without a connection: %v", err)
	}
	order.Store(5)
	var peer tunnel.Peer
	eventually(t, "the agent to connect once it can be numbered", func() (err error) {
		var ok bool
		if peer, ok = hub.Peer("wrk_1"); !ok {
			err = errors.New("not yet")
		}
		return err
	})
	if peer.Order != 5 {
		t.Errorf("its number is %d", peer.Order)
	}
	stream, err := hub.Dial("wrk_1")
	if err != nil {
		t.Fatal(err)
	}
	rt := tunnel.NewTransport(func(context.Context) (net.Conn, error) { return stream, nil })
	res, err := (&http.Client{Transport: rt}).Get("http://agent/x")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "hello /x" {
		t.Errorf("%q %v", b, err)
	}
	hub.Displace("wrk_1", 5) // not later
	if _, ok := hub.Peer("wrk_1"); !ok {
		t.Fatal("it was displaced by itself")
	}
	hub.Displace("wrk_1", 6)
	if p, ok := hub.Peer("wrk_1"); ok && p.Order == 5 && p.ConnectedAt.Equal(peer.ConnectedAt) {
		t.Error("a later connection elsewhere doesn't displace it")
	}
	hub.Displace("wrk_2", 6) // nobody
}

func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}
