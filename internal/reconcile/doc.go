// Package reconcile drives engines and agents from what is to what should be: it reads the whole state of one Worker,
// asks internal/plan what to do, does it, and writes back what it found. A wake-up carries no data; every pass reads
// again, may be repeated and may be interrupted anywhere.
//
// One control plane at a time runs the controllers (the lease "controllers"); the others serve requests.
//
//	store changes ─┐
//	engine events ─┤        ┌─► worker pass: observe ─► plan ─► execute ─► write status
//	agent status  ─┼► queue ┤
//	time          ─┘        └─► move pass: one step of one hand-over
//
// # Fencing of moves
//
// A bot's directory is written by at most one of: a move's carrying step, the removal of leftovers. Both hold the
// bot's lock and read the store again behind it, so that a stale report of an agent never removes what has just
// arrived.
package reconcile
