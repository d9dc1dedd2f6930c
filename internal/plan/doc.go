// Package plan decides what to do about one Worker: a pure function from what should be, what is and the time to a
// list of actions and to the state that people are shown. It does no I/O and reads no clock; internal/reconcile
// observes, asks, and carries out.
//
// Every action may be repeated, and a pass may end between any two of them: the next pass starts from what is then.
//
//	          machine absent or stopped             agent connected
//	pending ──────────────────────────► provisioning ─────────────► running ⇄ degraded
//	   ▲            EnsureMachine             │ ▲                      │
//	   │                                      │ │ EnsureMachine        │ agent lost
//	   │ desired running          no agent in │ │ (after back-off)     ▼
//	stopped ◄── stopping             time     ▼ │                 unreachable
//	      StopMachine               failed / back-off ◄──────────────── (too long: RestartMachine)
package plan
