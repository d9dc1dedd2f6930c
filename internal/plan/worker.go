package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/baas-platform/baas"
)

// Limits of time and number that the planner works with.
const (
	ConnectGrace   = 60 * time.Second // from the machine's start to its agent's first connection
	LostGrace      = 5 * time.Second  // a connection may be away so long without a word
	UnreachableMax = 2 * time.Minute  // then the machine is restarted
	Stable         = time.Minute      // running so long forgets earlier failures
	FailedAfter    = 4                // failures in a row until the state says failed
	backoffBase    = 2 * time.Second
	backoffMax     = 5 * time.Minute
	diskWarning    = 0.9
)

// Phase is what the engine says about a machine.
type Phase string

// Phases of a machine.
const (
	Absent  Phase = "absent"
	Stopped Phase = "stopped"
	Running Phase = "running"
	Failed  Phase = "failed"
)

// Machine is a Worker's machine as its engine sees it.
type Machine struct {
	Phase     Phase
	Current   bool // is what it should be: image, isolation, size, restarts
	Volume    bool
	Reason    string // what the engine says to the client
	Size      baas.Size
	StartedAt time.Time
	OOMKilled bool
	ExitCode  int
	AgentOld  bool
}

// Agent is a connected agent.
type Agent struct {
	Version   string
	Revision  int64
	Bots      []AgentBot
	Stored    []string // ids of bots with a directory on the volume
	DiskBytes int64
	DiskLimit int64
	DiskFull  bool
}

// AgentBot is a bot as its agent sees it.
type AgentBot struct {
	ID          string
	Status      baas.BotStatus
	Held        bool
	FilesDigest string
}

// Input is everything a decision depends on.
type Input struct {
	Now      time.Time
	Tenant   baas.Tenant
	Worker   baas.Worker
	Bots     []baas.Bot  // placed in the Worker
	Moves    []baas.Move // not ended, from or to the Worker
	Machine  Machine
	Agent    *Agent    // nil while it isn't connected
	LostAt   time.Time // since when Agent is nil, as far as this control plane knows
	Revision int64     // of the desired contents, as stored
	// Retry overrides a wait for the next attempt: the settings changed since the failure.
	Retry bool
}

// Action is something to do. The executor knows how.
type Action interface{ action() }

// The actions.
type (
	EnsureMachine  struct{}               // make, converge, start
	StopMachine    struct{}               // keep the volume
	RestartMachine struct{ Why string }   // stop it, so that the next pass starts it
	RemoveWorker   struct{}               // machine, volume, bots, record
	PushDesired    struct{}               // tell the agent what to run
	PushFiles      struct{ BotID string } // send a bot's archive
	DeleteStored   struct{ BotID string } // remove the directory of a bot that isn't here any more
)

func (EnsureMachine) action()  {}
func (StopMachine) action()    {}
func (RestartMachine) action() {}
func (RemoveWorker) action()   {}
func (PushDesired) action()    {}
func (PushFiles) action()      {}
func (DeleteStored) action()   {}

// Decision is the outcome of a pass.
type Decision struct {
	Actions []Action
	Status  baas.WorkerStatus
	Bots    map[string]baas.BotStatus // by bot id
	// Recheck is when time alone may change the decision; zero when only an event can.
	Recheck time.Time
}

// Wanted reports whether the Worker's machine should run: a person wants it, or a move needs its volume.
func Wanted(t baas.Tenant, w baas.Worker, moves []baas.Move) bool {
	if w.Desired == baas.DesiredDeleted {
		return false
	}
	return BotsMayRun(t, w) || slices.ContainsFunc(moves, func(m baas.Move) bool { return carries(m, w.ID) })
}

// BotsMayRun reports whether the bots of the Worker may run, as opposed to its machine being up for a move alone.
func BotsMayRun(t baas.Tenant, w baas.Worker) bool {
	return w.Desired == baas.DesiredRunning && t.Status == baas.TenantActive
}

// carries reports whether the move needs the Worker's volume now.
func carries(m baas.Move, workerID string) bool {
	switch m.Step {
	case baas.MoveRequested, baas.MoveStopping, baas.MoveCarrying:
		return m.From == workerID || m.To == workerID
	}
	return false
}

// Decide says what to do about the Worker and what its state and those of its bots are.
func Decide(in Input) Decision {
	d := Decision{Status: in.Worker.Status, Bots: map[string]baas.BotStatus{}}
	d.Status.AgentOld = in.Machine.AgentOld && in.Machine.Phase == Running
	if in.Machine.Phase == Running {
		size := in.Machine.Size
		d.Status.AppliedSize = &size
	} else {
		d.Status.AppliedSize = nil
	}
	if in.Agent != nil {
		d.Status.AgentVersion = in.Agent.Version
	}
	switch {
	case in.Worker.Desired == baas.DesiredDeleted:
		d.deleting(in)
	case !Wanted(in.Tenant, in.Worker, in.Moves):
		d.stopped(in)
	default:
		d.running(in)
	}
	for _, b := range in.Bots {
		d.Bots[b.ID] = botStatus(in, d.Status, b)
	}
	return d
}

// set changes the state; Since moves only when the state does.
func (d *Decision) set(now time.Time, s baas.WorkerState, format string, args ...any) {
	if d.Status.State != s {
		d.Status.Since = now
	}
	d.Status.State = s
	d.Status.Reason = fmt.Sprintf(format, args...)
}

func (d *Decision) do(a ...Action) { d.Actions = append(d.Actions, a...) }

func (d *Decision) recheck(at time.Time) {
	if d.Recheck.IsZero() || at.Before(d.Recheck) {
		d.Recheck = at
	}
}

func (d *Decision) deleting(in Input) {
	if slices.ContainsFunc(in.Moves, func(m baas.Move) bool { return carries(m, in.Worker.ID) }) {
		d.set(in.Now, baas.WorkerDeleting, "a bot is being moved; the Worker is deleted after that")
		return
	}
	d.set(in.Now, baas.WorkerDeleting, "its machine and volume are being deleted")
	if in.backingOff() {
		d.recheck(*in.Worker.Status.NextRetryAt)
		return
	}
	d.do(RemoveWorker{})
}

func (d *Decision) stopped(in Input) {
	d.Status.Failures, d.Status.NextRetryAt = 0, nil
	if in.Machine.Phase == Running {
		d.set(in.Now, baas.WorkerStopping, "its bots are being stopped")
		d.do(StopMachine{})
		return
	}
	d.Status.RestartsSeen = in.Worker.Restarts
	if in.Tenant.Status == baas.TenantSuspended {
		d.set(in.Now, baas.WorkerStopped, "the tenant is suspended")
		return
	}
	d.set(in.Now, baas.WorkerStopped, "stopped by a person; its volume is kept")
}

// backingOff reports whether a failed attempt still waits for its time.
func (in Input) backingOff() bool {
	next := in.Worker.Status.NextRetryAt
	return next != nil && next.After(in.Now) && !in.Retry
}

// wasUp reports whether the last known state had a running machine.
func wasUp(s baas.WorkerState) bool {
	return s == baas.WorkerRunning || s == baas.WorkerDegraded || s == baas.WorkerUnreachable
}

func (d *Decision) running(in Input) {
	if in.Machine.Phase == Running && in.Machine.Current {
		d.up(in)
		return
	}
	if in.Retry {
		d.Status.Failures, d.Status.NextRetryAt = 0, nil
	}
	if in.backingOff() {
		d.recheck(*in.Worker.Status.NextRetryAt)
		return
	}
	if in.Machine.Phase == Running { // runs, but is not what it should be
		if !wasUp(d.Status.State) {
			d.set(in.Now, baas.WorkerProvisioning, "its machine is being changed")
		}
		d.do(EnsureMachine{})
		return
	}
	if wasUp(in.Worker.Status.State) { // ended by itself
		why := "its machine ended by itself"
		if in.Machine.OOMKilled {
			why = "its machine ran out of memory"
		}
		if in.Now.Sub(in.Worker.Status.Since) >= Stable {
			d.Status.Failures = 0
		}
		if d.Status.Failures > 0 { // it did so a moment ago as well
			d.Status = Fail(d.Status, in.Now, why, 0)
			d.recheck(*d.Status.NextRetryAt)
			return
		}
		d.Status.Failures = 1
		d.set(in.Now, baas.WorkerProvisioning, "%s; it is being started again", why)
		d.do(EnsureMachine{})
		return
	}
	if in.Machine.Phase == Failed && in.Machine.Reason != "" {
		d.set(in.Now, baas.WorkerProvisioning, "%s", in.Machine.Reason)
	} else {
		d.set(in.Now, baas.WorkerProvisioning, "its machine is being made")
	}
	d.do(EnsureMachine{})
}

// up is a machine that runs as it should.
func (d *Decision) up(in Input) {
	d.Status.RestartsSeen = in.Worker.Restarts
	if in.Agent == nil {
		d.noAgent(in)
		return
	}
	if in.Agent.Revision != in.Revision {
		d.do(PushDesired{})
	}
	d.files(in)
	d.strays(in)
	d.Status.NextRetryAt = nil
	if worry := worries(in); worry != "" {
		d.set(in.Now, baas.WorkerDegraded, "%s", worry)
	} else {
		d.set(in.Now, baas.WorkerRunning, "%s", runningReason(in))
	}
	if d.Status.Failures > 0 {
		if in.Now.Sub(d.Status.Since) >= Stable {
			d.Status.Failures = 0
		} else {
			d.recheck(d.Status.Since.Add(Stable))
		}
	}
}

func runningReason(in Input) string {
	if !BotsMayRun(in.Tenant, in.Worker) {
		return "up only until a bot has been moved"
	}
	if in.Machine.AgentOld {
		return "runs; its agent is older than the platform and is updated by a restart of the Worker"
	}
	return "runs"
}

// worries says what needs attention in a Worker that runs, or nothing.
func worries(in Input) string {
	if in.Agent.DiskFull {
		return fmt.Sprintf("its disk is full (%s of %s): its bots are stopped until there is room; delete files or make it larger",
			gib(in.Agent.DiskBytes), gib(in.Agent.DiskLimit))
	}
	bad := 0
	var first string
	for _, b := range in.Bots {
		for _, a := range in.Agent.Bots {
			if a.ID != b.ID {
				continue
			}
			switch a.Status.State {
			case baas.BotCrashLoop, baas.BotFailed, baas.BotUnhealthy:
				if bad == 0 {
					first = fmt.Sprintf("bot %s: %s", b.Name, a.Status.Reason)
				}
				bad++
			}
		}
	}
	if bad > 1 {
		return fmt.Sprintf("%s; and %d more bots need attention", first, bad-1)
	}
	if bad == 1 {
		return first
	}
	if in.Agent.DiskLimit > 0 && float64(in.Agent.DiskBytes) > diskWarning*float64(in.Agent.DiskLimit) {
		return fmt.Sprintf("its disk is nearly full (%s of %s)", gib(in.Agent.DiskBytes), gib(in.Agent.DiskLimit))
	}
	return ""
}

func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

// noAgent is a machine that runs without a connection from its agent.
func (d *Decision) noAgent(in Input) {
	lost := in.LostAt
	if in.Machine.StartedAt.After(lost) {
		lost = in.Machine.StartedAt
	}
	away := in.Now.Sub(lost)
	if !wasUp(d.Status.State) {
		if away < ConnectGrace {
			d.set(in.Now, baas.WorkerProvisioning, "its machine runs; waiting for its agent to connect")
			d.recheck(lost.Add(ConnectGrace))
			return
		}
		if in.backingOff() {
			d.recheck(*in.Worker.Status.NextRetryAt)
			return
		}
		d.Status = Fail(d.Status, in.Now, fmt.Sprintf("its agent did not connect within %d s", int(ConnectGrace.Seconds())), 0)
		d.do(RestartMachine{Why: "its agent did not connect"})
		d.recheck(*d.Status.NextRetryAt)
		return
	}
	switch {
	case away < LostGrace:
		d.recheck(lost.Add(LostGrace))
	case away < UnreachableMax:
		d.set(in.Now, baas.WorkerUnreachable, "the connection to its agent is lost; its bots go on if the machine does")
		d.recheck(lost.Add(UnreachableMax))
	default:
		d.Status = Fail(d.Status, in.Now, fmt.Sprintf("its agent could not be reached for %d s; its machine is restarted", int(UnreachableMax.Seconds())), 0)
		d.do(RestartMachine{Why: "its agent can't be reached"})
		d.recheck(*d.Status.NextRetryAt)
	}
}

// files sends archives that the agent doesn't have yet.
func (d *Decision) files(in Input) {
	for _, b := range in.Bots {
		if b.Files == nil || in.Agent.Revision != in.Revision {
			continue
		}
		for _, a := range in.Agent.Bots {
			if a.ID == b.ID && a.FilesDigest != b.Files.Digest {
				d.do(PushFiles{BotID: b.ID})
			}
		}
	}
}

// strays removes directories of bots that were deleted or have moved away. A directory that a move is about stays.
func (d *Decision) strays(in Input) {
	for _, id := range in.Agent.Stored {
		here := slices.ContainsFunc(in.Bots, func(b baas.Bot) bool { return b.ID == id })
		moving := slices.ContainsFunc(in.Moves, func(m baas.Move) bool { return m.BotID == id && !m.Step.Ended() })
		if !here && !moving {
			d.do(DeleteStored{BotID: id})
		}
	}
}

// Fail is the status after a failed attempt: counted, with the time of the next one. jitter in [0,1) spreads the
// attempts of many Workers over time.
func Fail(s baas.WorkerStatus, now time.Time, reason string, jitter float64) baas.WorkerStatus {
	s.Failures++
	wait := backoffMax
	if s.Failures < 9 {
		wait = min(backoffMax, backoffBase<<(s.Failures-1))
	}
	wait += time.Duration(jitter * float64(wait) / 2)
	next := now.Add(wait)
	s.NextRetryAt = &next
	state := baas.WorkerProvisioning
	if s.Failures >= FailedAfter {
		state = baas.WorkerFailed
	}
	if s.State == baas.WorkerDeleting {
		state = baas.WorkerDeleting
	}
	if s.State != state {
		s.Since = now
	}
	s.State = state
	s.Reason = fmt.Sprintf("%s; attempt %d failed", reason, s.Failures)
	return s
}
