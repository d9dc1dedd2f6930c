package baas

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// How long a support session lasts, in minutes.
const (
	MinSupportMinutes     = 5
	DefaultSupportMinutes = 60
	MaxSupportMinutes     = 240
)

// MaxSupportReason is the longest reason of a support session, in characters.
const MaxSupportReason = 500

// Support is a support session: for its time an operator of the platform works inside one tenant, which sees who does
// so, why and until when. It ends by itself; the operator or an owner of the tenant may end it before.
type Support struct {
	ID        string     `json:"id"`
	TenantID  string     `json:"tenant_id"`
	UserID    string     `json:"user_id" doc:"The operator of the platform"`
	Name      string     `json:"name" doc:"Of the operator, when it began"`
	Email     string     `json:"email" doc:"Of the operator, when it began"`
	Reason    string     `json:"reason"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at" doc:"When it ends by itself"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	EndedBy   string     `json:"ended_by,omitempty" doc:"User id; empty when its time was over"`
}

// Active reports whether the session lets its operator in.
func (s Support) Active(now time.Time) bool { return s.EndedAt == nil && now.Before(s.ExpiresAt) }

// SupportCreate opens a support session.
type SupportCreate struct {
	Reason  string `json:"reason" maxLength:"500" example:"Ticket 4711: the WhatsApp bot doesn't answer" doc:"Why; the tenant sees it"`
	Minutes int    `json:"minutes,omitempty" minimum:"5" maximum:"240" doc:"60 when left out"`
}

// Validate checks the input and fills what was left out.
func (c *SupportCreate) Validate() error {
	var p Problems
	c.Reason = strings.TrimSpace(c.Reason)
	if utf8.RuneCountInString(c.Reason) == 0 {
		p.Add("reason", "must say why, for the tenant to see, such as \"Ticket 4711: the WhatsApp bot doesn't answer\"")
	}
	checkText(&p, "reason", c.Reason, MaxSupportReason)
	if c.Minutes == 0 {
		c.Minutes = DefaultSupportMinutes
	}
	checkRange(&p, "minutes", c.Minutes, MinSupportMinutes, MaxSupportMinutes)
	return p.Err()
}

// SupportFilter narrows a list of support sessions.
type SupportFilter struct {
	ActiveAt time.Time // when not zero, only those that are active then
	Page
}

// SupportStore keeps a tenant's support sessions, as long as the tenant is there.
type SupportStore interface {
	Create(ctx context.Context, s Support) error // ErrConflict while the operator has one in the tenant that hasn't ended
	Get(ctx context.Context, id string) (Support, error)
	// Open gives the operator's session that hasn't ended; its time may be over. ErrNotFound.
	Open(ctx context.Context, userID string) (Support, error)
	List(ctx context.Context, f SupportFilter) (ss []Support, next string, err error) // newest first
	// End ends a session, by nobody when its time was over. ErrNotFound when it has ended or isn't there.
	End(ctx context.Context, id string, at time.Time, by string) error
}
