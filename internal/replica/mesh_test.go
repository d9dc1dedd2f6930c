package replica_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/replica"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/tunnel"
)

// installation is what replicas share: the database and the key.
type installation struct {
	t   testing.TB
	db  *store.Store
	key []byte
}

func newInstallation(t testing.TB) *installation {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "baas.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &installation{t: t, db: db, key: newKey()}
}

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

// node is one replica: a hub that agents dial, and its mesh.
type node struct {
	t      testing.TB
	id     string
	hub    *tunnel.Hub
	mesh   *replica.Mesh
	agents *httptest.Server
	stop   func()

	mu   sync.Mutex
	told map[string]string // what the mesh told of each Worker last: "+v1" or "-"
}

func (i *installation) node(id string) *node {
	i.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		i.t.Fatal(err)
	}
	return i.nodeOn(id, l, i.key)
}

func (i *installation) nodeOn(id string, l net.Listener, key []byte) *node {
	i.t.Helper()
	n := &node{t: i.t, id: id, told: map[string]string{}}
	n.hub = tunnel.NewHub(tunnel.HubConfig{
		Authenticate: func(context.Context, string, string) error { return nil },
		Order:        func(ctx context.Context) (int64, error) { return n.mesh.Order(ctx) },
		OnConnect:    func(p tunnel.Peer) { n.mesh.Connected(p) },
		OnDisconnect: func(p tunnel.Peer, _ error) { n.mesh.Disconnected(p) },
	})
	tell := func(worker, what string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.told[worker] = what
	}
	n.mesh = replica.New(replica.Config{ID: id, Listener: l, Address: l.Addr().String(), Key: key, Registry: i.db, Agents: n.hub,
		OnConnect: func(w, v string) { tell(w, "+"+v) }, OnDisconnect: func(w string) { tell(w, "-") }})
	mux := http.NewServeMux()
	mux.Handle(agentapi.ConnectPath, n.hub)
	n.agents = httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	started, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := n.mesh.Run(ctx, sync.OnceFunc(func() { close(started) })); err != nil {
			i.t.Error(err)
		}
	}()
	n.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := n.hub.Close(closing); err != nil {
			i.t.Error(err)
		}
		n.agents.Close()
	})
	i.t.Cleanup(n.stop)
	select {
	case <-started:
	case <-done:
		i.t.Fatal("the mesh ended")
	case <-time.After(30 * time.Second):
		i.t.Fatal("the mesh doesn't start")
	}
	return n
}

func (n *node) lastTold(worker string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.told[worker]
}

// agent connects one that says its name and echoes, until the returned function is called.
func (n *node) agent(worker, name string) (stop func()) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /name", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintln(w, i)
			http.NewResponseController(w).Flush()
			if i == 0 {
				<-r.Context().Done() // the rest never comes
				return
			}
		}
	})
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, append([]byte(name+": "), b...)) != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tunnel.Serve(ctx, tunnel.DialConfig{URL: "ws" + strings.TrimPrefix(n.agents.URL, "http"), Token: "t", WorkerID: worker, Version: name,
			Handler: mux, Backoff: tunnel.Backoff{Min: time.Minute, Max: time.Hour}}) // it comes once
	}()
	stop = func() { cancel(); <-done }
	n.t.Cleanup(stop)
	return stop
}

// name asks the Worker's agent for its name through this replica.
func (n *node) name(worker string) (string, error) {
	rt, err := n.mesh.RoundTripper(worker)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/name", nil)
	res, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func eventually(t testing.TB, what string, ok func() error) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
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

// reaches waits until each of the nodes gets the named agent of the Worker, and has been told of it.
func reaches(t testing.TB, worker, name string, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, n.id+" to reach "+name, func() error {
			got, err := n.name(worker)
			if err == nil && (got != name || n.lastTold(worker) != "+"+name) {
				err = fmt.Errorf("got %q, was told %q", got, n.lastTold(worker))
			}
			return err
		})
	}
}

func TestEveryReplicaReachesEveryAgent(t *testing.T) {
	i := newInstallation(t)
	a, b := i.node("a"), i.node("b")
	a.agent("wrk_1", "one")
	b.agent("wrk_2", "two")
	reaches(t, "wrk_1", "one", a, b)
	reaches(t, "wrk_2", "two", a, b)

	// One that comes later knows what there is before it serves.
	c := i.node("c")
	for worker, name := range map[string]string{"wrk_1": "one", "wrk_2": "two"} {
		if got, err := c.name(worker); err != nil || got != name {
			t.Errorf("the new replica: %q %v", got, err)
		}
	}
	c.agent("wrk_3", "three")
	reaches(t, "wrk_3", "three", a, b, c)
	if !a.mesh.Whole() || !b.mesh.Whole() || !c.mesh.Whole() {
		t.Error("all replicas are joined and say that they aren't")
	}
	if _, err := a.name("wrk_4"); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("a Worker that nobody holds: %v", err)
	}
}

func TestBodiesStreamsAndWebSocketsGoThrough(t *testing.T) {
	i := newInstallation(t)
	a, b := i.node("a"), i.node("b")
	b.agent("wrk_1", "one")
	reaches(t, "wrk_1", "one", a)
	rt, err := a.mesh.RoundTripper("wrk_1")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: rt}

	large := make([]byte, 20<<20)
	rand.Read(large)
	res, err := client.Post("http://agent/echo", "application/octet-stream", bytes.NewReader(large))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(got, large) {
		t.Fatalf("of %d bytes %d came back, %v", len(large), len(got), err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/slow", nil)
	if res, err = client.Do(req); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 2)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "0\n" {
		t.Fatalf("the first line of a stream: %q %v", first, err)
	}
	res.Body.Close() // which the agent must notice, or its handler holds the test's end up

	ws, _, err := websocket.Dial(ctx, "ws://agent/ws", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	for n := range 100 {
		said := fmt.Sprintf("message %d", n)
		if err := ws.Write(ctx, websocket.MessageText, []byte(said)); err != nil {
			t.Fatal(err)
		}
		if _, heard, err := ws.Read(ctx); err != nil || string(heard) != "one: "+said {
			t.Fatalf("%q %v", heard, err)
		}
	}
}

// The agent went to another replica, and the one that it left hasn't noticed: as when its machine lost the network.
func TestTheLaterConnectionCountsEverywhere(t *testing.T) {
	i := newInstallation(t)
	a, b, c := i.node("a"), i.node("b"), i.node("c")
	a.agent("wrk_1", "first")
	reaches(t, "wrk_1", "first", a, b, c)
	b.agent("wrk_1", "second")
	reaches(t, "wrk_1", "second", a, b, c)
	eventually(t, "the first connection to be ended", func() error {
		if p, held := a.hub.Peer("wrk_1"); held {
			return fmt.Errorf("%+v", p)
		}
		return nil
	})
	a.agent("wrk_1", "third")
	reaches(t, "wrk_1", "third", a, b, c)
}

func TestAgentsOfAReplicaThatEndsAreGone(t *testing.T) {
	i := newInstallation(t)
	a, b := i.node("a"), i.node("b")
	b.agent("wrk_1", "one")
	stay := a.agent("wrk_2", "two")
	reaches(t, "wrk_1", "one", a)
	reaches(t, "wrk_2", "two", b)
	b.stop()
	eventually(t, "the agent to be known as gone", func() error {
		if _, err := a.name("wrk_1"); !errors.Is(err, baas.ErrUnavailable) || a.lastTold("wrk_1") != "-" {
			return fmt.Errorf("%w; told %q", err, a.lastTold("wrk_1"))
		}
		return nil
	})
	// It left in good order, so nobody waits for it.
	eventually(t, "the replica to be forgotten", func() error {
		if !a.mesh.Whole() {
			return errors.New("not yet")
		}
		return nil
	})
	reaches(t, "wrk_2", "two", a)
	stay()
	eventually(t, "an agent that ended to be gone", func() error {
		if told := a.lastTold("wrk_2"); told != "-" {
			return errors.New(told)
		}
		return nil
	})
}

// What another master key makes, or nobody's, is a stranger on either end, and is told nothing.
func TestStrangersAreRefused(t *testing.T) {
	i := newInstallation(t)
	a := i.node("a")
	a.agent("wrk_1", "one")
	reaches(t, "wrk_1", "one", a)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stranger := i.nodeOn("stranger", l, newKey())
	if _, err := stranger.name("wrk_1"); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("it reaches an agent: %v", err)
	}
	if stranger.mesh.Whole() {
		t.Error("it believes to know all agents")
	}
	stranger.agent("wrk_2", "two")
	reaches(t, "wrk_2", "two", stranger)
	if _, err := a.name("wrk_2"); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("its agent is believed: %v", err)
	}
	eventually(t, "it to be known that there is a replica whose agents aren't", func() error {
		if a.mesh.Whole() {
			return errors.New("not yet")
		}
		return nil
	})
}

// Agents go from replica to replica as fast as they can; in the end all replicas agree on where each is.
func TestReplicasAgreeAfterAStorm(t *testing.T) {
	i := newInstallation(t)
	nodes := []*node{i.node("a"), i.node("b"), i.node("c")}
	const workers, rounds = 8, 12
	var wg sync.WaitGroup
	last := make([]string, workers)
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := mathrand.New(mathrand.NewPCG(uint64(w), 7))
			for r := range rounds {
				n := nodes[rng.IntN(len(nodes))]
				last[w] = fmt.Sprintf("run %d on %s", r, n.id)
				n.agent(fmt.Sprintf("wrk_%d", w), last[w])
				eventually(t, "the agent to connect", func() error {
					if p, ok := n.hub.Peer(fmt.Sprintf("wrk_%d", w)); !ok || p.Version != last[w] {
						return fmt.Errorf("%+v", p)
					}
					return nil
				})
			}
		}()
	}
	wg.Wait()
	for w := range workers {
		reaches(t, fmt.Sprintf("wrk_%d", w), last[w], nodes...)
		held := 0
		eventually(t, "one connection to be left", func() error {
			held = 0
			for _, n := range nodes {
				if _, ok := n.hub.Peer(fmt.Sprintf("wrk_%d", w)); ok {
					held++
				}
			}
			if held != 1 {
				return fmt.Errorf("%d replicas hold it", held)
			}
			return nil
		})
	}
}

func TestOneAloneNeedsNoListener(t *testing.T) {
	var mesh *replica.Mesh
	hub := tunnel.NewHub(tunnel.HubConfig{Authenticate: func(context.Context, string, string) error { return nil },
		OnConnect: func(p tunnel.Peer) { mesh.Connected(p) }, OnDisconnect: func(p tunnel.Peer, _ error) { mesh.Disconnected(p) }})
	told := make(chan string, 4)
	mesh = replica.New(replica.Config{Agents: hub, OnConnect: func(w, v string) { told <- "+" + w }, OnDisconnect: func(w string) { told <- "-" + w }})
	server := httptest.NewServer(hub)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tunnel.Serve(ctx, tunnel.DialConfig{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Token: "t", WorkerID: "wrk_1",
			Handler: http.NotFoundHandler()})
	}()
	if got := <-told; got != "+wrk_1" {
		t.Fatal(got)
	}
	if _, err := mesh.RoundTripper("wrk_1"); err != nil || !mesh.Whole() {
		t.Fatal(err)
	}
	cancel()
	<-done
	if got := <-told; got != "-wrk_1" {
		t.Fatal(got)
	}
}
