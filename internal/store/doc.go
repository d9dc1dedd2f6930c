// Package store keeps everything in SQLite or PostgreSQL, behind the interfaces of the root package.
//
// Both databases run the same queries, written in the SQL that they share; dialect holds what differs. Times are
// stored as microseconds since 1970, JSON as text.
//
// # Transactions
//
// On SQLite one connection writes. Concurrent Updates share one transaction, each in its own savepoint, and return
// together after its commit, so that one fsync serves them all (synchronous=FULL: what is acknowledged is on disk):
//
//	Update ─ savepoint ┐
//	Update ─ savepoint ┼─ commit ─► all return, then their changes are announced
//	Update ─ savepoint ┘
//
// An error or a panic undoes its own savepoint and nothing else. An Update inside an Update would wait for itself and
// must not be written; a View inside one sees the last commit. Views run on connections of their own and wait for nobody.
//
// On PostgreSQL an Update is a READ COMMITTED transaction: what it read without TenantTx.Lock may have changed before it
// commits, so decisions are made behind the lock or guarded by a version. Deadlocks are repeated. A View sees one
// snapshot. All work is done as the role baas_app, which owns no table; each transaction names its tenant, and
// row-level security hides everything else, whatever a query asks for.
//
// # Usage
//
// The ledger has a row per minute and one per hour. Record adds to the hour what the merged minute grew by, in one
// transaction, so the hours always are the sum of the minutes they were made of, exactly.
package store
