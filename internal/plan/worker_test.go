package plan_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/plan"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

// world is a simulation of an engine, an agent and their faults around one Worker.
type world struct {
	now     time.Time
	tenant  baas.Tenant
	worker  baas.Worker
	bots    []baas.Bot
	moves   []baas.Move
	machine plan.Machine
	agentUp bool // the agent process runs and is connected
	agent   plan.Agent
	lostAt  time.Time
	rev     int64
	gone    bool // the Worker was removed
	stored  map[string]bool
}

func newWorld() *world {
	return &world{
		now:     t0,
		tenant:  baas.Tenant{ID: "ten_x", Status: baas.TenantActive},
		worker:  baas.Worker{ID: "wrk_a", Desired: baas.DesiredRunning, Status: baas.WorkerStatus{State: baas.WorkerPending, Since: t0}},
		machine: plan.Machine{Phase: plan.Absent},
		rev:     1,
		stored:  map[string]bool{},
	}
}

func (w *world) input() plan.Input {
	in := plan.Input{Now: w.now, Tenant: w.tenant, Worker: w.worker, Bots: w.bots, Moves: w.moves, Machine: w.machine, LostAt: w.lostAt, Revision: w.rev}
	if w.agentUp {
		a := w.agent
		a.Stored = nil
		for id := range w.stored {
			a.Stored = append(a.Stored, id)
		}
		slices.Sort(a.Stored)
		in.Agent = &a
	}
	return in
}

// pass decides and carries out, as the executor would, with an engine that does what it is told.
func (w *world) pass(t *rapid.T) plan.Decision {
	d := plan.Decide(w.input())
	w.worker.Status = d.Status
	for _, a := range d.Actions {
		switch a := a.(type) {
		case plan.EnsureMachine:
			if !plan.Wanted(w.tenant, w.worker, w.moves) {
				t.Fatalf("a machine is made that nobody wants")
			}
			w.machine = plan.Machine{Phase: plan.Running, Current: true, Volume: true, StartedAt: w.now}
			w.agentUp, w.agent = true, plan.Agent{}
		case plan.StopMachine, plan.RestartMachine:
			w.machine.Phase = plan.Stopped
			w.agentUp, w.lostAt = false, w.now
		case plan.RemoveWorker:
			if w.worker.Desired != baas.DesiredDeleted {
				t.Fatalf("a Worker that nobody deleted is removed")
			}
			w.machine, w.gone, w.agentUp = plan.Machine{Phase: plan.Absent}, true, false
		case plan.PushDesired:
			if !w.agentUp {
				t.Fatalf("something is pushed to an agent that isn't there")
			}
			w.agent.Revision = w.rev
			w.agent.Bots = nil
			for _, b := range w.bots {
				w.stored[b.ID] = true
				w.agent.Bots = append(w.agent.Bots, plan.AgentBot{ID: b.ID, Status: baas.BotStatus{State: baas.BotRunning, Reason: "runs"}})
			}
		case plan.DeleteStored:
			if slices.ContainsFunc(w.bots, func(b baas.Bot) bool { return b.ID == a.BotID }) {
				t.Fatalf("the directory of a bot that is here is removed")
			}
			if slices.ContainsFunc(w.moves, func(m baas.Move) bool { return m.BotID == a.BotID && !m.Step.Ended() }) {
				t.Fatalf("the directory of a bot that is being moved is removed")
			}
			delete(w.stored, a.BotID)
		}
	}
	return d
}

// TestConverges breaks the world in random ways and then leaves it alone: the plan must bring it to what is desired
// in a bounded number of passes, then do nothing.
func TestConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			switch rapid.SampledFrom([]string{"pass", "pass", "kill machine", "kill agent", "lose connection", "stop", "start", "suspend", "resume",
				"restart", "bot", "unbot", "time", "stray", "delete"}).Draw(t, "event") {
			case "kill machine":
				if w.machine.Phase == plan.Running {
					w.machine.Phase = plan.Stopped
					w.agentUp, w.lostAt = false, w.now
				}
			case "kill agent", "lose connection":
				if w.agentUp {
					w.agentUp, w.lostAt = false, w.now
				}
			case "stop":
				if w.worker.Desired != baas.DesiredDeleted {
					w.worker.Desired = baas.DesiredStopped
				}
			case "start":
				if w.worker.Desired != baas.DesiredDeleted {
					w.worker.Desired = baas.DesiredRunning
				}
			case "suspend":
				w.tenant.Status = baas.TenantSuspended
			case "resume":
				w.tenant.Status = baas.TenantActive
			case "restart":
				w.worker.Restarts++
				w.machine.Current = false
			case "bot":
				w.bots = append(w.bots, baas.Bot{ID: baas.NewID(baas.PrefixBot), WorkerID: w.worker.ID, Desired: baas.DesiredRunning})
				w.rev++
			case "unbot":
				if len(w.bots) > 0 {
					w.bots = w.bots[1:]
					w.rev++
				}
			case "stray":
				w.stored["bot_stray"] = true
			case "time":
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
			case "delete":
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					w.worker.Desired = baas.DesiredDeleted
				}
			case "pass":
				if !w.gone {
					w.pass(t)
				}
			}
		}
		for range 60 {
			if w.gone {
				return
			}
			d := w.pass(t)
			w.now = w.now.Add(10 * time.Second)
			if len(d.Actions) == 0 && d.Recheck.IsZero() {
				break
			}
			if !d.Recheck.IsZero() && d.Recheck.After(w.now) {
				w.now = d.Recheck
			}
		}
		d := plan.Decide(w.input())
		if len(d.Actions) > 0 {
			t.Fatalf("still at work after 60 passes: %T in state %s (%s)", d.Actions[0], d.Status.State, d.Status.Reason)
		}
		want := baas.WorkerStopped
		if plan.Wanted(w.tenant, w.worker, w.moves) {
			want = baas.WorkerRunning
		}
		if w.worker.Desired == baas.DesiredDeleted {
			t.Fatalf("a deleted Worker is still there: %s", d.Status.Reason)
		}
		if d.Status.State != want {
			t.Fatalf("state %s (%s), want %s", d.Status.State, d.Status.Reason, want)
		}
		if want == baas.WorkerRunning {
			for _, b := range w.bots {
				if d.Bots[b.ID].State != baas.BotRunning {
					t.Fatalf("bot %s is %s", b.ID, d.Bots[b.ID].State)
				}
			}
			for id := range w.stored {
				if !slices.ContainsFunc(w.bots, func(b baas.Bot) bool { return b.ID == id }) {
					t.Fatalf("the directory of %s is still there", id)
				}
			}
		}
	})
}

// TestEveryStateHasAReason draws arbitrary inputs: every state that comes out says why.
func TestEveryStateHasAReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := plan.Input{
			Now:    t0.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "now")) * time.Second),
			Tenant: baas.Tenant{Status: rapid.SampledFrom([]baas.TenantStatus{baas.TenantActive, baas.TenantSuspended}).Draw(t, "tenant")},
			Worker: baas.Worker{ID: "w", Desired: rapid.SampledFrom([]baas.Desired{baas.DesiredRunning, baas.DesiredStopped, baas.DesiredDeleted}).Draw(t, "desired"),
				Status: baas.WorkerStatus{State: rapid.SampledFrom(baas.WorkerStates()).Draw(t, "state"), Reason: "as before", Since: t0,
					Failures: rapid.IntRange(0, 10).Draw(t, "failures")}},
			Bots: []baas.Bot{{ID: "b", Desired: rapid.SampledFrom([]baas.Desired{baas.DesiredRunning, baas.DesiredStopped}).Draw(t, "bot desired"),
				Status: baas.BotStatus{State: rapid.SampledFrom(baas.BotStates()).Draw(t, "bot"), Reason: "as before"}}},
			Machine: plan.Machine{Phase: rapid.SampledFrom([]plan.Phase{plan.Absent, plan.Stopped, plan.Running, plan.Failed}).Draw(t, "phase"),
				Current: rapid.Bool().Draw(t, "current"), OOMKilled: rapid.Bool().Draw(t, "oom"), StartedAt: t0},
			LostAt: t0,
		}
		if rapid.Bool().Draw(t, "connected") {
			in.Agent = &plan.Agent{Revision: int64(rapid.IntRange(0, 1).Draw(t, "revision")), DiskFull: rapid.Bool().Draw(t, "full")}
		}
		d := plan.Decide(in)
		if d.Status.Reason == "" || d.Status.State == "" {
			t.Fatalf("no reason for %q", d.Status.State)
		}
		for id, b := range d.Bots {
			if b.State == "" || b.Reason == "" {
				t.Fatalf("bot %s: no reason for %q", id, b.State)
			}
		}
		if again := plan.Decide(in); again.Status.Reason != d.Status.Reason || len(again.Actions) != len(d.Actions) {
			t.Fatal("the same input gave two decisions")
		}
		if d.Status.NextRetryAt != nil && !slices.Contains(statesThatWait, d.Status.State) {
			t.Fatalf("state %s has a next attempt", d.Status.State)
		}
	})
}

var statesThatWait = []baas.WorkerState{baas.WorkerProvisioning, baas.WorkerFailed, baas.WorkerDeleting}

func TestRepeatedFailuresBackOffAndEndAsFailed(t *testing.T) {
	s := baas.WorkerStatus{State: baas.WorkerProvisioning, Since: t0}
	var last time.Duration
	for n := 1; n <= 12; n++ {
		s = plan.Fail(s, t0, "its image can't be pulled", 0)
		wait := s.NextRetryAt.Sub(t0)
		if wait < last || wait > 5*time.Minute {
			t.Fatalf("attempt %d waits %s after %s", n, wait, last)
		}
		last = wait
		if failed := s.State == baas.WorkerFailed; failed != (n >= plan.FailedAfter) {
			t.Fatalf("attempt %d: state %s", n, s.State)
		}
	}
	if last != 5*time.Minute {
		t.Fatalf("the last wait is %s, want 5 m", last)
	}
}

func TestAMachineThatRunsOutOfMemoryAgainAndAgainIsNotRestartedAtOnce(t *testing.T) {
	in := plan.Input{Now: t0, Tenant: baas.Tenant{Status: baas.TenantActive},
		Worker:  baas.Worker{Desired: baas.DesiredRunning, Status: baas.WorkerStatus{State: baas.WorkerRunning, Reason: "runs", Since: t0.Add(-10 * time.Second)}},
		Machine: plan.Machine{Phase: plan.Stopped, OOMKilled: true}}
	first := plan.Decide(in)
	if len(first.Actions) != 1 || first.Status.Failures != 1 {
		t.Fatalf("the first time it should be started at once: %+v", first)
	}
	in.Worker.Status = first.Status
	in.Worker.Status.State, in.Worker.Status.Since = baas.WorkerRunning, t0
	in.Now = t0.Add(5 * time.Second)
	second := plan.Decide(in)
	if len(second.Actions) != 0 || second.Status.NextRetryAt == nil || second.Status.Failures != 2 {
		t.Fatalf("the second time it should wait: %+v", second)
	}
}

func TestASuspendedTenantsMachineStopsAndABotOnTheMoveKeepsItUp(t *testing.T) {
	w := baas.Worker{ID: "a", Desired: baas.DesiredStopped}
	tenant := baas.Tenant{Status: baas.TenantActive}
	if plan.Wanted(tenant, w, nil) {
		t.Fatal("a stopped Worker is wanted")
	}
	if !plan.Wanted(tenant, w, []baas.Move{{From: "a", To: "b", Step: baas.MoveCarrying}}) {
		t.Fatal("the volume of a stopped Worker is needed by a move")
	}
	if plan.Wanted(tenant, w, []baas.Move{{From: "a", To: "b", Step: baas.MoveCleaning}}) {
		t.Fatal("cleaning up keeps a stopped Worker up")
	}
}
