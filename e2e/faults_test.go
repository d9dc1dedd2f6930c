package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

// How the run ends: from the last fault on, what is desired must be so within settle, and nothing may be left over
// within orphans.
const (
	settle  = 3 * time.Minute
	orphans = 30 * time.Second
)

// chaos does harm at random, and undoes what doesn't pass by itself.
type chaos struct {
	t        *testing.T
	rng      *rand.Rand
	journal  *journal
	control  *supervisor
	engine   *dockerd
	wire     *wire
	database string // the directory of the database
	observer *observer

	undoing sync.WaitGroup
	cut     bool // of the wire; guarded by mu with the others
	full    bool
	toxics  map[string]bool
	mu      sync.Mutex
	counts  map[string]int
}

type fault struct {
	name   string
	weight int
	do     func() error
}

func (c *chaos) faults() []fault {
	return []fault{
		{"kill control plane", 12, c.killControl},
		{"kill agent", 18, c.killAgent},
		{"kill container", 10, c.killContainer},
		{"kill bot", 24, c.killBot},
		{"cut connection", 9, c.cutWire},
		{"delay connection", 8, func() error {
			return c.toxic("latency", fmt.Sprintf(`{"latency":%d,"jitter":%d}`, 50+c.rng.IntN(1000), c.rng.IntN(200)))
		}},
		{"throttle connection", 8, func() error { return c.toxic("bandwidth", fmt.Sprintf(`{"rate":%d}`, 2+c.rng.IntN(60))) }},
		{"silence connection", 4, func() error { return c.toxic("timeout", `{"timeout":0}`) }},
		{"fill disk of database", 5, c.fillDisk},
		{"restart Docker", 1, func() error { return c.restartDocker(syscall.SIGTERM) }},
		{"kill Docker", 1, func() error { return c.restartDocker(syscall.SIGKILL) }},
	}
}

// one does one fault.
func (c *chaos) one(n int) {
	all := c.faults()
	sum := 0
	for _, f := range all {
		sum += f.weight
	}
	pick := c.rng.IntN(sum)
	for _, f := range all {
		if pick -= f.weight; pick < 0 {
			c.journal.note("fault", "%d: %s", n, f.name)
			c.counts[f.name]++
			if err := f.do(); err != nil {
				c.journal.note("fault", "%s: %v", f.name, err)
			}
			return
		}
	}
}

// later undoes something after a while.
func (c *chaos) later(after time.Duration, undo func()) {
	c.undoing.Add(1)
	time.AfterFunc(after, func() {
		defer c.undoing.Done()
		undo()
	})
}

func (c *chaos) killControl() error {
	c.control.kill()
	return nil
}

var errNobody = errors.New("there is nobody to harm")

// container picks one of a Worker that runs.
func (c *chaos) container() (string, error) {
	out, err := exec.CommandContext(c.t.Context(), "docker", "ps", "-q", "--filter", "label=baas.worker").Output()
	ids := strings.Fields(string(out))
	slices.Sort(ids)
	if err != nil || len(ids) == 0 {
		return "", errors.Join(errNobody, err)
	}
	return ids[c.rng.IntN(len(ids))], nil
}

func (c *chaos) killAgent() error {
	id, err := c.container()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(c.t.Context(), "docker", "inspect", "--format", "{{.State.Pid}} {{.Name}}", id).Output()
	if err != nil {
		return err
	}
	var pid int
	var name string
	if _, err := fmt.Sscan(string(out), &pid, &name); err != nil || pid < 2 {
		return errors.Join(errNobody, err)
	}
	c.journal.note("fault", "agent of %s, pid %d", name, pid)
	return syscall.Kill(pid, syscall.SIGKILL)
}

func (c *chaos) killContainer() error {
	id, err := c.container()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(c.t.Context(), "docker", "kill", id).CombinedOutput()
	c.journal.note("fault", "container %s", strings.TrimSpace(string(out)))
	return err
}

func (c *chaos) killBot() error {
	running := c.observer.running()
	var ids []string
	for id := range running {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return errNobody
	}
	slices.Sort(ids)
	id := ids[c.rng.IntN(len(ids))]
	c.journal.note("fault", "bot %s, pid %d", id, running[id])
	return syscall.Kill(running[id], syscall.SIGKILL)
}

func (c *chaos) between(low, high time.Duration) time.Duration {
	return low + time.Duration(c.rng.Int64N(int64(high-low)))
}

func (c *chaos) cutWire() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil
	}
	c.cut = true
	life := c.wire.life
	if err := c.wire.do(func(p *toxiproxy.Proxy) error { p.Stop(); return nil }); err != nil {
		return err
	}
	c.later(c.between(50*time.Millisecond, 3*time.Second), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cut = false
		if c.wire.life != life {
			return
		}
		if err := c.wire.do(func(p *toxiproxy.Proxy) error { return p.Start() }); err != nil {
			c.t.Errorf("mending the connection: %v", err)
		}
	})
	return nil
}

func (c *chaos) toxic(kind, attributes string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	stream := []string{"upstream", "downstream"}[c.rng.IntN(2)]
	name := kind + "_" + stream
	if c.toxics[name] {
		return nil
	}
	life := c.wire.life
	err := c.wire.do(func(p *toxiproxy.Proxy) error {
		_, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":%s}`, name, kind, stream, attributes)))
		return err
	})
	if err != nil || c.wire.life != life {
		return err
	}
	c.toxics[name] = true
	ctx := context.WithoutCancel(c.t.Context())
	c.later(c.between(500*time.Millisecond, 5*time.Second), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.toxics, name)
		if c.wire.life != life {
			return
		}
		if err := c.wire.do(func(p *toxiproxy.Proxy) error { return p.Toxics.RemoveToxic(ctx, name) }); err != nil {
			c.t.Errorf("removing toxic %s: %v", name, err)
		}
	})
	return nil
}

func (c *chaos) fillDisk() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full {
		return nil
	}
	free, err := fillDisk(c.database)
	if err != nil {
		return err
	}
	c.full = true
	c.later(c.between(200*time.Millisecond, 2*time.Second), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		free()
		c.full = false
	})
	return nil
}

func (c *chaos) restartDocker(how syscall.Signal) error {
	began := time.Now()
	c.engine.end(how)
	if err := c.engine.begin(c.t.Context()); err != nil {
		c.t.Fatalf("restarting the engine: %v", err)
	}
	c.journal.note("fault", "Docker is back after %.1f s", time.Since(began).Seconds())
	return nil
}

// TestFaults harms an installation at random while customers work, and then asks whether anything that was
// acknowledged is lost, doubled or left over, and whether at any moment a bot ran twice. BAAS_FAULTS is the number of
// faults (200 when unset), BAAS_SEED repeats a run's choices,
// BAAS_JOURNAL is a file for the journal, beside which the control plane's log is put.
func TestFaults(t *testing.T) {
	if !onAMachineOfItsOwn(t) {
		return
	}
	count, seed := number(t, "BAAS_FAULTS", 200), number(t, "BAAS_SEED", time.Now().UnixNano())
	t.Logf("%d faults, BAAS_SEED=%d", count, seed)
	files, err := probeFiles()
	must(t, err)
	engine := newDockerd(t)
	wire, env := agentWire(t)
	database := smallDisk(t, 256)
	p := newPlatform(t, "docker", append(env, "BAAS_DATA="+database)...)
	log := &journal{began: time.Now()}
	t.Cleanup(func() {
		if name := os.Getenv("BAAS_JOURNAL"); name != "" {
			must(t, os.WriteFile(name, []byte(log.String()), 0o600))
			must(t, os.WriteFile(name+".log", []byte(p.log.String()), 0o600))
		} else if t.Failed() {
			t.Logf("BAAS_SEED=%d; journal:\n%s", seed, log)
		}
	})

	var customers []*customer
	for i, tenant := range []*client.Tenant{p.tenant("Acme", baas.PlanEnterprise), p.tenant("Globex", baas.PlanEnterprise)} {
		for j := range 2 {
			name := fmt.Sprintf("%c%d", 'A'+i, j+1)
			customers = append(customers, &customer{t: t, name: name, api: tenant, journal: log, files: files,
				rng: rand.New(rand.NewPCG(uint64(seed), uint64(len(customers)+1)))})
		}
	}
	watch := observe(t)
	control := supervise(t, p)
	work, rest := context.WithCancel(t.Context())
	defer rest()
	var working sync.WaitGroup
	for _, c := range customers {
		working.Add(1)
		go func() {
			defer working.Done()
			c.live(work)
		}()
	}

	c := &chaos{t: t, rng: rand.New(rand.NewPCG(uint64(seed), 0)), journal: log, control: control, engine: engine, wire: wire, database: database,
		observer: watch, toxics: map[string]bool{}, counts: map[string]int{}}
	for n := range int(count) {
		pause := time.NewTimer(c.between(150*time.Millisecond, 1500*time.Millisecond))
		select {
		case <-pause.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
		c.one(n + 1)
	}
	c.undoing.Wait()
	log.note("fault", "the last one is over")
	rest()
	working.Wait()
	log.note("customers", "have nothing under way")

	quiet := time.Now()
	eventually(t, orphans, "nothing on the engine that is of no Worker, and nothing twice", func() error { return p.onEngineOf(customers, false) })
	t.Logf("no orphan was left %.1f s after the last change", time.Since(quiet).Seconds())
	p.settled(customers, watch)
	t.Logf("all was as desired %.1f s after the last change", time.Since(quiet).Seconds())
	if err := p.onEngineOf(customers, true); err != nil {
		t.Errorf("on the engine: %v", err)
	}
	acked, unsure, told, kept := 0, 0, 0, 0
	other := map[string]int{}
	for _, c := range customers {
		c.verify(t.Context())
		acked, unsure = acked+c.acked, unsure+c.unsure
		for _, b := range c.bots {
			b.told.end()
			if b.told != nil {
				c.toldOnce(b)
				told, kept = told+b.told.sent, kept+len(b.told.kept)
				for what, n := range b.told.other {
					other[what] += n
				}
			}
		}
	}
	twice, looks, runs := watch.report()
	for _, line := range twice[:min(len(twice), 20)] {
		t.Errorf("two copies of a bot: %s", line)
	}
	t.Logf("faults: %v", c.counts)
	t.Logf("%d changes acknowledged, %d looked up; %d starts of the control plane; %d runs of bots in %d looks; of %d things told to bots %d were acknowledged, else %v",
		acked, unsure, control.runs, runs, looks, told, kept, other)
	if acked < int(count)/4 || runs < int(count)/4 || kept < int(count)/4 {
		t.Error("that was no steady load")
	}
}

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

// settled waits until every bot that should run answers with its latest settings, and every other one doesn't run.
func (p *platform) settled(customers []*customer, watch *observer) {
	p.t.Helper()
	before := ""
	eventually(p.t, settle, "everything to be as desired", func() (err error) {
		defer func() {
			if now := fmt.Sprint(err); now != before {
				customers[0].journal.note("waiting for", "%s", strings.ReplaceAll(now, "\n", "; "))
				before = now
			}
		}()
		var errs []error
		wanted := map[string]bool{}
		for _, c := range customers {
			for _, b := range c.bots {
				if c.moving(b) {
					errs = append(errs, fmt.Errorf("%s is still being moved: %s", b.id, c.moveState(b)))
				} else if c.shouldRun(b) {
					wanted[b.id] = true
					have, err := c.api.Bot(p.t.Context(), b.id)
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
				have, err := c.api.Worker(p.t.Context(), w.id)
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
		for id, pid := range watch.running() {
			if !wanted[id] {
				errs = append(errs, fmt.Errorf("%s runs (%d) and shouldn't", id, pid))
			}
		}
		return errors.Join(errs...)
	})
}

// onEngineOf says what is wrong about what the engine has of Workers: each has one container and one volume at most, or,
// when all should be there, exactly; nothing else has any.
func (p *platform) onEngineOf(customers []*customer, all bool) error {
	p.t.Helper()
	var errs []error
	want := map[string]bool{}
	for _, c := range customers {
		for _, w := range c.workers {
			want[w.id] = true
		}
	}
	for _, kind := range [][]string{{"ps", "-a", "--filter", "label=baas.worker", "--format", `{{.Label "baas.worker"}}`},
		{"volume", "ls", "--filter", "label=baas.worker", "--format", `{{.Label "baas.worker"}}`}} {
		have := map[string]int{}
		for _, id := range strings.Fields(docker(p.t, kind...)) {
			have[id]++
		}
		for id, n := range have {
			if !want[id] {
				errs = append(errs, fmt.Errorf("docker %s: %d of %s, which is deleted or never was", kind[0], n, id))
			} else if n > 1 {
				errs = append(errs, fmt.Errorf("docker %s: %d of %s", kind[0], n, id))
			}
		}
		for id := range want {
			if all && have[id] == 0 {
				errs = append(errs, fmt.Errorf("docker %s: none of %s", kind[0], id))
			}
		}
	}
	return errors.Join(errs...)
}

// toldOnce checks that what the bot acknowledged it still knows, that it was told nothing twice, and that no two of its
// runs overlapped, by its own records.
func (c *customer) toldOnce(b *wantBot) {
	if !c.shouldRun(b) {
		return
	}
	var told []string
	var runs []struct{ Began, Last int64 }
	if err := errors.Join(ask(c.t.Context(), http.MethodGet, b.url+"once", &told), ask(c.t.Context(), http.MethodGet, b.url+"runs", &runs)); err != nil {
		c.t.Errorf("%s: %v", b.id, err)
		return
	}
	times := map[string]int{}
	for _, line := range told {
		if times[line]++; times[line] == 2 {
			c.t.Errorf("%s was told %s twice: the gateway sent it again", b.id, line)
		}
	}
	for _, line := range b.told.kept {
		if times[line] == 0 {
			c.t.Errorf("%s acknowledged %s and doesn't know it any more", b.id, line)
		}
	}
	for i := 1; i < len(runs); i++ {
		if runs[i-1].Last > runs[i].Began {
			c.t.Errorf("%s: a run that began at %d was still alive %.1f ms after the next one began", b.id, runs[i-1].Began,
				float64(runs[i-1].Last-runs[i].Began)/1e6)
		}
	}
}
