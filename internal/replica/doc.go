// Package replica joins the control planes of one installation. Each of them holds the connections of some agents, and
// reaches the others' agents through the replica that holds them.
//
//	agent 1 ──► replica a ◄═══ TLS, streams ═══► replica b ◄── agent 2
//	                │                                │
//	                └── leases "replica/…": who is there, at which address ── PostgreSQL
//
// Every replica dials every other and is told which agents that one holds: all of them first, then each change as it
// happens. Nothing of that is stored, so what a replica knew goes with it. A stream for an agent goes to the replica
// that said that it holds it, is answered there or refused, and never goes on to a third.
//
// # Which connection counts
//
// The database's clock numbers connections as agents make them. Of two connections of one Worker the later one counts,
// on every replica alike, and the replica that holds an earlier one ends it as its hub would have done.
//
// # Who may
//
// Both ends of a connection prove by TLS that they have the key that is derived from the installation's master key.
package replica
