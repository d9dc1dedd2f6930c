package agent

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// How a bot that ends by itself is started again.
const (
	backoffMin    = time.Second
	backoffMax    = 5 * time.Minute
	crashLoopFrom = 5           // quick ends in a row
	stableAfter   = time.Minute // running so long forgets them
	defaultStop   = 10 * time.Second
	stopWhenFull  = time.Second // between SIGTERM and SIGKILL when the disk is full
)

// bot is one bot and the goroutine that owns its process.
type bot struct {
	id  string
	sup *supervisor
	log *logBook

	// hold is a token: who has it may start the bot's process or change its directory.
	hold chan struct{}
	wake chan struct{} // look again at what is wanted; holds one wake-up
	stop context.CancelFunc
	done chan struct{} // the goroutine has ended

	mu       sync.Mutex
	want     *agentapi.DesiredBot // nil: not listed
	blocked  block                // why the supervisor doesn't let it run
	status   baas.BotStatus
	held     bool
	pid      int
	port     int
	unpacked string // digest of its files: of those that it runs with, or that are there
	ran      int64  // DesiredBot.Restarts of the last start
	launched launch // of the process that runs
	stopping bool   // its last run was ended by the agent, for another reason than its health

	// Only for the goroutine.
	failures int       // ends or failed starts in a row
	retryAt  time.Time // not before
	print    string    // fingerprint of the last start
	rest     *memory   // it ended and its restart policy lets it rest

	meters botMeters
}

// block is a reason not to run; the zero block is none.
type block struct {
	state  baas.BotState
	reason string
}

// botMeters only grow.
type botMeters struct {
	requests, in, out atomic.Int64

	mu      sync.Mutex
	ended   time.Duration // running time of processes that ended
	started time.Time     // of the one that runs; zero when none does
	reaped  time.Duration // CPU time of processes that the agent reaped
}

func (m *botMeters) begin(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.started = now
}

func (m *botMeters) end(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.started.IsZero() {
		m.ended += max(0, now.Sub(m.started))
		m.started = time.Time{}
	}
}

func (m *botMeters) addCPU(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reaped += d
}

// read gives the running time and the CPU time of reaped processes so far.
func (m *botMeters) read(now time.Time) (running, reaped time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	running = m.ended
	if !m.started.IsZero() {
		running += max(0, now.Sub(m.started))
	}
	return running, m.reaped
}

// memory is what must be known after a restart of the agent: that the bot ended and is to rest.
type memory struct {
	Print    string        `json:"print"` // of the settings it ran with
	Restarts int64         `json:"restarts"`
	State    baas.BotState `json:"state"`
	Reason   string        `json:"reason"`
	ExitCode int           `json:"exit_code"`
}

func newBot(id string, sup *supervisor) *bot {
	b := &bot{
		id: id, sup: sup, log: newLogBook(sup.vol.logs(id), time.Now),
		hold: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
	b.hold <- struct{}{}
	b.status = baas.BotStatus{State: baas.BotStopped, Since: time.Now().UTC()}
	var m memory
	if readJSON(sup.vol.memory(id), &m) == nil {
		b.rest = &m
	}
	return b
}

// poke wakes the goroutine.
func (b *bot) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// snapshot gives what is wanted now.
func (b *bot) snapshot() (want *agentapi.DesiredBot, blocked block) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.want, b.blocked
}

// set changes the state that is reported. Since moves only when the state does.
func (b *bot) set(state baas.BotState, format string, args ...any) {
	b.change(func(s *baas.BotStatus) {
		s.NextRetryAt = nil
		s.Reason = fmt.Sprintf(format, args...)
		s.State = state
	})
}

func (b *bot) change(fn func(*baas.BotStatus)) {
	b.mu.Lock()
	s := b.status
	fn(&s)
	if s.State != b.status.State {
		s.Since = time.Now().UTC()
	}
	same := s == b.status
	b.status = s
	b.mu.Unlock()
	if !same {
		b.sup.changed()
	}
}

func (b *bot) setHeld(held bool) {
	b.mu.Lock()
	same := b.held == held
	b.held = held
	b.mu.Unlock()
	if !same {
		b.sup.changed()
	}
}

// report is what the control plane is told.
func (b *bot) report() agentapi.BotStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return agentapi.BotStatus{
		ID: b.id, BotStatus: b.status, PID: b.pid, Port: b.port, Held: b.held, FilesDigest: b.unpacked, RestartsRun: b.ran,
	}
}

// loop runs until ctx ends; then no process of the bot is left.
func (b *bot) loop(ctx context.Context) {
	for ctx.Err() == nil {
		if !b.step(ctx) {
			continue
		}
		var timer <-chan time.Time
		if wait := time.Until(b.retryAt); wait > 0 {
			timer = time.After(wait)
		}
		select {
		case <-ctx.Done():
		case <-b.wake:
		case <-timer:
		}
	}
}

// step does what there is to do about a bot that has no process. It reports whether to wait.
func (b *bot) step(ctx context.Context) (wait bool) {
	want, blocked := b.snapshot()
	digest := b.findFiles(want)
	if want == nil || !want.Run || want.Held {
		b.idle(want)
		return true
	}
	b.setHeld(false)
	if want.Files != nil && digest != want.Files.Digest {
		b.set(baas.BotPending, "its files are on the way")
		return true
	}
	print := fingerprint(want, digest)
	if b.rest != nil {
		if b.rest.Print == print && b.rest.Restarts >= want.Restarts {
			m := b.rest
			// In one change: who is told "completed" is told the code too.
			b.change(func(s *baas.BotStatus) {
				s.State, s.Reason, s.ExitCode, s.NextRetryAt = m.State, m.Reason, &m.ExitCode, nil
			})
			return true
		}
		b.forget()
	}
	if blocked != (block{}) {
		b.set(blocked.state, "%s", blocked.reason)
		return true
	}
	b.mu.Lock()
	fresh := want.Restarts > b.ran || print != b.print
	b.mu.Unlock()
	if fresh { // a person asked, or has changed something: don't let them wait
		b.failures, b.retryAt = 0, time.Time{}
	}
	if time.Now().Before(b.retryAt) {
		return true
	}
	select {
	case <-b.hold:
	default:
		b.set(baas.BotPending, "its directory is being copied")
		return true // who holds it wakes us
	}
	defer func() { b.hold <- struct{}{} }()
	b.run(ctx, want, digest, print)
	return false
}

// idle is a bot that shouldn't run and doesn't.
func (b *bot) idle(want *agentapi.DesiredBot) {
	b.failures, b.retryAt = 0, time.Time{}
	b.mu.Lock()
	b.status.Restarts, b.status.ExitCode = 0, nil
	b.mu.Unlock()
	if want != nil && want.Held {
		// A copy that an agent before this one left would still hold the lock.
		if lock, err := b.lock(); err != nil {
			b.set(baas.BotStopped, "%s", err)
			b.retryAt = time.Now().Add(time.Second)
			return
		} else {
			lock.Close()
		}
		b.set(baas.BotStopped, "stopped for a move")
		b.setHeld(true)
		return
	}
	b.setHeld(false)
	if want != nil && b.rest != nil { // whoever stops it and starts it again wants it to run again
		b.forget()
	}
	b.set(baas.BotStopped, "stopped")
}

// findFiles tells which of the bot's archives is unpacked: the wanted one if it is there.
func (b *bot) findFiles(want *agentapi.DesiredBot) string {
	digest := ""
	if entries, err := os.ReadDir(b.sup.vol.apps(b.id)); err == nil {
		for _, e := range entries {
			if d := "sha256:" + e.Name(); e.IsDir() {
				if _, ok := digestHex(d); ok && (digest == "" || want != nil && want.Files != nil && want.Files.Digest == d) {
					digest = d
				}
			}
		}
	}
	b.mu.Lock()
	same := b.unpacked == digest
	b.unpacked = digest
	b.mu.Unlock()
	if !same {
		b.sup.changed()
	}
	return digest
}

// fingerprint stands for everything that a process is started with.
func fingerprint(want *agentapi.DesiredBot, digest string) string {
	if want.Files == nil {
		digest = ""
	}
	b, err := json.Marshal(struct {
		Command []string
		Env     map[string]string
		Port    int
		Builtin *agentapi.AssistantConfig
		Files   string
	}{want.Command, want.Env, want.Port, want.Builtin, digest})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// lock takes the lock that every process of the bot inherits.
func (b *bot) lock() (*os.File, error) {
	f, err := os.OpenFile(b.sup.vol.lock(b.id), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("its lock can't be opened: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.New("a process of an earlier run is still there")
	}
	return f, nil
}

// run starts the bot and watches it until no process of it is left.
func (b *bot) run(ctx context.Context, want *agentapi.DesiredBot, digest, print string) {
	lock, err := b.lock()
	if err != nil {
		kill(b.sup.census.members(b.id), syscall.SIGKILL)
		b.retry(baas.BotBackoff, nil, err.Error())
		return
	}
	defer lock.Close()
	b.print = print
	b.mu.Lock()
	b.ran = want.Restarts
	b.mu.Unlock()
	p, l, err := b.start(ctx, want, digest, lock)
	if ctx.Err() != nil && p == nil {
		return
	}
	if err != nil {
		b.log.say("can't be started: %s", err)
		b.retry(baas.BotFailed, nil, fmt.Sprintf("can't be started: %s", err))
		return
	}
	b.log.say("started, process %d", p.pid)
	b.mu.Lock()
	b.pid, b.port, b.launched, b.stopping = p.pid, l.port, l, false
	b.mu.Unlock()
	b.set(baas.BotStarting, "started")
	pctx, stopProbe := context.WithCancel(ctx)
	unwell := make(chan string, 1)
	var probes sync.WaitGroup
	probes.Go(func() { b.probe(pctx, p, l.port, unwell) })

	why, sick := b.watch(ctx, p, print, unwell)
	stopProbe()
	probes.Wait()
	if why != "" {
		b.mu.Lock()
		b.stopping = !sick
		b.mu.Unlock()
		b.log.say("stopping: %s", why)
		b.set(baas.BotStarting, "stopping: %s", why)
		if w, _ := b.snapshot(); w == nil || !w.Run || w.Held {
			b.set(baas.BotStopped, "being stopped")
		}
	}
	b.clear(p, lock, b.grace(), why != "")
	b.sup.census.end(p.pid)
	b.meters.addCPU(p.cpu)
	now := time.Now()
	ran := now.Sub(b.startedAt())
	b.meters.end(now)
	b.mu.Lock()
	b.pid, b.port = 0, 0
	b.mu.Unlock()
	b.log.say("%s", p.how())
	switch {
	case sick:
		b.change(func(s *baas.BotStatus) { s.Restarts++ })
		b.retry(baas.BotBackoff, nil, why)
	case why == "":
		b.ended(want, print, p, ran)
	}
	b.sup.changed()
}

func (b *bot) startedAt() time.Time {
	b.meters.mu.Lock()
	defer b.meters.mu.Unlock()
	return b.meters.started
}

func (b *bot) grace() time.Duration {
	if want, _ := b.snapshot(); want != nil && want.StopSecs > 0 {
		return time.Duration(want.StopSecs) * time.Second
	}
	return defaultStop
}

// watch waits until the process ends, with "", or must be ended, with the reason; sick when that is its health.
func (b *bot) watch(ctx context.Context, p *process, print string, unwell <-chan string) (why string, sick bool) {
	stable := time.After(stableAfter)
	for {
		select {
		case <-p.done:
			return "", false
		case <-stable:
			b.failures = 0
		case reason := <-unwell:
			return reason, true
		case <-ctx.Done():
			return "the Worker is being stopped", false
		case <-b.wake:
			if why := b.unwanted(print); why != "" {
				return why, false
			}
		}
	}
}

// unwanted says why the process must end, or "" when it is what is wanted.
func (b *bot) unwanted(print string) string {
	want, blocked := b.snapshot()
	b.mu.Lock()
	ran, running := b.ran, b.unpacked
	b.mu.Unlock()
	switch {
	case want == nil:
		return "it doesn't belong to this Worker any more"
	case want.Held:
		return "it is moved to another Worker"
	case !want.Run:
		return "it should not run"
	case blocked != (block{}):
		return blocked.reason
	case want.Restarts > ran:
		return "a restart was asked for"
	}
	digest := running
	if want.Files != nil && b.has(want.Files.Digest) {
		digest = want.Files.Digest // until the new files are there it goes on with the old ones
	}
	if fingerprint(want, digest) != print {
		return "its settings have changed"
	}
	return ""
}

func (b *bot) has(digest string) bool {
	h, ok := digestHex(digest)
	if !ok {
		return false
	}
	_, err := os.Stat(filepath.Join(b.sup.vol.apps(b.id), h))
	return err == nil
}

// clear ends every process of the bot and returns when none is left: SIGTERM, time, SIGKILL. A bot that ended by
// itself (not asked) has had its time; what it left behind gets a second. On a full disk there is hardly any time: who
// doesn't listen may go on writing, and the host's disk is everybody's.
//
// A look at the processes takes a while, in which one of them may start another and end. So only the second look in a
// row that finds nothing counts, and only if nobody has the inherited lock any more.
func (b *bot) clear(p *process, lock *os.File, grace time.Duration, asked bool) {
	if !asked {
		grace = min(grace, time.Second)
	}
	kills := time.Now().Add(grace)
	hurried := false
	termed := map[int]bool{}
	if asked {
		b.sup.nursery.signal(p, syscall.SIGTERM)
	}
	pause := 2 * time.Millisecond
	for empty := 0; ; {
		reaped := b.sup.nursery.changed()
		left := b.sup.census.members(b.id)
		select {
		case <-p.done:
			if len(left) > 0 {
				empty = 0
				break
			}
			if empty++; empty < 2 {
				continue
			}
			lock.Close()
			if free, err := b.lock(); err == nil {
				free.Close()
				return
			}
		default:
		}
		if !hurried && b.sup.noRoom.Load() {
			hurried = true
			if soon := time.Now().Add(stopWhenFull); soon.Before(kills) {
				kills = soon
			}
		}
		if time.Now().After(kills) {
			b.sup.nursery.signal(p, syscall.SIGKILL)
			kill(left, syscall.SIGKILL)
		} else {
			for _, pid := range left {
				if !termed[pid] && (pid != p.pid || !asked) {
					_ = syscall.Kill(pid, syscall.SIGTERM)
				}
				termed[pid] = true
			}
		}
		select {
		case <-reaped:
		case <-time.After(min(pause, max(time.Millisecond, time.Until(kills)))):
			pause = min(pause*2, 100*time.Millisecond)
		}
	}
}

// ended decides what follows when a bot ended by itself.
func (b *bot) ended(want *agentapi.DesiredBot, print string, p *process, ran time.Duration) {
	code := p.exitCode()
	if current, _ := b.snapshot(); current != nil {
		want = current
	}
	rest := func(state baas.BotState, reason string) {
		b.rest = &memory{Print: print, Restarts: want.Restarts, State: state, Reason: reason, ExitCode: code}
		_ = writeJSON(b.sup.vol.memory(b.id), true, b.rest)
	}
	switch {
	case want.Restart == baas.RestartNever && code != 0:
		rest(baas.BotFailed, p.how()+" and its restart policy is never")
		return
	case want.Restart == baas.RestartNever || want.Restart == baas.RestartOnFailure && code == 0:
		rest(baas.BotCompleted, "ended well")
		return
	}
	if ran >= stableAfter {
		b.failures = 0
	}
	b.change(func(s *baas.BotStatus) { s.Restarts++ })
	b.retry(baas.BotBackoff, &code, p.how())
}

// retry sets the time of the next start.
func (b *bot) retry(state baas.BotState, code *int, reason string) {
	b.failures++
	if state == baas.BotBackoff && b.failures >= crashLoopFrom {
		state = baas.BotCrashLoop
		reason = fmt.Sprintf("%s, %d times in a row", reason, b.failures)
	}
	wait := backoff(b.failures)
	b.retryAt = time.Now().Add(wait)
	at := b.retryAt.UTC()
	b.change(func(s *baas.BotStatus) {
		s.State, s.NextRetryAt = state, &at
		s.Reason = fmt.Sprintf("%s; next start in %d s", reason, int(wait.Round(time.Second)/time.Second))
		if code != nil {
			s.ExitCode = code
		}
	})
}

// backoff is the wait after n failures in a row, with up to a quarter more by chance.
func backoff(n int) time.Duration {
	d := backoffMax
	if n < 10 {
		d = min(backoffMax, backoffMin<<(max(n, 1)-1))
	}
	return d + rand.N(d/4)
}

// forget drops the memory of having ended.
func (b *bot) forget() {
	b.rest = nil
	if err := os.Remove(b.sup.vol.memory(b.id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.sup.log.Warn("forgetting how a bot ended", "bot", b.id, "error", err)
	}
}
