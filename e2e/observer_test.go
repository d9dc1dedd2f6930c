package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
)

// observer watches from the machine's own process list that no bot ever runs twice. It sees what the platform can't
// colour: every process of a bot has the bot's id in its environment, and the bots of these scenarios have one each.
type observer struct {
	mu     sync.Mutex
	known  map[osProcess]string // bots' processes that live, with the bot's id
	seen   map[string]int       // runs of each bot
	twice  []string
	looked int
	mine   func(pid int) bool // whether a process is of the scenario's engine; of every process when nil
	stop   context.CancelFunc
	done   chan struct{}
}

// osProcess can't be confused with a later one of the same number.
type osProcess struct {
	pid   int
	start string
}

// observe looks every 20 ms until the test ends.
func observe(t *testing.T) *observer { return observeOnly(t, nil) }

func observeOnly(t *testing.T, mine func(pid int) bool) *observer {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	o := &observer{known: map[osProcess]string{}, seen: map[string]int{}, mine: mine, stop: cancel, done: make(chan struct{})}
	t.Cleanup(o.end)
	go func() {
		defer close(o.done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				o.look()
			}
		}
	}()
	return o
}

func (o *observer) end() {
	o.stop()
	<-o.done
}

func (o *observer) look() {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.looked++
	alive := map[osProcess]string{}
	of := map[string][]osProcess{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, ok := living(pid)
		if !ok {
			continue
		}
		bot, known := o.known[p]
		if !known {
			if bot = botOf(pid); bot == "" || o.mine != nil && !o.mine(pid) {
				continue
			}
			o.seen[bot]++
		}
		alive[p] = bot
		of[bot] = append(of[bot], p)
	}
	o.known = alive
	for bot, ps := range of {
		if len(ps) < 2 {
			continue
		}
		// The first may have ended while the list was read: only those that live now, after the last was seen, count.
		var now []string
		for _, p := range ps {
			if again, ok := living(p.pid); ok && again == p {
				now = append(now, fmt.Sprintf("%d (%s)", p.pid, cgroup(p.pid)))
			}
		}
		if len(now) > 1 {
			o.twice = append(o.twice, fmt.Sprintf("%s bot %s has %d processes: %s", time.Now().Format("15:04:05.000"), bot, len(now), strings.Join(now, ", ")))
		}
	}
}

// living reads when a process began, if it lives.
func living(pid int) (osProcess, bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return osProcess{}, false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return osProcess{}, false
	}
	return osProcess{pid, f[19]}, true
}

func botOf(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err != nil {
		return ""
	}
	for kv := range bytes.SplitSeq(b, []byte{0}) {
		if id, ok := bytes.CutPrefix(kv, []byte("BAAS_BOT_ID=")); ok {
			return string(id)
		}
	}
	return ""
}

func cgroup(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return "gone"
	}
	_, path, _ := strings.Cut(string(b), "memory:")
	path, _, _ = strings.Cut(path, "\n")
	return filepath.Base(path)
}

// running lists the bots' processes that live, by bot.
func (o *observer) running() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]int{}
	for p, bot := range o.known {
		out[bot] = p.pid
	}
	return out
}

// report gives the moments with two copies of a bot, and how much was seen.
func (o *observer) report() (twice []string, looks, runs int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.seen {
		runs += n
	}
	return o.twice, o.looked, runs
}

// What has never been seen to notice anything proves nothing.
func TestTheObserverNotices(t *testing.T) {
	o := observe(t)
	start := func(bot string) *exec.Cmd {
		cmd := exec.Command("sleep", "600")
		cmd.Env = []string{"BAAS_BOT_ID=" + bot}
		must(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		return cmd
	}
	once, twice := baas.NewID(baas.PrefixBot), baas.NewID(baas.PrefixBot)
	first := start(once)
	eventually(t, 10*time.Second, "a process to be seen", func() error {
		if o.running()[once] != first.Process.Pid {
			return errors.New("not yet")
		}
		return nil
	})
	must(t, first.Process.Kill())
	_ = first.Wait()
	start(once) // one after the other is as it should be
	start(twice)
	start(twice)
	eventually(t, 10*time.Second, "the second copy to be seen", func() error {
		if lines, _, _ := o.report(); !strings.Contains(strings.Join(lines, "\n"), twice) {
			return errors.New("not yet")
		}
		return nil
	})
	if lines, _, _ := o.report(); strings.Contains(strings.Join(lines, "\n"), once) {
		t.Errorf("a bot that was started again counts as two: %v", lines)
	}
}
