package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// patience is how long the suite waits for what should happen soon.
const patience = 30 * time.Second

// Harness is an engine under test.
type Harness struct {
	// New gives another handle on the same installation, as a control plane has after its restart.
	New func(t testing.TB) engine.Engine
	// Isolation is the level that the machines of the suite get.
	Isolation baas.Isolation
	// Control is where the machines' probes connect; nil when machines run nothing.
	Control *Control
	// Data gives the path of the machine's volume as its probe sees it.
	Data func(id string) string
	// Identity tells one running machine from the next of the same Worker: a container's or a process's id.
	Identity func(t testing.TB, id string) string
	// Kill ends the machine from outside, as a crash of it would.
	Kill func(t testing.TB, id string)
	// Leftovers lists all that is on the engine for the installation, by name.
	Leftovers func(t testing.TB) []string
	// OtherImage is an image besides the platform's own; "" when the engine runs only that.
	OtherImage string
	// Unsupported is a level that this engine can't give.
	Unsupported baas.Isolation
}

// Run drives the engine through everything that an Engine promises.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *suite)
	}{
		{"Ensure makes a running machine and may be repeated", testEnsure},
		{"Inspect tells whether a machine is the wanted one", testCurrent},
		{"Stop and start keep the volume", testStopStart},
		{"A size changes live, up and down", testResize},
		{"Another image makes the machine anew on the same volume", testImage},
		{"A higher restart count restarts once", testRestart},
		{"A new token reaches the machine, no token keeps the old one", testToken},
		{"Remove leaves nothing and may be repeated", testRemove},
		{"List finds machines and volumes without one", testList},
		{"A killed machine is seen, told and healed", testKilled},
		{"Machines of two tenants at once", testParallel},
		{"A crash at any step is picked up", testCrash},
		{"A crash at any step can be removed", testCrashRemove},
		{"What can't be given is refused", testUnsupported},
		{"Capabilities say what there is", testCapabilities},
		{"Calls for a machine that isn't there", testAbsent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &suite{Harness: h, e: h.New(t), tenant: baas.NewID(baas.PrefixTenant)}
			t.Cleanup(func() { s.clean(t) })
			c.test(t, s)
		})
	}
}

type suite struct {
	Harness
	e      engine.Engine
	tenant string
	made   []string
	mu     sync.Mutex
}

func (s *suite) machine() engine.Machine {
	id := baas.NewID(baas.PrefixWorker)
	s.mu.Lock()
	s.made = append(s.made, id)
	s.mu.Unlock()
	return engine.Machine{
		ID: id, TenantID: s.tenant, Name: "Financeiro", Isolation: s.Isolation,
		Size: baas.Size{CPUMillis: 500, MemoryMiB: 128, DiskGiB: 1}, AgentToken: "token-of-" + id,
	}
}

// clean removes all machines of a test, and fails it when something is left on the engine.
func (s *suite) clean(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for _, id := range s.made {
		if err := s.e.Remove(ctx, id); err != nil {
			t.Errorf("removing %s at the end: %v", id, err)
		}
	}
	if left := s.Leftovers(t); len(left) > 0 {
		t.Errorf("left on the engine at the end: %v", left)
	}
}

func (s *suite) ensure(t testing.TB, m engine.Machine) {
	t.Helper()
	if err := s.e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
}

func (s *suite) inspect(t testing.TB, m engine.Machine) engine.State {
	t.Helper()
	st, err := s.e.Inspect(t.Context(), m)
	if err != nil {
		t.Fatalf("Inspect: %v", err)
	}
	return st
}

// expect fails unless the machine is in the phase, and current or not.
func (s *suite) expect(t testing.TB, m engine.Machine, phase engine.Phase, current bool) engine.State {
	t.Helper()
	st := s.inspect(t, m)
	if st.Phase != phase || st.Current != current {
		t.Fatalf("state is %s (current: %t; %s), want %s (current: %t)", st.Phase, st.Current, st.Detail, phase, current)
	}
	return st
}

// write and read go through the machine's volume from inside it. Without probes they do nothing.
func (s *suite) write(t testing.TB, m engine.Machine, text string) {
	t.Helper()
	if s.Control != nil {
		s.Control.Probe(t, m.ID).Must(t, "write", s.Data(m.ID)+"/note", text)
	}
}

func (s *suite) read(t testing.TB, m engine.Machine, want string) {
	t.Helper()
	if s.Control == nil {
		return
	}
	if got := s.Control.Probe(t, m.ID).Must(t, "read", s.Data(m.ID)+"/note", ""); got != want {
		t.Errorf("the volume has %q, want %q", got, want)
	}
}

func testEnsure(t *testing.T, s *suite) {
	m := s.machine()
	if st := s.expect(t, m, engine.PhaseAbsent, false); st.Volume {
		t.Error("a volume is there before the machine")
	}
	var steps []engine.Step
	if err := s.e.Ensure(t.Context(), m, func(st engine.Step) { steps = append(steps, st) }); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	if !slices.Contains(steps, engine.StepStart) || !slices.Contains(steps, engine.StepVolume) {
		t.Errorf("steps told: %v", steps)
	}
	st := s.expect(t, m, engine.PhaseRunning, true)
	if !st.Volume || st.Size != m.Size || st.TenantID != m.TenantID || st.AgentOld {
		t.Errorf("state after Ensure: %+v", st)
	}
	if age := time.Since(st.StartedAt); age < -time.Second || age > time.Minute {
		t.Errorf("started at %s", st.StartedAt)
	}
	first := s.Identity(t, m.ID)
	if s.Control != nil {
		if p := s.Control.Probe(t, m.ID); p.Token != m.AgentToken {
			t.Errorf("the agent presents the token %q", p.Token)
		}
	}
	steps = nil
	if err := s.e.Ensure(t.Context(), m, func(st engine.Step) { steps = append(steps, st) }); err != nil {
		t.Fatalf("Ensure again: %v", err)
	}
	if len(steps) > 0 {
		t.Errorf("Ensure of what is there took steps: %v", steps)
	}
	m.Name = "Fiscal"
	s.ensure(t, m)
	if again := s.Identity(t, m.ID); again != first {
		t.Errorf("Ensure of what is there made another machine: %s, was %s", again, first)
	}
}

func testCurrent(t *testing.T, s *suite) {
	m := s.machine()
	s.ensure(t, m)
	s.expect(t, m, engine.PhaseRunning, true)
	for name, change := range map[string]func(*engine.Machine){
		"cpu":      func(m *engine.Machine) { m.Size.CPUMillis += 100 },
		"memory":   func(m *engine.Machine) { m.Size.MemoryMiB += 64 },
		"restarts": func(m *engine.Machine) { m.Restarts++ },
		"token":    func(m *engine.Machine) { m.AgentToken = "another" },
		"url":      func(m *engine.Machine) { m.AgentURL = "ws://192.0.2.1:9" },
	} {
		other := m
		change(&other)
		if s.inspect(t, other).Current {
			t.Errorf("a machine with another %s counts as current", name)
		}
	}
	same := m
	same.Name, same.AgentToken = "Outro nome", ""
	if !s.inspect(t, same).Current {
		t.Error("another name and an unknown token count as a difference")
	}
}

func testStopStart(t *testing.T, s *suite) {
	m := s.machine()
	s.ensure(t, m)
	s.write(t, m, "kept")
	for range 2 {
		if err := s.e.Stop(t.Context(), m.ID); err != nil {
			t.Fatalf("Stop: %v", err)
		}
	}
	if st := s.expect(t, m, engine.PhaseStopped, false); !st.Volume || st.ExitCode != 0 {
		t.Errorf("state after Stop: %+v", st)
	}
	s.ensure(t, m)
	s.expect(t, m, engine.PhaseRunning, true)
	s.read(t, m, "kept")
}

func testResize(t *testing.T, s *suite) {
	m := s.machine()
	s.ensure(t, m)
	first := s.Identity(t, m.ID)
	for _, size := range []baas.Size{
		{CPUMillis: 1000, MemoryMiB: 512, DiskGiB: 1},
		{CPUMillis: 200, MemoryMiB: 96, DiskGiB: 1},
		{CPUMillis: 200, MemoryMiB: 96, DiskGiB: 3},
	} {
		m.Size = size
		s.ensure(t, m)
		if st := s.expect(t, m, engine.PhaseRunning, true); st.Size != size {
			t.Errorf("size in force is %+v, want %+v", st.Size, size)
		}
		if now := s.Identity(t, m.ID); now != first {
			t.Errorf("a resize made another machine: %s, was %s", now, first)
		}
	}
	// A stopped machine comes back with the size that was asked for meanwhile.
	if err := s.e.Stop(t.Context(), m.ID); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	m.Size = baas.Size{CPUMillis: 300, MemoryMiB: 200, DiskGiB: 1}
	s.ensure(t, m)
	if st := s.expect(t, m, engine.PhaseRunning, true); st.Size != m.Size {
		t.Errorf("size in force after a start is %+v, want %+v", st.Size, m.Size)
	}
}

func testImage(t *testing.T, s *suite) {
	m := s.machine()
	if s.OtherImage == "" {
		m.Image = "example.com/any:1"
		if err := s.e.Ensure(t.Context(), m, nil); !errors.Is(err, baas.ErrUnsupported) {
			t.Errorf("an image on an engine without images gives %v, want ErrUnsupported", err)
		}
		return
	}
	s.ensure(t, m)
	s.write(t, m, "kept")
	first := s.Identity(t, m.ID)
	for _, image := range []string{s.OtherImage, ""} {
		m.Image, m.AgentToken = image, ""
		s.expect(t, m, engine.PhaseRunning, false)
		s.ensure(t, m)
		s.expect(t, m, engine.PhaseRunning, true)
		if now := s.Identity(t, m.ID); now == first {
			t.Error("another image left the machine as it was")
		}
		s.read(t, m, "kept")
	}
	// A machine that begins with such an image can write to its volume too.
	own := s.machine()
	own.Image = s.OtherImage
	s.ensure(t, own)
	s.write(t, own, "mine")
	s.read(t, own, "mine")
}

func testRestart(t *testing.T, s *suite) {
	m := s.machine()
	s.ensure(t, m)
	s.write(t, m, "kept")
	first := s.Identity(t, m.ID)
	m.Restarts = 3
	s.expect(t, m, engine.PhaseRunning, false)
	s.ensure(t, m)
	second := s.Identity(t, m.ID)
	if second == first {
		t.Error("a higher restart count restarted nothing")
	}
	s.expect(t, m, engine.PhaseRunning, true)
	s.ensure(t, m)
	if third := s.Identity(t, m.ID); third != second {
		t.Error("the same restart count restarted again")
	}
	s.read(t, m, "kept")
}

func testToken(t *testing.T, s *suite) {
	m := s.machine()
	old := m.AgentToken
	s.ensure(t, m)
	m.AgentToken, m.Restarts = "", 1
	s.ensure(t, m)
	if s.Control != nil {
		if p := s.Control.Probe(t, m.ID); p.Token != old {
			t.Errorf("made anew without a token, the agent presents %q, want %q", p.Token, old)
		}
	}
	m.AgentToken = "new-token"
	s.expect(t, m, engine.PhaseRunning, false)
	s.ensure(t, m)
	s.expect(t, m, engine.PhaseRunning, true)
	if s.Control != nil {
		if p := s.Control.Probe(t, m.ID); p.Token != "new-token" {
			t.Errorf("the agent presents %q, want the new token", p.Token)
		}
	}
	// A new machine can't do without.
	fresh := s.machine()
	fresh.AgentToken = ""
	if err := s.e.Ensure(t.Context(), fresh, nil); err == nil {
		t.Error("a new machine was made without an agent token")
	}
}

func testRemove(t *testing.T, s *suite) {
	m, sibling := s.machine(), s.machine()
	s.ensure(t, m)
	s.ensure(t, sibling)
	for range 2 {
		if err := s.e.Remove(t.Context(), m.ID); err != nil {
			t.Fatalf("Remove: %v", err)
		}
	}
	if st := s.expect(t, m, engine.PhaseAbsent, false); st.Volume {
		t.Error("Remove left the volume")
	}
	s.expect(t, sibling, engine.PhaseRunning, true)
	if left := s.Leftovers(t); slices.ContainsFunc(left, func(n string) bool { return strings.Contains(n, m.ID) }) {
		t.Errorf("Remove left %v", left)
	}
	if err := s.e.Remove(t.Context(), sibling.ID); err != nil {
		t.Fatalf("Remove: %v", err)
	}
	if left := s.Leftovers(t); len(left) > 0 {
		t.Errorf("Remove of the last machine left %v", left)
	}
	// What was removed can be made again, with an empty volume.
	s.ensure(t, m)
	if s.Control != nil {
		if out, err := s.Control.Probe(t, m.ID).Do(t, "read", s.Data(m.ID)+"/note", ""); err == nil {
			t.Errorf("the volume of a removed machine is back with %q", out)
		}
	}
}

func testList(t *testing.T, s *suite) {
	running, stopped, orphan := s.machine(), s.machine(), s.machine()
	s.ensure(t, running)
	s.ensure(t, stopped)
	if err := s.e.Stop(t.Context(), stopped.ID); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	s.crashAt(t, orphan, engine.StepMachine) // the volume is made, the machine not
	list, err := s.New(t).List(t.Context())
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	want := map[string]engine.Phase{running.ID: engine.PhaseRunning, stopped.ID: engine.PhaseStopped, orphan.ID: engine.PhaseAbsent}
	for _, st := range list {
		phase, ok := want[st.ID]
		if !ok || st.Phase != phase || st.TenantID != s.tenant || !st.Volume {
			t.Errorf("listed: %+v", st)
		}
		delete(want, st.ID)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}

func testKilled(t *testing.T, s *suite) {
	m := s.machine()
	s.ensure(t, m)
	s.write(t, m, "kept")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes, err := s.e.Watch(ctx)
	if err != nil {
		t.Fatalf("Watch: %v", err)
	}
	s.Kill(t, m.ID)
	timeout := time.After(patience)
	for s.inspect(t, m).Phase == engine.PhaseRunning {
		select {
		case <-changes:
		case <-timeout:
			t.Fatal("Watch told nothing of a killed machine")
		}
	}
	s.expect(t, m, engine.PhaseStopped, false)
	s.ensure(t, m)
	s.expect(t, m, engine.PhaseRunning, true)
	s.read(t, m, "kept")
	cancel()
	for range changes { // ends when the channel is closed
	}
}

func testParallel(t *testing.T, s *suite) {
	const tenants, each = 3, 3
	var all []engine.Machine
	for range tenants {
		tenant := baas.NewID(baas.PrefixTenant)
		for range each {
			m := s.machine()
			m.TenantID = tenant
			all = append(all, m)
		}
	}
	atOnce := func(do func(m engine.Machine) error) {
		t.Helper()
		errs := make(chan error, len(all))
		for _, m := range all {
			go func() { errs <- do(m) }()
		}
		for range all {
			if err := <-errs; err != nil {
				t.Errorf("at once with others: %v", err)
			}
		}
	}
	atOnce(func(m engine.Machine) error { return s.e.Ensure(t.Context(), m, nil) })
	for _, m := range all {
		s.expect(t, m, engine.PhaseRunning, true)
	}
	// Removing a tenant's machines while others of the tenant come must not take their network.
	atOnce(func(m engine.Machine) error {
		if m.ID == all[0].ID || m.ID == all[each].ID {
			return s.e.Ensure(t.Context(), m, nil)
		}
		return s.e.Remove(t.Context(), m.ID)
	})
	s.expect(t, all[0], engine.PhaseRunning, true)
	s.expect(t, all[each], engine.PhaseRunning, true)
}

// crashAt ends Ensure as a killed control plane would, when the step begins.
func (s *suite) crashAt(t testing.TB, m engine.Machine, step engine.Step) (reached bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := s.e.Ensure(ctx, m, func(st engine.Step) {
		if st == step {
			reached = true
			cancel()
		}
	})
	if reached && err == nil {
		t.Fatalf("Ensure went on after its end at step %s", step)
	}
	if !reached && err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	return reached
}

var steps = []engine.Step{engine.StepImage, engine.StepNetwork, engine.StepVolume, engine.StepMachine, engine.StepStart}

func testCrash(t *testing.T, s *suite) {
	for _, step := range steps {
		m := s.machine()
		if !s.crashAt(t, m, step) {
			continue // this engine has no such step
		}
		if st := s.inspect(t, m); st.Phase == engine.PhaseRunning {
			t.Errorf("after a crash at step %s the machine is %s", step, st.Phase)
		}
		s.e = s.New(t)
		// The control plane may have lost the first token and made another.
		m.AgentToken = fmt.Sprintf("second-%s", m.ID)
		s.ensure(t, m)
		s.expect(t, m, engine.PhaseRunning, true)
		if s.Control != nil {
			if p := s.Control.Probe(t, m.ID); p.Token != m.AgentToken {
				t.Errorf("after a crash at step %s the agent presents an old token", step)
			}
		}
	}
}

func testCrashRemove(t *testing.T, s *suite) {
	for _, step := range steps {
		m := s.machine()
		s.crashAt(t, m, step)
		s.e = s.New(t)
		if err := s.e.Remove(t.Context(), m.ID); err != nil {
			t.Errorf("Remove after a crash at step %s: %v", step, err)
		}
		if left := s.Leftovers(t); len(left) > 0 {
			t.Errorf("Remove after a crash at step %s left %v", step, left)
		}
	}
}

func testUnsupported(t *testing.T, s *suite) {
	m := s.machine()
	m.Isolation = s.Unsupported
	err := s.e.Ensure(t.Context(), m, nil)
	if !errors.Is(err, baas.ErrUnsupported) {
		t.Fatalf("Ensure of isolation %s gives %v, want ErrUnsupported", m.Isolation, err)
	}
	var e *baas.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, string(m.Isolation)) {
		t.Errorf("the refusal %q doesn't name the level", err)
	}
	if left := s.Leftovers(t); len(left) > 0 {
		t.Errorf("a refusal left %v", left)
	}
}

func testCapabilities(t *testing.T, s *suite) {
	c, err := s.e.Capabilities(t.Context())
	if err != nil {
		t.Fatalf("Capabilities: %v", err)
	}
	if c.Engine == "" || c.Isolation[s.Isolation] == "" {
		t.Errorf("capabilities: %+v", c)
	}
	if s.Unsupported != baas.IsolationNone && c.Missing[s.Unsupported] == "" {
		t.Errorf("no reason for the missing level %s: %+v", s.Unsupported, c)
	}
	for level := range c.Isolation {
		if c.Missing[level] != "" {
			t.Errorf("level %s is both there and missing", level)
		}
	}
	if c.Images != (s.OtherImage != "") {
		t.Errorf("images of one's own: %t", c.Images)
	}
}

func testAbsent(t *testing.T, s *suite) {
	m := s.machine()
	if err := s.e.Stop(t.Context(), m.ID); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if err := s.e.Remove(t.Context(), m.ID); err != nil {
		t.Errorf("Remove: %v", err)
	}
	s.expect(t, m, engine.PhaseAbsent, false)
}
