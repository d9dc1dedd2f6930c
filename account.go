package baas

import (
	"strings"
)

// Account is a person as they see themselves.
type Account struct {
	User
	Tenants []Membership `json:"tenants" doc:"Where the person is a member, or in support mode"`
}

// AccountUpdate changes one's own account; nil fields stay. A new password asks for the current one and ends every
// other log-in of the person.
type AccountUpdate struct {
	Name            *string `json:"name,omitempty" maxLength:"80"`
	Locale          *string `json:"locale,omitempty" enum:"pt-BR,en"`
	Password        *string `json:"password,omitempty" maxLength:"200" doc:"The new password, at least 10 characters"`
	CurrentPassword string  `json:"current_password,omitempty" maxLength:"200" doc:"Needed for a new password"`
}

// Apply writes name and locale to u after checking them; the password is the caller's.
func (c AccountUpdate) Apply(u *User) error {
	var p Problems
	if c.Name != nil {
		u.Name = strings.TrimSpace(*c.Name)
		checkName(&p, "name", u.Name, 80)
	}
	if c.Locale != nil {
		u.Locale = *c.Locale
		if u.Locale != "pt-BR" && u.Locale != "en" {
			p.Add("locale", "must be pt-BR or en")
		}
	}
	if c.Password != nil {
		CheckPassword(&p, "password", *c.Password)
		if c.CurrentPassword == "" {
			p.Add("current_password", "must be given to set a new password")
		}
	}
	return p.Err()
}

// Credentials log a person in.
type Credentials struct {
	Email    string `json:"email" maxLength:"254" example:"ana@example.com"`
	Password string `json:"password" maxLength:"200"`
}

// InvitationAccept makes the invited person a member. A person who is new chooses a password and a name; one who has
// an account logs in with the password of it.
type InvitationAccept struct {
	Token    string `json:"token" doc:"From the link"`
	Name     string `json:"name,omitempty" maxLength:"80" doc:"Of a new person"`
	Password string `json:"password" maxLength:"200"`
	Locale   string `json:"locale,omitempty" enum:"pt-BR,en" doc:"Of a new person; pt-BR when empty"`
}

// NewInvitation is an invitation with its link, which is shown this once.
type NewInvitation struct {
	Invitation
	Token string `json:"token" doc:"Shown once"`
	URL   string `json:"url" doc:"Link for the invited person; shown once"`
}

// NewToken is an API token with its secret, which is shown this once.
type NewToken struct {
	Token
	Secret string `json:"secret" doc:"Shown once; send it as Authorization: Bearer"`
}

// TenantTotals is what a tenant has and what its plan allows.
type TenantTotals struct {
	Plan   string `json:"plan" example:"PRO"`
	Totals Totals `json:"totals"`
	Limits Limits `json:"limits"`
}
