package agent_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// bootAsFirst starts the agent as process 1 of its own process namespace and as a user without rights, as an engine does.
func (w *worker) bootAsFirst() {
	w.t.Helper()
	open := func(dir string) { // the user must get to the volume below the test's directories
		for ; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	open(filepath.Dir(w.data))
	if err := exec.Command("chown", "-R", "65534:65534", w.data).Run(); err != nil {
		w.t.Fatal(err)
	}
	exe := filepath.Join(filepath.Dir(w.data), "agent.test")
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(exe, b, 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.err = &bytes.Buffer{}
	w.cmd = exec.Command(exe)
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	w.cmd.Stderr = w.err
	w.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), roleVar + "=first",
		agentapi.EnvURL + "=" + w.url, agentapi.EnvToken + "=token-of-" + w.id, agentapi.EnvWorker + "=" + w.id, agentapi.EnvData + "=" + w.data,
	}
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	select {
	case <-w.up:
	case <-time.After(20 * time.Second):
		w.t.Fatalf("agent did not connect:\n%s", w.err)
	}
}

// firstMain gives up its rights in its new namespaces and becomes the agent.
func firstMain() int {
	exe, err := os.Executable()
	err = errors.Join(err,
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("proc", "/proc", "proc", 0, ""),
		syscall.Setgroups(nil), syscall.Setresgid(65534, 65534, 65534), syscall.Setresuid(65534, 65534, 65534),
		os.Setenv(roleVar, "agent"))
	if err == nil {
		err = syscall.Exec(exe, []string{exe}, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "becoming the first process:", err)
	return 1
}

func TestFirstProcessWithoutRights(t *testing.T) {
	p := newPlatform(t)
	w := p.newWorker(t, "wrk_1")
	w.shutdown()
	<-p.down
	w.bootAsFirst()
	exe := filepath.Join(filepath.Dir(w.data), "agent.test")
	d := program(t, "bot_1", "serve", freePort(t))
	d.Command = []string{exe}
	// A program that makes orphans again and again: each must be reaped by the first process.
	orphans := program(t, "bot_2", "", 0)
	orphans.Command = []string{"sh", "-c", `i=0; while [ $i -lt 50 ]; do (sh -c 'true' &) ; i=$((i+1)); done; echo made; exec sleep 1000`}
	w.run(d, orphans)
	b := w.until("bot_1", "running", state(baas.BotRunning))
	if b.PID > 1000 {
		t.Errorf("process %d: not in a namespace of its own", b.PID)
	}
	// What the same user may not read of the agent.
	for _, f := range []string{"environ", "mem", "fd/", "maps"} {
		if code, body := w.get("bot_1", "/read?path=/proc/1/"+f); code != 403 || !strings.Contains(body, "permission denied") {
			t.Errorf("a bot reads /proc/1/%s: %d %.100q", f, code, body)
		}
	}
	for l, err := range w.client().Logs(w.ctx(), "bot_2", agentapi.LogQuery{Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Text == "made" {
			break
		}
	}
	w.eventually("no zombie is left", func() bool {
		_, stat := w.get("bot_1", "/procs")
		return !strings.Contains(stat, "Z")
	})
	// A bot that is killed from outside of the agent comes back.
	code, body := w.get("bot_1", "/pid")
	if code != 200 || body != fmt.Sprint(b.PID) {
		t.Fatalf("%d %q", code, body)
	}
	w.until("bot_1", "running", state(baas.BotRunning))
	if s, err := w.client().Status(w.ctx()); err != nil || s.Usage.MemoryBytes == 0 && s.Usage.DiskBytes == 0 {
		t.Errorf("%+v %v", s.Usage, err)
	}
}
