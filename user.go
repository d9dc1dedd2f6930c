package baas

import (
	"context"
	"net/mail"
	"strings"
	"time"
)

// User is a person who logs in. A person may be a member of several tenants; an operator runs the platform.
type User struct {
	ID           string    `json:"id"`
	Email        string    `json:"email"`
	Name         string    `json:"name"`
	Locale       string    `json:"locale" enum:"pt-BR,en" doc:"Language of the dashboard and of mails"`
	Operator     bool      `json:"operator"`
	PasswordHash string    `json:"-"` // argon2id in PHC string format; never leaves the process
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// Password limits. Long enough to resist guessing behind a rate limit; the maximum bounds the work of hashing.
const (
	MinPassword = 10
	MaxPassword = 200
)

// CheckPassword adds a problem to p unless the password is acceptable.
func CheckPassword(p *Problems, field, password string) {
	switch n := len(password); {
	case n < MinPassword:
		p.Add(field, "must have at least %d characters", MinPassword)
	case n > MaxPassword:
		p.Add(field, "must have at most %d bytes", MaxPassword)
	}
}

// NormalizeEmail trims and lower-cases an address and adds a problem when it is not one.
func NormalizeEmail(p *Problems, field, email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > 254 {
		p.Add(field, "must be an e-mail address such as ana@example.com")
	}
	return email
}

// UserStore keeps people.
type UserStore interface {
	Create(ctx context.Context, u User) error // ErrNameTaken when the e-mail is in use
	Get(ctx context.Context, id string) (User, error)
	ByEmail(ctx context.Context, email string) (User, error) // ErrNotFound
	Update(ctx context.Context, u User) error
	Count(ctx context.Context) (int, error)
}

// Session is a browser's log-in. Only the hash of its cookie is stored.
type Session struct {
	ID        string
	UserID    string
	Hash      []byte // SHA-256 of the cookie's secret
	CreatedAt time.Time
	ExpiresAt time.Time
}

// SessionStore keeps sessions.
type SessionStore interface {
	Create(ctx context.Context, s Session) error
	ByHash(ctx context.Context, hash []byte) (Session, error) // ErrNotFound
	Delete(ctx context.Context, id string) error              // may be repeated
	DeleteUser(ctx context.Context, userID string) error      // all of a person's; may be repeated
	DeleteExpired(ctx context.Context, now time.Time) error
}

// Scope limits what an API token may do within its owner's role.
type Scope string

// Scopes. Each includes what its user's role allows, and no more.
const (
	ScopeRead  Scope = "read"  // look at everything that the role sees
	ScopeWrite Scope = "write" // and change Workers, bots, secrets
	ScopeAdmin Scope = "admin" // and change members, invitations, tokens
)

// Token is an API token of a user within one tenant. Its secret is shown once, when it is made.
type Token struct {
	ID         string     `json:"id"`
	TenantID   string     `json:"tenant_id"`
	UserID     string     `json:"user_id"`
	Name       string     `json:"name"`
	Scopes     []Scope    `json:"scopes" enum:"read,write,admin"`
	Hash       []byte     `json:"-"` // SHA-256 of the secret
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"To the minute"`
}

// TokenCreate makes an API token.
type TokenCreate struct {
	Name      string     `json:"name" minLength:"1" maxLength:"80"`
	Scopes    []Scope    `json:"scopes" minItems:"1" enum:"read,write,admin"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Never when left out"`
}

// Validate checks the input against now.
func (c *TokenCreate) Validate(now time.Time) error {
	var p Problems
	c.Name = strings.TrimSpace(c.Name)
	checkName(&p, "name", c.Name, 80)
	if len(c.Scopes) == 0 {
		p.Add("scopes", "must name at least one of read, write, admin")
	}
	for _, s := range c.Scopes {
		if s != ScopeRead && s != ScopeWrite && s != ScopeAdmin {
			p.Add("scopes", "%q is not one of read, write, admin", s)
		}
	}
	if c.ExpiresAt != nil && !c.ExpiresAt.After(now) {
		p.Add("expires_at", "must be in the future")
	}
	return p.Err()
}

// TokenStore keeps a tenant's API tokens.
type TokenStore interface {
	Create(ctx context.Context, t Token) error
	Get(ctx context.Context, id string) (Token, error)
	List(ctx context.Context, p Page) (ts []Token, next string, err error) // by id
	Delete(ctx context.Context, id string) error
}
