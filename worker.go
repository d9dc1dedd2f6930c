package baas

import (
	"context"
	"regexp"
	"strings"
	"time"
)

// Isolation is how strongly a Worker is kept apart from others on its host.
type Isolation string

// Isolation levels that tenants choose from.
const (
	IsolationContainer Isolation = "container" // Linux namespaces and seccomp (runc)
	IsolationSandbox   Isolation = "sandbox"   // a kernel of its own in user space (gVisor)
	IsolationVM        Isolation = "vm"        // a virtual machine (Kata)
	// IsolationNone is what the process engine gives: nothing. It can't be asked for where a real engine runs.
	IsolationNone Isolation = "none"
)

// Size is a Worker's limits.
type Size struct {
	CPUMillis int64 `json:"cpu_millis" minimum:"100" maximum:"64000" example:"500" doc:"Thousandths of a core"`
	MemoryMiB int64 `json:"memory_mib" minimum:"64" maximum:"262144" example:"512"`
	DiskGiB   int64 `json:"disk_gib" minimum:"1" maximum:"2048" example:"2"`
}

// Bounds of a Size.
var (
	MinSize = Size{CPUMillis: 100, MemoryMiB: 64, DiskGiB: 1}
	MaxSize = Size{CPUMillis: 64000, MemoryMiB: 262144, DiskGiB: 2048}
)

// DefaultSize is a Worker's size when none is asked for.
var DefaultSize = Size{CPUMillis: 500, MemoryMiB: 512, DiskGiB: 2}

func (s Size) check(p *Problems, prefix string) {
	check := func(field string, v, low, high int64, unit string) {
		if v < low || v > high {
			p.Add(prefix+field, "is %d; must be between %d and %d %s", v, low, high, unit)
		}
	}
	check("cpu_millis", s.CPUMillis, MinSize.CPUMillis, MaxSize.CPUMillis, "thousandths of a core")
	check("memory_mib", s.MemoryMiB, MinSize.MemoryMiB, MaxSize.MemoryMiB, "MiB")
	check("disk_gib", s.DiskGiB, MinSize.DiskGiB, MaxSize.DiskGiB, "GiB")
}

// Desired is what a person asked a Worker or bot to be.
type Desired string

// Desired states.
const (
	DesiredRunning Desired = "running"
	DesiredStopped Desired = "stopped"
	DesiredDeleted Desired = "deleted" // on its way out; only for Workers
)

// WorkerState is what a Worker is, derived from its engine and agent.
type WorkerState string

// Worker states; the package documentation draws how they follow each other.
const (
	WorkerPending      WorkerState = "pending"      // accepted, nothing done yet
	WorkerProvisioning WorkerState = "provisioning" // the engine makes or starts the machine, or the agent hasn't connected yet
	WorkerRunning      WorkerState = "running"      // machine runs, agent connected, all its bots as desired
	WorkerDegraded     WorkerState = "degraded"     // runs, but something needs attention: a bot fails, disk nearly full
	WorkerUnreachable  WorkerState = "unreachable"  // ran, but its agent's connection is lost
	WorkerStopping     WorkerState = "stopping"
	WorkerStopped      WorkerState = "stopped"
	WorkerHibernated   WorkerState = "hibernated" // scaled to zero; wakes on demand
	WorkerFailed       WorkerState = "failed"     // could not be made or kept running; Reason and NextRetryAt say more
	WorkerDeleting     WorkerState = "deleting"
)

// WorkerStates lists every state.
func WorkerStates() []WorkerState {
	return []WorkerState{WorkerPending, WorkerProvisioning, WorkerRunning, WorkerDegraded, WorkerUnreachable,
		WorkerStopping, WorkerStopped, WorkerHibernated, WorkerFailed, WorkerDeleting}
}

// Worker is one isolated machine of a tenant.
type Worker struct {
	ID        string    `json:"id"`
	TenantID  string    `json:"tenant_id"`
	Name      string    `json:"name" example:"Financeiro"`
	Image     string    `json:"image,omitempty" doc:"Container image; the platform's own when empty"`
	Isolation Isolation `json:"isolation" enum:"container,sandbox,vm,none"`
	Size      Size      `json:"size"`
	Desired   Desired   `json:"desired" enum:"running,stopped,deleted"`
	// Restarts counts the restarts that people asked for; the machine is restarted until it has seen this number.
	Restarts  int64     `json:"restarts_requested"`
	Version   int64     `json:"version" doc:"Counts changes of the settings; the ETag"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	Status WorkerStatus `json:"status"`

	// Revision numbers the contents of what the agent is told to run; an agent refuses a lower one.
	Revision     int64  `json:"-"`
	RevisionHash string `json:"-"` // digest of the contents that Revision stands for
}

// WorkerStatus is what controllers found. Only they write it.
type WorkerStatus struct {
	State        WorkerState `json:"state" enum:"pending,provisioning,running,degraded,unreachable,stopping,stopped,hibernated,failed,deleting"`
	Reason       string      `json:"reason" doc:"Why it is in this state, for a person"`
	Since        time.Time   `json:"since" doc:"In this state since"`
	Failures     int         `json:"failures" doc:"Attempts that failed in a row"`
	NextRetryAt  *time.Time  `json:"next_retry_at,omitempty"`
	AppliedSize  *Size       `json:"applied_size,omitempty" doc:"The size that the machine has now"`
	AgentVersion string      `json:"agent_version,omitempty"`
	AgentOld     bool        `json:"agent_outdated" doc:"The agent is older than the platform; a restart of the Worker updates it"`
	LastSeenAt   *time.Time  `json:"last_seen_at,omitempty" doc:"When its agent was last connected"`
	RestartsSeen int64       `json:"-"` // of Worker.Restarts, carried out so far
}

// WorkerCreate makes a Worker.
type WorkerCreate struct {
	Name      string    `json:"name" minLength:"1" maxLength:"60" example:"Financeiro"`
	Image     string    `json:"image,omitempty" maxLength:"255" doc:"Container image; the platform's own when empty"`
	Isolation Isolation `json:"isolation,omitempty" enum:"container,sandbox,vm,none" doc:"container when empty"`
	Size      *Size     `json:"size,omitempty" doc:"500 cpu_millis, 512 memory_mib and 2 disk_gib when left out"`
}

// WorkerUpdate changes a Worker; nil fields stay. A new image or isolation restarts the machine; a new size is
// applied live where the engine can.
type WorkerUpdate struct {
	Name      *string    `json:"name,omitempty" maxLength:"60"`
	Image     *string    `json:"image,omitempty" maxLength:"255"`
	Isolation *Isolation `json:"isolation,omitempty" enum:"container,sandbox,vm,none"`
	Size      *Size      `json:"size,omitempty"`
}

// MaxWorkerName is the longest Worker or bot name, in characters.
const MaxWorkerName = 60

// imagePattern accepts what container engines call a reference: [host[:port]/]path[:tag][@digest].
var imagePattern = regexp.MustCompile(`^[a-z0-9]+(?:[._/:-]+[A-Za-z0-9]+)*(?:@sha256:[0-9a-f]{64})?$`)

func (w *Worker) check() error {
	var p Problems
	checkName(&p, "name", w.Name, MaxWorkerName)
	if w.Image != "" && (len(w.Image) > 255 || !imagePattern.MatchString(w.Image)) {
		p.Add("image", "must be an image reference such as registry.example.com/team/bot:1.4")
	}
	switch w.Isolation {
	case IsolationContainer, IsolationSandbox, IsolationVM, IsolationNone:
	default:
		p.Add("isolation", "must be container, sandbox or vm")
	}
	w.Size.check(&p, "size.")
	return p.Err()
}

// Worker makes the Worker that c describes, or says what is wrong with c.
func (c WorkerCreate) Worker(id, tenantID string, now time.Time) (Worker, error) {
	w := Worker{
		ID: id, TenantID: tenantID, Name: strings.TrimSpace(c.Name), Image: c.Image, Isolation: c.Isolation,
		Size: DefaultSize, Desired: DesiredRunning, Version: 1, CreatedAt: now, UpdatedAt: now,
		Status: WorkerStatus{State: WorkerPending, Reason: "waiting to be provisioned", Since: now},
	}
	if w.Isolation == "" {
		w.Isolation = IsolationContainer
	}
	if c.Size != nil {
		w.Size = *c.Size
	}
	return w, w.check()
}

// Apply writes the changes to w after checking them.
func (u WorkerUpdate) Apply(w *Worker) error {
	if u.Name != nil {
		w.Name = strings.TrimSpace(*u.Name)
	}
	if u.Image != nil {
		w.Image = *u.Image
	}
	if u.Isolation != nil {
		w.Isolation = *u.Isolation
	}
	if u.Size != nil {
		w.Size = *u.Size
	}
	return w.check()
}

// WorkerFilter narrows a list of Workers.
type WorkerFilter struct {
	Search string        // part of the name, without regard to case
	States []WorkerState // any of these
	IDs    []string      // when not nil, only these (a member's limit)
	Page
}

// WorkerStore keeps a tenant's Workers. Create, Update and Delete keep Totals and announce a Change.
type WorkerStore interface {
	Create(ctx context.Context, w Worker) error // ErrNameTaken
	Get(ctx context.Context, id string) (Worker, error)
	List(ctx context.Context, f WorkerFilter) (ws []Worker, next string, err error) // by id
	// Update writes the settings (not Status, Revision) if the stored version is still w.Version, and
	// adds one to it. ErrNotFound, ErrVersionMismatch, ErrNameTaken.
	Update(ctx context.Context, w Worker) (Worker, error)
	// SetStatus writes the status alone and leaves Version.
	SetStatus(ctx context.Context, id string, s WorkerStatus) error
	SetRevision(ctx context.Context, id string, revision int64, hash string) error
	Delete(ctx context.Context, id string) error // with what belongs to it, except usage and events; ErrConflict while it has bots
}
