package process

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// Config says where machines live and what they run.
type Config struct {
	Dir         string        // holds a directory per machine; made when missing
	BinaryPath  string        // the baas binary; the running program when empty
	AgentURL    string        // what agents dial, such as ws://127.0.0.1:7080
	StopTimeout time.Duration // what the agent gets to stop its bots before it is killed; 310 s when 0
	Log         *slog.Logger  // slog.Default() when nil
}

// Engine implements engine.Engine. Safe for concurrent use.
type Engine struct {
	cfg      Config
	log      *slog.Logger
	hash     string // of the binary
	bootID   string
	notifier engine.Notifier

	mu      sync.Mutex
	watched map[string]process // by machine: whose end will be told
}

var _ engine.Engine = (*Engine)(nil)

// isolatesNothing is why every level is refused, and the warning.
const isolatesNothing = "the process engine isolates nothing: bots run as plain processes of this machine"

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,100}$`)

// New prepares the engine. Machines that run go on.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Dir == "" || cfg.AgentURL == "" {
		return nil, errors.New("process engine: the directory and the agent URL must be set")
	}
	if cfg.BinaryPath == "" {
		path, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("process engine: finding the running program: %w", err)
		}
		cfg.BinaryPath = path
	}
	if cfg.StopTimeout == 0 {
		cfg.StopTimeout = 310 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("process engine: %w", err)
	}
	cfg.Dir = dir
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("process engine: %w", err)
	}
	e := &Engine{cfg: cfg, log: cfg.Log.With("engine", "process"), watched: map[string]process{}}
	if e.hash, err = hashFile(cfg.BinaryPath); err != nil {
		return nil, fmt.Errorf("process engine: reading the agent's binary: %w", err)
	}
	if e.bootID, err = bootID(); err != nil {
		return nil, fmt.Errorf("process engine: %w", err)
	}
	return e, nil
}

func (e *Engine) dir(id string) (string, error) {
	// Ids become directories.
	if !idPattern.MatchString(id) {
		return "", fmt.Errorf("process engine: machine id %q: must be letters, digits, hyphens and underscores", id)
	}
	return filepath.Join(e.cfg.Dir, id), nil
}

// Files of a machine.
const (
	recordFile = "machine.json"
	lockFile   = "lock"
	logFile    = "agent.log"
	dataDir    = "data"
)

// record is what is kept about a machine. It holds the agent's token, so it is readable by its owner alone.
type record struct {
	Machine engine.Machine
	Made    bool    // false: only the volume is, or was about to be
	Agent   string  // hash of the binary that was started
	Process process // the last one started
	Stopped bool    // on purpose
}

// load reads the record of a machine; the zero record when there is none.
func (e *Engine) load(dir string) (record, error) {
	var r record
	b, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return r, fmt.Errorf("reading machine %s: %w", filepath.Base(dir), err)
	}
	return r, nil
}

// save replaces the record as a whole: a crash leaves the old one or the new one.
func (e *Engine) save(dir string, r record) error {
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("writing machine %s: %w", filepath.Base(dir), err)
	}
	name := filepath.Join(dir, recordFile)
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return fmt.Errorf("writing machine %s: %w", filepath.Base(dir), err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("writing machine %s: %w", filepath.Base(dir), err)
	}
	return nil
}

func (e *Engine) url(m engine.Machine) string { return cmp.Or(m.AgentURL, e.cfg.AgentURL) }

// mustStartAnew reports whether m differs in what a running agent can't change.
func (e *Engine) mustStartAnew(r record, m engine.Machine) bool {
	return e.url(r.Machine) != e.url(m) || r.Machine.Restarts < m.Restarts ||
		m.AgentToken != "" && m.AgentToken != r.Machine.AgentToken
}

// Ensure implements engine.Engine.
func (e *Engine) Ensure(ctx context.Context, m engine.Machine, progress func(engine.Step)) error {
	step := func(s engine.Step) error {
		if progress != nil {
			progress(s)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("making the machine of %s: %w", m.ID, err)
		}
		return nil
	}
	if m.Isolation != baas.IsolationNone {
		return baas.Errorf(baas.CodeUnsupported, "isolation %s can't be had: %s", m.Isolation, isolatesNothing)
	}
	if m.Image != "" {
		return baas.Errorf(baas.CodeUnsupported, "image %s can't be had: the process engine runs no images", m.Image)
	}
	dir, err := e.dir(m.ID)
	if err != nil {
		return err
	}
	r, err := e.load(dir)
	if err != nil {
		return err
	}
	running := e.alive(r.Process)
	if running && !e.mustStartAnew(r, m) {
		e.watch(m.ID, r.Process)
		if r.Machine.Size == m.Size {
			return nil
		}
		// The agent watches its limits itself, as its desired state tells it.
		if err := step(engine.StepResize); err != nil {
			return err
		}
		r.Machine.Size = m.Size
		return e.save(dir, r)
	}
	if m.AgentToken == "" {
		if m.AgentToken = r.Machine.AgentToken; m.AgentToken == "" {
			return fmt.Errorf("making the machine of %s: an agent token is needed for a new machine", m.ID)
		}
	}
	if err := e.end(ctx, dir, r.Process, e.cfg.StopTimeout); err != nil {
		return err
	}
	if err := step(engine.StepVolume); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of %s: %w", m.ID, err)
	}
	// Before the volume, so that a volume without a machine says whose it is.
	if !r.Made {
		if err := e.save(dir, record{Machine: m}); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, dataDir), 0o700); err != nil {
		return fmt.Errorf("making the volume of %s: %w", m.ID, err)
	}
	if err := step(engine.StepMachine); err != nil {
		return err
	}
	r = record{Machine: m, Made: true, Agent: e.hash}
	if err := e.save(dir, r); err != nil {
		return err
	}
	if err := step(engine.StepStart); err != nil {
		return err
	}
	if r.Process, err = e.start(dir, m); err != nil {
		return err
	}
	if err := e.save(dir, r); err != nil {
		return err
	}
	e.watch(m.ID, r.Process)
	e.log.InfoContext(ctx, "agent started", "worker", m.ID, "pid", r.Process.PID)
	return nil
}

// Inspect implements engine.Engine.
func (e *Engine) Inspect(_ context.Context, m engine.Machine) (engine.State, error) {
	dir, err := e.dir(m.ID)
	if err != nil {
		return engine.State{}, err
	}
	s, r, err := e.state(m.ID, dir)
	if err != nil || s.Phase == engine.PhaseAbsent {
		s.TenantID = cmp.Or(s.TenantID, m.TenantID)
		return s, err
	}
	s.Current = s.Phase == engine.PhaseRunning && r.Machine.Size == m.Size && !e.mustStartAnew(r, m) &&
		m.Isolation == baas.IsolationNone && m.Image == ""
	return s, nil
}

func (e *Engine) state(id, dir string) (engine.State, record, error) {
	s := engine.State{ID: id, Phase: engine.PhaseAbsent}
	if info, err := os.Stat(filepath.Join(dir, dataDir)); err == nil {
		s.Volume = info.IsDir()
	}
	r, err := e.load(dir)
	s.TenantID = r.Machine.TenantID
	if err != nil || !r.Made {
		return s, r, err
	}
	s.Size = r.Machine.Size
	s.AgentOld = r.Agent != e.hash
	s.StartedAt = r.Process.StartedAt
	switch {
	case e.alive(r.Process):
		s.Phase = engine.PhaseRunning
		e.watch(id, r.Process)
	case r.Process.PID == 0:
		s.Phase, s.Detail = engine.PhaseStopped, "made and not started"
	default:
		s.Phase, s.Detail = engine.PhaseStopped, "the agent has ended"
		if !r.Stopped {
			s.Detail = "the agent has ended by itself; see " + filepath.Join(dir, logFile)
		}
	}
	return s, r, nil
}

// Stop implements engine.Engine.
func (e *Engine) Stop(ctx context.Context, id string) error {
	dir, err := e.dir(id)
	if err != nil {
		return err
	}
	r, err := e.load(dir)
	if err != nil || !r.Made {
		return err
	}
	if err := e.end(ctx, dir, r.Process, e.cfg.StopTimeout); err != nil {
		return err
	}
	r.Stopped = true
	return e.save(dir, r)
}

// Remove implements engine.Engine.
func (e *Engine) Remove(ctx context.Context, id string) error {
	dir, err := e.dir(id)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// A record that can't be read must not keep a machine from being removed; the lock leads to its processes.
	r, _ := e.load(dir)
	if err := e.end(ctx, dir, r.Process, min(10*time.Second, e.cfg.StopTimeout)); err != nil {
		return err
	}
	// The record goes last: until then, a crash leaves a machine that is listed.
	for _, name := range []string{dataDir, logFile, lockFile, recordFile + ".new", recordFile, ""} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("removing machine %s: %w", id, err)
		}
	}
	return nil
}

// List implements engine.Engine.
func (e *Engine) List(context.Context) ([]engine.State, error) {
	entries, err := os.ReadDir(e.cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("listing machines: %w", err)
	}
	var list []engine.State
	for _, entry := range entries {
		if !entry.IsDir() || !idPattern.MatchString(entry.Name()) {
			continue
		}
		s, _, err := e.state(entry.Name(), filepath.Join(e.cfg.Dir, entry.Name()))
		if err != nil {
			s.Phase, s.Detail = engine.PhaseFailed, err.Error()
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b engine.State) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// Watch implements engine.Engine.
func (e *Engine) Watch(ctx context.Context) (<-chan string, error) {
	out := e.notifier.Watch(ctx)
	// Machines that run since before this engine was made are watched from here on.
	if _, err := e.List(ctx); err != nil {
		return nil, err
	}
	return out, nil
}

// Capabilities implements engine.Engine.
func (e *Engine) Capabilities(context.Context) (engine.Capabilities, error) {
	return engine.Capabilities{
		Engine: "process", Version: "1", LiveResize: true, DiskLimit: "watched",
		Isolation: map[baas.Isolation]string{baas.IsolationNone: "plain processes"},
		Missing: map[baas.Isolation]string{
			baas.IsolationContainer: isolatesNothing, baas.IsolationSandbox: isolatesNothing, baas.IsolationVM: isolatesNothing,
		},
		Warnings: []engine.Warning{
			{Code: engine.WarnNothingIsolated,
				Message: "nothing is isolated: every bot can read the files and use the network of this machine, the control plane's included"},
			{Code: engine.WarnNoLimits, Message: "limits of CPU and memory are not enforced"},
		},
	}, nil
}
