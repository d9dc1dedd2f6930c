package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
)

// chaos does harm at random, and undoes what doesn't pass by itself.
type chaos struct {
	*storm
	engine   *dockerd
	wire     *wire
	database string // the directory of the database

	cut    bool // of the wire; guarded by mu with the others
	full   bool
	toxics map[string]bool
	mu     sync.Mutex
}

// next picks one, of which some are likelier than others.
func (c *chaos) next(int) fault {
	all := []struct {
		weight int
		fault
	}{
		{12, fault{"kill control plane", c.killControl}},
		{18, fault{"kill agent", c.killAgent}},
		{10, fault{"kill container", c.killContainer}},
		{24, fault{"kill bot", c.killBot}},
		{9, fault{"cut connection", c.cutWire}},
		{8, fault{"delay connection", func() error {
			return c.toxic("latency", fmt.Sprintf(`{"latency":%d,"jitter":%d}`, 50+c.rng.IntN(1000), c.rng.IntN(200)))
		}}},
		{8, fault{"throttle connection", func() error { return c.toxic("bandwidth", fmt.Sprintf(`{"rate":%d}`, 2+c.rng.IntN(60))) }}},
		{4, fault{"silence connection", func() error { return c.toxic("timeout", `{"timeout":0}`) }}},
		{5, fault{"fill disk of database", c.fillDisk}},
		{1, fault{"restart Docker", func() error { return c.restartDocker(syscall.SIGTERM) }}},
		{1, fault{"kill Docker", func() error { return c.restartDocker(syscall.SIGKILL) }}},
	}
	sum := 0
	for _, f := range all {
		sum += f.weight
	}
	pick := c.rng.IntN(sum)
	i := 0
	for ; pick >= all[i].weight; i++ {
		pick -= all[i].weight
	}
	return all[i].fault
}

func (c *chaos) killControl() error {
	c.control[0].kill()
	return nil
}

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
// faults (200 when unset).
func TestFaults(t *testing.T) {
	if !onAMachineOfItsOwn(t) {
		return
	}
	engine := newDockerd(t)
	wire, env := agentWire(t)
	database := smallDisk(t, 256)
	p := newPlatform(t, "docker", append(env, "BAAS_DATA="+database)...)
	s := newStorm(t, "BAAS_FAULTS", 200, 2, p, []*platform{p}, observe(t))
	c := &chaos{storm: s, engine: engine, wire: wire, database: database, toxics: map[string]bool{}}
	s.rage(150*time.Millisecond, 1500*time.Millisecond, c.next)

	quiet := time.Now()
	eventually(t, orphans, "nothing on the engine that is of no Worker, and nothing twice", func() error { return p.onEngineOf(s.customers, false) })
	t.Logf("no orphan was left %.1f s after the last change", time.Since(quiet).Seconds())
	s.settle()
	if err := p.onEngineOf(s.customers, true); err != nil {
		t.Errorf("on the engine: %v", err)
	}
	if sum := s.reckon(); sum.acked < s.count/4 || sum.runs < s.count/4 || sum.kept < s.count/4 {
		t.Error("that was no steady load")
	}
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
