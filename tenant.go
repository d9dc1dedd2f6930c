package baas

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// TenantStatus says whether a tenant's bots may run.
type TenantStatus string

// Tenant states. The Workers of a suspended tenant are stopped and keep their volumes; its members can look, not change.
const (
	TenantActive    TenantStatus = "active"
	TenantSuspended TenantStatus = "suspended"
)

// Tenant is a client company.
type Tenant struct {
	ID        string       `json:"id"`
	Slug      string       `json:"slug" doc:"Short name for addresses; may stand for the id in every path"`
	Name      string       `json:"name"`
	Plan      string       `json:"plan" example:"PRO"`
	Status    TenantStatus `json:"status" enum:"active,suspended"`
	Version   int64        `json:"version"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// TenantCreate makes a tenant.
type TenantCreate struct {
	Name string `json:"name" minLength:"1" maxLength:"80" example:"Cliente A"`
	Slug string `json:"slug,omitempty" maxLength:"40" doc:"Made from the name when empty"`
	Plan string `json:"plan,omitempty" doc:"FREE when empty"`
}

// TenantUpdate changes a tenant; nil fields stay.
type TenantUpdate struct {
	Name   *string       `json:"name,omitempty" maxLength:"80"`
	Plan   *string       `json:"plan,omitempty"`
	Status *TenantStatus `json:"status,omitempty" enum:"active,suspended"`
}

var slugPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$`)

// Validate checks the input and fills what was left empty (slug, plan).
func (c *TenantCreate) Validate() error {
	var p Problems
	c.Name = strings.TrimSpace(c.Name)
	checkName(&p, "name", c.Name, 80)
	if c.Slug == "" {
		c.Slug = Slug(c.Name)
	}
	if !slugPattern.MatchString(c.Slug) {
		p.Add("slug", "must be 1 to 40 lower-case letters, digits and inner hyphens, such as %q", "cliente-a")
	}
	if strings.HasPrefix(c.Slug, PrefixTenant+"_") {
		p.Add("slug", "must not look like an id")
	}
	if c.Plan == "" {
		c.Plan = PlanFree
	}
	return p.Err()
}

// Apply writes the changes to t after checking them.
func (u TenantUpdate) Apply(t *Tenant) error {
	var p Problems
	if u.Name != nil {
		t.Name = strings.TrimSpace(*u.Name)
		checkName(&p, "name", t.Name, 80)
	}
	if u.Plan != nil {
		t.Plan = *u.Plan
	}
	if u.Status != nil {
		t.Status = *u.Status
		if t.Status != TenantActive && t.Status != TenantSuspended {
			p.Add("status", "must be active or suspended")
		}
	}
	return p.Err()
}

// Slug makes a short name for addresses: "Operações Ltda." becomes "operacoes-ltda".
func Slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if i := strings.IndexRune("áàâãäéèêëíìîïóòôõöúùûüçñ", r); i >= 0 {
			r = []rune("aaaaaeeeeiiiiooooouuuucn")[utf8.RuneCountInString("áàâãäéèêëíìîïóòôõöúùûüçñ"[:i])]
		}
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// checkName adds a problem unless name is 1 to max printable characters.
func checkName(p *Problems, field, name string, maxRunes int) {
	n := utf8.RuneCountInString(name)
	switch {
	case !utf8.ValidString(name):
		p.Add(field, "must be UTF-8")
	case n == 0:
		p.Add(field, "must not be empty")
	case n > maxRunes:
		p.Add(field, "has %d characters; at most %d are allowed", n, maxRunes)
	case strings.ContainsFunc(name, unicode.IsControl):
		p.Add(field, "must not hold control characters")
	}
}

// TenantFilter narrows a list of tenants.
type TenantFilter struct {
	Search string // part of name or slug, without regard to case
	Status TenantStatus
	Plan   string
	Page
}

// TenantStore keeps tenants, for the platform itself; a tenant sees its own row through TenantTx.
type TenantStore interface {
	Create(ctx context.Context, t Tenant) error                                     // ErrNameTaken when the slug is in use
	Get(ctx context.Context, idOrSlug string) (Tenant, error)                       // ErrNotFound
	List(ctx context.Context, f TenantFilter) (ts []Tenant, next string, err error) // by id
	// Update writes t if the stored version is still t.Version, and adds one to it. ErrNotFound, ErrVersionMismatch.
	Update(ctx context.Context, t Tenant) (Tenant, error)
	Delete(ctx context.Context, id string) error // with everything of the tenant; ErrNotFound
}
