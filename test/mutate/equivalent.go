package main

import "strings"

// equivalents are places that can be left out without any difference to anybody.
var equivalents = []struct{ in, what, reason string }{
	{"clamp", "tenant_id = ?", "narrows the range that the query itself, which names the tenant, looks through; it costs time alone"},
	{"next", "c.tenant_id = ?", "a reader is made by Open alone, once it has found the archive in the tenant"},
}

// equivalent gives the reason why the mutant can't be noticed, or "".
func (m mutant) equivalent() string {
	for _, e := range equivalents {
		if m.in == e.in && strings.Contains(m.what, e.what) {
			return e.reason
		}
	}
	return ""
}
