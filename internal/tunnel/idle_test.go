package tunnel_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/tunnel"
)

func anyToken(context.Context, string, string) error { return nil }

func dialBench(b *testing.B, hub *tunnel.Hub, front *httptest.Server, worker string, h http.Handler) *tunnel.Hub {
	ctx, cancel := context.WithCancel(context.Background())
	up, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		_ = tunnel.Serve(ctx, tunnel.DialConfig{
			URL: "ws" + strings.TrimPrefix(front.URL, "http"), Token: "x", WorkerID: worker, Handler: h,
			OnState: func(on bool) {
				if on {
					up <- struct{}{}
				}
			},
		})
	}()
	b.Cleanup(func() { cancel(); <-done })
	<-up
	for {
		if _, ok := hub.Peer(worker); ok {
			return hub
		}
		runtime.Gosched()
	}
}

// The budget of one control plane: 2,000 idle agents, each watched as a controller watches it, at 120 KB of memory
// each at most, and 5 % of a core.
const (
	idleAgents    = 2000
	idleBytesEach = 120 << 10
	idleCPU       = 0.05
)

const dialersVar = "TUNNEL_TEST_DIAL"

func TestMain(m *testing.M) {
	if url := os.Getenv(dialersVar); url != "" {
		dialIdle(url)
		return
	}
	os.Exit(m.Run())
}

// dialIdle is the agents' side, in a process of its own so that only the hub is measured.
func dialIdle(url string) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"worker_id":"x"}`+"\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	var wg sync.WaitGroup
	for i := range idleAgents {
		wg.Go(func() {
			_ = tunnel.Serve(context.Background(), tunnel.DialConfig{URL: url, Token: "x", WorkerID: fmt.Sprint("wrk_", i), Handler: h})
		})
	}
	fmt.Println("dialling")
	wg.Wait()
}

func TestIdleAgentsAreCheap(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		return // measures memory, which the race detector multiplies; the plain run has the budget
	}
	var rl syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &rl); err == nil && rl.Cur < 3*idleAgents {
		rl.Cur = min(rl.Max, 4*idleAgents)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &rl); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	up := make(chan string, idleAgents)
	hub := tunnel.NewHub(tunnel.HubConfig{Authenticate: anyToken, OnConnect: func(p tunnel.Peer) { up <- p.WorkerID }})
	front := httptest.NewServer(hub)
	runtime.GC()
	before := resident(t)

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dialersVar+"=ws"+strings.TrimPrefix(front.URL, "http"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var watchers sync.WaitGroup
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		cancel()
		watchers.Wait()
		front.Close()
	}()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	seen := make(chan struct{}, idleAgents)
	for range idleAgents {
		select {
		case id := <-up:
			rt, err := hub.RoundTripper(id)
			if err != nil {
				t.Fatal(err)
			}
			watchers.Go(func() {
				_ = agentapi.NewClient(rt).Watch(ctx, func(agentapi.Status) { seen <- struct{}{} })
			})
		case <-time.After(60 * time.Second):
			t.Fatal("not all agents connected")
		}
	}
	for range idleAgents {
		<-seen
	}
	runtime.GC()
	each := (resident(t) - before) / idleAgents
	// A measurement, not a wait: one period of the keepalive, so that each connection has its ping.
	cpu0, t0 := cpuTime(t), time.Now()
	<-time.After(30 * time.Second)
	load := (cpuTime(t) - cpu0).Seconds() / time.Since(t0).Seconds()
	t.Logf("%d idle agents: %d KB each, %.2f %% of a core", idleAgents, each>>10, load*100)
	if each > idleBytesEach {
		t.Errorf("an idle agent takes %d KB, the budget is %d KB", each>>10, idleBytesEach>>10)
	}
	if load > idleCPU {
		t.Errorf("idle agents take %.1f %% of a core", load*100)
	}
}

// resident is the process's resident memory, in bytes.
func resident(t *testing.T) int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var total, res int64
	if _, err := fmt.Sscan(string(b), &total, &res); err != nil {
		t.Fatal(err)
	}
	return res * int64(os.Getpagesize())
}

func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
