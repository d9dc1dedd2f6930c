package baas

import (
	"context"
	"time"
)

// Store is the system of record. Everything happens in transactions of one of two scopes: a tenant's, in which no
// other tenant's row can be named, and the system's, for log-in, operators and controllers.
//
// Errors are Errors of this package where the method says so; everything else is CodeInternal.
type Store interface {
	Tenant(tenantID string) TenantScope
	System() SystemScope
	// Subscribe delivers changes that were committed from now on, by this process and any other on the same database,
	// until ctx ends. A subscriber that falls behind loses changes and is sent a resync instead.
	Subscribe(ctx context.Context) <-chan Change
	// Lease takes or renews the named lease for holder until now+ttl and reports whether holder has it. Of several
	// processes on one database at most one holds it.
	Lease(ctx context.Context, name, holder string, now time.Time, ttl time.Duration) (held bool, err error)
	Ping(ctx context.Context) error
	// Database tells what the store is on, with its size now.
	Database(ctx context.Context) (Database, error)
	Close() error
}

// TenantScope runs transactions of one tenant. The tenant id is not checked for existence; TenantTx.Get does that.
type TenantScope interface {
	// View runs fn in a read-only transaction.
	View(ctx context.Context, fn func(tx TenantTx) error) error
	// Update runs fn in a transaction and returns once it is durable. An error from fn undoes all of it and is
	// returned as it is. fn may run more than once, so it must have no effect outside of tx.
	Update(ctx context.Context, fn func(tx TenantTx) error) error
}

// SystemScope runs transactions over all tenants, as TenantScope does over one.
type SystemScope interface {
	View(ctx context.Context, fn func(tx SystemTx) error) error
	Update(ctx context.Context, fn func(tx SystemTx) error) error
}

// TenantTx is a transaction that sees one tenant. Get-like methods answer ErrNotFound for another tenant's thing as
// for a missing one.
type TenantTx interface {
	// Get reads the tenant itself. ErrNotFound.
	Get(ctx context.Context) (Tenant, error)
	// Lock is Get, and keeps every other transaction that locks the tenant waiting until this one ends. Quotas are
	// counted behind it.
	Lock(ctx context.Context) (Tenant, error)
	// Plan reads the tenant's plan.
	Plan(ctx context.Context) (Plan, error)
	// Totals tells what the tenant has, in constant time.
	Totals(ctx context.Context) (Totals, error)
	// Update writes the tenant's settings as TenantStore.Update does.
	Update(ctx context.Context, t Tenant) (Tenant, error)

	Members() MemberStore
	Invitations() InvitationStore
	Tokens() TokenStore
	Secrets() SecretStore
	Workers() WorkerStore
	Bots() BotStore
	Artifacts() ArtifactStore
	Moves() MoveStore
	Events() EventStore
	Usage() UsageStore
	Idempotency() IdempotencyStore
	Support() SupportStore
}

// SystemTx is a transaction that sees everything.
type SystemTx interface {
	Tenants() TenantStore
	Plans() PlanStore
	Users() UserStore
	Sessions() SessionStore
	// In gives the view of one tenant within this transaction.
	In(tenantID string) TenantTx

	// Memberships lists a person's tenants, by tenant id.
	Memberships(ctx context.Context, userID string) ([]Membership, error)
	// TokenByHash and InvitationByHash find the owner of a secret; ErrNotFound.
	TokenByHash(ctx context.Context, hash []byte) (Token, error)
	TouchToken(ctx context.Context, id string, at time.Time) error
	InvitationByHash(ctx context.Context, hash []byte) (Invitation, error)
	// Worker and Bot find a thing of any tenant; ErrNotFound.
	Worker(ctx context.Context, id string) (Worker, error)
	Bot(ctx context.Context, id string) (Bot, error)
	// Workers, Bots and Moves list things of all tenants, by id: what controllers start from.
	Workers(ctx context.Context, p Page) (ws []Worker, next string, err error)
	Bots(ctx context.Context, p Page) (bs []Bot, next string, err error)
	ActiveMoves(ctx context.Context) ([]Move, error)
	// Secrets lists the sealed secrets of all tenants, by id, for the rotation of the master key; Reseal replaces one.
	Secrets(ctx context.Context, p Page) (ss []Secret, next string, err error)
	Reseal(ctx context.Context, id string, sealed []byte) error
	// Census counts what all tenants have. It reads every Worker and bot.
	Census(ctx context.Context) (Census, error)
	// Summaries lists tenants as TenantStore.List does, each with what it has and what it used since then, in a few
	// queries whatever their number.
	Summaries(ctx context.Context, f TenantFilter, since time.Time) (ss []TenantSummary, next string, err error)
	// OpenSupport lists the support sessions of all tenants that haven't ended, by id; the time of some may be over.
	OpenSupport(ctx context.Context) ([]Support, error)
	// Purge deletes what has had its time: usage minutes and hours, events, moves that ended, idempotency records, open
	// invitations and sessions past their end. It does a bounded amount of work and reports whether there is more.
	Purge(ctx context.Context, now time.Time) (more bool, err error)
}

// IdempotencyRecord is the remembered outcome of a write.
type IdempotencyRecord struct {
	Key         string // the client's, with who sent it: "user/usr_…/key"
	Fingerprint []byte // SHA-256 of the request
	Result      []byte // JSON of what the use case returned
	CreatedAt   time.Time
}

// IdempotencyStore remembers outcomes for a day, in the transaction of the write itself.
type IdempotencyStore interface {
	Get(ctx context.Context, key string) (IdempotencyRecord, error) // ErrNotFound
	Put(ctx context.Context, r IdempotencyRecord) error             // ErrConflict when the key has one
}
