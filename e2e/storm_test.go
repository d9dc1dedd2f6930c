package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

// How a storm ends: from the last fault on, what is desired must be so within settle, and nothing may be left over
// within orphans.
const (
	settle  = 3 * time.Minute
	orphans = 30 * time.Second
)

// storm harms an installation while customers work, and then reckons: everything that was acknowledged is kept, nothing
// was done or told twice, and at no moment a bot ran twice. BAAS_SEED repeats a storm's choices; BAAS_JOURNAL is a file
// for the journal, beside which the control planes' logs are put.
type storm struct {
	t        *testing.T
	seed     int64
	rng      *rand.Rand // of the faults
	journal  *journal
	observer *observer
	// control are the control planes, each of which is started again whenever it ends.
	control   []*supervisor
	customers []*customer

	count   int            // of faults
	counts  map[string]int // by name
	undoing sync.WaitGroup // what doesn't pass by itself
	rest    context.CancelFunc
	working sync.WaitGroup
}

// fault is one kind of harm.
type fault struct {
	name string
	do   func() error
}

var errNobody = errors.New("there is nobody to harm")

// newStorm has customers work, some for each of two tenants, through the front of an installation whose control planes
// are replicas. variable names the setting with the number of faults, which is usual when it is unset.
func newStorm(t *testing.T, variable string, usual int64, each int, front *platform, replicas []*platform, watch *observer) *storm {
	t.Helper()
	s := &storm{t: t, seed: number(t, "BAAS_SEED", time.Now().UnixNano()), journal: &journal{began: time.Now()}, observer: watch,
		count: int(number(t, variable, usual)), counts: map[string]int{}}
	s.rng = s.random(0)
	t.Logf("%d faults, BAAS_SEED=%d", s.count, s.seed)
	t.Cleanup(func() {
		// Before any of them cleans up, so that none makes anew what another one removes.
		for _, p := range replicas {
			p.kill()
		}
		s.keepJournal(replicas)
	})
	files, err := probeFiles()
	must(t, err)
	for i, tenant := range []*client.Tenant{front.tenant("Acme", baas.PlanEnterprise), front.tenant("Globex", baas.PlanEnterprise)} {
		for j := range each {
			s.customers = append(s.customers, &customer{t: t, name: fmt.Sprintf("%c%d", 'A'+i, j+1), api: tenant, journal: s.journal, files: files,
				rng: s.random(len(s.customers) + 1)})
		}
	}
	for _, p := range replicas {
		s.control = append(s.control, supervise(t, p))
	}
	work, rest := context.WithCancel(t.Context())
	t.Cleanup(rest)
	s.rest = rest
	for _, c := range s.customers {
		s.working.Go(func() { c.live(work) })
	}
	return s
}

// number reads a setting of the test.
func number(t *testing.T, name string, fallback int64) int64 {
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q; must be a number above 0", name, text)
	}
	return n
}

func (s *storm) random(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(s.seed), uint64(stream)))
}

func (s *storm) keepJournal(replicas []*platform) {
	if name := os.Getenv("BAAS_JOURNAL"); name != "" {
		must(s.t, os.WriteFile(name, []byte(s.journal.String()), 0o600))
		for i, p := range replicas {
			must(s.t, os.WriteFile(fmt.Sprintf("%s.%d.log", name, i), []byte(p.log.String()), 0o600))
		}
	} else if s.t.Failed() {
		s.t.Logf("BAAS_SEED=%d; journal:\n%s", s.seed, s.journal)
	}
}

// rage does the faults that next gives, with pauses of between low and high. It returns when all are undone and the
// customers have nothing under way.
func (s *storm) rage(low, high time.Duration, next func(n int) fault) {
	s.t.Helper()
	for n := 1; n <= s.count; n++ {
		pause := time.NewTimer(s.between(low, high))
		select {
		case <-pause.C:
		case <-s.t.Context().Done():
			s.t.Fatal(s.t.Context().Err())
		}
		f := next(n)
		s.journal.note("fault", "%d: %s", n, f.name)
		s.counts[f.name]++
		if err := f.do(); err != nil {
			s.journal.note("fault", "%s: %v", f.name, err)
		}
	}
	s.undoing.Wait()
	s.journal.note("fault", "the last one is over")
	s.rest()
	s.working.Wait()
	s.journal.note("customers", "have nothing under way")
}

func (s *storm) between(low, high time.Duration) time.Duration {
	return low + time.Duration(s.rng.Int64N(int64(high-low)))
}

// later undoes something after a while.
func (s *storm) later(after time.Duration, undo func()) {
	s.undoing.Add(1)
	time.AfterFunc(after, func() {
		defer s.undoing.Done()
		undo()
	})
}

// settle waits until every bot that should run answers with its latest settings, and every other one doesn't run.
func (s *storm) settle() {
	s.t.Helper()
	began, before := time.Now(), ""
	eventually(s.t, settle, "everything to be as desired", func() error {
		err := s.unsettled()
		if now := fmt.Sprint(err); now != before {
			s.journal.note("waiting for", "%s", strings.ReplaceAll(now, "\n", "; "))
			before = now
		}
		return err
	})
	s.t.Logf("all was as desired after %.1f s of waiting", time.Since(began).Seconds())
}

// unsettled says what isn't as desired.
func (s *storm) unsettled() error {
	var errs []error
	wanted := map[string]bool{}
	for _, c := range s.customers {
		for _, b := range c.bots {
			if c.moving(b) {
				errs = append(errs, fmt.Errorf("%s is still being moved: %s", b.id, c.moveState(b)))
			} else if c.shouldRun(b) {
				wanted[b.id] = true
				have, err := c.api.Bot(s.t.Context(), b.id)
				if err == nil && have.Status.State != baas.BotRunning {
					err = fmt.Errorf("%s is %s: %s", b.id, have.Status.State, have.Status.Reason)
				}
				if err == nil {
					err = c.answersAsWanted(b)
				}
				errs = append(errs, err)
			}
		}
		for _, w := range c.workers {
			have, err := c.api.Worker(s.t.Context(), w.id)
			want := baas.WorkerRunning
			if w.desired == baas.DesiredStopped {
				want = baas.WorkerStopped
			}
			if err == nil && have.Status.State != want {
				err = fmt.Errorf("%s is %s, not %s: %s", w.id, have.Status.State, want, have.Status.Reason)
			}
			errs = append(errs, err)
		}
	}
	for id, pid := range s.observer.running() {
		if !wanted[id] {
			errs = append(errs, fmt.Errorf("%s runs (%d) and shouldn't", id, pid))
		}
	}
	return errors.Join(errs...)
}

// tally is what a storm came to.
type tally struct {
	acked, unsure int            // changes that were acknowledged, and whose outcome had to be looked up
	told, kept    int            // things that were told to bots, and that they acknowledged
	other         map[string]int // what else came back
	runs          int            // of bots
}

// reckon compares what customers remember with what is, and tells whether anything was there twice.
func (s *storm) reckon() tally {
	s.t.Helper()
	sum := tally{other: map[string]int{}}
	for _, c := range s.customers {
		c.verify(s.t.Context())
		sum.acked, sum.unsure = sum.acked+c.acked, sum.unsure+c.unsure
		for _, b := range c.bots {
			b.told.end()
			if b.told == nil {
				continue
			}
			c.toldOnce(b)
			sum.told, sum.kept = sum.told+b.told.sent, sum.kept+len(b.told.kept)
			for what, n := range b.told.other {
				sum.other[what] += n
			}
		}
	}
	twice, looks, runs := s.observer.report()
	for _, line := range twice[:min(len(twice), 20)] {
		s.t.Errorf("two copies of a bot: %s", line)
	}
	sum.runs = runs
	starts := 0
	for _, c := range s.control {
		starts += c.runs
	}
	s.t.Logf("faults: %v", s.counts)
	s.t.Logf("%d changes acknowledged, %d looked up; %d starts of control planes; %d runs of bots in %d looks; of %d things told to bots %d were acknowledged, else %v",
		sum.acked, sum.unsure, starts, runs, looks, sum.told, sum.kept, sum.other)
	return sum
}
