package process

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/enginetest"
)

type bench struct {
	cfg     Config
	control *enginetest.Control
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := bench{control: enginetest.NewControl(t, "127.0.0.1")}
	b.cfg = Config{
		Dir: filepath.Join(t.TempDir(), "machines"), BinaryPath: enginetest.BuildProbe(t), AgentURL: b.control.URL,
		StopTimeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
	}
	return b
}

func (b bench) New(t testing.TB) *Engine {
	t.Helper()
	e, err := New(t.Context(), b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (b bench) record(t testing.TB, id string) record {
	t.Helper()
	r, err := b.New(t).load(filepath.Join(b.cfg.Dir, id))
	if err != nil || !r.Made {
		t.Fatalf("machine %s has no record: %v", id, err)
	}
	return r
}

func TestConformance(t *testing.T) {
	b := newBench(t)
	enginetest.Run(t, enginetest.Harness{
		New:         func(t testing.TB) engine.Engine { return b.New(t) },
		Isolation:   baas.IsolationNone,
		Unsupported: baas.IsolationContainer,
		Control:     b.control,
		Data:        func(id string) string { return filepath.Join(b.cfg.Dir, id, dataDir) },
		Identity: func(t testing.TB, id string) string {
			p := b.record(t, id).Process
			return strconv.Itoa(p.PID) + " " + p.Start
		},
		Kill: func(t testing.TB, id string) {
			if err := syscall.Kill(b.record(t, id).Process.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
		Leftovers: func(t testing.TB) (names []string) {
			entries, err := os.ReadDir(b.cfg.Dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				names = append(names, "directory "+e.Name())
			}
			for _, pid := range running(b.cfg.BinaryPath) {
				names = append(names, "process "+strconv.Itoa(pid))
			}
			return names
		},
	})
}

// running finds the processes of a program.
func running(binary string) (pids []int) {
	exes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range exes {
		if target, err := os.Readlink(exe); err == nil && target == binary {
			pid, _ := strconv.Atoi(strings.Split(exe, "/")[2])
			if s, err := readStat(pid); err == nil && s.state != "Z" {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func (b bench) machine(t *testing.T) engine.Machine {
	m := engine.Machine{
		ID: baas.NewID(baas.PrefixWorker), TenantID: baas.NewID(baas.PrefixTenant), Isolation: baas.IsolationNone,
		Size: baas.DefaultSize, AgentToken: "token",
	}
	t.Cleanup(func() {
		if err := b.New(t).Remove(t.Context(), m.ID); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return m
}

// A control plane that is killed between starting the agent and noting its pid must not start a second one.
func TestAgentThatWasNeverNotedIsFound(t *testing.T) {
	b := newBench(t)
	e, m := b.New(t), b.machine(t)
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	b.control.Probe(t, m.ID)
	dir := filepath.Join(b.cfg.Dir, m.ID)
	r := b.record(t, m.ID)
	first := r.Process.PID
	r.Process = process{}
	if err := e.save(dir, r); err != nil {
		t.Fatal(err)
	}
	if err := b.New(t).Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	if pids := running(b.cfg.BinaryPath); len(pids) != 1 || pids[0] == first {
		t.Errorf("agents that run: %v (the first was %d), want one new one", pids, first)
	}
	if err := b.New(t).Remove(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if pids := running(b.cfg.BinaryPath); len(pids) != 0 {
		t.Errorf("agents that run after Remove: %v", pids)
	}
}

// What an agent started and left behind when it was killed ends before the next agent starts.
func TestProcessesOfAKilledAgentEnd(t *testing.T) {
	b := newBench(t)
	e, m := b.New(t), b.machine(t)
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	p := b.control.Probe(t, m.ID)
	inSession := p.Must(t, "spawn", "same session", "")
	detached := p.Must(t, "spawn", "own session", "")
	if err := terminate(t.Context(), b.record(t, m.ID).Process.PID, 0); err != nil {
		t.Fatal(err)
	}
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []string{inSession, detached} {
		n, _ := strconv.Atoi(pid)
		if s, err := readStat(n); err == nil && s.state != "Z" {
			t.Errorf("process %s of the killed agent is still there", pid)
		}
	}
	if pids := running(b.cfg.BinaryPath); len(pids) != 1 {
		t.Errorf("processes of the probe: %v, want the new agent alone", pids)
	}
	if err := e.Remove(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
}

func TestAnAgentThatDoesNotEndIsKilled(t *testing.T) {
	b := newBench(t)
	b.cfg.StopTimeout = 300 * time.Millisecond
	e, m := b.New(t), b.machine(t)
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	b.control.Probe(t, m.ID).Must(t, "ignore-term", "", "")
	if err := e.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if pids := running(b.cfg.BinaryPath); len(pids) != 0 {
		t.Errorf("agents that run after Stop: %v", pids)
	}
	if err := e.Remove(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
}

func TestTheControlPlanesSecretsStayOut(t *testing.T) {
	b := newBench(t)
	t.Setenv("BAAS_MASTER_KEY", "secret")
	e, m := b.New(t), b.machine(t)
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	if got := b.control.Probe(t, m.ID).Must(t, "env", "BAAS_MASTER_KEY", ""); got != "" {
		t.Errorf("the agent sees a secret of the control plane: %q", got)
	}
	if err := e.Remove(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
}

func TestBadIDIsRefused(t *testing.T) {
	b := newBench(t)
	e := b.New(t)
	for _, id := range []string{"", "..", "../other", "a/b", "."} {
		if err := e.Remove(t.Context(), id); err == nil {
			t.Errorf("Remove of id %q was accepted", id)
		}
	}
}
