package baas

import (
	"strings"

	"github.com/oklog/ulid/v2"
)

// Prefixes of ids. An id is its prefix, "_" and a ULID in lower case: 26 characters that sort by creation time.
const (
	PrefixTenant     = "ten"
	PrefixUser       = "usr"
	PrefixWorker     = "wrk"
	PrefixBot        = "bot"
	PrefixMove       = "mov"
	PrefixEvent      = "evt"
	PrefixToken      = "tok"
	PrefixSession    = "ses"
	PrefixInvitation = "inv"
	PrefixSecret     = "sec"
	PrefixSupport    = "sup"
)

// NewID makes a new id such as "wrk_01jc5q0v8m3h2k6z9w4r7t1y5x". Ids made by one process within a millisecond still
// sort in the order they were made.
func NewID(prefix string) string { return prefix + "_" + strings.ToLower(ulid.Make().String()) }

// ValidID reports whether id has the given prefix and a well-formed ULID.
func ValidID(prefix, id string) bool {
	rest, ok := strings.CutPrefix(id, prefix+"_")
	if !ok || rest != strings.ToLower(rest) {
		return false
	}
	_, err := ulid.ParseStrict(rest)
	return err == nil
}
