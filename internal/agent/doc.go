// Package agent is what runs in a Worker, as its first process: it starts, watches and stops the Worker's bots,
// measures what they use, keeps their logs and files, and serves all of that to the control plane over the tunnel that
// it dials (see internal/agentapi for the protocol).
//
// The agent works from the desired state on its volume. The control plane replaces it and may be away: bots go on,
// and after a restart of the Worker they start again without it.
//
// # A bot's life
//
//	                      ┌────────────── health ──────────────┐
//	pending ─► starting ─►│ running ⇄ unhealthy                │─► stopped   (not wanted, held, disk full)
//	   ▲          ▲       └───────┬────────────────────────────┘
//	   │          │ time is up    │ ends by itself
//	   │          └── backoff / crash_loop / failed ◄─ ┴ ─► completed, failed (its restart policy lets it rest)
//	files or directory not there
//
// One goroutine per bot owns its process. It is level-triggered: every wake-up looks at the whole of what is wanted.
//
// # One copy
//
// At no moment two copies of a bot run. A start takes an exclusive lock on a file; the bot's processes inherit it, so
// that it stays taken while any of them is left, also across a crash of the agent. A stop is confirmed when no process
// of the bot is left: its group, its session, its descendants, and whatever carries its id in the environment.
// Exports, imports and deletions hold the bot's directory, and the bot doesn't start meanwhile.
//
// # On the volume
//
//	agent/lock              one agent at a time
//	agent/desired.json      what to run
//	agent/usage/            a file per minute, until the control plane has stored it
//	agent/bots/ID.lock      held while a process of the bot is left
//	agent/bots/ID.json      what must be known about the bot after a restart; ID.conf: an assistant's settings
//	agent/tmp/              what is being written; emptied at start
//	bots/ID/data            the bot's own: kept, backed up, moved; its HOME
//	bots/ID/app/DIGEST      its unpacked files
//	bots/ID/logs            its output, in numbered files
package agent
