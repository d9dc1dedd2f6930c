package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	dockerengine "github.com/baas-platform/baas/internal/engine/docker"
	"github.com/baas-platform/baas/internal/store/storetest"
)

// balancer is what stands before several control planes: it takes each new connection to the next one that listens.
type balancer struct {
	l    net.Listener
	mu   sync.Mutex
	to   []string
	turn int
}

func newBalancer(t *testing.T, network, address string, to ...string) *balancer {
	t.Helper()
	l, err := net.Listen(network, address)
	must(t, err)
	b := &balancer{l: l, to: to}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.carry(c)
		}
	}()
	return b
}

// only makes new connections go to these.
func (b *balancer) only(to ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to = to
}

func (b *balancer) carry(c net.Conn) {
	defer c.Close()
	b.mu.Lock()
	b.turn++
	if len(b.to) == 0 {
		b.mu.Unlock()
		return
	}
	to := append(slices.Clone(b.to[b.turn%len(b.to):]), b.to[:b.turn%len(b.to)]...)
	b.mu.Unlock()
	for _, address := range to {
		up, err := net.DialTimeout("tcp", address, 2*time.Second)
		if err != nil {
			continue
		}
		go func() { _, _ = io.Copy(up, c); up.Close(); c.Close() }()
		_, _ = io.Copy(c, up)
		up.Close()
		return
	}
}

// setting gives what the control plane is told by a variable.
func (p *platform) setting(name string) (value string) {
	for _, kv := range p.env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// holds asks the control plane how many agents are connected to it.
func (p *platform) holds() (int, error) {
	res, err := http.Get(p.url + "/metrics")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "\nbaas_agents_connected ")
	text, _, _ := strings.Cut(rest, "\n")
	return strconv.Atoi(text)
}

// leads reports whether the control plane is in charge of the controllers, by its own last word.
func (p *platform) leads() bool {
	log := p.log.String()
	log = log[max(0, strings.LastIndex(log, "database opened")):] // since its last start
	return strings.LastIndex(log, "this process runs the controllers") > strings.LastIndex(log, "another process runs the controllers now")
}

// newReplicas starts control planes of one installation, the leader first, and the way that agents take to them.
func newReplicas(t *testing.T, n int) (replicas []*platform, agents *balancer) {
	t.Helper()
	host, err := dockerengine.AgentHost(t.Context(), dockerengine.Config{})
	must(t, err)
	agents = newBalancer(t, "tcp", net.JoinHostPort(host.String(), "0"))
	env := []string{"BAAS_DATABASE_URL=" + storetest.Postgres(t), "BAAS_MASTER_KEY=" + masterKey(), "BAAS_AGENT_URL=ws://" + agents.l.Addr().String()}
	for range n {
		p := newPlatform(t, "docker", append(env, "BAAS_REPLICA_LISTEN="+freeAddress(t, "127.0.0.1"))...)
		replicas = append(replicas, p)
		agents.only(append(agents.to, p.setting("BAAS_AGENT_LISTEN"))...)
	}
	// Before any of them cleans up, so that none makes anew what another one removes.
	t.Cleanup(func() {
		for _, p := range replicas {
			p.kill()
		}
	})
	return replicas, agents
}

// TestReplicas has three control planes on one database, each of which must do for every Worker, whoever holds its agent;
// then the one that holds the agents and the one that runs the controllers are killed.
func TestReplicas(t *testing.T) {
	t.Parallel()
	all, agents := newReplicas(t, 3)
	a, b, c := all[0], all[1], all[2]
	ctx := t.Context()
	if !a.leads() || b.leads() || c.leads() {
		t.Fatal("the first replica runs the controllers")
	}
	acme := map[*platform]*client.Tenant{a: a.tenant("Acme", baas.PlanEnterprise)}
	for _, p := range []*platform{b, c} {
		acme[p] = p.as("owner@acme.example", ownerPassword).Tenant("acme")
	}

	// What is changed on one replica is told by every other.
	watch, stop := context.WithCancel(ctx)
	defer stop()
	changes := make(chan baas.Change, 1000)
	listening := make(chan struct{})
	listens := sync.OnceFunc(func() { close(listening) })
	go func() {
		for ch, err := range acme[c].Changes(watch) {
			if err != nil {
				return
			}
			if ch.Kind == baas.ChangeResync {
				listens()
				continue
			}
			changes <- ch
		}
	}()
	within(t, listening, "the stream of changes to begin")

	agents.only(b.setting("BAAS_AGENT_LISTEN"))
	size := baas.Size{CPUMillis: 300, MemoryMiB: 128, DiskGiB: 1}
	first, err := acme[a].CreateWorker(ctx, baas.WorkerCreate{Name: "Primeiro", Size: &size})
	must(t, err)
	awaitChange(t, changes, "worker", first.ID)
	b.awaitWorker(acme[b], first.ID, baas.WorkerRunning)
	eventually(t, 10*time.Second, "the second replica to hold the agent", func() error {
		if n, err := b.holds(); err != nil || n != 1 {
			return fmt.Errorf("%d %w", n, err)
		}
		return nil
	})
	ana := c.bot(acme[c], echo("Ana", first.ID))
	awaitChange(t, changes, "bot", ana.ID)
	reachable := func(where string, on ...*platform) {
		t.Helper()
		for i, p := range on {
			bot, err := acme[p].Bot(ctx, ana.ID)
			must(t, err)
			answers(t, bot.URL, fmt.Sprintf("%s, réplica %d", where, i))
			reply, err := acme[p].SendMessage(ctx, ana.ID, baas.BotMessage{Message: "pela API"})
			if err != nil || !strings.Contains(fmt.Sprint(reply), "pela API") {
				t.Errorf("%s: a message through replica %d: %+v %v", where, i, reply, err)
			}
		}
	}
	reachable("held by the second", a, b, c)

	// Files go up to one replica, the leader takes them to the agent of another, logs and WebSockets come through a third.
	files, err := probeFiles()
	must(t, err)
	probe, err := acme[c].CreateBot(ctx, baas.BotCreate{Name: "Sonda", WorkerID: first.ID, Kind: baas.BotProgram, Access: baas.AccessPublic,
		Program: &baas.Program{Command: []string{"./probe"}, Port: 20001, StopSeconds: 2, Env: []baas.EnvVar{{Name: "SAY", Value: "aqui estou"}}}})
	must(t, err)
	_, err = acme[c].PutFiles(ctx, probe.ID, bytes.NewReader(files))
	must(t, err)
	a.awaitBot(acme[a], probe.ID, baas.BotRunning)
	logs, enough := context.WithTimeout(ctx, time.Minute)
	defer enough()
	said := false
	for line, err := range acme[a].Logs(logs, probe.ID, client.LogQuery{Follow: true, Tail: 100}) {
		must(t, err)
		if said = line.Text == "aqui estou"; said {
			break
		}
	}
	if !said {
		t.Error("the log that is followed through another replica ended without what the bot said")
	}
	for _, p := range all {
		bot, err := acme[p].Bot(ctx, probe.ID)
		must(t, err)
		eventually(t, 20*time.Second, "the program to serve", func() error {
			var nothing string
			return ask(ctx, http.MethodGet, bot.URL+"ping", &nothing)
		})
		ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(bot.URL, "http")+"ws", nil)
		must(t, err)
		for i := range 3 {
			want := fmt.Sprint("mensagem ", i)
			must(t, ws.Write(ctx, websocket.MessageText, []byte(want)))
			_, got, err := ws.Read(ctx)
			if err != nil || string(got) != want {
				t.Fatalf("over a WebSocket: %q %v", got, err)
			}
		}
		must(t, ws.Close(websocket.StatusNormalClosure, ""))
	}

	// The leader moves a bot between agents that are both held by others.
	before, err := acme[b].SendMessage(ctx, ana.ID, baas.BotMessage{Message: "lembre-se de mim"})
	must(t, err)
	agents.only(c.setting("BAAS_AGENT_LISTEN"))
	second := b.worker(acme[b], baas.WorkerCreate{Name: "Segundo", Size: &size})
	move, err := acme[b].MoveBot(ctx, ana.ID, second.ID)
	must(t, err)
	c.awaitMove(acme[c], move.ID, baas.MoveDone)
	c.awaitBot(acme[c], ana.ID, baas.BotRunning)
	reachable("moved", a, b, c)
	bot, err := acme[a].Bot(ctx, ana.ID)
	must(t, err)
	if history := get(t, bot.URL+"chat/"+before.Conversation); !strings.Contains(history, "lembre-se de mim") {
		t.Fatalf("the conversation did not come along: %s", history)
	}

	// A holder dies: its agent goes to another, and nobody has to do anything.
	agents.only(a.setting("BAAS_AGENT_LISTEN"), b.setting("BAAS_AGENT_LISTEN"), c.setting("BAAS_AGENT_LISTEN"))
	began := time.Now()
	c.kill()
	eventually(t, 20*time.Second, "the bot to answer through another replica", func() error {
		ask, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		bot, err := acme[a].Bot(ctx, ana.ID)
		if err != nil {
			return err
		}
		status, answer, err := post(ask, bot.URL+"chat", `{"message":"ainda aí?"}`)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("%d %s %w", status, answer, err)
		}
		return nil
	})
	t.Logf("a bot answers again %.1f s after the replica that held its agent was killed", time.Since(began).Seconds())
	reachable("after a holder's death", a, b)

	// The leader dies in the middle of work: what it acknowledged is done by another.
	third, err := acme[a].CreateWorker(ctx, baas.WorkerCreate{Name: "Terceiro", Size: &size})
	must(t, err)
	move, err = acme[a].MoveBot(ctx, ana.ID, first.ID)
	must(t, err)
	began = time.Now()
	a.kill()
	b.awaitWorker(acme[b], third.ID, baas.WorkerRunning)
	b.awaitMove(acme[b], move.ID, baas.MoveDone)
	b.awaitBot(acme[b], ana.ID, baas.BotRunning)
	t.Logf("what the leader had begun was done by another %.1f s after it was killed", time.Since(began).Seconds())
	if !b.leads() {
		t.Error("the only replica that is left doesn't run the controllers")
	}
	reachable("after the leader's death", b)

	// They come back and serve as before; nothing is there twice.
	a.start()
	c.start()
	reachable("all back", a, b, c)
	for _, w := range []string{first.ID, second.ID, third.ID} {
		if found := onEngine(t, w); len(found) != 2 {
			t.Errorf("a Worker has one container and one volume; found %v", found)
		}
	}
	if a.leads() && b.leads() || c.leads() && b.leads() {
		t.Error("there are two leaders")
	}

	// One that is told to end gives the lease back, so that nobody waits for it.
	began = time.Now()
	b.terminate()
	eventually(t, 10*time.Second, "another to lead", func() error {
		if !a.leads() && !c.leads() {
			return errors.New("nobody does")
		}
		return nil
	})
	t.Logf("another led %.1f s after the leader was told to end", time.Since(began).Seconds())
	reachable("after the end of a leader", a, c)
}

func masterKey() string { return "c2VjcmV0IG9mIHRoZSByZXBsaWNhcyBpbiB0aGUgdGU=" } // 32 bytes

func within(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("waited 30 s for %s", what)
	}
}

func awaitChange(t *testing.T, changes <-chan baas.Change, kind, id string) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case ch := <-changes:
			if ch.Kind == kind && ch.ID == id {
				return
			}
		case <-limit:
			t.Fatalf("the change of %s %s, made on another replica, isn't told", kind, id)
		}
	}
}

// TestReplicasDie kills, halts and cuts off control planes at random while customers work, and asks what TestFaults
// asks: is anything that was acknowledged lost, doubled or left over, and did a bot ever run twice. BAAS_REPLICA_FAULTS
// is the number of faults (25 when unset).
func TestReplicasDie(t *testing.T) {
	const database = "BAAS_E2E_DATABASE"
	if os.Getenv(database) == "" { // outside: the machine inside has no network, and reaches the database by a socket
		dir, err := os.MkdirTemp("", "pg")
		must(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		u, err := url.Parse(storetest.Postgres(t))
		must(t, err)
		newBalancer(t, "unix", filepath.Join(dir, ".s.PGSQL.5432"), u.Host)
		t.Setenv(database, "postgres://"+u.User.String()+"@"+u.Path+"?host="+url.QueryEscape(dir))
	}
	if !onAMachineOfItsOwn(t) {
		return
	}
	newDockerd(t)
	host, err := dockerengine.AgentHost(t.Context(), dockerengine.Config{})
	must(t, err)
	// Fixed ports, for the reason that agentWire gives.
	agents := newBalancer(t, "tcp", net.JoinHostPort(host.String(), "8400"))
	public := newBalancer(t, "tcp", "127.0.0.1:8080")
	var replicas []*platform
	for i := range 3 {
		p := newPlatform(t, "docker", "BAAS_DATABASE_URL="+os.Getenv(database), "BAAS_MASTER_KEY="+masterKey(), "BAAS_DOCKER_POOL=10.231.0.0/16",
			"BAAS_LISTEN=0.0.0.0:"+strconv.Itoa(8101+i), "BAAS_PUBLIC_URL=http://127.0.0.1:8080",
			"BAAS_AGENT_URL=ws://"+host.String()+":8400", "BAAS_AGENT_LISTEN=127.0.0.1:"+strconv.Itoa(8201+i),
			"BAAS_REPLICA_LISTEN=127.0.0.1:"+strconv.Itoa(8301+i))
		replicas = append(replicas, p)
		public.only(append(public.to, "127.0.0.1:"+strconv.Itoa(8101+i))...)
		agents.only(append(agents.to, "127.0.0.1:"+strconv.Itoa(8201+i))...)
	}
	front := &platform{t: t, engine: "docker", url: "http://127.0.0.1:8080", log: &logBuffer{}}
	s := newStorm(t, "BAAS_REPLICA_FAULTS", 25, 1, front, replicas, observe(t))
	f := &replicaFaults{chaos: chaos{storm: s}, database: os.Getenv(database)}
	s.rage(500*time.Millisecond, 4*time.Second, f.next)
	s.settle()
	eventually(t, orphans, "nothing on the engine that is of no Worker, and nothing twice", func() error { return front.onEngineOf(s.customers, true) })
	if sum := s.reckon(); sum.acked < s.count/2 || sum.kept < s.count {
		t.Error("that was no steady load")
	}
}

// replicaFaults harms several control planes at random.
type replicaFaults struct {
	chaos
	database string
}

func (f *replicaFaults) next(int) fault {
	all := []fault{
		{"kill the leader", func() error { f.leader().kill(); return nil }},
		{"kill a replica", func() error { f.some().kill(); return nil }},
		{"kill two replicas", func() error { f.leader().kill(); f.some().kill(); return nil }},
		{"halt the leader", func() error { return f.halt(f.leader(), f.between(time.Second, 20*time.Second)) }},
		{"halt a replica", func() error { return f.halt(f.some(), f.between(time.Second, 10*time.Second)) }},
		{"cut the database", f.cutDatabase},
		{"kill agent", f.killAgent},
		{"kill container", f.killContainer},
		{"kill bot", f.killBot},
	}
	return all[f.rng.IntN(len(all))]
}

// some is one of the control planes.
func (s *storm) some() *supervisor { return s.control[s.rng.IntN(len(s.control))] }

// leader is the control plane in charge, or one of them when none says that it is.
func (s *storm) leader() *supervisor {
	for _, c := range s.control {
		if c.p.leads() {
			return c
		}
	}
	return s.some()
}

// halt stops a process for a while, as a machine that is out of memory or migrated does: it misses the end of its lease
// and goes on in the middle of what it did.
func (f *replicaFaults) halt(s *supervisor, d time.Duration) error {
	s.mu.Lock()
	pid := s.p.cmd.Process.Pid
	s.mu.Unlock()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	f.journal.note("fault", "%d is halted for %s", pid, d)
	f.later(d, func() { _ = syscall.Kill(pid, syscall.SIGCONT) }) // it may have been killed
	return nil
}

// cutDatabase ends every connection to the database.
func (f *replicaFaults) cutDatabase() error {
	c, err := pgx.Connect(f.t.Context(), f.database)
	if err != nil {
		return err
	}
	defer c.Close(f.t.Context())
	_, err = c.Exec(f.t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	return err
}
