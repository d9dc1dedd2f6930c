package baas

import (
	"context"
	"regexp"
	"time"
)

// MaxSecretValue is the longest secret value, in bytes.
const MaxSecretValue = 16 << 10

// Secret is a named value that bots receive and nobody can read back. WorkerID limits it to the bots of one Worker;
// empty means every Worker of the tenant. A bot finds the secret of its Worker first, then the tenant's.
type Secret struct {
	ID        string    `json:"id"`
	TenantID  string    `json:"tenant_id"`
	WorkerID  string    `json:"worker_id,omitempty" doc:"Only bots of this Worker may use it; every Worker when empty"`
	Name      string    `json:"name" example:"OPENAI_API_KEY"`
	Sealed    []byte    `json:"-"` // ciphertext by internal/sealing; bound to ID
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

var secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// CheckSecretName adds a problem unless name is like an environment variable.
func CheckSecretName(p *Problems, field, name string) {
	if !secretName.MatchString(name) {
		p.Add(field, "must be 1 to 64 letters, digits and underscores and not begin with a digit, such as OPENAI_API_KEY")
	}
}

// SecretStore keeps a tenant's sealed secrets. It never sees a value.
type SecretStore interface {
	Put(ctx context.Context, s Secret) error // creates, or replaces by (worker, name) keeping the id given; may be repeated
	Get(ctx context.Context, id string) (Secret, error)
	ByName(ctx context.Context, workerID, name string) (Secret, error)      // exactly this scope; ErrNotFound
	List(ctx context.Context, p Page) (ss []Secret, next string, err error) // by id
	Delete(ctx context.Context, id string) error
}
