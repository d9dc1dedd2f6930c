package authz

import (
	"slices"

	"github.com/baas-platform/baas"
)

// Actor is who asks. The zero Actor is nobody.
type Actor struct {
	UserID   string
	Operator bool // of the platform; never set for an API token
	// Member is the membership of the tenant that the action is about; nil outside of a tenant and for strangers.
	Member *baas.Member
	// Support is the support session by which an operator of the platform is in the tenant; nil for members.
	Support *baas.Support
	// Scopes limit an API token; nil for a session, which may do all that its person may.
	Scopes []baas.Scope
	// TenantID is the only tenant that an API token is good for; "" for a session.
	TenantID string
	// SessionID and TokenID name what was authenticated; one of them is set.
	SessionID, TokenID string
}

// Token reports whether the actor is an API token.
func (a Actor) Token() bool { return a.TokenID != "" }

// SupportRole is the role that an operator of the platform acts with in support mode.
const SupportRole = baas.RoleOperator

// supports reports whether the actor is in the tenant by a support session.
func (a Actor) supports() bool { return a.Operator && a.Member == nil && a.Support != nil }

// Sees reports whether the actor's membership or support session includes the Worker.
func (a Actor) Sees(workerID string) bool {
	return a.supports() || a.Member != nil && a.Member.Sees(workerID)
}

// Workers is the limit of the actor's membership for filters: nil without one.
func (a Actor) Workers() []string {
	if a.Member == nil || !a.Member.Limited() {
		return nil
	}
	return a.Member.WorkerIDs
}

// Limited reports whether the actor sees only some Workers of the tenant.
func (a Actor) Limited() bool { return a.Member != nil && a.Member.Limited() }

// Decide says whether the actor may do the action in a tenant with the status; the status is ignored for actions of
// the platform. The error is baas.ErrUnauthenticated for nobody, baas.ErrNotFound for a stranger to the tenant (so that
// it looks missing), and baas.ErrForbidden with the reason otherwise.
func Decide(a Actor, action Action, status baas.TenantStatus) error {
	r, ok := rules[action]
	if !ok {
		return baas.Errorf(baas.CodeInternal, "unknown action %s", action)
	}
	if a.UserID == "" {
		return baas.Errorf(baas.CodeUnauthenticated, "log in or send an API token")
	}
	if err := scopesAllow(a, r); err != nil {
		return err
	}
	if r.self {
		return nil
	}
	if a.Operator && r.operator {
		return nil
	}
	if r.platform {
		return baas.Errorf(baas.CodeForbidden, "only an operator of the platform may do this")
	}
	if a.Member == nil && !a.Operator {
		return NotFound()
	}
	if err := roleAllows(a, r); err != nil {
		return err
	}
	if status == baas.TenantSuspended && r.scope != baas.ScopeRead && !r.always {
		return baas.Errorf(baas.CodeForbidden, "the tenant is suspended: its members can look, not change")
	}
	return nil
}

// roleAllows checks a member's role and limit, or the role that a support session gives.
func roleAllows(a Actor, r rule) error {
	switch {
	case a.supports() && (r.member || !reaches(SupportRole, r)):
		return baas.Errorf(baas.CodeForbidden, "support mode doesn't include this; a member of the tenant may do it")
	case a.supports():
		return nil
	case a.Member == nil:
		return baas.Errorf(baas.CodeForbidden, "operators of the platform see what is inside a tenant in support mode alone; open a support session")
	case !reaches(a.Member.Role, r):
		return baas.Errorf(baas.CodeForbidden, "your role, %s, may not do this; it takes %s", a.Member.Role, needed(r))
	case r.whole && a.Member.Limited():
		return baas.Errorf(baas.CodeForbidden, "your membership is limited to some Workers; this concerns the whole tenant")
	}
	return nil
}

func reaches(role baas.Role, r rule) bool { return r.least != "" && rank(role) <= rank(r.least) }

// NotFound is the one answer for what is missing and for what the actor must not know of.
func NotFound() error {
	return baas.Errorf(baas.CodeNotFound, "there is no such thing, or you have no access to it")
}

// Below reports whether a member of role a may give, change or take away role b: owners every role, admins those below
// owner.
func Below(a, b baas.Role) bool {
	return a == baas.RoleOwner || a == baas.RoleAdmin && b != baas.RoleOwner
}

func scopesAllow(a Actor, r rule) error {
	if !a.Token() {
		return nil
	}
	if r.session {
		return baas.Errorf(baas.CodeForbidden, "an API token may not do this; log in")
	}
	if !slices.ContainsFunc(a.Scopes, func(s baas.Scope) bool { return scopeRank(s) >= scopeRank(r.scope) }) {
		return baas.Errorf(baas.CodeForbidden, "the API token lacks the scope %s", r.scope)
	}
	return nil
}

func scopeRank(s baas.Scope) int {
	return slices.Index([]baas.Scope{baas.ScopeRead, baas.ScopeWrite, baas.ScopeAdmin}, s)
}

// rank is 0 for owner, 1 for admin …; more than all for what is no role.
func rank(r baas.Role) int {
	if i := slices.Index(baas.Roles(), r); i >= 0 {
		return i
	}
	return len(baas.Roles())
}

func needed(r rule) string {
	switch r.least {
	case "":
		return "an operator of the platform"
	case baas.RoleOwner:
		return string(r.least)
	}
	return string(r.least) + " or more"
}
