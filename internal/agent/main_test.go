package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agent"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/tunnel"
)

// The test binary is also the agent and the bots: AGENT_TEST says which.
const roleVar = "AGENT_TEST"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVar); role {
	case "":
		os.Exit(m.Run())
	case "first":
		os.Exit(firstMain())
	case "agent":
		os.Exit(agentMain())
	default:
		os.Exit(botMain(role))
	}
}

func agentMain() int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg, err := agent.ConfigFromEnv("test", log)
	if err != nil {
		log.Error("config", "error", err)
		return 2
	}
	exe, _ := os.Executable()
	cfg.Assistant = []string{"/usr/bin/env", roleVar + "=assistant", exe}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	switch err := agent.Run(ctx, cfg); {
	case errors.Is(err, agent.ErrOutdated):
		return agent.ExitOutdated
	case err != nil:
		log.Error("agent", "error", err)
		return 1
	}
	return 0
}

// botMain is a bot that behaves as its role says.
func botMain(role string) int {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	switch role {
	case "serve", "assistant":
		go func() { <-term; os.Exit(0) }()
		return serveBot()
	case "stubborn": // doesn't end when it is asked to
		return serveBot()
	case "crash":
		fmt.Println("about to fail")
		return 3
	case "complete":
		return 0
	case "silent": // listens nowhere
		<-term
		return 0
	case "chatty":
		for i := 0; ; i++ {
			fmt.Printf("line %d %s\n", i, strings.Repeat("x", 1000))
			if i%100 == 0 {
				select {
				case <-term:
					return 0
				default:
				}
			}
		}
	case "hoard": // fills the disk as fast as it can, and doesn't end when it is asked to
		block := bytes.Repeat([]byte("x"), 4<<20)
		for i := 0; i < 4000; i++ {
			_ = os.WriteFile(filepath.Join(os.Getenv(agentapi.EnvBotData), fmt.Sprint("piece", i)), block, 0o600)
		}
		select {}
	case "fill": // fills the disk in pieces
		for i := 0; ; i++ {
			p := filepath.Join(os.Getenv(agentapi.EnvBotData), fmt.Sprint("piece", i))
			if err := os.WriteFile(p, bytes.Repeat([]byte("x"), 8<<20), 0o600); err != nil {
				fmt.Println(err)
			}
			select {
			case <-term:
				return 0
			case <-time.After(time.Millisecond):
			}
		}
	case "daemon": // leaves a grandchild in a session of its own behind
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), roleVar+"=stubborn", "PORT="+os.Getenv("CHILD_PORT"))
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			fmt.Println(err)
			return 1
		}
		go func() { <-term; os.Exit(0) }()
		return serveBot()
	}
	fmt.Println("unknown role", role)
	return 2
}

func serveBot() int {
	mux := http.NewServeMux()
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
	})
	mux.HandleFunc("/pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) })
	mux.HandleFunc("/cwd", func(w http.ResponseWriter, _ *http.Request) { d, _ := os.Getwd(); fmt.Fprint(w, d) })
	mux.HandleFunc("/die", func(_ http.ResponseWriter, r *http.Request) { // acts on the request, and ends before it answers
		b, _ := io.ReadAll(r.Body)
		f, err := os.OpenFile(filepath.Join(os.Getenv(agentapi.EnvBotData), "acted"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			f.Write(b)
		}
		os.Exit(7)
	})
	mux.HandleFunc("/wait", func(_ http.ResponseWriter, r *http.Request) {
		_ = os.WriteFile(filepath.Join(os.Getenv(agentapi.EnvBotData), "waits"), []byte("yes"), 0o600)
		<-r.Context().Done()
	})
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(7) })
	mux.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) {
		b, err := os.ReadFile(r.URL.Query().Get("path"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Write(b)
	})
	mux.HandleFunc("/write", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if err := os.WriteFile(filepath.Join(os.Getenv(agentapi.EnvBotData), r.URL.Query().Get("name")), b, 0o600); err != nil {
			http.Error(w, err.Error(), 500)
		}
	})
	mux.HandleFunc("/kept", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(os.Getenv(agentapi.EnvBotData), r.URL.Query().Get("name")))
	})
	mux.HandleFunc("/log", func(_ http.ResponseWriter, r *http.Request) { fmt.Println(r.URL.Query().Get("text")) })
	mux.HandleFunc("/procs", func(w http.ResponseWriter, _ *http.Request) {
		stats, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, f := range stats {
			if b, err := os.ReadFile(f); err == nil {
				w.Write(b[bytes.LastIndexByte(b, ')')+2:][:1])
			}
		}
	})
	var sick sync.Map
	mux.HandleFunc("/sick", func(_ http.ResponseWriter, r *http.Request) { sick.Store("is", r.URL.Query().Get("is")) })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if v, _ := sick.Load("is"); v == "yes" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, b) != nil {
				return
			}
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s host=%s xff=%s", r.Method, r.RequestURI, r.Host, r.Header.Get("X-Forwarded-For"))
	})
	err := http.ListenAndServe("127.0.0.1:"+os.Getenv(agentapi.EnvPort), bare{mux})
	fmt.Println(err)
	return 1
}

// bare keeps ServeMux from cleaning paths that no pattern has.
type bare struct{ mux *http.ServeMux }

func (b bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, pattern := b.mux.Handler(r); pattern == "/" || pattern == "" {
		fmt.Fprintf(w, "%s %s host=%s xff=%s", r.Method, r.RequestURI, r.Host, r.Header.Get("X-Forwarded-For"))
	} else {
		h.ServeHTTP(w, r)
	}
}

// platform is a control plane's half: a hub on loopback.
type platform struct {
	hub  *tunnel.Hub
	url  string
	up   chan string
	down chan string
}

func newPlatform(t testing.TB) *platform {
	t.Helper()
	p := &platform{up: make(chan string, 100), down: make(chan string, 100)}
	p.hub = tunnel.NewHub(tunnel.HubConfig{
		Authenticate: func(_ context.Context, worker, token string) error {
			if token != "token-of-"+worker {
				return baas.ErrUnauthenticated
			}
			return nil
		},
		OnConnect:    func(peer tunnel.Peer) { p.up <- peer.WorkerID },
		OnDisconnect: func(peer tunnel.Peer, _ error) { p.down <- peer.WorkerID },
	})
	mux := http.NewServeMux()
	mux.Handle(agentapi.ConnectPath, p.hub)
	srv := httptest.NewServer(mux)
	p.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = p.hub.Close(ctx)
		srv.Close()
	})
	return p
}

// worker is an agent in a process of its own, on a volume.
type worker struct {
	*platform
	t    testing.TB
	id   string
	data string
	cmd  *exec.Cmd
	err  *bytes.Buffer
	rev  int64
}

func (p *platform) newWorker(t testing.TB, id string) *worker {
	w := &worker{platform: p, t: t, id: id, data: t.TempDir()}
	t.Cleanup(func() {
		if w.cmd != nil {
			w.shutdown()
		}
		for _, pid := range w.processes("") { // of a bot that outlived a killed agent
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("agent %s said:\n%s", id, w.err)
		}
	})
	w.boot()
	return w
}

// boot starts the agent and waits until it is connected.
func (w *worker) boot(extra ...string) {
	w.t.Helper()
	w.launch(extra...)
	select {
	case id := <-w.up:
		if id != w.id {
			w.t.Fatalf("%s connected", id)
		}
	case <-time.After(20 * time.Second):
		w.t.Fatalf("agent did not connect:\n%s", w.err)
	}
}

func (w *worker) launch(extra ...string) {
	w.t.Helper()
	w.err = &bytes.Buffer{}
	w.cmd = exec.Command(os.Args[0])
	w.cmd.Stderr = w.err
	w.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "IMAGE_VAR=of-the-image", roleVar + "=agent",
		agentapi.EnvURL + "=" + w.url, agentapi.EnvToken + "=token-of-" + w.id, agentapi.EnvWorker + "=" + w.id,
		agentapi.EnvData + "=" + w.data,
	}, extra...)
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
}

// kill ends the agent as a crash would.
func (w *worker) kill() {
	if w.cmd == nil {
		return
	}
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	w.cmd = nil
}

// shutdown ends the agent as an engine would, and gives its exit code.
func (w *worker) shutdown() int {
	w.t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	stuck := time.AfterFunc(30*time.Second, func() { _ = w.cmd.Process.Kill() })
	defer stuck.Stop()
	_ = w.cmd.Wait()
	code := w.cmd.ProcessState.ExitCode()
	w.cmd = nil
	return code
}

func (w *worker) client() *agentapi.Client {
	w.t.Helper()
	var rt http.RoundTripper
	w.eventually("connection of "+w.id, func() bool {
		var err error
		rt, err = w.hub.RoundTripper(w.id)
		return err == nil
	})
	return agentapi.NewClient(rt)
}

// eventually waits for a condition; where the agent can tell, until is better.
func (w *worker) eventually(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("not reached: %s\n%s", what, w.err)
		}
	}
}

func (w *worker) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	w.t.Cleanup(cancel)
	return ctx
}

// run tells the agent to run bots.
func (w *worker) run(bots ...agentapi.DesiredBot) agentapi.Status {
	w.t.Helper()
	w.rev++
	s, err := w.client().PutDesired(w.ctx(), agentapi.Desired{
		Revision: w.rev, WorkerID: w.id, Size: baas.Size{CPUMillis: 500, MemoryMiB: 512, DiskGiB: 2}, Bots: bots,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// until watches the agent until the bot's status is as wanted.
func (w *worker) until(bot, what string, ok func(agentapi.BotStatus) bool) agentapi.BotStatus {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	var found, last agentapi.BotStatus
	err := w.client().Watch(ctx, func(s agentapi.Status) {
		for _, b := range s.Bots {
			if b.ID == bot {
				last = b
				if ok(b) {
					found = b
					cancel()
				}
			}
		}
	})
	if found.ID == "" {
		w.t.Fatalf("bot %s never was %s; last %+v (%v)", bot, what, last, err)
	}
	return found
}

func state(s baas.BotState) func(agentapi.BotStatus) bool {
	return func(b agentapi.BotStatus) bool { return b.State == s }
}

// get asks the bot.
func (w *worker) get(bot, path string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.ctx(), http.MethodGet, "http://bot"+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := w.client().BotTransport(bot).RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// program is a bot that behaves as the role says.
func program(t testing.TB, id, role string, port int) agentapi.DesiredBot {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return agentapi.DesiredBot{
		ID: id, Name: id, Run: true, Command: []string{exe}, Port: port, StopSecs: 5,
		Env: map[string]string{roleVar: role},
	}
}

func freePort(t testing.TB) int {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	var port int
	if _, err := fmt.Sscanf(srv.URL, "http://127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}

// processes lists those of the Worker's bot, or of all its bots, by what they have in their environment.
func (w *worker) processes(bot string) []int {
	w.t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil {
			continue
		}
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err == nil && strings.Contains(string(env), agentapi.EnvBotData+"="+filepath.Join(w.data, "bots", bot)) && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive reports whether a process runs.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	after := b[bytes.LastIndexByte(b, ')')+2:]
	return after[0] != 'Z' && after[0] != 'X'
}
