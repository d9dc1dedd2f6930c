package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/enginetest"
)

func (b *bench) machine(t *testing.T, e *Engine, tenant string, change ...func(*engine.Machine)) (engine.Machine, *enginetest.Probe) {
	t.Helper()
	m := engine.Machine{
		ID: baas.NewID(baas.PrefixWorker), TenantID: tenant, Name: "Operações", Isolation: baas.IsolationContainer,
		Size: baas.Size{CPUMillis: 500, MemoryMiB: 128, DiskGiB: 1}, AgentToken: "token",
	}
	for _, c := range change {
		c(&m)
	}
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	return m, b.control.Probe(t, m.ID)
}

func (b *bench) inspect(t *testing.T, id string) container.InspectResponse {
	t.Helper()
	res, err := b.api.ContainerInspect(t.Context(), b.cfg.Installation+"-"+id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return res.Container
}

// listen serves on a port of this host until the test ends.
func listen(t *testing.T, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return l.Addr().String()
}

func testReach(t *testing.T, b *bench, level baas.Isolation) {
	e := b.New(t)
	at := func(m *engine.Machine) { m.Isolation = level }
	tenant, other := baas.NewID(baas.PrefixTenant), baas.NewID(baas.PrefixTenant)
	m, attacker := b.machine(t, e, tenant, at)
	_, sibling := b.machine(t, e, tenant, at)
	_, stranger := b.machine(t, e, other, at)

	host, err := AgentHost(t.Context(), b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	gateway := b.inspect(t, m.ID).NetworkSettings.Networks[e.networkName(tenant)].Gateway
	_, open, err := net.SplitHostPort(listen(t, "0.0.0.0:0"))
	if err != nil {
		t.Fatal(err)
	}
	at2 := func(p *enginetest.Probe) string {
		_, port, err := net.SplitHostPort(p.Must(t, "listen", "0.0.0.0:0", ""))
		if err != nil {
			t.Fatal(err)
		}
		return net.JoinHostPort(p.Must(t, "address", "", ""), port)
	}
	forbidden := map[string]string{
		"a port of the host, at the bridge":          net.JoinHostPort(gateway.String(), open),
		"a port of the host, at the agents' address": net.JoinHostPort(host.String(), open),
		"the agent port at another address":          net.JoinHostPort(gateway.String(), fmt.Sprint(b.control.Port)),
		"another Worker of the tenant":               at2(sibling),
		"a Worker of another tenant":                 at2(stranger),
		"the metadata service":                       "169.254.169.254:80",
		"another metadata service":                   "100.100.100.200:80",
		"another host of the pool":                   netip.AddrPortFrom(lastOf(b.cfg.Pool), 80).String(),
	}
	for _, addr := range hostAddresses(t) {
		forbidden["the host at "+addr] = net.JoinHostPort(addr, open)
	}
	agents := net.JoinHostPort(host.String(), fmt.Sprint(b.control.Port))
	addrs := append(slices.Collect(maps.Values(forbidden)), agents)
	reached := strings.Fields(attacker.Must(t, "dial", strings.Join(addrs, " "), ""))
	for what, addr := range forbidden {
		if slices.Contains(reached, addr) {
			t.Errorf("a Worker reaches %s (%s)", what, addr)
		}
	}
	if !slices.Contains(reached, agents) {
		t.Error("a Worker doesn't reach the agent listener")
	}
	// Nothing answers at the metadata addresses here, so it takes the counters to see that the rules held them back.
	for _, addr := range []string{"169.254.0.0/16", "100.100.100.200"} {
		if n := dropped(t, e, addr); n == 0 {
			t.Errorf("no packet to %s was dropped by the rules", addr)
		}
	}
	if _, err := attacker.Do(t, "read", "/var/run/docker.sock", ""); err == nil {
		t.Error("a Worker sees the engine's socket")
	}
}

// dropped counts the packets that the rule for a destination has dropped.
func dropped(t *testing.T, e *Engine, to string) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "nft", "list", "table", "inet", e.tableName()).CombinedOutput()
	if err != nil {
		t.Fatalf("nft, from the package nftables: %v\n%s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "ip daddr "+to+" counter packets ")
	n, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
	if err != nil {
		t.Fatalf("no rule for %s:\n%s", to, out)
	}
	return n
}

func lastOf(p netip.Prefix) netip.Addr {
	return after(p).Prev().Prev()
}

func hostAddresses(t *testing.T) (addrs []string) {
	t.Helper()
	list, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && len(addrs) < 5 {
			addrs = append(addrs, n.IP.String())
		}
	}
	return addrs
}

func TestWorkersReachOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	testReach(t, newBench(t), baas.IsolationContainer)
}

func TestSandboxesReachOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.needSandbox(t)
	testReach(t, b, baas.IsolationSandbox)
}

// Without the rules the same dial succeeds, so the test above would fail without them.
func TestTheGuardIsWhatKeepsWorkersFromTheHost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	tenant := baas.NewID(baas.PrefixTenant)
	m, p := b.machine(t, e, tenant)
	gateway := b.inspect(t, m.ID).NetworkSettings.Networks[e.networkName(tenant)].Gateway
	_, open, err := net.SplitHostPort(listen(t, "0.0.0.0:0"))
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort(gateway.String(), open)
	if p.Must(t, "dial", addr, "") != "" {
		t.Fatal("a Worker reaches the host although the rules are set")
	}
	if err := e.runNetguard(t.Context(), "remove", e.tableName()); err != nil {
		t.Fatal(err)
	}
	if p.Must(t, "dial", addr, "") == "" {
		t.Error("without the rules the host can't be reached either: the test proves nothing")
	}
	if err := e.applyGuard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.Must(t, "dial", addr, "") != "" {
		t.Error("a Worker reaches the host after the rules were set again")
	}
}

func TestRulesThatCanNotBeSetStopNewMachines(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	// The rules name the agent's address, which this isn't.
	e.agentURL = "ws://"
	e.guard.done = false
	m := engine.Machine{
		ID: baas.NewID(baas.PrefixWorker), TenantID: baas.NewID(baas.PrefixTenant), Isolation: baas.IsolationContainer,
		Size: baas.DefaultSize, AgentToken: "token",
	}
	if err := e.Ensure(t.Context(), m, nil); err == nil {
		t.Error("a machine was made without firewall rules")
	}
	if left := b.leftovers(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	c, err := e.Capabilities(t.Context())
	if err != nil || !strings.Contains(fmt.Sprint(c.Warnings), "metadata") {
		t.Errorf("no warning about it: %v %v", c.Warnings, err)
	}
	e.cfg.AllowUnguarded = true
	m.AgentURL = b.control.URL
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Errorf("Ensure where that is allowed: %v", err)
	}
}

// What CIS Docker Benchmark (section 5) and Pod Security "restricted" ask of a container, read back from the engine and
// from inside.
func TestHardening(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	for _, image := range []string{"", b.image} {
		m, p := b.machine(t, e, baas.NewID(baas.PrefixTenant), func(m *engine.Machine) { m.Image = image })
		c := b.inspect(t, m.ID)
		h := c.HostConfig
		for item, ok := range map[string]bool{
			"5.1 no unconfined AppArmor or seccomp":    !strings.Contains(strings.Join(h.SecurityOpt, " "), "unconfined"),
			"5.3 all capabilities dropped":             len(h.CapAdd) == 0 && len(h.CapDrop) == 1 && h.CapDrop[0] == "ALL",
			"5.4 not privileged":                       !h.Privileged,
			"5.5 no host directories mounted":          onlyVolumes(c.Mounts) && len(h.Binds) == 0,
			"5.8 no published ports":                   len(h.PortBindings) == 0 && !h.PublishAllPorts,
			"5.9 network namespace of its own":         h.NetworkMode != "host",
			"5.10 memory limited":                      h.Memory == 128<<20,
			"5.11 CPU limited":                         h.NanoCPUs == 500e6,
			"5.12 root file system read-only":          h.ReadonlyRootfs,
			"5.15 PID namespace of its own":            h.PidMode == "",
			"5.16 IPC namespace of its own":            h.IpcMode == container.IPCModePrivate,
			"5.17 no devices":                          len(h.Devices) == 0,
			"5.18 ulimits set":                         len(h.Ulimits) > 0,
			"5.20 UTS namespace of its own":            h.UTSMode == "",
			"5.25 no new privileges":                   strings.Contains(strings.Join(h.SecurityOpt, " "), "no-new-privileges"),
			"5.28 processes limited":                   h.PidsLimit != nil && *h.PidsLimit > 0,
			"5.30 user namespace not the host's by us": h.UsernsMode == "",
			"not root":                        c.Config.User == "65532:65532",
			"the image's command is not run":  c.Path == agentPath && len(c.Args) == 1 && c.Args[0] == "agent",
			"the image's health check is off": c.State.Health == nil || c.State.Health.Status == "none",
			"no swap besides the memory":      h.MemorySwap == h.Memory || h.MemorySwap == 0,
		} {
			if !ok {
				t.Errorf("image %q: %s: not so", image, item)
			}
		}
		if got := p.Must(t, "user", "", ""); got != "65532:65532" {
			t.Errorf("image %q runs as %s", image, got)
		}
		status := p.Must(t, "read", "/proc/self/status", "")
		for _, want := range []string{"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
			if !strings.Contains(status, want) {
				t.Errorf("image %q: inside, %s is not so", image, want)
			}
		}
		for _, path := range []string{"/x", "/etc/passwd", "/.baas/baas", "/.baas/x", "/proc/sys/kernel/hostname"} {
			if _, err := p.Do(t, "write", path, "x"); err == nil {
				t.Errorf("image %q: %s can be written", image, path)
			}
		}
		for _, path := range []string{dataDir + "/x", "/tmp/x"} {
			p.Must(t, "write", path, "x")
		}
		if out, err := p.Do(t, "read", dataDir+"/theirs", ""); err == nil {
			t.Errorf("the image's files are on the volume: %s", out)
		}
		if home := p.Must(t, "env", "HOME", ""); home != dataDir {
			t.Errorf("image %q: HOME is %s", image, home)
		}
	}
}

func onlyVolumes(ms []container.MountPoint) bool {
	for _, m := range ms {
		if m.Type != mount.TypeVolume && m.Type != mount.TypeTmpfs {
			return false
		}
	}
	return true
}

func TestMemoryBelowItsUseIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	m, p := b.machine(t, e, baas.NewID(baas.PrefixTenant), func(m *engine.Machine) { m.Size.MemoryMiB = 512 })
	p.Must(t, "hold", "200", "")
	m.Size.MemoryMiB = 128
	err := e.Ensure(t.Context(), m, nil)
	var domain *baas.Error
	if !errors.As(err, &domain) || domain.Code != baas.CodeConflict || !strings.Contains(domain.Message, "128 MiB") {
		t.Fatalf("Ensure gives %v, want a conflict that says so", err)
	}
	s, err := e.Inspect(t.Context(), m)
	if err != nil || s.Size.MemoryMiB != 512 || s.Phase != engine.PhaseRunning || s.Current {
		t.Errorf("state after the refusal: %+v, %v", s, err)
	}
	m.Size.MemoryMiB = 384
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Errorf("lowering to what is enough: %v", err)
	}
}

func TestSizesOfAnotherWorldAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	for _, size := range []baas.Size{{CPUMillis: 64000, MemoryMiB: 128, DiskGiB: 1}, {CPUMillis: 100, MemoryMiB: baas.MaxSize.MemoryMiB, DiskGiB: 1}} {
		err := e.Ensure(t.Context(), engine.Machine{
			ID: baas.NewID(baas.PrefixWorker), TenantID: baas.NewID(baas.PrefixTenant), Isolation: baas.IsolationContainer, Size: size, AgentToken: "t",
		}, nil)
		if !errors.Is(err, baas.ErrUnsupported) {
			t.Errorf("size %+v gives %v, want ErrUnsupported", size, err)
		}
	}
	if left := b.leftovers(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// The engine itself starts an agent that ended, also while no control plane is there.
func TestAnAgentThatEndsComesBackByItself(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	m, p := b.machine(t, e, baas.NewID(baas.PrefixTenant))
	p.Must(t, "write", dataDir+"/note", "kept")
	before := b.inspect(t, m.ID).State.StartedAt
	e.Close()
	_, _ = p.Do(t, "exit", "3", "") // the answer is lost with it
	again := b.control.Probe(t, m.ID)
	if got := again.Must(t, "read", dataDir+"/note", ""); got != "kept" {
		t.Errorf("the volume has %q", got)
	}
	if after := b.inspect(t, m.ID).State.StartedAt; after == before {
		t.Error("it is still the same run")
	}
}

func TestForeignThingsStayUntouched(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	other := b.cfg.Installation + "-x" // its names begin like ours
	foreign := map[string]string{labelInstallation: other, labelKind: kindWorker, labelWorker: "wrk_theirs", labelTenant: "ten_theirs"}
	vol, err := b.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: other + "-wrk_theirs", Labels: foreign})
	if err != nil {
		t.Fatal(err)
	}
	network, err := b.api.NetworkCreate(ctx, other+"-ten_theirs", client.NetworkCreateOptions{Driver: "bridge", Labels: map[string]string{labelInstallation: other, labelKind: kindTenant, labelTenant: "ten_theirs"}})
	if err != nil {
		t.Fatal(err)
	}
	e := b.New(t)
	theirs, err := b.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: other + "-wrk_theirs", Config: &container.Config{Image: e.workerImage(), Labels: foreign},
		HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(other + "-ten_theirs")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		_, _ = b.api.ContainerRemove(ctx, theirs.ID, client.ContainerRemoveOptions{Force: true})
		_, _ = b.api.VolumeRemove(ctx, vol.Volume.Name, client.VolumeRemoveOptions{})
		_, _ = b.api.NetworkRemove(ctx, network.ID, client.NetworkRemoveOptions{})
	})

	m, _ := b.machine(t, e, baas.NewID(baas.PrefixTenant))
	list, err := e.List(ctx)
	if err != nil || len(list) != 1 || list[0].ID != m.ID {
		t.Errorf("List tells %+v, %v", list, err)
	}
	// Ids that lead to the foreign names.
	for _, id := range []string{"x-wrk_theirs"} {
		if err := e.Remove(ctx, id); err == nil {
			t.Errorf("Remove of %s took something of another installation", id)
		}
		if err := e.Stop(ctx, id); err == nil {
			t.Errorf("Stop of %s stopped something of another installation", id)
		}
		if err := e.Ensure(ctx, engine.Machine{ID: id, TenantID: "ten_x", Isolation: baas.IsolationContainer, Size: baas.DefaultSize, AgentToken: "t"}, nil); err == nil {
			t.Errorf("Ensure of %s took something of another installation", id)
		}
	}
	if err := e.Remove(ctx, m.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.api.ContainerInspect(ctx, theirs.ID, client.ContainerInspectOptions{}); err != nil {
		t.Errorf("the foreign container: %v", err)
	}
	if _, err := b.api.VolumeInspect(ctx, vol.Volume.Name, client.VolumeInspectOptions{}); err != nil {
		t.Errorf("the foreign volume: %v", err)
	}
	if _, err := b.api.NetworkInspect(ctx, network.ID, client.NetworkInspectOptions{}); err != nil {
		t.Errorf("the foreign network: %v", err)
	}
}

// A control plane that is killed at the wrong moment leaves a helper that has the Worker's volume, which the engine
// then refuses to remove.
func TestAHelperThatWasLeftKeepsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	m, _ := b.machine(t, e, baas.NewID(baas.PrefixTenant))
	leave := func(mounts ...mount.Mount) {
		_, err := b.api.ContainerCreate(t.Context(), client.ContainerCreateOptions{
			Config:     &container.Config{Image: e.workerImage(), Labels: e.labels(kindHelper)},
			HostConfig: &container.HostConfig{NetworkMode: "none", Mounts: mounts},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	leave(mount.Mount{Type: mount.TypeVolume, Source: e.machineName(m.ID), Target: dataDir})
	if err := e.Remove(t.Context(), m.ID); err != nil {
		t.Fatalf("removing the Worker: %v", err)
	}
	leave()
	if err := e.RemoveInstallation(t.Context()); err != nil {
		t.Fatalf("removing the installation: %v", err)
	}
	if left := b.leftovers(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestAnImageThatCanNotBePulledIsTheClientsToMend(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	m := engine.Machine{
		ID: baas.NewID(baas.PrefixWorker), TenantID: baas.NewID(baas.PrefixTenant), Isolation: baas.IsolationContainer,
		Size: baas.DefaultSize, AgentToken: "token", Image: "127.0.0.1:1/nobody/nothing:1",
	}
	err := e.Ensure(t.Context(), m, nil)
	var domain *baas.Error
	if !errors.As(err, &domain) || domain.Code != baas.CodeInvalid || !strings.Contains(domain.Message, m.Image) {
		t.Errorf("Ensure gives %v, want an error for the client that names the image", err)
	}
	if left := b.leftovers(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestAnEngineThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := New(ctx, Config{Host: "unix:///nonexistent/docker.sock", AgentListenPort: 1})
	if !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("New gives %v, want ErrUnavailable", err)
	}
}

// A restart of a Worker brings the agent of this control plane; until then the state says that it is old.
func TestANewAgentComesWithARestart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	m, _ := b.machine(t, e, baas.NewID(baas.PrefixTenant))
	newer := b.New(t)
	newer.binary.hash = "0123456789abcdef" // the control plane was updated
	s, err := newer.Inspect(t.Context(), m)
	if err != nil || !s.AgentOld || !s.Current {
		t.Fatalf("state under a newer control plane: %+v, %v; want an old agent in a current machine", s, err)
	}
	if err := newer.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if err := newer.Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	if s, err = newer.Inspect(t.Context(), m); err != nil || s.AgentOld {
		t.Errorf("state after a restart: %+v, %v", s, err)
	}
}

// An operator who tidies up must not break Workers for good.
func TestWhatWasTidiedAwayComesBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.New(t)
	withImage := func(m *engine.Machine) { m.Image = b.image }
	m, _ := b.machine(t, e, baas.NewID(baas.PrefixTenant), withImage)
	if err := e.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.api.ContainerRemove(t.Context(), b.cfg.Installation+"-"+m.ID, client.ContainerRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.api.VolumeRemove(t.Context(), e.agentVolume(), client.VolumeRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.api.ImageRemove(t.Context(), e.workerImage(), client.ImageRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.api.NetworkRemove(t.Context(), e.networkName(m.TenantID), client.NetworkRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := e.Ensure(t.Context(), m, nil)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("Ensure still gives %v", err)
		}
	}
	b.control.Probe(t, m.ID)
}
