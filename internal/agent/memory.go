package agent

import (
	"context"
	"syscall"
	"time"
)

// How memory is watched. When bots take all that the Worker has, the kernel should kill one. But as long as it finds
// pages of programs to drop, which are read back at once, it may go on with that for minutes, and nothing in the Worker
// answers. So the agent does it: when nearly all is in use, hardly any of it as cache, and dropped pages are read back
// all the time.
const (
	memoryLook   = time.Second
	memoryUsed   = 0.98 // of the limit is in use
	memoryOwned  = 0.90 // of the limit is the processes' own
	memoryFaults = 10   // pages a second are read back
	memoryLooks  = 3    // so many looks in a row
)

// pressure is what tells that the machine's memory is too small for what runs.
type pressure struct {
	full   bool  // nearly all of it is in use, by what can't be dropped
	faults int64 // pages that were read from files, ever
}

// pressure is not ok when the kernel doesn't tell, or sets no limit.
func (m machine) pressure() (p pressure, ok bool) {
	if !m.own {
		return p, false
	}
	for _, v := range []struct{ used, limit, stat, own, shared, faults string }{
		{"memory.current", "memory.max", "memory.stat", "anon", "shmem", "pgmajfault"},
		{"memory/memory.usage_in_bytes", "memory/memory.limit_in_bytes", "memory/memory.stat", "total_rss", "total_shmem", "total_pgmajfault"},
	} {
		used, told := m.number(v.used)
		limit, bounded := m.number(v.limit)
		if !told || !bounded || limit <= 0 {
			continue
		}
		if float64(used) < memoryUsed*float64(limit) {
			return p, true
		}
		own, _ := m.field(v.stat, v.own)
		shared, _ := m.field(v.stat, v.shared)
		p.faults, _ = m.field(v.stat, v.faults)
		p.full = float64(own+shared) >= memoryOwned*float64(limit)
		return p, true
	}
	return p, false
}

// thrashing counts looks at the pressure.
type thrashing struct {
	at     time.Time
	faults int64
	looks  int
}

// look reports whether a bot must go.
func (t *thrashing) look(now time.Time, p pressure) bool {
	if !p.full {
		*t = thrashing{}
		return false
	}
	before := *t
	t.at, t.faults = now, p.faults
	switch {
	case before.at.IsZero():
	case float64(p.faults-before.faults) < memoryFaults*now.Sub(before.at).Seconds():
		t.looks = 0
	default:
		t.looks++
	}
	if t.looks < memoryLooks {
		return false
	}
	*t = thrashing{}
	return true
}

// watchMemory kills the largest process of the bots whenever the machine does nothing but read back what it dropped.
func (a *agent) watchMemory(ctx context.Context, m machine) {
	tick := time.NewTicker(memoryLook)
	defer tick.Stop()
	var t thrashing
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			p, ok := m.pressure()
			if !ok {
				return
			}
			if t.look(now, p) {
				a.killLargest()
			}
		}
	}
}

func (a *agent) killLargest() {
	var largest procStat
	owner := ""
	for bot, members := range a.sup.census.take() {
		for _, s := range members {
			if bot != "" && s.rssPages > largest.rssPages {
				largest, owner = s, bot
			}
		}
	}
	if owner == "" {
		return
	}
	a.log.Warn("the Worker's memory is used up; its largest process is killed", "bot", owner, "pid", largest.pid)
	_ = syscall.Kill(largest.pid, syscall.SIGKILL)
}
