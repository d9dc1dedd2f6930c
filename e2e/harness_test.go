package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/engine"
	dockerengine "github.com/baas-platform/baas/internal/engine/docker"
	"github.com/baas-platform/baas/internal/engine/process"
)

// binary is the product, built once for all scenarios.
var binary string

func TestMain(m *testing.M) {
	if binary = os.Getenv("BAAS_E2E_BINARY"); binary != "" { // built before
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "baas-e2e-")
	if err == nil {
		binary = filepath.Join(dir, "baas")
		build := exec.Command("go", "build", "-o", binary, "./cmd/baas")
		build.Dir = ".."
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "building the product:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const (
	operatorEmail    = "operator@platform.example"
	operatorPassword = "operator's password"
	ownerPassword    = "owner's password"
)

// platform is one installation with its control plane as a process.
type platform struct {
	t      *testing.T
	engine string
	dir    string
	env    []string
	url    string
	log    *logBuffer
	// cluster is where the Workers of the Kubernetes engine run.
	cluster *cluster

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// newPlatform starts an installation of its own.
func newPlatform(t *testing.T, engine string, env ...string) *platform {
	t.Helper()
	p := &platform{t: t, engine: engine, dir: t.TempDir(), log: &logBuffer{}}
	agentHost := "127.0.0.1"
	if engine == "docker" {
		host, err := dockerengine.AgentHost(t.Context(), dockerengine.Config{})
		must(t, err)
		agentHost = host.String()
	}
	public := freeAddress(t, "127.0.0.1")
	for _, kv := range env {
		if listen, ok := strings.CutPrefix(kv, "BAAS_LISTEN=0.0.0.0:"); ok { // everywhere, so also here
			public = "127.0.0.1:" + listen
		}
	}
	p.url = "http://" + public
	p.env = append([]string{"BAAS_ENGINE=" + engine, "BAAS_DATA=" + p.dir, "BAAS_LISTEN=" + public, "BAAS_AGENT_LISTEN=" + freeAddress(t, agentHost),
		"BAAS_OPERATOR_EMAIL=" + operatorEmail, "BAAS_OPERATOR_PASSWORD=" + operatorPassword, "BAAS_API_RATE=1000", "BAAS_API_BURST=1000",
		"BAAS_RESYNC=5s", "BAAS_ORPHAN_GRACE=5s", "BAAS_DOCKER_POOL=10.213.0.0/16"}, env...)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of the control plane:\n%s", p.log.tail(200))
		}
		p.removeLeftovers()
	})
	p.start()
	return p
}

// start runs the control plane and waits until it serves.
func (p *platform) start() {
	p.t.Helper()
	p.cmd = exec.Command(binary, "serve")
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended is for who ended it
		close(done)
	}(p.cmd, p.done)
	eventually(p.t, 60*time.Second, "the platform to be ready", func() error {
		select {
		case <-p.done:
			p.t.Fatalf("the control plane ended:\n%s", p.log.tail(50))
		default:
		}
		res, err := http.Get(p.url + "/readyz")
		if err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	})
}

// kill ends the control plane as a power cut does.
func (p *platform) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // it may have ended already
		<-p.done
	}
}

// terminate asks the control plane to end and waits for it.
func (p *platform) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatal("the control plane doesn't end")
	}
}

// as logs a person in.
func (p *platform) as(email, password string) *client.Client {
	p.t.Helper()
	c, err := client.New(p.url, "")
	must(p.t, err)
	s, err := c.LogIn(p.t.Context(), email, password)
	must(p.t, err)
	c, err = client.New(p.url, s.Secret)
	must(p.t, err)
	return c
}

// tenant has the operator make a tenant and its owner accept the invitation; it gives the owner's view of it.
func (p *platform) tenant(name, plan string) *client.Tenant {
	p.t.Helper()
	ctx := p.t.Context()
	operator := p.as(operatorEmail, operatorPassword)
	tenant, err := operator.CreateTenant(ctx, baas.TenantCreate{Name: name, Plan: plan})
	must(p.t, err)
	email := "owner@" + tenant.Slug + ".example"
	invitation, err := operator.Tenant(tenant.ID).Invite(ctx, baas.InvitationCreate{Email: email, Role: baas.RoleOwner})
	must(p.t, err)
	nobody, err := client.New(p.url, "")
	must(p.t, err)
	_, err = nobody.AcceptInvitation(ctx, baas.InvitationAccept{Token: invitation.Token, Name: "Olívia", Password: ownerPassword})
	must(p.t, err)
	return p.as(email, ownerPassword).Tenant(tenant.Slug)
}

// worker makes a Worker and waits until it runs.
func (p *platform) worker(tenant *client.Tenant, in baas.WorkerCreate) baas.Worker {
	p.t.Helper()
	w, err := tenant.CreateWorker(p.t.Context(), in)
	must(p.t, err)
	return p.awaitWorker(tenant, w.ID, baas.WorkerRunning)
}

func (p *platform) awaitWorker(tenant *client.Tenant, id string, want baas.WorkerState) (w baas.Worker) {
	p.t.Helper()
	eventually(p.t, 90*time.Second, fmt.Sprintf("Worker %s to be %s", id, want), func() (err error) {
		if w, err = tenant.Worker(p.t.Context(), id); err != nil {
			return err
		}
		if w.Status.State != want {
			return fmt.Errorf("it is %s (%s)", w.Status.State, w.Status.Reason)
		}
		return nil
	})
	return w
}

func (p *platform) awaitGone(tenant *client.Tenant, worker string) {
	p.t.Helper()
	eventually(p.t, 90*time.Second, "Worker "+worker+" to be gone", func() error {
		w, err := tenant.Worker(p.t.Context(), worker)
		if errors.Is(err, baas.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("it is %s (%s) %w", w.Status.State, w.Status.Reason, err)
	})
}

// bot makes a bot and waits until it runs.
func (p *platform) bot(tenant *client.Tenant, in baas.BotCreate) baas.Bot {
	p.t.Helper()
	b, err := tenant.CreateBot(p.t.Context(), in)
	must(p.t, err)
	return p.awaitBot(tenant, b.ID, baas.BotRunning)
}

func (p *platform) awaitBot(tenant *client.Tenant, id string, want baas.BotState) (b baas.Bot) {
	p.t.Helper()
	eventually(p.t, 60*time.Second, fmt.Sprintf("bot %s to be %s", id, want), func() (err error) {
		if b, err = tenant.Bot(p.t.Context(), id); err != nil {
			return err
		}
		if b.Status.State != want {
			return fmt.Errorf("it is %s (%s)", b.Status.State, b.Status.Reason)
		}
		return nil
	})
	return b
}

func (p *platform) awaitMove(tenant *client.Tenant, id string, want baas.MoveStep) (m baas.Move) {
	p.t.Helper()
	eventually(p.t, 60*time.Second, "move "+id+" to be "+string(want), func() (err error) {
		if m, err = tenant.Move(p.t.Context(), id); err != nil {
			return err
		}
		if m.Step != want {
			return fmt.Errorf("it is %s (%s)", m.Step, m.Reason)
		}
		return nil
	})
	return m
}

// echo is an assistant that needs no key.
func echo(name, worker string) baas.BotCreate {
	return baas.BotCreate{Name: name, WorkerID: worker, Kind: baas.BotAssistant, Access: baas.AccessPublic, Assistant: &baas.Assistant{Welcome: "Olá!"}}
}

// post sends JSON to a bot's public address.
func post(ctx context.Context, url, body string, header ...string) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// answers fails the test unless the bot at the public address repeats what it is told.
func answers(t *testing.T, url, message string) {
	t.Helper()
	status, answer, err := post(t.Context(), url+"chat", fmt.Sprintf(`{"message":%q}`, message))
	if err != nil || status != http.StatusOK || !strings.Contains(answer, message) {
		t.Fatalf("%s: status %d, answer %s, %v", url, status, answer, err)
	}
}

// machine names what the Worker runs on, so that another machine has another name; "" where nothing tells.
func (p *platform) machine(worker string) string {
	p.t.Helper()
	switch p.engine {
	case "docker":
		return docker(p.t, "ps", "-q", "--filter", "label=baas.worker="+worker)
	case "kubernetes":
		return p.cluster.containers(p.t, worker)
	}
	return ""
}

// onEngine lists what the Docker Engine has of a Worker.
func onEngine(t *testing.T, worker string) (found []string) {
	t.Helper()
	filter := "label=baas.worker=" + worker
	for _, args := range [][]string{{"ps", "-aq", "--filter", filter}, {"volume", "ls", "-q", "--filter", filter}} {
		found = append(found, strings.Fields(docker(t, args...))...)
	}
	return found
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v: %s (scripts/docker.sh starts an engine)", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// removeLeftovers removes what the scenario left on the engine.
func (p *platform) removeLeftovers() {
	ctx := context.WithoutCancel(p.t.Context())
	quiet := slog.New(slog.DiscardHandler)
	var machines engine.Engine
	switch installation := p.log.installation(); {
	case p.engine == "process":
		e, err := process.New(ctx, process.Config{Dir: filepath.Join(p.dir, "process"), BinaryPath: binary, AgentURL: "ws://127.0.0.1:1", StopTimeout: time.Second, Log: quiet})
		must(p.t, err)
		machines = e
	case p.engine == "docker" && installation != "":
		e, err := dockerengine.New(ctx, dockerengine.Config{Installation: installation, BinaryPath: binary, AgentListenPort: 1, StopTimeout: time.Second,
			Log: quiet, AllowUnguarded: true})
		must(p.t, err)
		defer e.Close()
		defer func() {
			if err := e.RemoveInstallation(ctx); err != nil {
				p.t.Error(err)
			}
		}()
		machines = e
	default:
		return
	}
	states, err := machines.List(ctx)
	must(p.t, err)
	for _, s := range states {
		if err := machines.Remove(ctx, s.ID); err != nil {
			p.t.Error(err)
		}
	}
}

func glob(pattern string) []string {
	found, _ := filepath.Glob(pattern) // the pattern is constant
	return found
}

// logBuffer keeps the log of a control plane.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) tail(lines int) string {
	var all []string
	for line := range strings.Lines(l.String()) {
		if !strings.Contains(line, "msg=request ") || !strings.Contains(line, "status=200") { // what went well says little
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// installation finds the installation's id in the log.
func (l *logBuffer) installation() string {
	_, rest, found := strings.Cut(l.String(), "installation=")
	if !found {
		return ""
	}
	id, _, _ := strings.Cut(rest, "\n")
	return strings.Fields(id)[0]
}

func freeAddress(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually tries until ok gives no error.
func eventually(t *testing.T, limit time.Duration, what string, ok func() error) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waited %s for %s: %v", limit, what, err)
		case <-t.Context().Done():
			t.Fatalf("waiting for %s: %v", what, err)
		case <-tick.C:
		}
	}
}
