// Package tunnel is HTTP the other way round: an agent dials out to the control plane and serves plain net/http on
// that connection. Workers have no inbound port.
//
// The agent opens one WebSocket. Both sides run yamux over it; the control plane opens streams and uses each as a
// keep-alive HTTP connection, the agent accepts them as a listener.
//
//	agent (Serve)                                     control plane (Hub)
//	    │ ── WebSocket, token, worker, protocol ──────────► │ 401 wrong token, 426 too old
//	    │ ◄─────────────── streams, each an HTTP connection ─│ RoundTripper
//
// A Worker has one connection: a second one replaces the first, and the agent that was replaced waits before it dials
// again, so that two machines of one Worker, as when one takes over from another, don't push each other out in a loop.
package tunnel
