package baas

import (
	"context"
	"slices"
	"time"
)

// Role is what a member may do within a tenant. internal/authz holds the matrix of roles and actions.
type Role string

// The roles, from most to least.
const (
	RoleOwner    Role = "owner"    // everything, including members of every role and the tenant itself
	RoleAdmin    Role = "admin"    // Workers, bots, secrets, members below owner
	RoleOperator Role = "operator" // runs bots and Workers, makes and changes bots
	RoleViewer   Role = "viewer"   // looks
)

// Roles lists the roles from most to least.
func Roles() []Role { return []Role{RoleOwner, RoleAdmin, RoleOperator, RoleViewer} }

// Member is a person's membership of a tenant.
type Member struct {
	TenantID  string    `json:"tenant_id"`
	UserID    string    `json:"user_id"`
	Email     string    `json:"email" doc:"Of the user"`
	Name      string    `json:"name" doc:"Of the user"`
	Role      Role      `json:"role" enum:"owner,admin,operator,viewer"`
	WorkerIDs []string  `json:"worker_ids" doc:"When not empty, the member sees only these Workers and their bots (a department)"`
	Version   int64     `json:"version" doc:"Counts changes of role and Workers; the ETag"`
	CreatedAt time.Time `json:"created_at"`
}

// Sees reports whether the member's limit, if any, includes the Worker.
func (m Member) Sees(workerID string) bool {
	return len(m.WorkerIDs) == 0 || slices.Contains(m.WorkerIDs, workerID)
}

// Limited reports whether the member sees only some Workers.
func (m Member) Limited() bool { return len(m.WorkerIDs) > 0 }

// MemberUpdate changes a membership; nil fields stay.
type MemberUpdate struct {
	Role      *Role     `json:"role,omitempty" enum:"owner,admin,operator,viewer"`
	WorkerIDs *[]string `json:"worker_ids,omitempty" doc:"Empty list: all Workers"`
}

// Membership is a tenant with the person's role in it, for the list of "my tenants".
type Membership struct {
	Tenant    Tenant   `json:"tenant"`
	Role      Role     `json:"role" enum:"owner,admin,operator,viewer"`
	WorkerIDs []string `json:"worker_ids"`
	Support   *Support `json:"support,omitempty" doc:"An operator of the platform is in the tenant by this support session and no member of it"`
}

// MemberStore keeps a tenant's members. Create and Delete keep Totals.Members.
type MemberStore interface {
	Create(ctx context.Context, m Member) error // with version 1; ErrConflict when already a member
	Get(ctx context.Context, userID string) (Member, error)
	List(ctx context.Context, search string, p Page) (ms []Member, next string, err error) // by user id; search in name and e-mail
	// Update writes role and Workers if the stored version is still m.Version, and adds one to it. ErrNotFound,
	// ErrVersionMismatch.
	Update(ctx context.Context, m Member) (Member, error)
	Delete(ctx context.Context, userID string) error
	CountOwners(ctx context.Context) (int, error)
}

// Invitation asks a person to become a member. Its secret travels in the link; only the hash is stored.
type Invitation struct {
	ID        string    `json:"id"`
	TenantID  string    `json:"tenant_id"`
	Email     string    `json:"email"`
	Role      Role      `json:"role" enum:"owner,admin,operator,viewer"`
	WorkerIDs []string  `json:"worker_ids"`
	InvitedBy string    `json:"invited_by" doc:"User id"`
	Hash      []byte    `json:"-"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// InvitationCreate invites a person.
type InvitationCreate struct {
	Email     string   `json:"email" format:"email"`
	Role      Role     `json:"role" enum:"owner,admin,operator,viewer"`
	WorkerIDs []string `json:"worker_ids,omitempty" doc:"When not empty, the member will see only these Workers"`
}

// Validate checks and normalizes the input.
func (c *InvitationCreate) Validate() error {
	var p Problems
	c.Email = NormalizeEmail(&p, "email", c.Email)
	CheckRole(&p, "role", c.Role)
	if c.Role == RoleOwner && len(c.WorkerIDs) > 0 {
		p.Add("worker_ids", "an owner sees every Worker; leave this out or choose another role")
	}
	return p.Err()
}

// CheckRole adds a problem unless r is a role.
func CheckRole(p *Problems, field string, r Role) {
	if !slices.Contains(Roles(), r) {
		p.Add(field, "must be owner, admin, operator or viewer")
	}
}

// InvitationStore keeps a tenant's open invitations. Create and Delete keep Totals.Members.
type InvitationStore interface {
	Create(ctx context.Context, i Invitation) error // ErrConflict when the e-mail has an open invitation
	Get(ctx context.Context, id string) (Invitation, error)
	List(ctx context.Context, p Page) (is []Invitation, next string, err error) // by id
	Delete(ctx context.Context, id string) error
}
