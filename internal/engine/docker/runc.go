package docker

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var versionPattern = regexp.MustCompile(`(\d+)\.(\d+)\.(\d+)(-rc\.?(\d+))?`)

// runcVersion is major, minor, patch, and the release candidate (a large number for a release).
type runcVersion [4]int

const release = 1 << 30

func (v runcVersion) less(w runcVersion) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

func parseRunc(s string) (v runcVersion, ok bool) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return v, false
	}
	for i := range 3 {
		v[i], _ = strconv.Atoi(m[i+1])
	}
	v[3] = release
	if m[4] != "" {
		v[3], _ = strconv.Atoi(m[5])
	}
	return v, true
}

// runcWarning names the published ways to break out of containers that a version of runc has. Distributions repair
// some of them without another version number, so it can say only that they may be there.
func runcWarning(version string) string {
	v, ok := parseRunc(version)
	if !ok {
		return ""
	}
	var cves []string
	if v.less(runcVersion{1, 1, 12, release}) {
		cves = append(cves, "CVE-2024-21626")
	}
	fixed2025 := runcVersion{1, 2, 8, release}
	switch {
	case v[0] == 1 && v[1] == 3:
		fixed2025 = runcVersion{1, 3, 3, release}
	case v[0] == 1 && v[1] == 4:
		fixed2025 = runcVersion{1, 4, 0, 3}
	}
	if v.less(fixed2025) {
		cves = append(cves, "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881")
	}
	if len(cves) == 0 {
		return ""
	}
	return fmt.Sprintf("runc %s may let a bot break out of its container (%s) unless the distribution has repaired it: update runc to 1.2.8, 1.3.3 or newer", version, strings.Join(cves, ", "))
}
