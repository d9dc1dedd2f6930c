// Package sealing encrypts secrets at rest.
//
// A secret is sealed with a key of its own, which is stored next to it encrypted by the master key (envelope
// encryption, AES-256-GCM for both, by Tink). The secret's id is part of what is authenticated: a sealed value that was
// changed, or stored under another id, is refused.
//
// # Master keys
//
// A ring holds one master key or more, 32 random bytes each, base64, one a line in a file or separated by commas in a
// value from the environment. The first seals; all of them open. Rotation is therefore:
//
//	AddKey, restart every process ─► Rotate until it reports 0 ─► remove the old lines, restart
//
// Keys that Keys.Derive gives come from the last, oldest key of the ring, so that they stay the same while a rotation
// is under way; they change, and what was signed with them ends, when that line is removed.
package sealing
