// Package fake is an engine in memory, scripted by its configuration: for unit tests of what drives engines, and for
// benchmarks of thousands of machines a second. It is no proof that anything works on a real engine.
package fake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// Operations, as Config.Before is told them. Ensure is told by its steps instead.
const (
	OpInspect      = "inspect"
	OpStop         = "stop"
	OpRemove       = "remove"
	OpList         = "list"
	OpCapabilities = "capabilities"
)

// Config scripts the engine. The zero value does everything at once and never fails.
type Config struct {
	Now func() time.Time // time.Now when nil
	// Before runs before every operation and every step of Ensure (its name as op), with the machine's id. It may
	// wait, for a latency, and an error from it fails the call with all earlier steps done.
	Before func(ctx context.Context, op, id string) error
	// Started runs after a machine has been started, with what it got: the place to run an agent.
	Started func(m engine.Machine)
	// Ended runs after a machine has been stopped, killed or removed.
	Ended func(id string)
	// Capabilities is what the engine says it can do; every level, live resizing and images when its Engine is empty.
	Capabilities engine.Capabilities
}

// Engine implements engine.Engine. Safe for concurrent use.
type Engine struct {
	cfg      Config
	notifier engine.Notifier

	mu       sync.Mutex
	machines map[string]*machine
}

// machine is one Worker's machine and volume.
type machine struct {
	engine.Machine
	phase     engine.Phase
	reason    string
	exitCode  int
	startedAt time.Time
	agentOld  bool
	starts    int64
}

var _ engine.Engine = (*Engine)(nil)

// New makes an engine without machines.
func New(cfg Config) *Engine {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Capabilities.Engine == "" {
		cfg.Capabilities = engine.Capabilities{
			Engine: "fake", Version: "1", LiveResize: true, DiskLimit: "none", Images: true,
			Isolation: map[baas.Isolation]string{baas.IsolationContainer: "fake", baas.IsolationSandbox: "fake", baas.IsolationVM: "fake"},
			Warnings:  []engine.Warning{{Code: engine.WarnSimulated, Message: "this engine runs nothing"}},
		}
	}
	return &Engine{cfg: cfg, machines: map[string]*machine{}}
}

func (e *Engine) before(ctx context.Context, op, id string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s of %s: %w", op, id, err)
	}
	if e.cfg.Before == nil {
		return nil
	}
	if err := e.cfg.Before(ctx, op, id); err != nil {
		return fmt.Errorf("%s of %s: %w", op, id, err)
	}
	return nil
}

// Ensure implements engine.Engine.
func (e *Engine) Ensure(ctx context.Context, m engine.Machine, progress func(engine.Step)) error {
	if e.cfg.Capabilities.Isolation[m.Isolation] == "" {
		return baas.Errorf(baas.CodeUnsupported, "isolation %s can't be had: the fake engine is set up without it", m.Isolation)
	}
	if m.Image != "" && !e.cfg.Capabilities.Images {
		return baas.Errorf(baas.CodeUnsupported, "an image can't be chosen: the fake engine is set up without images")
	}
	step := func(s engine.Step) error {
		if progress != nil {
			progress(s)
		}
		return e.before(ctx, string(s), m.ID)
	}
	have, ok := e.get(m.ID)
	made := ok && have.phase != engine.PhaseAbsent
	if made && have.current(m) {
		return nil
	}
	if made && !have.mustMakeAnew(m) {
		if have.Size != m.Size {
			if err := step(engine.StepResize); err != nil {
				return err
			}
			e.change(m.ID, func(h *machine) { h.Size = m.Size })
		}
		if have.phase == engine.PhaseRunning {
			return nil
		}
		return e.start(step, m)
	}
	if m.AgentToken == "" {
		if m.AgentToken = have.AgentToken; m.AgentToken == "" {
			return fmt.Errorf("making the machine of %s: an agent token is needed for a new machine", m.ID)
		}
	}
	if made {
		e.change(m.ID, func(h *machine) { h.phase = engine.PhaseAbsent })
		e.ended(m.ID)
	}
	for _, s := range []engine.Step{engine.StepImage, engine.StepNetwork, engine.StepVolume} {
		if err := step(s); err != nil {
			return err
		}
	}
	e.mu.Lock()
	if e.machines[m.ID] == nil {
		e.machines[m.ID] = &machine{Machine: engine.Machine{ID: m.ID, TenantID: m.TenantID}, phase: engine.PhaseAbsent}
	}
	e.mu.Unlock()
	if err := step(engine.StepMachine); err != nil {
		return err
	}
	e.change(m.ID, func(h *machine) { h.Machine, h.phase, h.agentOld = m, engine.PhaseStopped, false })
	return e.start(step, m)
}

func (e *Engine) start(step func(engine.Step) error, m engine.Machine) error {
	if err := step(engine.StepStart); err != nil {
		return err
	}
	var started engine.Machine
	e.change(m.ID, func(h *machine) {
		h.phase, h.reason, h.exitCode, h.startedAt = engine.PhaseRunning, "", 0, e.cfg.Now()
		h.starts++
		started = h.Machine
	})
	e.notifier.Notify(m.ID)
	if e.cfg.Started != nil {
		e.cfg.Started(started)
	}
	return nil
}

func (h *machine) mustMakeAnew(m engine.Machine) bool {
	return h.Image != m.Image || h.Isolation != m.Isolation || h.AgentURL != m.AgentURL || h.Restarts < m.Restarts ||
		m.AgentToken != "" && m.AgentToken != h.AgentToken || h.agentOld && h.phase != engine.PhaseRunning
}

func (h *machine) current(m engine.Machine) bool {
	return h.phase == engine.PhaseRunning && h.Size == m.Size && !h.mustMakeAnew(m)
}

func (e *Engine) get(id string) (machine, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := e.machines[id]
	if h == nil {
		return machine{}, false
	}
	return *h, true
}

// change changes a machine and reports whether there is one.
func (e *Engine) change(id string, do func(*machine)) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := e.machines[id]
	if h != nil {
		do(h)
	}
	return h != nil
}

func (e *Engine) ended(id string) {
	e.notifier.Notify(id)
	if e.cfg.Ended != nil {
		e.cfg.Ended(id)
	}
}

func (h *machine) state() engine.State {
	s := engine.State{
		ID: h.ID, TenantID: h.TenantID, Phase: h.phase, Reason: h.reason, ExitCode: h.exitCode,
		StartedAt: h.startedAt, AgentOld: h.agentOld, Volume: true,
	}
	if h.phase != engine.PhaseAbsent {
		s.Size = h.Size
	}
	return s
}

// Inspect implements engine.Engine.
func (e *Engine) Inspect(ctx context.Context, m engine.Machine) (engine.State, error) {
	if err := e.before(ctx, OpInspect, m.ID); err != nil {
		return engine.State{}, err
	}
	h, ok := e.get(m.ID)
	if !ok {
		return engine.State{ID: m.ID, TenantID: m.TenantID, Phase: engine.PhaseAbsent}, nil
	}
	s := h.state()
	s.Current = h.current(m)
	return s, nil
}

// Stop implements engine.Engine.
func (e *Engine) Stop(ctx context.Context, id string) error {
	if err := e.before(ctx, OpStop, id); err != nil {
		return err
	}
	e.End(id, 0)
	return nil
}

// Remove implements engine.Engine.
func (e *Engine) Remove(ctx context.Context, id string) error {
	if err := e.before(ctx, OpRemove, id); err != nil {
		return err
	}
	e.mu.Lock()
	_, ok := e.machines[id]
	delete(e.machines, id)
	e.mu.Unlock()
	if ok {
		e.ended(id)
	}
	return nil
}

// List implements engine.Engine.
func (e *Engine) List(ctx context.Context) ([]engine.State, error) {
	if err := e.before(ctx, OpList, ""); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]engine.State, 0, len(e.machines))
	for _, h := range e.machines {
		list = append(list, h.state())
	}
	slices.SortFunc(list, func(a, b engine.State) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// Watch implements engine.Engine.
func (e *Engine) Watch(ctx context.Context) (<-chan string, error) { return e.notifier.Watch(ctx), nil }

// Capabilities implements engine.Engine.
func (e *Engine) Capabilities(ctx context.Context) (engine.Capabilities, error) {
	return e.cfg.Capabilities, e.before(ctx, OpCapabilities, "")
}

// End ends a running machine with the exit code, as a crash would, and tells the watchers.
func (e *Engine) End(id string, code int) {
	running := false
	e.change(id, func(h *machine) {
		if running = h.phase == engine.PhaseRunning; running {
			h.phase, h.exitCode = engine.PhaseStopped, code
		}
	})
	if running {
		e.ended(id)
	}
}

// Break puts a machine into PhaseFailed with a reason for the client, and tells the watchers.
func (e *Engine) Break(id, reason string) {
	if e.change(id, func(h *machine) { h.phase, h.reason = engine.PhaseFailed, reason }) {
		e.ended(id)
	}
}

// Outdate makes the agents of all machines older than the control plane's, and tells the watchers.
func (e *Engine) Outdate() {
	e.mu.Lock()
	for _, h := range e.machines {
		h.agentOld = true
	}
	e.mu.Unlock()
	e.notifier.Notify("")
}

// Starts counts how often the machine has been started.
func (e *Engine) Starts(id string) int64 {
	h, _ := e.get(id)
	return h.starts
}
