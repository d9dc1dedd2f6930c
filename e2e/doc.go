// Package e2e holds scenarios that drive the real binary as people and programs do: over its API, its gateway and its
// command line, with Workers on a real Docker Engine and on the process engine.
package e2e
