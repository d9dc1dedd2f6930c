package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// machine reads what the Worker as a whole uses. A Worker that is a machine of its own is told by the agent being its
// first process; otherwise the files below speak of the host, and only the agent's own processes count.
type machine struct {
	own    bool
	cgroup string // /sys/fs/cgroup
	net    string // /proc/self/net/dev
}

func newMachine() machine {
	return machine{own: os.Getpid() == 1, cgroup: "/sys/fs/cgroup", net: "/proc/self/net/dev"}
}

// cpu is the CPU time of the whole machine since some moment; ok is false when the kernel doesn't tell.
func (m machine) cpu() (t time.Duration, ok bool) {
	if !m.own {
		return 0, false
	}
	if v, ok := m.field("cpu.stat", "usage_usec"); ok {
		return time.Duration(v) * time.Microsecond, true
	}
	for _, dir := range []string{"cpuacct", "cpu,cpuacct"} {
		if v, ok := m.number(dir + "/cpuacct.usage"); ok {
			return time.Duration(v), true
		}
	}
	return 0, false
}

// memory is what the machine uses without cache that can be dropped, in bytes.
func (m machine) memory() (n int64, ok bool) {
	if !m.own {
		return 0, false
	}
	for _, v := range []struct{ used, stat, cache string }{
		{"memory.current", "memory.stat", "inactive_file"},
		{"memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"},
	} {
		if n, ok := m.number(v.used); ok {
			cache, _ := m.field(v.stat, v.cache)
			return max(0, n-cache), true
		}
	}
	return 0, false
}

// network is the bytes that came in and went out over all interfaces but the loopback.
func (m machine) network() (in, out int64, ok bool) {
	if !m.own {
		return 0, 0, false
	}
	b, err := os.ReadFile(m.net)
	if err != nil {
		return 0, 0, false
	}
	in, out = parseNet(b)
	return in, out, true
}

func parseNet(b []byte) (in, out int64) {
	for line := range bytes.Lines(b) {
		name, rest, ok := strings.Cut(string(line), ":")
		f := strings.Fields(rest)
		if !ok || len(f) < 16 || strings.TrimSpace(name) == "lo" {
			continue
		}
		r, err1 := strconv.ParseInt(f[0], 10, 64)
		t, err2 := strconv.ParseInt(f[8], 10, 64)
		if err1 == nil && err2 == nil {
			in, out = in+r, out+t
		}
	}
	return in, out
}

func (m machine) number(file string) (int64, bool) {
	b, err := os.ReadFile(filepath.Join(m.cgroup, file))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

func (m machine) field(file, name string) (int64, bool) {
	b, err := os.ReadFile(filepath.Join(m.cgroup, file))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
