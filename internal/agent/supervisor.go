package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// supervisor keeps the bots of the desired state running.
type supervisor struct {
	vol       volume
	log       *slog.Logger
	assistant []string // command of the built-in bot
	environ   []string // what bots inherit of the agent's environment
	nursery   *nursery
	census    *census
	probes    *http.Transport
	limit     atomic.Int64 // of the disk, bytes
	noRoom    atomic.Bool  // the disk is full

	mu      sync.Mutex
	ctx     context.Context // of the bots; set by run
	desired agentapi.Desired
	bots    map[string]*bot
	full    block // why no bot may run: the disk is full
	loops   sync.WaitGroup

	watchers notifier
}

// notifier wakes everybody who waits for a change.
type notifier struct {
	mu sync.Mutex
	ch chan struct{}
}

// wait gives a channel that is closed at the next change.
func (n *notifier) wait() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch
}

func (n *notifier) notify() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch != nil {
		close(n.ch)
		n.ch = nil
	}
}

func newSupervisor(vol volume, log *slog.Logger, assistant, environ []string) *supervisor {
	s := &supervisor{
		vol: vol, log: log, assistant: assistant, environ: environ, census: newCensus(vol), bots: map[string]*bot{},
		probes: &http.Transport{DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10},
	}
	s.nursery = newNursery(func(pid int, cpu time.Duration) {
		if b := s.bot(s.census.owner(pid)); b != nil {
			b.meters.addCPU(cpu)
		}
	})
	return s
}

func (s *supervisor) diskLimit() int64 { return s.limit.Load() }
func (s *supervisor) changed()         { s.watchers.notify() }

// bot gives a bot that the agent knows, or nil.
func (s *supervisor) bot(id string) *bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bots[id]
}

// sweep kills what an agent before this one left of bots, and waits until it is gone.
func (s *supervisor) sweep(ctx context.Context) error {
	for {
		left := s.census.leftovers()
		if len(left) == 0 {
			return nil
		}
		s.log.Warn("ending processes of bots that an earlier agent left", "processes", left)
		kill(left, syscall.SIGKILL)
		select {
		case <-ctx.Done():
			return fmt.Errorf("ending processes that an earlier agent left: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// load takes up the desired state of the volume. No error when there is none.
func (s *supervisor) load() error {
	var d agentapi.Desired
	err := readJSON(s.vol.agent("desired.json"), &d)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = checkDesired(d)
	}
	if err != nil {
		return fmt.Errorf("taking up the kept desired state: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desired = d
	s.apply()
	return nil
}

// checkDesired refuses what the agent could not work with.
func checkDesired(d agentapi.Desired) error {
	var p baas.Problems
	if d.Revision < 1 {
		p.Add("revision", "is %d; must be 1 or more", d.Revision)
	}
	seen := map[string]bool{}
	for i, b := range d.Bots {
		field := func(name string) string { return fmt.Sprintf("bots[%d].%s", i, name) }
		if !validID(b.ID) {
			p.Add(field("id"), "%q is no id of a bot", b.ID)
		}
		if seen[b.ID] {
			p.Add(field("id"), "%s is there twice", b.ID)
		}
		seen[b.ID] = true
		if b.Builtin == nil && (len(b.Command) == 0 || b.Command[0] == "") {
			p.Add(field("command"), "must name a program, or assistant must be set")
		}
		for _, w := range b.Command {
			if strings.ContainsRune(w, 0) {
				p.Add(field("command"), "must not contain NUL")
			}
		}
		for k, v := range b.Env {
			if k == "" || strings.ContainsAny(k, "=\x00") || strings.ContainsRune(v, 0) {
				p.Add(field("env"), "%q is not a valid variable", k)
			}
		}
		if b.Port < 0 || b.Port > 65535 {
			p.Add(field("port"), "is %d; must be between 0 and 65535", b.Port)
		}
		if b.Files != nil {
			if _, ok := digestHex(b.Files.Digest); !ok {
				p.Add(field("files.digest"), "must be sha256: and 64 hexadecimal digits")
			}
		}
	}
	return p.Err()
}

// put replaces the desired state, once it is kept on the volume.
func (s *supervisor) put(d agentapi.Desired) error {
	if err := checkDesired(d); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.Revision < s.desired.Revision {
		return baas.Errorf(baas.CodeConflict, "revision %d is older than %d, which this Worker works on", d.Revision, s.desired.Revision)
	}
	if err := writeJSON(s.vol.agent("desired.json"), true, d); err != nil {
		return fmt.Errorf("keeping the desired state: %w", err)
	}
	s.desired = d
	s.apply()
	return nil
}

// apply tells every bot what is wanted of it. s.mu is held.
func (s *supervisor) apply() {
	if most := s.desired.Size.DiskGiB << 30; most > 0 && s.limit.Swap(most) != most {
		s.limitFiles(most)
	}
	ports := map[int]string{}
	wanted := map[string]bool{}
	for i := range s.desired.Bots {
		d := &s.desired.Bots[i]
		wanted[d.ID] = true
		b := s.bots[d.ID]
		if b == nil {
			b = newBot(d.ID, s)
			s.bots[d.ID] = b
			s.begin(b)
		}
		blocked := s.full
		if d.Run && !d.Held && d.Port > 0 && d.Builtin == nil {
			if other := ports[d.Port]; other != "" {
				blocked = block{baas.BotFailed, fmt.Sprintf("port %d is already used by the bot %s of this Worker; choose another", d.Port, other)}
			} else {
				ports[d.Port] = d.Name
			}
		}
		b.tell(d, blocked)
	}
	for id, b := range s.bots {
		if !wanted[id] {
			b.tell(nil, block{})
		}
	}
	s.changed()
}

func (b *bot) tell(want *agentapi.DesiredBot, blocked block) {
	b.mu.Lock()
	b.want, b.blocked = want, blocked
	b.mu.Unlock()
	b.poke()
}

// begin starts the bot's goroutine, or leaves it to run. s.mu is held.
func (s *supervisor) begin(b *bot) {
	if s.ctx == nil || s.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	b.stop, b.done = cancel, make(chan struct{})
	s.loops.Go(func() {
		defer close(b.done)
		defer cancel()
		b.loop(ctx)
	})
}

// run keeps the bots going until ctx ends and no process of them is left.
func (s *supervisor) run(ctx context.Context) {
	s.mu.Lock()
	s.ctx = ctx
	for _, b := range s.bots {
		s.begin(b)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()   // no bot begins after this
	s.mu.Unlock() //nolint:staticcheck // the empty section is a barrier
	s.loops.Wait()
}

// remove stops a bot and deletes its directory.
func (s *supervisor) remove(ctx context.Context, id string) error {
	s.mu.Lock()
	b := s.bots[id]
	if slices.ContainsFunc(s.desired.Bots, func(d agentapi.DesiredBot) bool { return d.ID == id && d.Run && !d.Held }) {
		s.mu.Unlock()
		return baas.Errorf(baas.CodeConflict, "the bot should run in this Worker; take it out of what is desired first")
	}
	s.mu.Unlock()
	if b != nil {
		if err := b.take(ctx); err != nil {
			return err
		}
		defer b.give()
		b.log.release()
	}
	if err := s.vol.discard(s.vol.bot(id)); err != nil {
		return fmt.Errorf("deleting the bot's directory: %w", err)
	}
	for _, p := range []string{s.vol.memory(id), s.vol.conf(id)} {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("deleting what is known of the bot: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b != nil && !slices.ContainsFunc(s.desired.Bots, func(d agentapi.DesiredBot) bool { return d.ID == id }) {
		delete(s.bots, id)
		b.log.close()
		if b.stop != nil {
			b.stop()
		}
		_ = os.Remove(s.vol.lock(id))
	}
	s.changed()
	return nil
}

// take waits until no process of the bot is left and keeps it from starting until give.
func (b *bot) take(ctx context.Context) error {
	select {
	case <-b.hold:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the bot to stop: %w", ctx.Err())
	}
}

// tryTake is take that doesn't wait.
func (b *bot) tryTake() bool {
	select {
	case <-b.hold:
		return true
	default:
		return false
	}
}

func (b *bot) give() {
	b.hold <- struct{}{}
	b.poke()
}

// diskFull stops every bot for the reason, or with "" lets them run again.
func (s *supervisor) diskFull(reason string) {
	full := block{}
	if reason != "" {
		full = block{baas.BotStopped, reason}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noRoom.Store(reason != "")
	if reason != "" {
		s.limitFiles(0) // in the time that they have to end, they could write gigabytes more on a fast disk
	}
	if s.full != full {
		s.full = full
		s.apply()
	}
}

// limitFiles bounds the files that any process of any bot may write, in bytes; with 0 it can't write at all, as on a full
// disk. A process may fork during a look, so looks are taken until one finds nobody new; who comes later inherits.
func (s *supervisor) limitFiles(most int64) {
	met := map[int]bool{}
	for found := true; found; {
		found = false
		for bot, members := range s.census.take() {
			for _, m := range members {
				if bot != "" && !met[m.pid] {
					met[m.pid], found = true, true
					limitFiles(m.pid, most)
				}
			}
		}
	}
}

// report is the status of the desired bots, in their order.
func (s *supervisor) report() (revision int64, bots []agentapi.BotStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bots = make([]agentapi.BotStatus, 0, len(s.desired.Bots))
	for _, d := range s.desired.Bots {
		bots = append(bots, s.bots[d.ID].report())
	}
	return s.desired.Revision, bots
}

// list gives the bots that the agent knows.
func (s *supervisor) list() []*bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	bs := make([]*bot, 0, len(s.bots))
	for _, b := range s.bots {
		bs = append(bs, b)
	}
	return bs
}
