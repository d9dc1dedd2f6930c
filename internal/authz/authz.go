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
	// Scopes limit an API token; nil for a session, which may do all that its person may.
	Scopes []baas.Scope
	// TenantID is the only tenant that an API token is good for; "" for a session.
	TenantID string
	// SessionID and TokenID name what was authenticated; one of them is set.
	SessionID, TokenID string
}

// Token reports whether the actor is an API token.
func (a Actor) Token() bool { return a.TokenID != "" }

// Sees reports whether the actor's membership includes the Worker.
func (a Actor) Sees(workerID string) bool { return a.Member != nil && a.Member.Sees(workerID) }

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
	if a.Member == nil {
		if a.Operator {
			return baas.Errorf(baas.CodeForbidden, "operators of the platform don't see what is inside a tenant")
		}
		return NotFound()
	}
	if r.least == "" || rank(a.Member.Role) > rank(r.least) {
		return baas.Errorf(baas.CodeForbidden, "your role, %s, may not do this; it takes %s", a.Member.Role, needed(r))
	}
	if r.whole && a.Member.Limited() {
		return baas.Errorf(baas.CodeForbidden, "your membership is limited to some Workers; this concerns the whole tenant")
	}
	if status == baas.TenantSuspended && r.scope != baas.ScopeRead {
		return baas.Errorf(baas.CodeForbidden, "the tenant is suspended: its members can look, not change")
	}
	return nil
}

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
