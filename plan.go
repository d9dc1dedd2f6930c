package baas

import "context"

// The plans that every installation has. An operator may change their limits and add more.
const (
	PlanFree       = "FREE"
	PlanPro        = "PRO"
	PlanEnterprise = "ENTERPRISE"
)

// Plan is what a tenant may use.
type Plan struct {
	ID     string `json:"id" example:"PRO"`
	Name   string `json:"name"`
	Limits Limits `json:"limits"`
}

// Limits bound what a tenant may have at once. They count what exists, stopped Workers included, because a stopped
// Worker keeps its volume and may start at any time.
type Limits struct {
	Workers   int         `json:"workers" minimum:"0"`
	CPUMillis int64       `json:"cpu_millis" minimum:"0" doc:"Sum over all Workers, in thousandths of a core"`
	MemoryMiB int64       `json:"memory_mib" minimum:"0" doc:"Sum over all Workers"`
	DiskGiB   int64       `json:"disk_gib" minimum:"0" doc:"Sum over all Workers"`
	Bots      int         `json:"bots" minimum:"0"`
	Members   int         `json:"members" minimum:"0" doc:"Members and open invitations"`
	Isolation []Isolation `json:"isolation" doc:"Isolation levels that its Workers may use"`
}

// Totals are what a tenant has now, counted the way that Limits bound it.
type Totals struct {
	Workers   int   `json:"workers"`
	CPUMillis int64 `json:"cpu_millis"`
	MemoryMiB int64 `json:"memory_mib"`
	DiskGiB   int64 `json:"disk_gib"`
	Bots      int   `json:"bots"`
	Members   int   `json:"members" doc:"Members and open invitations"`
}

// DefaultPlans are the plans of a new installation.
func DefaultPlans() []Plan {
	all := []Isolation{IsolationContainer, IsolationSandbox, IsolationVM}
	return []Plan{
		{ID: PlanFree, Name: "Free", Limits: Limits{Workers: 1, CPUMillis: 1000, MemoryMiB: 1024, DiskGiB: 5, Bots: 3, Members: 3, Isolation: all[:1]}},
		{ID: PlanPro, Name: "Pro", Limits: Limits{Workers: 5, CPUMillis: 8000, MemoryMiB: 16384, DiskGiB: 100, Bots: 50, Members: 25, Isolation: all[:2]}},
		{ID: PlanEnterprise, Name: "Enterprise", Limits: Limits{Workers: 100, CPUMillis: 200000, MemoryMiB: 524288, DiskGiB: 5000, Bots: 2000, Members: 1000, Isolation: all}},
	}
}

// Check tells whether totals stay within the limits. It returns a CodeQuotaExceeded Error that names every limit
// that is passed, with what is used and what the plan allows.
func (l Limits) Check(t Totals) error {
	var p Problems
	check := func(field, what string, have, limit int64) {
		if have > limit {
			p.Add(field, "the plan allows %d %s and this would make %d", limit, what, have)
		}
	}
	check("workers", "Workers", int64(t.Workers), int64(l.Workers))
	check("size.cpu_millis", "thousandths of a core in all Workers", t.CPUMillis, l.CPUMillis)
	check("size.memory_mib", "MiB of memory in all Workers", t.MemoryMiB, l.MemoryMiB)
	check("size.disk_gib", "GiB of disk in all Workers", t.DiskGiB, l.DiskGiB)
	check("bots", "bots", int64(t.Bots), int64(l.Bots))
	check("members", "members and open invitations", int64(t.Members), int64(l.Members))
	if len(p) == 0 {
		return nil
	}
	return &Error{Code: CodeQuotaExceeded, Message: "this is more than the plan allows", Fields: p}
}

// AllowsIsolation reports whether the plan includes the level.
func (l Limits) AllowsIsolation(i Isolation) bool {
	for _, have := range l.Isolation {
		if have == i {
			return true
		}
	}
	return false
}

// PlanStore keeps the plans. Only the operator writes them.
type PlanStore interface {
	Get(ctx context.Context, id string) (Plan, error) // ErrNotFound
	List(ctx context.Context) ([]Plan, error)         // by id
	Put(ctx context.Context, p Plan) error            // creates or replaces; may be repeated
}
