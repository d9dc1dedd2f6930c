package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/tunnel"
)

const token = "s3cret"

// rig is a hub on loopback with what it was told about connections.
type rig struct {
	hub    *tunnel.Hub
	url    string
	events chan string // "+wrk_1 v1", "-wrk_1 v1: why"
	server *httptest.Server
}

func newRig(t *testing.T) *rig { return newRigWith(t, func(*tunnel.HubConfig) {}) }

func newRigWith(t *testing.T, change func(*tunnel.HubConfig)) *rig {
	t.Helper()
	r := &rig{events: make(chan string, 64)}
	cfg := tunnel.HubConfig{
		Authenticate: func(_ context.Context, worker, got string) error {
			switch {
			case worker == "wrk_broken":
				return errors.New("database is away")
			case got != token:
				return baas.ErrUnauthenticated
			}
			return nil
		},
		OnConnect:    func(p tunnel.Peer) { r.events <- "+" + p.WorkerID + " " + p.Version },
		OnDisconnect: func(p tunnel.Peer, err error) { r.events <- "-" + p.WorkerID + " " + p.Version + ": " + err.Error() },
	}
	change(&cfg)
	r.hub = tunnel.NewHub(cfg)
	mux := http.NewServeMux()
	mux.Handle(agentapi.ConnectPath, r.hub)
	r.server = httptest.NewServer(mux)
	r.url = "ws" + strings.TrimPrefix(r.server.URL, "http")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.hub.Close(ctx); err != nil {
			t.Error(err)
		}
		r.server.Close()
	})
	return r
}

func (r *rig) expect(t *testing.T, prefix string) {
	t.Helper()
	select {
	case got := <-r.events:
		if !strings.HasPrefix(got, prefix) {
			t.Fatalf("got event %q, want %q", got, prefix)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("no event %q", prefix)
	}
}

// agent serves h until the test or the returned function ends it; the channel gets Serve's error.
func (r *rig) agent(t *testing.T, cfg tunnel.DialConfig) (stop func(), ended chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended = make(chan error, 1)
	if cfg.URL == "" {
		cfg.URL = r.url
	}
	if cfg.Token == "" {
		cfg.Token = token
	}
	if cfg.Backoff == (tunnel.Backoff{}) {
		cfg.Backoff = tunnel.Backoff{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond}
	}
	done := make(chan struct{})
	go func() { ended <- tunnel.Serve(ctx, cfg); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return cancel, ended
}

func (r *rig) get(t *testing.T, worker, path string) (int, string, error) {
	t.Helper()
	rt, err := r.hub.RoundTripper(worker)
	if err != nil {
		return 0, "", err
	}
	res, err := (&http.Client{Transport: rt}).Get("http://agent" + path)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello %s", r.URL.Path) })

func TestRequestReachesAgent(t *testing.T) {
	r := newRig(t)
	if _, _, err := r.get(t, "wrk_1", "/"); !errors.Is(err, baas.ErrUnavailable) {
		t.Fatalf("without a connection: %v", err)
	}
	stop, ended := r.agent(t, tunnel.DialConfig{WorkerID: "wrk_1", Version: "v1", Handler: hello})
	r.expect(t, "+wrk_1 v1")
	code, body, err := r.get(t, "wrk_1", "/x")
	if err != nil || code != 200 || body != "hello /x" {
		t.Fatalf("got %d %q %v", code, body, err)
	}
	if p, ok := r.hub.Peer("wrk_1"); !ok || p.Protocol != agentapi.Protocol || p.Remote == "" || p.ConnectedAt.IsZero() {
		t.Fatalf("peer %+v %v", p, ok)
	}
	if _, _, err := r.get(t, "wrk_2", "/x"); !errors.Is(err, baas.ErrUnavailable) {
		t.Fatalf("another Worker: %v", err)
	}
	rt, _ := r.hub.RoundTripper("wrk_1")
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r.expect(t, "-wrk_1 v1")
	req, _ := http.NewRequest("GET", "http://agent/", nil)
	if _, err := rt.RoundTrip(req); !errors.Is(err, baas.ErrUnavailable) {
		t.Fatalf("after the connection: %v", err)
	}
	if len(r.hub.Peers()) != 0 {
		t.Fatal("peer is still listed")
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t)
	call := func(set func(http.Header)) int {
		req, _ := http.NewRequest("GET", r.server.URL+agentapi.ConnectPath, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set(agentapi.HeaderWorker, "wrk_1")
		req.Header.Set(agentapi.HeaderProtocol, "1")
		set(req.Header)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for name, c := range map[string]struct {
		set  func(http.Header)
		want int
	}{
		"wrong token":   {func(h http.Header) { h.Set("Authorization", "Bearer x") }, 401},
		"no token":      {func(h http.Header) { h.Del("Authorization") }, 401},
		"no worker":     {func(h http.Header) { h.Del(agentapi.HeaderWorker) }, 401},
		"no protocol":   {func(h http.Header) { h.Del(agentapi.HeaderProtocol) }, 400},
		"too old":       {func(h http.Header) { h.Set(agentapi.HeaderProtocol, "0") }, 426},
		"store is away": {func(h http.Header) { h.Set(agentapi.HeaderWorker, "wrk_broken") }, 503},
		"old, unknown":  {func(h http.Header) { h.Set(agentapi.HeaderProtocol, "0"); h.Set("Authorization", "Bearer x") }, 401},
		"no WebSocket":  {func(http.Header) {}, 426},
	} {
		if got := call(c.set); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	_, ended := r.agent(t, tunnel.DialConfig{WorkerID: "wrk_1", Protocol: -1, Handler: hello})
	select {
	case err := <-ended:
		if !errors.Is(err, tunnel.ErrOutdated) {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("an outdated agent keeps trying")
	}
	if len(r.events) != 0 {
		t.Fatalf("a refused agent was announced: %s", <-r.events)
	}
}

func TestSecondConnectionReplacesFirst(t *testing.T) {
	r := newRig(t)
	name := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) })
	}
	// The one that is replaced waits for its Max before it comes again.
	slow := tunnel.Backoff{Min: time.Millisecond, Max: time.Hour}
	r.agent(t, tunnel.DialConfig{WorkerID: "wrk_1", Version: "first", Handler: name("first"), Backoff: slow})
	r.expect(t, "+wrk_1 first")
	r.agent(t, tunnel.DialConfig{WorkerID: "wrk_1", Version: "second", Handler: name("second")})
	r.expect(t, "-wrk_1 first: replaced")
	r.expect(t, "+wrk_1 second")
	if _, body, err := r.get(t, "wrk_1", "/"); err != nil || body != "second" {
		t.Fatalf("got %q, %v", body, err)
	}
	if n := len(r.hub.Peers()); n != 1 {
		t.Fatalf("%d peers", n)
	}
}

// cutter is a TCP relay whose connections can be cut, or go on without anything passing.
type cutter struct {
	net.Listener
	to    string
	mu    sync.Mutex
	conns []net.Conn
	shut  *atomic.Bool // of the present connections: what is sent goes nowhere
	came  atomic.Int64 // pieces that came from where it leads
}

// valve loses what is written once it is shut.
type valve struct {
	net.Conn
	shut  *atomic.Bool
	count *atomic.Int64
}

func (v valve) Write(p []byte) (int, error) {
	v.count.Add(1)
	if v.shut.Load() {
		return len(p), nil
	}
	return v.Conn.Write(p)
}

func newCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to, shut: new(atomic.Bool)}
	t.Cleanup(func() { l.Close(); c.cut() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, in, out)
			shut := c.shut
			c.mu.Unlock()
			go func() { io.Copy(valve{in, shut, &c.came}, out); in.Close() }()
			go func() { io.Copy(valve{out, shut, new(atomic.Int64)}, in); out.Close() }()
		}
	}()
	return c
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.conns {
		x.Close()
	}
	c.conns = nil
}

// silence loses what the present connections carry from now on, without ending them; later ones are as usual.
func (c *cutter) silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut.Store(true)
	c.shut = new(atomic.Bool)
}

func TestReconnectsAfterSilence(t *testing.T) {
	r := newRigWith(t, func(c *tunnel.HubConfig) { c.KeepAlive = 20 * time.Millisecond })
	c := newCutter(t, r.server.Listener.Addr().String())
	silence := 500 * time.Millisecond
	r.agent(t, tunnel.DialConfig{URL: "ws://" + c.Addr().String(), WorkerID: "wrk_1", Version: "v1", Handler: hello, Silence: silence})
	r.expect(t, "+wrk_1")
	// As long as it is asked whether it is there, it stays, though there is nothing else to say.
	began := time.Now()
	for c.came.Load() < 10 || time.Since(began) < 3*silence {
		select {
		case e := <-r.events:
			t.Fatalf("%s after %s", e, time.Since(began))
		case <-time.After(10 * time.Millisecond):
		}
	}
	c.silence()
	r.expect(t, "-wrk_1")
	r.expect(t, "+wrk_1")
	if _, body, err := r.get(t, "wrk_1", "/again"); err != nil || body != "hello /again" {
		t.Fatalf("got %q, %v", body, err)
	}
}

// An agent that doesn't notice that nothing passes any more is let go by the control plane.
func TestLetsGoOfTheSilent(t *testing.T) {
	t.Parallel() // it takes as long as an answer may take
	r := newRigWith(t, func(c *tunnel.HubConfig) { c.KeepAlive = 20 * time.Millisecond })
	c := newCutter(t, r.server.Listener.Addr().String())
	r.agent(t, tunnel.DialConfig{URL: "ws://" + c.Addr().String(), WorkerID: "wrk_1", Version: "v1", Handler: hello, Silence: time.Hour})
	r.expect(t, "+wrk_1")
	c.silence()
	select {
	case e := <-r.events:
		if e != "-wrk_1 v1: connection lost" {
			t.Fatal(e)
		}
	case <-time.After(time.Minute):
		t.Fatal("it is still held")
	}
	if _, err := r.hub.RoundTripper("wrk_1"); !errors.Is(err, baas.ErrUnavailable) {
		t.Fatal(err)
	}
}

func TestReconnectsAfterCut(t *testing.T) {
	r := newRig(t)
	c := newCutter(t, r.server.Listener.Addr().String())
	started := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/hang" {
			w.(http.Flusher).Flush()
			close(started)
			<-req.Context().Done()
			return
		}
		hello(w, req)
	})
	r.agent(t, tunnel.DialConfig{URL: "ws://" + c.Addr().String(), WorkerID: "wrk_1", Version: "v1", Handler: h})
	r.expect(t, "+wrk_1")
	rt, err := r.hub.RoundTripper("wrk_1")
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("GET", "http://agent/hang", nil)
	res, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	<-started
	c.cut()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Fatal("a response went on after its connection was cut")
	}
	r.expect(t, "-wrk_1")
	r.expect(t, "+wrk_1")
	if _, body, err := r.get(t, "wrk_1", "/again"); err != nil || body != "hello /again" {
		t.Fatalf("got %q, %v", body, err)
	}
}

func TestStreamsLargeBodiesAndMany(t *testing.T) {
	r := newRig(t)
	echo := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		io.Copy(w, req.Body)
	})
	r.agent(t, tunnel.DialConfig{WorkerID: "wrk_1", Handler: echo})
	r.expect(t, "+wrk_1")
	rt, err := r.hub.RoundTripper("wrk_1")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: rt}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			// Around the limits at which frames are joined and windows end.
			for _, size := range []int{0, 1, 12, 4095, 8191, 8192, 8193, 65536, 300000 + i} {
				want := bytes.Repeat([]byte{byte(i), byte(size)}, size/2+1)
				res, err := client.Post("http://agent/", "application/octet-stream", bytes.NewReader(want))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes came back as %d, %v", len(want), len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWebSocketThroughReverseProxy(t *testing.T) {
	r := newRig(t)
	r.agent(t, tunnel.DialConfig{WorkerID: "wrk_1", Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c, err := websocket.Accept(w, req, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(req.Context())
			if err != nil {
				return
			}
			if c.Write(req.Context(), kind, append([]byte(req.URL.Path+" "), b...)) != nil {
				return
			}
		}
	})})
	r.expect(t, "+wrk_1")
	rt, err := r.hub.RoundTripper("wrk_1")
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { p.Out.URL.Scheme, p.Out.URL.Host = "http", "agent" },
		Transport:     agentapi.NewClient(rt).BotTransport("bot_1"),
		FlushInterval: -1,
	})
	defer front.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(front.URL, "http")+"/chat", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for range 3 {
		if err := c.Write(ctx, websocket.MessageText, []byte("hi")); err != nil {
			t.Fatal(err)
		}
		if _, b, err := c.Read(ctx); err != nil || string(b) != "/v1/bots/bot_1/http/chat hi" {
			t.Fatalf("got %q, %v", b, err)
		}
	}
}

func TestCloseEndsConnections(t *testing.T) {
	r := newRig(t)
	for i := range 20 {
		r.agent(t, tunnel.DialConfig{WorkerID: fmt.Sprint("wrk_", i), Handler: hello})
	}
	for range 20 {
		r.expect(t, "+wrk_")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.hub.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r.expect(t, "-wrk_")
	}
}
