// Package enginetest is the one conformance suite that every engine passes, driven on the real thing: real containers,
// real processes. The machines run a small probe instead of the agent, so that the suite stands on its own.
package enginetest
