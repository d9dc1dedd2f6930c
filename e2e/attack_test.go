package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	dockerengine "github.com/baas-platform/baas/internal/engine/docker"
)

// checklist is what was looked at, a line for each item.
type checklist struct {
	t     *testing.T
	level baas.Isolation
	mu    sync.Mutex
	lines []string
}

// check fails the test unless ok, and notes the item either way.
func (c *checklist) check(ok bool, item, format string, args ...any) {
	c.t.Helper()
	verdict := "ok  "
	if !ok {
		verdict = "FAIL"
		c.t.Errorf("%s: %s", item, fmt.Sprintf(format, args...))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, strings.TrimRight(fmt.Sprintf("%s %-9s %-66s %s", verdict, c.level, item, fmt.Sprintf(format, args...)), " "))
}

// report prints the list, and adds it to the file that BAAS_ISOLATION_REPORT names.
func (c *checklist) report() {
	text := strings.Join(c.lines, "\n") + "\n"
	c.t.Logf("isolation report:\n%s", text)
	name := os.Getenv("BAAS_ISOLATION_REPORT")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(c.t, err)
	defer f.Close()
	_, err = f.WriteString(text)
	must(c.t, err)
}

// probe puts a probe in a Worker and waits until it runs.
func (p *platform) probe(tenant *client.Tenant, worker, name string, port int, env ...baas.EnvVar) baas.Bot {
	p.t.Helper()
	files, err := probeFiles()
	must(p.t, err)
	b, err := tenant.CreateBot(p.t.Context(), baas.BotCreate{Name: name, WorkerID: worker, Kind: baas.BotProgram, Access: baas.AccessPublic,
		Program: &baas.Program{Command: []string{"./probe"}, Port: port, StopSeconds: 2, Env: env}})
	must(p.t, err)
	_, err = tenant.PutFiles(p.t.Context(), b.ID, bytes.NewReader(files))
	must(p.t, err)
	b = p.awaitBot(tenant, b.ID, baas.BotRunning)
	eventually(p.t, 30*time.Second, name+" to answer", func() error {
		var greeting string
		return ask(p.t.Context(), http.MethodGet, b.URL+"ping", &greeting)
	})
	return b
}

// with gives the bot's address for a request with the parameters.
func with(b baas.Bot, path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return b.URL + path + "?" + q.Encode()
}

// steady asks a bot all the time and gives what went wrong.
func steady(t *testing.T, b baas.Bot) (stop func() (asked int, wrong []string)) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var asked int
	var wrong []string
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			one, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			var greeting string
			err := ask(one, http.MethodGet, b.URL+"ping", &greeting)
			cancel()
			asked++
			if err != nil {
				wrong = append(wrong, err.Error())
			}
		}
	}()
	return func() (int, []string) {
		cancel()
		<-done
		return asked, wrong
	}
}

// runsOf is how often the bot was started so far.
func runsOf(t *testing.T, b baas.Bot) int {
	t.Helper()
	var runs []struct{ Began, Last int64 }
	must(t, ask(t.Context(), http.MethodGet, b.URL+"runs", &runs))
	return len(runs)
}

// TestAttacks is an attacker inside a bot on real Docker: what it can't reach, do or use up, on runc and on gVisor.
func TestAttacks(t *testing.T) {
	for _, level := range []baas.Isolation{baas.IsolationContainer, baas.IsolationSandbox} {
		t.Run(string(level), func(t *testing.T) {
			attack(t, level)
		})
	}
}

func attack(t *testing.T, level baas.Isolation) {
	_, apiPort, err := net.SplitHostPort(freeAddress(t, "0.0.0.0"))
	must(t, err)
	host, err := dockerengine.AgentHost(t.Context(), dockerengine.Config{})
	must(t, err)
	agents := freeAddress(t, host.String())
	// The API listens everywhere, as careless operators have it, so that only the rules keep Workers from it.
	p := newPlatform(t, "docker", "BAAS_LISTEN=0.0.0.0:"+apiPort, "BAAS_PUBLIC_URL=http://127.0.0.1:"+apiPort, "BAAS_AGENT_LISTEN="+agents)
	a := newAttack(t, p, level, dockerTarget{t}, apiPort, agents)
	defer a.report()
	a.run()
}

// target is what runs the Workers that are attacked, seen from outside of them.
type target interface {
	// hardened checks what the engine says that it did to the attacker's machine.
	hardened(a *attackRun)
	// forbidden gives the addresses that a Worker has no business with, by what they are.
	forbidden(a *attackRun) map[string]string
	// started is another text after each start of a Worker's machine.
	started(worker string) string
	// processes gives how many processes a Worker may have, and how many of a name it has.
	processes(worker, name string) (limit, have int)
	// volume is where a Worker's volume is on this machine.
	volume(worker string) string
}

// newAttack makes a Worker with an attacker and another bot, a second one of the same tenant, and one of another tenant.
func newAttack(t *testing.T, p *platform, level baas.Isolation, on target, apiPort, agents string) *attackRun {
	mine, theirs := p.tenant("Mallory", baas.PlanPro), p.tenant("Vítima", baas.PlanPro)
	size := baas.Size{CPUMillis: 500, MemoryMiB: 128, DiskGiB: 1}
	in := func(name string) baas.WorkerCreate {
		return baas.WorkerCreate{Name: name, Size: &size, Isolation: level}
	}
	a := &attackRun{checklist: &checklist{t: t, level: level}, target: on, p: p, mine: mine, apiPort: apiPort, agents: agents}
	a.home = p.worker(mine, in("Ataque"))
	a.next = p.worker(mine, in("Ao lado"))
	a.far = p.worker(theirs, in("Longe"))
	a.attacker = p.probe(mine, a.home.ID, "Mallory", 20001)
	a.sibling = p.probe(mine, a.home.ID, "Irmão", 20002)
	a.neighbour = p.probe(mine, a.next.ID, "Vizinho", 20003)
	a.victim = p.probe(theirs, a.far.ID, "Vítima", 20004)
	return a
}

func (a *attackRun) run() {
	a.hardened()
	a.reach()
	a.attempts()
	a.files()
	a.memory()
	a.forkBomb()
	a.disk()
}

type attackRun struct {
	*checklist
	target
	p                                    *platform
	mine                                 *client.Tenant
	attacker, sibling, neighbour, victim baas.Bot
	home, next, far                      baas.Worker
	apiPort, agents                      string
	hostPort                             string // of this machine, where somebody listens
}

func container(t *testing.T, worker string) string {
	t.Helper()
	return strings.TrimSpace(docker(t, "ps", "-q", "--filter", "label=baas.worker="+worker))
}

// dockerTarget is a Docker Engine on this machine.
type dockerTarget struct{ t *testing.T }

func (d dockerTarget) started(worker string) string {
	d.t.Helper()
	return docker(d.t, "inspect", "--format", "{{.State.StartedAt}}", container(d.t, worker))
}

func (d dockerTarget) processes(worker, name string) (limit, have int) {
	d.t.Helper()
	_, err := fmt.Sscan(docker(d.t, "inspect", "--format", "{{.HostConfig.PidsLimit}}", container(d.t, worker)), &limit)
	must(d.t, err)
	return limit, strings.Count(docker(d.t, "top", container(d.t, worker), "-o", "pid,args"), name)
}

func (d dockerTarget) volume(worker string) string {
	d.t.Helper()
	name := strings.TrimSpace(docker(d.t, "volume", "ls", "-q", "--filter", "label=baas.worker="+worker))
	return strings.TrimSpace(docker(d.t, "volume", "inspect", "--format", "{{.Mountpoint}}", name))
}

// hardened reads the container back from the engine, by CIS Docker Benchmark, section 5, and Pod Security "restricted".
func (dockerTarget) hardened(a *attackRun) {
	var found []struct {
		AppArmorProfile string
		Config          struct {
			User string
		}
		Mounts     []struct{ Type, Destination string }
		HostConfig struct {
			Privileged, ReadonlyRootfs, PublishAllPorts                bool
			CapAdd, CapDrop, SecurityOpt, Binds                        []string
			NetworkMode, PidMode, IpcMode, UTSMode, CgroupnsMode       string
			Memory, MemorySwap, NanoCpus, PidsLimit                    int64
			PortBindings                                               map[string]any
			Devices, Ulimits                                           []any
			RestartPolicy                                              struct{ Name string }
			MaskedPaths, ReadonlyPaths                                 []string
			UsernsMode, Runtime, CgroupParent                          string
			OomKillDisable                                             *bool
			GroupAdd, Dns, ExtraHosts, Links, VolumesFrom, DeviceRules []string
		}
	}
	must(a.t, json.Unmarshal([]byte(docker(a.t, "inspect", container(a.t, a.home.ID))), &found))
	c := found[0]
	h := c.HostConfig
	options := strings.Join(h.SecurityOpt, " ")
	volumes := !slices.ContainsFunc(c.Mounts, func(m struct{ Type, Destination string }) bool { return m.Type != "volume" && m.Type != "tmpfs" })
	// Whether the kernel has AppArmor is the host's; without it there is no profile to see.
	_, err := os.Stat("/sys/kernel/security/apparmor")
	a.check(err != nil || c.AppArmorProfile != "unconfined" && c.AppArmorProfile != "", "CIS 5.1 AppArmor where the host has it", "profile %q", c.AppArmorProfile)
	a.check(!strings.Contains(options, "unconfined"), "CIS 5.2, 5.21 no security option is off; PSS seccomp", "%s", options)
	a.check(len(h.CapAdd) == 0 && slices.Equal(h.CapDrop, []string{"ALL"}), "CIS 5.3, PSS: every capability dropped", "drop %v, add %v", h.CapDrop, h.CapAdd)
	a.check(!h.Privileged, "CIS 5.4, PSS: not privileged", "")
	a.check(len(h.Binds) == 0 && volumes, "CIS 5.5, 5.31, PSS: no path of the host, no engine socket", "mounts %v", c.Mounts)
	a.check(len(h.PortBindings) == 0 && !h.PublishAllPorts, "CIS 5.7, 5.8, 5.13: no published port", "")
	a.check(h.NetworkMode != "host" && h.NetworkMode != "bridge" && h.NetworkMode != "default", "CIS 5.9, 5.29: a network of the tenant's own", "%s", h.NetworkMode)
	a.check(h.Memory == 128<<20 && (h.MemorySwap == h.Memory || h.MemorySwap == 0), "CIS 5.10: memory limited, no swap besides", "%d", h.Memory)
	a.check(h.NanoCpus == 5e8, "CIS 5.11: CPU limited", "%d", h.NanoCpus)
	a.check(h.ReadonlyRootfs, "CIS 5.12: root file system read-only", "")
	a.check(h.PidMode == "", "CIS 5.15, PSS: process ids of its own", "")
	a.check(h.IpcMode == "private", "CIS 5.16, PSS: IPC of its own", "%s", h.IpcMode)
	a.check(len(h.Devices) == 0 && len(h.DeviceRules) == 0, "CIS 5.17: no device of the host", "")
	a.check(len(h.Ulimits) > 0, "CIS 5.18: limits of files and dumps", "%v", h.Ulimits)
	a.check(h.UTSMode == "", "CIS 5.20: host name of its own", "")
	a.check(h.CgroupParent == "" && h.CgroupnsMode == "private", "CIS 5.24: cgroup of its own", "")
	a.check(strings.Contains(options, "no-new-privileges"), "CIS 5.25, PSS: no new privileges", "")
	a.check(h.PidsLimit > 0 && h.PidsLimit <= 4096, "CIS 5.28: processes limited", "%d", h.PidsLimit)
	a.check(h.UsernsMode == "", "CIS 5.30, PSS: user namespace as the engine gives it", "")
	a.check(c.Config.User == "65532:65532", "PSS: not root", "%s", c.Config.User)
	wantRuntime := map[baas.Isolation]string{baas.IsolationContainer: "runc", baas.IsolationSandbox: "runsc"}[a.level]
	a.check(h.Runtime == wantRuntime, "the isolation that was asked for", "%s", h.Runtime)
	if a.level == baas.IsolationContainer {
		a.check(len(h.MaskedPaths) > 5 && len(h.ReadonlyPaths) > 3, "PSS: /proc masked as by default", "%d masked, %d read-only", len(h.MaskedPaths), len(h.ReadonlyPaths))
	}
}

// hardened looks at the attacker's machine from outside, and from inside by what the kernel says of its process.
func (a *attackRun) hardened() {
	a.target.hardened(a)
	var status string
	must(a.t, ask(a.t.Context(), http.MethodGet, with(a.attacker, "read", "path", "/proc/self/status"), &status))
	field := func(name string) string {
		_, rest, _ := strings.Cut(status, "\n"+name+":")
		value, _, _ := strings.Cut(rest, "\n")
		return strings.TrimSpace(value)
	}
	for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd"} {
		a.check(strings.Trim(field(name), "0") == "" && field(name) != "", "inside: no "+name, "%s", field(name))
	}
	a.check(strings.HasPrefix(field("Uid"), "65532"), "inside: not root", "%s", field("Uid"))
	if a.level == baas.IsolationContainer { // gVisor's own kernel keeps these to itself
		a.check(field("NoNewPrivs") == "1", "inside: no new privileges", "%s", field("NoNewPrivs"))
		a.check(field("Seccomp") == "2", "inside: system calls filtered", "%s", field("Seccomp"))
	}

	c2, err := a.p.as(operatorEmail, operatorPassword).Capabilities(a.t.Context())
	must(a.t, err)
	a.check(c2.Isolation[a.level] != "", "the operator is told what isolates", "%s", c2.Isolation[a.level])
	if strings.Contains(c2.Isolation[baas.IsolationContainer], "runc 1.1.5") {
		a.check(strings.Contains(fmt.Sprint(c2.Warnings), "CVE-2024-21626"), "an old runc with a known break-out is named", "%v", c2.Warnings)
	}
}

func (d dockerTarget) forbidden(a *attackRun) map[string]string {
	inspect := func(worker, format string) string {
		return strings.TrimSpace(docker(d.t, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{"+format+"}}{{end}}", container(d.t, worker)))
	}
	gateway := inspect(a.home.ID, ".Gateway")
	_, agentPort, err := net.SplitHostPort(a.agents)
	must(d.t, err)
	return map[string]string{
		"the API of the control plane, at the bridge": net.JoinHostPort(gateway, a.apiPort),
		"another port of the host, at the bridge":     net.JoinHostPort(gateway, a.hostPort),
		"the engine's API, unencrypted":               net.JoinHostPort(gateway, "2375"),
		"the engine's API":                            net.JoinHostPort(gateway, "2376"),
		"the agents' port at another address":         net.JoinHostPort(gateway, agentPort),
		"a bot of another Worker of the tenant":       net.JoinHostPort(inspect(a.next.ID, ".IPAddress"), "20003"),
		"a bot of another tenant":                     net.JoinHostPort(inspect(a.far.ID, ".IPAddress"), "20004"),
	}
}

// dials has the attacker dial, and gives the addresses that it reached.
func (a *attackRun) dials(addresses ...string) (reached []string) {
	a.t.Helper()
	var args []string
	for _, addr := range addresses {
		args = append(args, "addr", addr)
	}
	must(a.t, ask(a.t.Context(), http.MethodGet, with(a.attacker, "dial", args...), &reached))
	return reached
}

// addresses is everything that a Worker has no business with.
func (a *attackRun) addresses() map[string]string {
	agentHost, _, err := net.SplitHostPort(a.agents)
	must(a.t, err)
	if a.hostPort == "" {
		open, err := net.Listen("tcp", "0.0.0.0:0")
		must(a.t, err)
		a.t.Cleanup(func() { open.Close() })
		_, a.hostPort, err = net.SplitHostPort(open.Addr().String())
		must(a.t, err)
	}
	all := map[string]string{
		"the API of the control plane, at the agents' address":   net.JoinHostPort(agentHost, a.apiPort),
		"the API of the control plane, at its own loopback":      net.JoinHostPort("127.0.0.1", a.apiPort),
		"another port of the host":                               net.JoinHostPort(agentHost, a.hostPort),
		"the metadata service (AWS, Azure, Google, Oracle)":      "169.254.169.254:80",
		"the metadata service's container credentials (AWS ECS)": "169.254.170.2:80",
		"the metadata service (Alibaba)":                         "100.100.100.200:80",
		"the host agent (Azure)":                                 "168.63.129.16:80",
	}
	maps.Copy(all, a.target.forbidden(a))
	return all
}

// reach dials what a Worker has no business with, and the one address that it has.
func (a *attackRun) reach() {
	forbidden := a.addresses()
	reached := a.dials(append(slices.Collect(maps.Values(forbidden)), a.agents)...)
	for _, what := range sorted(forbidden) {
		a.check(!slices.Contains(reached, forbidden[what]), "out of reach: "+what, "%s", forbidden[what])
	}
	a.check(slices.Contains(reached, a.agents), "in reach: the agents' listener, and so the network works", "%s", a.agents)

	// What the listener that Workers reach tells to who has no token, or another Worker's name.
	for what, path := range map[string]string{"the API": "/api/v1/account", "metrics": "/metrics", "bots": "/b/" + a.victim.ID + "/ping", "profiles": "/debug/pprof/"} {
		res, err := http.Get("http://" + a.agents + path)
		must(a.t, err)
		res.Body.Close()
		a.check(res.StatusCode == http.StatusNotFound, "the agents' listener doesn't serve "+what, "%s %s", path, res.Status)
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+a.agents+"/agent/v1/connect", nil)
	must(a.t, err)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		"Authorization": "Bearer guessed", "Baas-Worker": a.far.ID, "Baas-Agent-Protocol": "1"} {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	must(a.t, err)
	res.Body.Close()
	a.check(res.StatusCode == http.StatusUnauthorized, "nobody connects as another Worker's agent", "%s", res.Status)
}

func sorted[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// attempts makes system calls that would lead out.
func (a *attackRun) attempts() {
	what := []string{"mount", "ptrace the agent", "host name", "clock", "kernel module", "reboot", "raw socket", "packet socket", "device", "root", "bpf", "perf"}
	if a.level == baas.IsolationContainer { // gVisor's user namespaces and log are its own, and lead nowhere
		what = append(what, "user namespace", "keys of others", "kernel log")
	}
	for _, what := range what {
		var said string
		status, answer, err := post(a.t.Context(), with(a.attacker, "attempt", "what", what), "")
		if err == nil && status == http.StatusOK {
			err = json.Unmarshal([]byte(answer), &said)
		}
		a.check(err == nil && strings.HasPrefix(said, "refused"), "refused: "+what, "%s %v", said, err)
	}
	// The first process of a namespace can't be killed from inside, whatever kill(2) answers.
	before := a.started(a.home.ID)
	_, _, err := post(a.t.Context(), with(a.attacker, "attempt", "what", "signal the agent"), "")
	must(a.t, err)
	a.check(before == a.started(a.home.ID), "a bot can't kill its Worker's agent", "")
}

// files reads and writes where secrets or ways out lie.
func (a *attackRun) files() {
	for _, path := range []string{"/var/run/docker.sock", "/run/containerd/containerd.sock", "/proc/1/environ", "/proc/1/mem", "/proc/1/root/etc/passwd", "/proc/1/fd/3",
		"/var/run/secrets/kubernetes.io/serviceaccount/token", "/proc/kcore", "/proc/kmsg", "/etc/shadow", "/dev/mem", "/dev/vda", "/dev/sda"} {
		var text string
		err := ask(a.t.Context(), http.MethodGet, with(a.attacker, "read", "path", path), &text)
		a.check(err != nil && strings.Contains(err.Error(), "422") || err == nil && text == "", "can't be read: "+path, "")
	}
	for _, path := range []string{"/x", "/etc/passwd", "/.baas/baas", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent"} {
		status, _, err := post(a.t.Context(), with(a.attacker, "write", "path", path), "")
		a.check(err == nil && status == http.StatusUnprocessableEntity, "can't be written: "+path, "")
	}
	var env []string
	must(a.t, ask(a.t.Context(), http.MethodGet, a.attacker.URL+"env", &env))
	a.check(!strings.Contains(strings.Join(env, "\n"), "BAAS_AGENT"), "the agent's token isn't in the bot's environment", "")
}

// memory takes more than the Worker has.
func (a *attackRun) memory() {
	machine := a.started(a.home.ID)
	runs, siblingRuns := runsOf(a.t, a.attacker), runsOf(a.t, a.sibling)
	stopNeighbour, stopVictim := steady(a.t, a.neighbour), steady(a.t, a.victim)
	_, _, _ = post(a.t.Context(), with(a.attacker, "eat", "mib", "1024"), "") // it dies of it
	a.comesBack(a.attacker)
	a.check(runsOf(a.t, a.attacker) > runs, "memory over the limit: the bot was killed and started again", "")
	a.unharmed("memory over the limit", stopNeighbour, stopVictim)
	if a.level == baas.IsolationContainer { // a sandbox is one process of the host, and ends as a whole
		a.check(runsOf(a.t, a.sibling) == siblingRuns, "memory over the limit: the other bot of the same Worker runs on", "")
		a.check(machine == a.started(a.home.ID), "memory over the limit: the agent runs on", "")
	} else {
		a.comesBack(a.sibling)
	}
}

func (a *attackRun) unharmed(what string, stops ...func() (int, []string)) {
	for i, who := range []string{"the tenant's other Worker", "another tenant's Worker"} {
		asked, wrong := stops[i]()
		a.check(asked > 0 && len(wrong) == 0, what+": "+who+" answers all along", "%d requests, %d failed %v", asked, len(wrong), wrong[:min(3, len(wrong))])
	}
}

func (a *attackRun) comesBack(b baas.Bot) {
	a.t.Helper()
	eventually(a.t, 5*time.Minute, b.Name+" to answer again", func() error {
		var greeting string
		return ask(a.t.Context(), http.MethodGet, b.URL+"ping", &greeting)
	})
}

// forkBomb starts processes without end.
func (a *attackRun) forkBomb() {
	stopNeighbour, stopVictim := steady(a.t, a.neighbour), steady(a.t, a.victim)
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	status, answer, err := post(ctx, with(a.attacker, "fork"), "")
	limit, _ := a.processes(a.home.ID, "sleep")
	a.check(true, "fork bomb: how far it got", "%s processes of at most %d (%d %v)", strings.TrimSpace(answer), limit, status, err)
	if a.level == baas.IsolationContainer {
		var n int
		_, _ = fmt.Sscan(answer, &n)
		a.check(n < limit, "fork bomb: it is held by the limit", "%d of %d", n, limit)
	}
	_, err = a.mine.StopBot(a.t.Context(), a.attacker.ID)
	must(a.t, err)
	eventually(a.t, 3*time.Minute, "the bot to be stopped", func() error { // its agent may have to wait for a busy disk
		b, err := a.mine.Bot(a.t.Context(), a.attacker.ID)
		if err != nil || b.Status.State != baas.BotStopped {
			return fmt.Errorf("it is %s (%s) %w", b.Status.State, b.Status.Reason, err)
		}
		return nil
	})
	_, left := a.processes(a.home.ID, "sleep")
	a.check(left == 0, "fork bomb: the bot can be stopped, and all of it goes", "%d processes left", left)
	a.unharmed("fork bomb", stopNeighbour, stopVictim)
	_, err = a.mine.StartBot(a.t.Context(), a.attacker.ID)
	must(a.t, err)
	a.comesBack(a.attacker)
	a.comesBack(a.sibling)
}

// disk fills the volume, and the memory that /tmp lies in.
func (a *attackRun) disk() {
	stopNeighbour, stopVictim := steady(a.t, a.neighbour), steady(a.t, a.victim)
	ctx, cancel := context.WithTimeout(a.t.Context(), 3*time.Minute)
	defer cancel()
	_, said, err := post(ctx, with(a.attacker, "fill"), "") // it is stopped while it does
	eventually(a.t, time.Minute, "the full disk to be noticed", func() error {
		w, err := a.mine.Worker(a.t.Context(), a.home.ID)
		if err != nil || w.Status.State != baas.WorkerDegraded || !strings.Contains(w.Status.Reason, "disk is full") {
			return fmt.Errorf("%s %s %w", w.Status.State, w.Status.Reason, err)
		}
		return nil
	})
	used := diskUse(a.t, a.volume(a.home.ID))
	most := int64(2 << 30)
	if a.level == baas.IsolationSandbox {
		most = 4 << 30 // its kernel schedules the agent no sooner than the bot that writes
	}
	a.check(used < most, "disk fill: the Worker is stopped near its limit of 1 GiB", "%.2f GiB used; the bot heard %s %v", float64(used)/(1<<30), strings.TrimSpace(said), err)
	a.unharmed("disk fill", stopNeighbour, stopVictim)
	w, err := a.mine.Worker(a.t.Context(), a.home.ID)
	must(a.t, err)
	larger := w.Size
	larger.DiskGiB = 4
	_, err = a.mine.ResizeWorker(a.t.Context(), w.ID, w.Version, larger)
	must(a.t, err)
	a.comesBack(a.attacker)
	a.check(true, "disk fill: a larger disk brings the bots back", "")
	_, _, err = post(a.t.Context(), with(a.attacker, "unfill"), "")
	must(a.t, err)

	stopNeighbour, stopVictim = steady(a.t, a.neighbour), steady(a.t, a.victim)
	machine := a.started(a.home.ID)
	_, said, err = post(ctx, with(a.attacker, "fill", "dir", "/tmp"), "")
	if a.level == baas.IsolationContainer {
		a.check(strings.Contains(said, "no space left"), "filling /tmp ends at its bound, below the Worker's memory", "%s %v", strings.TrimSpace(said), err)
		a.check(machine == a.started(a.home.ID), "filling /tmp: the agent runs on", "")
	}
	a.comesBack(a.attacker)
	a.unharmed("filling /tmp", stopNeighbour, stopVictim)
}

func diskUse(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	must(t, walkFiles(dir, func(_ string, size int64) { bytes += size }))
	return bytes
}
