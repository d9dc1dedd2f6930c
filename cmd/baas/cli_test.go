package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// terminal runs commands with settings of their own.
type terminal struct{ t *testing.T }

func newTerminal(t *testing.T) terminal {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for _, name := range []string{"BAAS_URL", "BAAS_TOKEN", "BAAS_TENANT"} {
		t.Setenv(name, "")
	}
	return terminal{t}
}

func (x terminal) run(stdin string, args ...string) (code int, stdout, stderr string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), 30*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	code = run(ctx, args, streams{in: strings.NewReader(stdin), out: &out, err: &errs})
	return code, out.String(), errs.String()
}

func (x terminal) ok(args ...string) string {
	x.t.Helper()
	code, out, errs := x.run("", args...)
	if code != exitOK {
		x.t.Fatalf("baas %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

func (x terminal) fails(code int, says string, args ...string) {
	x.t.Helper()
	got, out, errs := x.run("", args...)
	if got != code || !strings.Contains(errs, says) {
		x.t.Fatalf("baas %s: exit %d, want %d with %q\n%s%s", strings.Join(args, " "), got, code, says, out, errs)
	}
}

func decode[T any](t *testing.T, out string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return v
}

func TestCommands(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, _ := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	x := newTerminal(t)

	x.fails(exitDenied, "not logged in", "worker", "list")
	x.fails(exitUsage, "--email", "login", p.URL)
	code, _, errs := x.run("errada errada\n", "login", p.URL, "--email", "dona@a.example", "--password-stdin")
	if code != exitDenied || !strings.Contains(errs, "e-mail or password is wrong") {
		t.Fatalf("exit %d %s", code, errs)
	}
	if code, out, errs := x.run(apitest.Password+"\n", "login", p.URL, "--email", "dona@a.example", "--password-stdin"); code != exitOK {
		t.Fatalf("exit %d %s%s", code, out, errs)
	}
	file, err := os.Stat(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "baas", "config.json"))
	if err != nil || file.Mode().Perm() != 0o600 {
		t.Fatalf("the settings: %v %v", file, err)
	}

	w := decode[baas.Worker](t, x.ok("worker", "create", "Financeiro", "--memory", "1024", "-o", "json"))
	if w.Size.MemoryMiB != 1024 || w.Size.CPUMillis != baas.DefaultSize.CPUMillis {
		t.Errorf("got the size %+v", w.Size)
	}
	x.ok("worker", "create", "Operações")
	x.fails(exitRefused, "name", "worker", "create", "Financeiro")
	x.fails(exitNotFound, "no Worker", "worker", "get", "Jurídico")
	x.fails(exitUsage, "other arguments", "worker", "get")
	x.fails(exitUsage, "unknown flag", "worker", "get", "--colour")
	x.fails(exitUsage, "unknown command", "wroker")
	if out := x.ok("worker", "list"); !strings.Contains(out, "Financeiro") || !strings.HasPrefix(out, "NAME") {
		t.Errorf("got %s", out)
	}
	r := decode[baas.Resized](t, x.ok("worker", "resize", "Financeiro", "--cpu", "1000", "-o", "json"))
	if r.Effect != baas.ResizeLater || r.Worker.Size != (baas.Size{CPUMillis: 1000, MemoryMiB: 1024, DiskGiB: 2}) {
		t.Errorf("got %+v", r)
	}
	x.fails(exitRefused, "size.memory_mib", "worker", "resize", w.ID, "--memory", "20000")
	x.ok("worker", "stop", "Financeiro")
	x.fails(exitRefused, "start it instead", "worker", "restart", "Financeiro")
	x.ok("worker", "update", "Financeiro", "--name", "Fiscal")

	if code, _, errs := x.run("sk-123\n", "secret", "set", "CHAVE"); code != exitOK {
		t.Fatal(errs)
	}
	if out := x.ok("secret", "list", "-o", "json"); strings.Contains(out, "sk-123") || !strings.Contains(out, "CHAVE") {
		t.Errorf("got %s", out)
	}
	b := decode[baas.Bot](t, x.ok("bot", "create", "Ana", "--worker", "Fiscal", "--command", "./bot", "--command", "-v", "--env", "KEY=@CHAVE", "--port", "8080", "-o", "json"))
	if b.Program == nil || len(b.Program.Command) != 2 || b.Program.Env[0].Secret != "CHAVE" {
		t.Errorf("got %+v", b.Program)
	}
	x.fails(exitRefused, "need this secret: Ana", "secret", "delete", "CHAVE")
	x.ok("bot", "create", "Bia", "--worker", "Fiscal", "--prompt", "Seja breve.")
	x.ok("bot", "update", "Bia", "--prompt", "Seja muito breve.")
	spec := filepath.Join(t.TempDir(), "bot.json")
	if err := os.WriteFile(spec, []byte(`{"assistant":{"system_prompt":"Oi","temprature":1}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	x.fails(exitFailed, "temprature", "bot", "update", "Bia", "-f", spec)
	archive := filepath.Join(t.TempDir(), "files.tar.gz")
	if err := os.WriteFile(archive, []byte("\x1f\x8bfiles"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.ok("bot", "upload", "Ana", archive)
	m := decode[baas.Move](t, x.ok("bot", "move", "Bia", "Operações", "-o", "json"))
	if out := x.ok("move", "list", "--bot", "Bia"); !strings.Contains(out, m.ID) {
		t.Errorf("got %s", out)
	}
	x.fails(exitUsage, "--yes", "bot", "delete", "Ana")
	x.ok("bot", "delete", "Ana", "--yes")
	x.fails(exitRefused, "being moved", "bot", "delete", "Bia", "--yes")

	agent := http.NewServeMux()
	agent.HandleFunc("GET /v1/bots/{id}/logs", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, `{"stream":"stdout","text":"olá"}`) })
	agent.HandleFunc("POST /v1/bots/{id}/http/chat", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"reply":"bom dia"}`) })
	x.fails(exitUnavailable, "isn't connected", "bot", "send", "Bia", "oi")
	p.Agents.Connect(t, w.ID, agent)
	if out := x.ok("bot", "send", "Bia", "oi"); out != "bom dia\n" {
		t.Errorf("got %q", out)
	}
	if out := x.ok("logs", "Bia"); !strings.Contains(out, "olá") {
		t.Errorf("got %q", out)
	}
	if out := x.ok("event", "list", "--worker", "Fiscal", "--kind", "worker.created"); !strings.Contains(out, "Financeiro was made") {
		t.Errorf("got %s", out)
	}
	if out := x.ok("usage", "--csv"); !strings.HasPrefix(out, "start,worker_id") {
		t.Errorf("got %s", out)
	}
	i := decode[baas.NewInvitation](t, x.ok("member", "invite", "nova@a.example", "--role", "viewer", "--worker", "Fiscal", "-o", "json"))
	if len(i.WorkerIDs) != 1 || i.WorkerIDs[0] != w.ID || i.URL == "" {
		t.Errorf("got %+v", i)
	}
	if out := x.ok("tenant", "get"); !strings.Contains(out, "2 of 5") {
		t.Errorf("got %s", out)
	}
	x.fails(exitDenied, "only an operator of the platform", "tenant", "create", "Cliente B")

	// A token works without a log-in, for its tenant.
	tok := decode[baas.NewToken](t, x.ok("token", "create", "ci", "--scope", "read", "-o", "json"))
	x.ok("logout")
	x.fails(exitDenied, "not logged in", "worker", "list")
	t.Setenv("BAAS_URL", p.URL)
	t.Setenv("BAAS_TOKEN", tok.Secret)
	if out := x.ok("worker", "list", "--tenant", tenant.Slug); !strings.Contains(out, "Fiscal") {
		t.Errorf("got %s", out)
	}
	x.fails(exitDenied, "lacks the scope write", "worker", "delete", "Fiscal", "--yes")
}

// TestWait follows a Worker until it runs, as a controller would make it run.
func TestWait(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	x := newTerminal(t)
	t.Setenv("BAAS_URL", p.URL)
	t.Setenv("BAAS_TOKEN", secret)
	ctx, cancel := context.WithCancel(t.Context())
	changes := p.Store.Subscribe(ctx)
	ended := make(chan error, 1)
	go func() {
		for c := range changes {
			if c.Kind != "worker" {
				continue
			}
			err := p.Store.Tenant(tenant.ID).Update(ctx, func(tx baas.TenantTx) error {
				w, err := tx.Workers().Get(ctx, c.ID)
				if err != nil {
					return err
				}
				next := map[baas.WorkerState]baas.WorkerState{baas.WorkerPending: baas.WorkerProvisioning, baas.WorkerProvisioning: baas.WorkerRunning}[w.Status.State]
				if next == "" {
					return nil
				}
				return tx.Workers().SetStatus(ctx, w.ID, baas.WorkerStatus{State: next, Reason: "on its way", Since: time.Now()})
			})
			if err != nil && ctx.Err() == nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	code, out, errs := x.run("", "worker", "create", "Financeiro", "--wait")
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if code != exitOK || !strings.Contains(out, "running") || !strings.Contains(errs, "Financeiro: running") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
}
