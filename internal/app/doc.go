// Package app holds the use cases of BaaS, a file per resource. It is the only place that authorizes: every use case
// takes the actor, and asks package authz before it reads or writes.
//
// Another tenant's thing answers exactly like a missing one. A member who is limited to some Workers finds nothing
// else. Quotas are counted behind the tenant's lock in the transaction of the write itself. What takes long, such as
// making a machine or moving a bot, is written down as desired and answered at once; controllers carry it out. Every
// change leaves an event that names who made it.
//
// # Idempotency
//
// With a Request in the context (WithRequest) that has a key, the outcome of a write is kept in the write's own
// transaction, and the same request with the same key gets it again without doing anything.
package app
