// Package process runs each Worker's agent as a child process, for development on a machine without a container
// engine. It isolates nothing: bots run as the user of the control plane and see all of its files and its network. Its
// Capabilities say so, and a production configuration refuses it.
//
// # What a Worker is
//
//	<Dir>/<worker id>/machine.json   what was asked for, and the process that was started for it
//	<Dir>/<worker id>/lock           held by the machine's processes as long as any of them lives
//	<Dir>/<worker id>/agent.log
//	<Dir>/<worker id>/data/          the volume
//
// The agent leads a session of its own, so it goes on when the control plane ends. The next one finds it by pid and
// start time, which together name one process for as long as the host is up.
//
// # That a machine has ended
//
// A crash of the agent may leave its bots behind, and a crash of the control plane between starting the agent and
// noting its pid leaves an agent that nobody knows. Both are found by the lock, an open file that every process of
// the machine inherits, and by the session. No machine is started before all processes of its last run are gone.
package process
