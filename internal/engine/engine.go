// Package engine defines what runs Workers: one isolated machine each. An Engine handles one machine and one volume
// per Worker and knows nothing of bots; it is driven level-triggered by internal/reconcile.
package engine

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
)

// Machine is what a Worker's machine should be.
type Machine struct {
	ID        string // the Worker's id
	TenantID  string
	Name      string // the Worker's name, for people who look at the engine; changing it alone changes nothing
	Image     string // "" is the platform's Worker image
	Isolation baas.Isolation
	Size      baas.Size
	AgentURL  string // what the agent dials; "" lets the engine choose the address that its machines reach
	// AgentToken is the agent's secret. It reaches a machine only when the machine is made.
	AgentToken string
	// Restarts is the number of restarts that were asked for; a machine made or started for a lower one is restarted.
	Restarts int64
	// Plan is the tenant's: engines may repeat its limits below the platform's own, or place its machines apart. The
	// zero Plan sets neither.
	Plan baas.Plan
}

// Phase is what a machine does.
type Phase string

// Phases.
const (
	PhaseAbsent  Phase = "absent"  // no machine; a volume may be there
	PhaseStopped Phase = "stopped" // made, or ended by itself; not running
	PhaseRunning Phase = "running"
	PhaseFailed  Phase = "failed" // can't run as it is: Detail says why (image missing, unschedulable …)
)

// State is what a machine is.
type State struct {
	ID        string
	TenantID  string
	Phase     Phase
	Detail    string    // for the operator
	Reason    string    // for the client; "" when there is nothing to say
	Size      baas.Size // in force; DiskGiB as far as the engine knows
	Current   bool      // Ensure with the machine that was given to Inspect would change nothing
	StartedAt time.Time
	ExitCode  int
	OOMKilled bool
	AgentOld  bool // runs an older agent than this control plane would inject now
	Volume    bool // the volume exists
}

// Step is a step of Ensure, reported as it begins.
type Step string

// Steps in their order; an engine skips those it has no need of.
const (
	StepImage   Step = "image"
	StepNetwork Step = "network"
	StepVolume  Step = "volume"
	StepMachine Step = "machine"
	StepStart   Step = "start"
	StepResize  Step = "resize"
)

// Capabilities is what an engine can do here and now.
type Capabilities struct {
	Engine     string                    `json:"engine" enum:"docker,kubernetes,process,fake"`
	Version    string                    `json:"version"`
	Isolation  map[baas.Isolation]string `json:"isolation" doc:"Levels it gives, with what gives them (runc 1.1.5, runsc …)"`
	Missing    map[baas.Isolation]string `json:"missing,omitempty" doc:"Levels it can't give, with the reason"`
	LiveResize bool                      `json:"live_resize" doc:"CPU and memory change without a restart"`
	DiskLimit  string                    `json:"disk_limit" enum:"enforced,watched,none" doc:"watched: the agent stops the bots of a Worker that passes its limit"`
	Images     bool                      `json:"images" doc:"Workers may run images of their own"`
	Warnings   []Warning                 `json:"warnings,omitempty" doc:"What the operator should know, such as: nothing is isolated"`
}

// WarningCode classifies a Warning. Codes are stable, so that a client can say it in another language.
type WarningCode string

// The codes of warnings.
const (
	WarnNothingIsolated WarningCode = "nothing_isolated" // bots read and reach what the control plane can
	WarnNoLimits        WarningCode = "no_limits"        // CPU, memory or processes of Workers aren't limited
	WarnRuntimeOutdated WarningCode = "runtime_outdated" // the runtime has published ways out of a container
	WarnNoSeccomp       WarningCode = "no_seccomp"       // any system call is open to bots
	WarnHostReachable   WarningCode = "host_reachable"   // bots may reach the host's ports and metadata addresses
	WarnResizeRestarts  WarningCode = "resize_restarts"  // a new size of CPU or memory restarts the Worker
	WarnNetworkPolicies WarningCode = "network_policies" // the network plugin must enforce NetworkPolicies
	WarnSimulated       WarningCode = "simulated"        // nothing really runs
)

// Warning is something that the operator should know.
type Warning struct {
	Code    WarningCode `json:"code" enum:"nothing_isolated,no_limits,runtime_outdated,no_seccomp,host_reachable,resize_restarts,network_policies,simulated" doc:"Stable; switch on this"`
	Message string      `json:"message" doc:"For a person, in English, with what is particular here"`
}

// Engine runs one isolated machine per Worker. Every method may be called again at any time, also after a crash in
// the middle of the same call; calls for different machines may run at once, those for one machine don't.
//
// Errors: baas.ErrUnsupported for what the engine can't give (never silently lowered), baas.ErrUnavailable when the
// engine can't be reached; anything else is an operator's problem and says what was being done.
type Engine interface {
	// Ensure makes the machine or converges it, and starts it: a machine whose image or isolation is another is made
	// anew on the same volume, a size alone is changed live where possible. progress may be nil.
	Ensure(ctx context.Context, m Machine, progress func(Step)) error
	// Inspect tells what the machine with m's id is, and whether it is m.
	Inspect(ctx context.Context, m Machine) (State, error)
	// Stop ends the machine with time for its agent to stop the bots, and keeps the volume. No error when it is not running.
	Stop(ctx context.Context, id string) error
	// Remove deletes the machine and its volume, and the tenant's network when it was the last. No error when absent.
	Remove(ctx context.Context, id string) error
	// List tells everything on the engine that belongs to this installation: machines, and volumes without one.
	List(ctx context.Context) ([]State, error)
	// Watch sends the id of a machine that may have changed, "" for all, until ctx ends. It never blocks the engine:
	// ids may be merged or lost, so a caller also looks from time to time.
	Watch(ctx context.Context) (<-chan string, error)
	Capabilities(ctx context.Context) (Capabilities, error)
}
