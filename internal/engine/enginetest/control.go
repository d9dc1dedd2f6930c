package enginetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/baas-platform/baas/internal/agentapi"
)

// Request is what the suite asks of a probe, Reply what it answers.
type Request struct {
	Op   string `json:"op"`
	Arg  string `json:"arg,omitempty"`
	Data string `json:"data,omitempty"`
}

// Reply answers a Request.
type Reply struct {
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
}

// BuildProbe builds the program that stands in for the agent, static as the real one, and gives its path.
func BuildProbe(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "probe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path,
		"github.com/baas-platform/baas/internal/engine/enginetest/probe")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the probe: %v\n%s", err, out)
	}
	return path
}

// Control is the control plane's side of the probes: they connect to it and do what the suite asks for.
type Control struct {
	Port int
	URL  string // for Machine.AgentURL or an engine's configuration

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a probe connects or goes
	probes  map[string]*Probe
}

// Probe is one connection of a probe.
type Probe struct {
	ID    string
	Token string
	conn  *websocket.Conn
	gone  chan struct{}
	mu    sync.Mutex
}

// NewControl listens on a free port of host until the test ends.
func NewControl(t testing.TB, host string) *Control {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatalf("listening for probes: %v", err)
	}
	c := &Control{
		Port: l.Addr().(*net.TCPAddr).Port, URL: "ws://" + l.Addr().String(),
		probes: map[string]*Probe{}, changed: make(chan struct{}),
	}
	srv := &http.Server{Handler: http.HandlerFunc(c.connect), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close() })
	return c
}

func (c *Control) connect(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != agentapi.ConnectPath {
		http.NotFound(w, r)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	p := &Probe{
		ID: r.Header.Get(agentapi.HeaderWorker), Token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
		conn: conn, gone: make(chan struct{}),
	}
	c.mu.Lock()
	c.probes[p.ID] = p
	c.notify()
	c.mu.Unlock()
}

func (c *Control) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Probe waits for a live connection of the machine's probe.
func (c *Control) Probe(t testing.TB, id string) *Probe {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		c.mu.Lock()
		p, changed := c.probes[id], c.changed
		c.mu.Unlock()
		if p != nil {
			// A connection of a machine that has ended since is noticed by using it.
			if _, err := p.call(ctx, Request{Op: "env", Arg: agentapi.EnvWorker}); err == nil {
				return p
			}
			c.mu.Lock()
			if c.probes[id] == p {
				delete(c.probes, id)
			}
			c.mu.Unlock()
			continue
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the probe of %s did not connect within %s", id, patience)
		case <-changed:
		}
	}
}

func (p *Probe) call(ctx context.Context, r Request) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := wsjson.Write(ctx, p.conn, r); err != nil {
		return "", fmt.Errorf("asking the probe: %w", err)
	}
	var rep Reply
	if err := wsjson.Read(ctx, p.conn, &rep); err != nil {
		return "", fmt.Errorf("hearing from the probe: %w", err)
	}
	if rep.Error != "" {
		return rep.Text, errors.New(rep.Error)
	}
	return rep.Text, nil
}

// Do has the probe do something and gives its answer, or its error.
func (p *Probe) Do(t testing.TB, op, arg, data string) (string, error) {
	t.Helper()
	return p.call(t.Context(), Request{Op: op, Arg: arg, Data: data})
}

// Must is Do that fails the test on an error.
func (p *Probe) Must(t testing.TB, op, arg, data string) string {
	t.Helper()
	out, err := p.Do(t, op, arg, data)
	if err != nil {
		t.Fatalf("probe of %s: %s %s: %v", p.ID, op, arg, err)
	}
	return out
}
