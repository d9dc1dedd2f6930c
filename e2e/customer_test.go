package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

// journal is what happened, for a failure to show.
type journal struct {
	mu    sync.Mutex
	began time.Time
	lines []string
}

func (j *journal) note(who, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%8.2f %-12s %s", time.Since(j.began).Seconds(), who, fmt.Sprintf(format, args...)))
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

// customer makes, changes, moves, stops, starts and deletes Workers and bots of its own, and remembers what was
// acknowledged. No other customer touches its things, so that what it remembers is what must be.
type customer struct {
	t       *testing.T
	name    string
	api     *client.Tenant
	rng     *rand.Rand
	journal *journal
	files   []byte

	workers []*wantWorker
	bots    []*wantBot
	made    int
	acked   int // acknowledged changes
	unsure  int // changes whose outcome had to be looked up
}

type wantWorker struct {
	id      string
	name    string
	size    baas.Size
	desired baas.Desired
}

type wantBot struct {
	id, name, url string
	kind          baas.BotKind
	worker        string
	greeting      string
	port          int
	desired       baas.Desired
	move          string // the move that was acknowledged and isn't known to have ended
	to            string

	told *telling
}

// telling is what a bot was told over its public address: each thing once.
type telling struct {
	mu    sync.Mutex
	sent  int
	kept  []string       // answered with 200
	other map[string]int // what else came back
	stop  context.CancelFunc
	ended chan struct{}
}

// probeFiles is the probe as an archive of a program's files.
var probeFiles = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "baas-probe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	exe := filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", exe, "./probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the probe: %w\n%s", err, out)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	_ = tw.WriteHeader(&tar.Header{Name: "probe", Mode: 0o755, Size: int64(len(b))})
	_, _ = tw.Write(b) // into memory
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
})

func (c *customer) note(format string, args ...any) { c.journal.note(c.name, format, args...) }

// live works until ctx ends. It never stops in the middle of a change.
func (c *customer) live(ctx context.Context) {
	for ctx.Err() == nil {
		c.act()
		pause := time.NewTimer(time.Duration(200+c.rng.IntN(2000)) * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
		case <-pause.C:
		}
	}
}

// act makes one change.
func (c *customer) act() {
	switch n := c.rng.IntN(100); {
	case len(c.workers) < 2 || n < 3 && len(c.workers) < 4:
		c.createWorker()
	case len(c.bots) < 3 || n < 8 && len(c.bots) < 5:
		c.createBot()
	case n < 12:
		c.deleteBot(c.bots[c.rng.IntN(len(c.bots))])
	case n < 16:
		c.deleteWorker()
	case n < 24:
		c.changeWorker(c.workers[c.rng.IntN(len(c.workers))])
	case n < 36:
		c.startOrStopWorker(c.workers[c.rng.IntN(len(c.workers))])
	case n < 50:
		c.startOrStopBot(c.bots[c.rng.IntN(len(c.bots))])
	case n < 65:
		c.changeBot(c.bots[c.rng.IntN(len(c.bots))])
	case n < 90:
		c.moveBot(c.bots[c.rng.IntN(len(c.bots))])
	default:
		c.verify(c.t.Context())
	}
}

// patiently asks until there is an answer, one way or the other.
func patiently[T any](c *customer, what string, ask func(ctx context.Context) (T, error)) (T, error) {
	deadline := time.Now().Add(2 * time.Minute)
	for {
		ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
		out, err := ask(ctx)
		cancel()
		if !unanswered(err) {
			return out, err
		}
		if time.Now().After(deadline) {
			c.t.Errorf("%s: %s is not answered for two minutes: %v", c.name, what, err)
			return out, err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-c.t.Context().Done():
			return out, err
		}
	}
}

// unanswered reports whether err leaves open whether the change was made.
func unanswered(err error) bool {
	code := baas.CodeOf(err)
	return code == baas.CodeUnavailable || code == baas.CodeInternal || code == baas.CodeRateLimited || errors.Is(err, context.DeadlineExceeded)
}

// change makes a change and settles what came of it: nil when it was acknowledged or turned out to have been made.
// made tells whether it was, after an answer that leaves that open.
func (c *customer) change(what string, do func(ctx context.Context) error, made func(ctx context.Context) (bool, error)) bool {
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	err := do(ctx)
	cancel()
	switch {
	case err == nil:
		c.acked++
		c.note("%s: acknowledged", what)
		return true
	case !unanswered(err):
		c.note("%s: refused: %v", what, err)
		return false
	}
	c.unsure++
	c.note("%s: open: %v", what, err)
	done, err := patiently(c, what, made)
	if err != nil {
		c.t.Errorf("%s: %s: finding out what came of it: %v", c.name, what, err)
		return false
	}
	c.note("%s: it was made: %v", what, done)
	return done
}

var sizes = []baas.Size{{CPUMillis: 200, MemoryMiB: 96, DiskGiB: 1}, {CPUMillis: 300, MemoryMiB: 128, DiskGiB: 1}, {CPUMillis: 400, MemoryMiB: 160, DiskGiB: 1}}

func (c *customer) createWorker() {
	c.made++
	w := &wantWorker{name: fmt.Sprintf("%s Worker %d", c.name, c.made), size: sizes[c.rng.IntN(len(sizes))], desired: baas.DesiredRunning}
	ok := c.change("create "+w.name, func(ctx context.Context) error {
		made, err := c.api.CreateWorker(ctx, baas.WorkerCreate{Name: w.name, Size: &w.size})
		w.id = made.ID
		return err
	}, func(ctx context.Context) (bool, error) {
		all, err := client.Collect(c.api.Workers(ctx, client.WorkerQuery{Search: w.name}))
		for _, found := range all {
			if found.Name == w.name {
				w.id = found.ID
			}
		}
		return w.id != "", err
	})
	if ok {
		c.note("%s is %s", w.name, w.id)
		c.workers = append(c.workers, w)
	}
}

func (c *customer) createBot() {
	c.made++
	b := &wantBot{name: fmt.Sprintf("%s bot %d", c.name, c.made), kind: baas.BotProgram, worker: c.workers[c.rng.IntN(len(c.workers))].id,
		greeting: "hello 0", port: 20000 + c.made, desired: baas.DesiredRunning}
	if c.rng.IntN(4) == 0 {
		b.kind = baas.BotAssistant
	}
	in := baas.BotCreate{Name: b.name, WorkerID: b.worker, Kind: b.kind, Access: baas.AccessPublic}
	in.Assistant, in.Program = b.settings()
	ok := c.change("create "+b.name+" in "+b.worker, func(ctx context.Context) error {
		made, err := c.api.CreateBot(ctx, in)
		b.id, b.url = made.ID, made.URL
		return err
	}, func(ctx context.Context) (bool, error) {
		all, err := client.Collect(c.api.Bots(ctx, client.BotQuery{Search: b.name}))
		for _, found := range all {
			if found.Name == b.name {
				b.id, b.url = found.ID, found.URL
			}
		}
		return b.id != "", err
	})
	if !ok {
		return
	}
	c.note("%s is %s", b.name, b.id)
	c.bots = append(c.bots, b)
	if b.kind == baas.BotProgram {
		_, err := patiently(c, "files of "+b.name, func(ctx context.Context) (baas.Bot, error) {
			return c.api.PutFiles(ctx, b.id, bytes.NewReader(c.files))
		})
		if err != nil {
			c.t.Errorf("%s: files of %s: %v", c.name, b.id, err)
		}
		c.note("files of %s are up: %v", b.id, err)
		b.told = c.tell(b.id, b.url)
	}
}

// settings are the bot's, as the greeting says.
func (b *wantBot) settings() (*baas.Assistant, *baas.Program) {
	if b.kind == baas.BotAssistant {
		return &baas.Assistant{Welcome: b.greeting}, nil
	}
	return nil, &baas.Program{Command: []string{"./probe"}, Port: b.port, StopSeconds: 2, Env: []baas.EnvVar{{Name: "GREETING", Value: b.greeting}}}
}

func (b *wantBot) greets(have baas.Bot) bool {
	if have.Kind == baas.BotAssistant {
		return have.Assistant.Welcome == b.greeting
	}
	return have.Program.Env[0].Value == b.greeting
}

// tell says something to the bot's public address five times a second, each thing once and never again.
func (c *customer) tell(id, url string) *telling {
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	s := &telling{stop: cancel, ended: make(chan struct{}), other: map[string]int{}}
	go func() {
		defer close(s.ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			line := fmt.Sprintf("%s-%d", id, n)
			ask, cancel := context.WithTimeout(ctx, 25*time.Second)
			status, answer, err := post(ask, url+"once", line)
			cancel()
			s.mu.Lock()
			s.sent++
			if err == nil && status == http.StatusOK {
				s.kept = append(s.kept, line)
			} else {
				s.other[outcome(status, answer, err)]++
			}
			s.mu.Unlock()
		}
	}()
	return s
}

// outcome names an answer by its status and the reason that is given.
func outcome(status int, answer string, err error) string {
	if err != nil {
		return "no answer"
	}
	var p struct{ Detail string }
	_ = json.Unmarshal([]byte(answer), &p) // a bot's own answer has none
	return fmt.Sprintf("%d %s", status, p.Detail)
}

func (s *telling) end() {
	if s != nil {
		s.stop()
		<-s.ended
	}
}

func (c *customer) deleteBot(b *wantBot) {
	if c.moving(b) {
		return
	}
	ok := c.change("delete "+b.id, func(ctx context.Context) error {
		return c.api.DeleteBot(ctx, b.id, b.name)
	}, func(ctx context.Context) (bool, error) {
		_, err := c.api.Bot(ctx, b.id)
		if errors.Is(err, baas.ErrNotFound) {
			return true, nil
		}
		return false, err
	})
	if ok {
		b.told.end()
		c.bots = without(c.bots, b)
	}
}

func without[T comparable](list []T, one T) (rest []T) {
	for _, v := range list {
		if v != one {
			rest = append(rest, v)
		}
	}
	return rest
}

// deleteWorker deletes one that has no bots, if there is one to spare.
func (c *customer) deleteWorker() {
	if len(c.workers) < 3 {
		return
	}
	for _, w := range c.workers {
		used := false
		for _, b := range c.bots {
			used = used || c.moving(b) || b.worker == w.id
		}
		if used {
			continue
		}
		ok := c.change("delete "+w.id, func(ctx context.Context) error {
			_, err := c.api.DeleteWorker(ctx, w.id, w.name)
			return err
		}, func(ctx context.Context) (bool, error) {
			have, err := c.api.Worker(ctx, w.id)
			if errors.Is(err, baas.ErrNotFound) {
				return true, nil
			}
			return have.Desired == baas.DesiredDeleted, err
		})
		if ok {
			c.workers = without(c.workers, w)
		}
		return
	}
}

func (c *customer) changeWorker(w *wantWorker) {
	c.made++
	want := *w
	want.name, want.size = fmt.Sprintf("%s Worker %d", c.name, c.made), sizes[c.rng.IntN(len(sizes))]
	have, err := patiently(c, "reading "+w.id, func(ctx context.Context) (baas.Worker, error) { return c.api.Worker(ctx, w.id) })
	if err != nil {
		c.t.Errorf("%s: reading %s: %v", c.name, w.id, err)
		return
	}
	ok := c.change(fmt.Sprintf("change %s to %s, %+v", w.id, want.name, want.size), func(ctx context.Context) error {
		_, err := c.api.UpdateWorker(ctx, w.id, have.Version, baas.WorkerUpdate{Name: &want.name, Size: &want.size})
		return err
	}, func(ctx context.Context) (bool, error) {
		have, err := c.api.Worker(ctx, w.id)
		return have.Name == want.name, err
	})
	if ok {
		*w = want
	}
}

func (c *customer) startOrStopWorker(w *wantWorker) {
	want, what, do := baas.DesiredStopped, "stop ", c.api.StopWorker
	if w.desired == baas.DesiredStopped {
		want, what, do = baas.DesiredRunning, "start ", c.api.StartWorker
	} else if c.rng.IntN(5) > 0 { // most should run most of the time
		return
	}
	ok := c.change(what+w.id, func(ctx context.Context) error {
		_, err := do(ctx, w.id)
		return err
	}, func(ctx context.Context) (bool, error) {
		have, err := c.api.Worker(ctx, w.id)
		return have.Desired == want, err
	})
	if ok {
		w.desired = want
	}
}

func (c *customer) startOrStopBot(b *wantBot) {
	want, what, do := baas.DesiredStopped, "stop ", c.api.StopBot
	if b.desired == baas.DesiredStopped {
		want, what, do = baas.DesiredRunning, "start ", c.api.StartBot
	} else if c.rng.IntN(3) > 0 {
		want, what, do = baas.DesiredRunning, "restart ", c.api.RestartBot
	}
	ok := c.change(what+b.id, func(ctx context.Context) error {
		_, err := do(ctx, b.id)
		return err
	}, func(ctx context.Context) (bool, error) {
		have, err := c.api.Bot(ctx, b.id)
		return have.Desired == want, err
	})
	if ok {
		b.desired = want
	}
}

func (c *customer) changeBot(b *wantBot) {
	c.made++
	want := *b
	want.greeting = fmt.Sprintf("hello %d", c.made)
	have, err := patiently(c, "reading "+b.id, func(ctx context.Context) (baas.Bot, error) { return c.api.Bot(ctx, b.id) })
	if err != nil {
		c.t.Errorf("%s: reading %s: %v", c.name, b.id, err)
		return
	}
	u := baas.BotUpdate{}
	u.Assistant, u.Program = want.settings()
	ok := c.change(fmt.Sprintf("change %s to %q", b.id, want.greeting), func(ctx context.Context) error {
		_, err := c.api.UpdateBot(ctx, b.id, have.Version, u)
		return err
	}, func(ctx context.Context) (bool, error) {
		have, err := c.api.Bot(ctx, b.id)
		return err == nil && want.greets(have), err
	})
	if ok {
		b.greeting = want.greeting
	}
}

func (c *customer) moveBot(b *wantBot) {
	if c.moving(b) {
		return
	}
	to := c.workers[c.rng.IntN(len(c.workers))].id
	if to == b.worker {
		return
	}
	from := time.Now()
	var id string
	ok := c.change("move "+b.id+" from "+b.worker+" to "+to, func(ctx context.Context) error {
		m, err := c.api.MoveBot(ctx, b.id, to)
		id = m.ID
		return err
	}, func(ctx context.Context) (bool, error) {
		all, err := client.Collect(c.api.Moves(ctx, b.id))
		for _, m := range all {
			if m.To == to && m.CreatedAt.After(from.Add(-time.Second)) {
				id = m.ID
			}
		}
		return id != "", err
	})
	if ok {
		c.note("move %s", id)
		b.move, b.to = id, to
	}
}

// moving settles what came of the bot's last move, and reports whether it is still under way.
func (c *customer) moving(b *wantBot) bool {
	if b.move == "" {
		return false
	}
	m, err := patiently(c, "reading "+b.move, func(ctx context.Context) (baas.Move, error) { return c.api.Move(ctx, b.move) })
	if err != nil {
		c.t.Errorf("%s: the acknowledged move %s of %s: %v", c.name, b.move, b.id, err)
		b.move = ""
		return false
	}
	if !m.Step.Ended() {
		return true
	}
	c.note("move %s of %s is %s %s", m.ID, b.id, m.Step, m.Reason)
	if m.Step == baas.MoveDone {
		b.worker = b.to
	}
	b.move = ""
	return false
}

// moveState says for a failure where the bot's move stands.
func (c *customer) moveState(b *wantBot) string {
	m, err := c.api.Move(c.t.Context(), b.move)
	return fmt.Sprintf("%s %s from %s to %s %s %v", m.ID, m.Step, m.From, m.To, m.Reason, err)
}

// verify compares what the platform says with what was acknowledged.
func (c *customer) verify(ctx context.Context) {
	workers, err := patiently(c, "listing Workers", func(ctx context.Context) ([]baas.Worker, error) {
		return client.Collect(c.api.Workers(ctx, client.WorkerQuery{Search: c.name}))
	})
	if err != nil {
		c.t.Errorf("%s: listing Workers: %v", c.name, err)
		return
	}
	bots, err := patiently(c, "listing bots", func(ctx context.Context) ([]baas.Bot, error) {
		return client.Collect(c.api.Bots(ctx, client.BotQuery{Search: c.name}))
	})
	if err != nil {
		c.t.Errorf("%s: listing bots: %v", c.name, err)
		return
	}
	lost := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		c.note("LOST: %s", text)
		c.t.Errorf("%s: %s", c.name, text)
	}
	haveWorkers := map[string]baas.Worker{}
	for _, w := range workers {
		if w.Desired != baas.DesiredDeleted {
			haveWorkers[w.ID] = w
		}
	}
	for _, want := range c.workers {
		have, ok := haveWorkers[want.id]
		delete(haveWorkers, want.id)
		if !ok || have.Name != want.name || have.Size != want.size || have.Desired != want.desired {
			lost("Worker %+v was acknowledged; the platform has (%v) %s %s %+v", *want, ok, have.Name, have.Desired, have.Size)
		}
	}
	for id, w := range haveWorkers {
		lost("Worker %s (%s) exists and nobody wants it", id, w.Name)
	}
	haveBots := map[string]baas.Bot{}
	for _, b := range bots {
		haveBots[b.ID] = b
	}
	for _, want := range c.bots {
		moving := c.moving(want) // it may have ended since the list was read
		have, ok := haveBots[want.id]
		delete(haveBots, want.id)
		if !ok || have.Name != want.name || have.Desired != want.desired || !want.greets(have) {
			lost("bot %s %s %s %q was acknowledged; the platform has (%v) %+v", want.id, want.name, want.desired, want.greeting, ok, have)
		}
		if !moving && have.WorkerID != want.worker {
			again, err := patiently(c, "reading "+want.id, func(ctx context.Context) (baas.Bot, error) { return c.api.Bot(ctx, want.id) })
			if err != nil || again.WorkerID != want.worker {
				lost("bot %s belongs in %s; the platform has it in %s (%v)", want.id, want.worker, again.WorkerID, err)
			}
		}
	}
	for id, b := range haveBots {
		lost("bot %s (%s) exists and nobody wants it", id, b.Name)
	}
	c.note("verified %d Workers and %d bots", len(c.workers), len(c.bots))
}

// shouldRun reports whether the bot is desired to run, in a Worker that is.
func (c *customer) shouldRun(b *wantBot) bool {
	for _, w := range c.workers {
		if w.id == b.worker {
			return b.desired == baas.DesiredRunning && w.desired == baas.DesiredRunning
		}
	}
	return false
}

// answersAsWanted asks the bot over its public address whether it is there with its latest settings.
func (c *customer) answersAsWanted(b *wantBot) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Second) // the gateway would wait for it longer
	defer cancel()
	if b.kind == baas.BotAssistant {
		status, answer, err := post(ctx, b.url+"chat", `{"message":"are you there"}`)
		if err != nil || status != http.StatusOK || !strings.Contains(answer, "are you there") {
			return fmt.Errorf("%s answers %d %s %w", b.id, status, answer, err)
		}
		return nil
	}
	var greeting string
	if err := ask(ctx, http.MethodGet, b.url+"ping", &greeting); err != nil {
		return err
	}
	if greeting != b.greeting {
		return fmt.Errorf("%s greets with %q, not with %q", b.id, greeting, b.greeting)
	}
	return nil
}

// ask sends a request without a body and decodes the answer.
func ask(ctx context.Context, method, url string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %s", method, url, res.Status, b)
	}
	return json.Unmarshal(b, out)
}
