package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/baas-platform/baas/internal/agentapi"
)

// clockTick is the kernel's unit of CPU time in /proc: USER_HZ, 100 on every architecture that Go knows.
const clockTick = time.Second / 100

// procStat is a line of /proc/PID/stat.
type procStat struct {
	pid, ppid, pgid, sid int
	state                byte
	cpu                  time.Duration // its own and that of the children it waited for
	start                uint64        // ticks since boot: tells processes with the same number apart
	rssPages             int64
}

func (s procStat) dead() bool { return s.state == 'Z' || s.state == 'X' }

func parseStat(b []byte) (procStat, bool) {
	// "pid (any name, also with parentheses) S ppid …"
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 1 || end < open {
		return procStat{}, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:open])))
	f := strings.Fields(string(b[end+1:]))
	if err != nil || len(f) < 22 {
		return procStat{}, false
	}
	num := func(i int) int64 { n, _ := strconv.ParseInt(f[i], 10, 64); return n }
	return procStat{
		pid: pid, state: f[0][0], ppid: int(num(1)), pgid: int(num(2)), sid: int(num(3)),
		cpu:   time.Duration(num(11)+num(12)+num(13)+num(14)) * clockTick,
		start: uint64(num(19)), rssPages: num(21),
	}, true
}

// procDir reads /proc, or a copy of its shape in tests.
type procDir string

func (d procDir) stat(pid int) (procStat, bool) {
	b, err := os.ReadFile(filepath.Join(string(d), strconv.Itoa(pid), "stat"))
	if err != nil {
		return procStat{}, false
	}
	return parseStat(b)
}

// all reads every process that lives.
func (d procDir) all() map[int]procStat {
	f, err := os.Open(string(d))
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	ps := make(map[int]procStat, 16)
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			if s, ok := d.stat(pid); ok {
				ps[pid] = s
			}
		}
	}
	return ps
}

// env gives a variable of the environment that a process was started with.
func (d procDir) env(pid int, name string) string {
	b, err := os.ReadFile(filepath.Join(string(d), strconv.Itoa(pid), "environ"))
	if err != nil {
		return ""
	}
	for kv := range bytes.SplitSeq(b, []byte{0}) {
		if v, ok := bytes.CutPrefix(kv, []byte(name+"=")); ok {
			return string(v)
		}
	}
	return ""
}

// memory is the process's share of physical memory, in bytes: proportional where the kernel tells, resident otherwise.
func (d procDir) memory(s procStat) int64 {
	b, err := os.ReadFile(filepath.Join(string(d), strconv.Itoa(s.pid), "smaps_rollup"))
	if err == nil {
		if kb, ok := fieldKB(b, "Pss:"); ok {
			return kb << 10
		}
	}
	return s.rssPages * int64(os.Getpagesize())
}

// fieldKB reads "Name:   123 kB".
func fieldKB(b []byte, name string) (int64, bool) {
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			f := bytes.Fields(rest)
			if len(f) > 0 {
				n, err := strconv.ParseInt(string(f[0]), 10, 64)
				return n, err == nil
			}
		}
	}
	return 0, false
}

// census knows which processes belong to which bot. Once seen, a process stays its bot's, wherever it moves in the
// tree and whatever session it makes.
type census struct {
	proc procDir
	self int
	vol  volume

	mu    sync.Mutex
	mains map[int]string // pid of a bot's first process
	known map[int]known
}

type known struct {
	start uint64
	bot   string
}

func newCensus(vol volume) *census {
	return &census{proc: "/proc", self: os.Getpid(), vol: vol, mains: map[int]string{}, known: map[int]known{}}
}

func (c *census) begin(pid int, bot string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mains[pid] = bot
}

func (c *census) end(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mains, pid)
}

// owner tells whose process pid was when it was last seen.
func (c *census) owner(pid int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.mains[pid]; b != "" {
		return b
	}
	return c.known[pid].bot
}

// take sorts every process under the agent by bot; "" collects the agent and what belongs to no bot.
func (c *census) take() map[string][]procStat {
	all := c.proc.all()
	c.mu.Lock()
	defer c.mu.Unlock()
	next := make(map[int]known, len(c.known))
	var sort func(s procStat, depth int) (string, bool)
	sort = func(s procStat, depth int) (bot string, ours bool) {
		if s.pid == c.self {
			return "", true
		}
		if k, ok := next[s.pid]; ok {
			return k.bot, true
		}
		defer func() {
			if bot != "" { // what is nobody's may be a bot's that begin wasn't told of yet
				next[s.pid] = known{s.start, bot}
			}
		}()
		if k, ok := c.known[s.pid]; ok && k.start == s.start {
			return k.bot, true
		}
		for _, id := range []int{s.pid, s.pgid, s.sid} {
			if bot := c.mains[id]; bot != "" {
				return bot, true
			}
		}
		if parent, ok := all[s.ppid]; ok && depth < 100 {
			bot, ours = sort(parent, depth+1)
			if ours && bot == "" { // an orphan that came to the agent before it was seen
				bot = c.marked(s.pid)
			}
			return bot, ours
		}
		return "", false
	}
	out := map[string][]procStat{}
	for _, s := range all {
		if bot, ours := sort(s, 0); ours {
			out[bot] = append(out[bot], s)
		}
	}
	c.known = next
	return out
}

// marked reads the bot's id that every process of a bot has in its environment, if it is one of this volume.
func (c *census) marked(pid int) string {
	if !strings.HasPrefix(c.proc.env(pid, agentapi.EnvBotData), c.vol.bots()+"/") {
		return ""
	}
	return c.proc.env(pid, agentapi.EnvBotID)
}

// members lists the processes of one bot that live.
func (c *census) members(bot string) []int {
	var pids []int
	for _, s := range c.take()[bot] {
		if !s.dead() {
			pids = append(pids, s.pid)
		}
	}
	return pids
}

// leftovers lists processes of any bot of this volume, wherever they are in the tree: those that a killed agent left.
func (c *census) leftovers() []int {
	var pids []int
	for pid, s := range c.proc.all() {
		if pid != c.self && !s.dead() && c.marked(pid) != "" {
			pids = append(pids, pid)
		}
	}
	return pids
}

func kill(pids []int, sig syscall.Signal) {
	for _, p := range pids {
		_ = syscall.Kill(p, sig)
	}
}
