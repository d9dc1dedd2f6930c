package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/store/storetest"
)

const (
	labelInstallation = "baas-platform.github.io/installation"
	labelWorker       = "baas-platform.github.io/worker"
)

// cluster is one installation's part of a real cluster.
type cluster struct {
	api          kubernetes.Interface
	host         string // this machine, as pods see it
	installation string
	config       string // the engine's settings, a file
}

// newCluster gives the node an image of the product and writes the engine's settings, for agents that dial agentURL.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	kubeconfig, host := os.Getenv("BAAS_TEST_KUBECONFIG"), os.Getenv("BAAS_TEST_KUBERNETES_HOST")
	if kubeconfig == "" || host == "" {
		t.Fatal(`this needs a cluster: eval "$(test/kubernetes/cluster.sh up)" starts one`)
	}
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	must(t, err)
	rest.QPS, rest.Burst = 200, 400
	api, err := kubernetes.NewForConfig(rest)
	must(t, err)
	c := &cluster{api: api, host: host, installation: "e2e-" + strings.ToLower(baas.NewID("x")[20:]), config: filepath.Join(t.TempDir(), "kubernetes.yaml")}
	t.Cleanup(func() { c.clean(t) })
	c.script(t, "image", "baas.local/baas:"+c.installation, binary, "/.baas/baas")
	return c
}

// environment is what a control plane is told, for agents that dial the address.
func (c *cluster) environment(t *testing.T, agents string) []string {
	t.Helper()
	must(t, os.WriteFile(c.config, fmt.Appendf(nil, "kubeconfig: %s\ninstallation: %s\nimage: baas.local/baas:%[2]s\nagentURL: ws://%s\n"+
		"cpuRequestPercent: 5\nmemoryRequestPercent: 25\nstopTimeout: 10s\n", os.Getenv("BAAS_TEST_KUBECONFIG"), c.installation, agents), 0o600))
	return []string{"BAAS_KUBERNETES_CONFIG=" + c.config, "BAAS_AGENT_URL=ws://" + agents}
}

// script is what makes and breaks the cluster.
func (c *cluster) script(t *testing.T, args ...string) {
	t.Helper()
	if out, err := c.run(t.Context(), args...); err != nil {
		t.Fatalf("cluster.sh %v: %v\n%s", args, err, out)
	}
}

func (c *cluster) run(ctx context.Context, args ...string) ([]byte, error) {
	return exec.CommandContext(ctx, "../test/kubernetes/cluster.sh", args...).CombinedOutput()
}

func (c *cluster) selected(worker string) metav1.ListOptions {
	s := labelInstallation + "=" + c.installation
	if worker != "" {
		s += "," + labelWorker + "=" + worker
	}
	return metav1.ListOptions{LabelSelector: s}
}

// containers names the containers of a Worker's pod; each start of one has another name.
func (c *cluster) containers(t *testing.T, worker string) string {
	t.Helper()
	pods, err := c.api.CoreV1().Pods("").List(t.Context(), c.selected(worker))
	must(t, err)
	var names []string
	for _, p := range pods.Items {
		for _, s := range p.Status.ContainerStatuses {
			names = append(names, string(p.UID)+" "+s.ContainerID)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// of lists what the cluster has of a Worker.
func (c *cluster) of(t *testing.T, worker string) []string {
	t.Helper()
	all, err := c.things(t.Context())
	must(t, err)
	var names []string
	for _, th := range all {
		if th.worker == worker {
			names = append(names, th.kind)
		}
	}
	return names
}

// thing is an object of a Worker.
type thing struct{ kind, worker string }

// things lists what the installation has of Workers; what is in a namespace that is on its way out isn't there.
func (c *cluster) things(ctx context.Context) (all []thing, err error) {
	spaces, err := c.api.CoreV1().Namespaces().List(ctx, c.selected(""))
	if err != nil {
		return nil, err
	}
	for _, ns := range spaces.Items {
		if ns.DeletionTimestamp != nil {
			continue
		}
		pods, err := c.api.CoreV1().Pods(ns.Name).List(ctx, c.selected(""))
		if err != nil {
			return nil, err
		}
		for _, o := range pods.Items {
			all = append(all, thing{"pod", o.Labels[labelWorker]})
		}
		sets, err := c.api.AppsV1().StatefulSets(ns.Name).List(ctx, c.selected(""))
		if err != nil {
			return nil, err
		}
		for _, o := range sets.Items {
			all = append(all, thing{"set", o.Labels[labelWorker]})
		}
		claims, err := c.api.CoreV1().PersistentVolumeClaims(ns.Name).List(ctx, c.selected(""))
		if err != nil {
			return nil, err
		}
		for _, o := range claims.Items {
			all = append(all, thing{"claim", o.Labels[labelWorker]})
		}
		secrets, err := c.api.CoreV1().Secrets(ns.Name).List(ctx, c.selected(""))
		if err != nil {
			return nil, err
		}
		for _, o := range secrets.Items {
			all = append(all, thing{"secret", o.Labels[labelWorker]})
		}
	}
	return all, nil
}

// clean removes what the scenario has left.
func (c *cluster) clean(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	spaces, err := c.api.CoreV1().Namespaces().List(ctx, c.selected(""))
	if err != nil {
		t.Errorf("cleaning the cluster: %v", err)
		return
	}
	for _, ns := range spaces.Items {
		if err := c.api.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("cleaning the cluster: %v", err)
		}
	}
}

// TestClusterMainJob is the main job on a real cluster, whose network reaches this machine.
func TestClusterMainJob(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	agents := freeAddress(t, c.host)
	p := newPlatform(t, "kubernetes", append(c.environment(t, agents), "BAAS_AGENT_LISTEN="+agents)...)
	p.cluster = c
	mainJob(t, p)
	eventually(t, time.Minute, "the tenant's namespace to go with its last Worker", func() error {
		spaces, err := c.api.CoreV1().Namespaces().List(t.Context(), c.selected(""))
		if err == nil && len(spaces.Items) > 0 {
			err = fmt.Errorf("%d are left, the first %s", len(spaces.Items), spaces.Items[0].Status.Phase)
		}
		return err
	})
}

// TestClusterFaults has two control planes drive a real cluster whose parts are killed, while customers work and somebody
// else keeps things in the same namespaces. BAAS_CLUSTER_FAULTS is the number of faults (15 when unset), BAAS_SEED repeats
// a run's choices.
func TestClusterFaults(t *testing.T) {
	count, seed := number(t, "BAAS_CLUSTER_FAULTS", 15), number(t, "BAAS_SEED", time.Now().UnixNano())
	t.Logf("%d faults, BAAS_SEED=%d", count, seed)
	files, err := probeFiles()
	must(t, err)
	c := newCluster(t)
	agents := newBalancer(t, "tcp", net.JoinHostPort(c.host, "0"))
	public := newBalancer(t, "tcp", "127.0.0.1:0")
	env := append(c.environment(t, agents.l.Addr().String()), "BAAS_DATABASE_URL="+storetest.Postgres(t), "BAAS_MASTER_KEY="+masterKey(),
		"BAAS_PUBLIC_URL=http://"+public.l.Addr().String())
	var replicas []*platform
	for range 2 {
		p := newPlatform(t, "kubernetes", append(env, "BAAS_REPLICA_LISTEN="+freeAddress(t, "127.0.0.1"))...)
		p.cluster = c
		replicas = append(replicas, p)
		public.only(append(public.to, p.setting("BAAS_LISTEN"))...)
		agents.only(append(agents.to, p.setting("BAAS_AGENT_LISTEN"))...)
	}
	front := &platform{t: t, engine: "kubernetes", url: "http://" + public.l.Addr().String(), log: &logBuffer{}, cluster: c}
	log := &journal{began: time.Now()}
	t.Cleanup(func() {
		for _, p := range replicas {
			p.kill()
		}
		if name := os.Getenv("BAAS_JOURNAL"); name != "" {
			must(t, os.WriteFile(name, []byte(log.String()), 0o600))
			for i, p := range replicas {
				must(t, os.WriteFile(fmt.Sprintf("%s.%d.log", name, i), []byte(p.log.String()), 0o600))
			}
		} else if t.Failed() {
			t.Logf("BAAS_SEED=%d; journal:\n%s", seed, log)
		}
	})
	var customers []*customer
	for i, tenant := range []*client.Tenant{front.tenant("Acme", baas.PlanEnterprise), front.tenant("Globex", baas.PlanEnterprise)} {
		customers = append(customers, &customer{t: t, name: string(rune('A' + i)), api: tenant, journal: log, files: files,
			rng: rand.New(rand.NewPCG(uint64(seed), uint64(i+1)))})
	}
	watch := observeOnly(t, func(pid int) bool { return strings.Contains(cgroups(pid), "baas-kubernetes") })
	var control []*supervisor
	for _, p := range replicas {
		control = append(control, supervise(t, p))
	}
	work, rest := context.WithCancel(t.Context())
	defer rest()
	var working sync.WaitGroup
	for _, cu := range customers {
		working.Go(func() { cu.live(work) })
	}
	foreign := c.foreign(t)

	f := &clusterFaults{replicaFaults: replicaFaults{chaos: chaos{t: t, rng: rand.New(rand.NewPCG(uint64(seed), 0)), journal: log, observer: watch,
		counts: map[string]int{}}, control: control}, cluster: c}
	for n := range int(count) {
		pause := time.NewTimer(f.between(time.Second, 5*time.Second))
		select {
		case <-pause.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
		f.one(n + 1)
	}
	f.undoing.Wait()
	log.note("fault", "the last one is over")
	rest()
	working.Wait()
	quiet := time.Now()
	front.settled(customers, watch)
	t.Logf("all was as desired %.1f s after the last change", time.Since(quiet).Seconds())
	eventually(t, orphans, "nothing on the cluster that is of no Worker, and nothing twice", func() error { return c.has(t.Context(), customers) })
	acked, kept := 0, 0
	for _, cu := range customers {
		cu.verify(t.Context())
		acked += cu.acked
		for _, b := range cu.bots {
			b.told.end()
			if b.told != nil {
				cu.toldOnce(b)
				kept += len(b.told.kept)
			}
		}
	}
	twice, looks, runs := watch.report()
	for _, line := range twice[:min(len(twice), 20)] {
		t.Errorf("two copies of a bot: %s", line)
	}
	foreign.untouched(t)
	t.Logf("faults: %v; %d changes acknowledged; %d runs of bots in %d looks; %d things told to bots and kept", f.counts, acked, runs, looks, kept)
	if acked < int(count)/2 || kept < int(count) {
		t.Error("that was no steady load")
	}
}

func cgroups(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)) // it may have ended
	return string(b)
}

// has says what is wrong about what the cluster has of Workers: each has one claim, one StatefulSet and one Secret, and a
// pod if it should run; nothing else has any.
func (c *cluster) has(ctx context.Context, customers []*customer) error {
	all, err := c.things(ctx)
	if err != nil {
		return err
	}
	have := map[thing]int{}
	for _, th := range all {
		have[th]++
	}
	var errs []error
	for _, cu := range customers {
		for _, w := range cu.workers {
			for _, kind := range []string{"claim", "set", "secret", "pod"} {
				th, want := thing{kind, w.id}, 1
				if kind == "pod" && w.desired == baas.DesiredStopped {
					want = 0
				}
				if have[th] != want {
					errs = append(errs, fmt.Errorf("%s has %d of %s; should be %d", w.id, have[th], kind, want))
				}
				delete(have, th)
			}
		}
	}
	for th, n := range have {
		errs = append(errs, fmt.Errorf("%d of %s of %s, which is deleted or never was", n, th.kind, th.worker))
	}
	return errors.Join(errs...)
}

// clusterFaults harms a cluster and its control planes at random.
type clusterFaults struct {
	replicaFaults
	cluster *cluster
}

func (f *clusterFaults) one(n int) {
	all := []struct {
		name string
		do   func() error
	}{
		{"delete a pod", f.deletePod},
		{"delete a pod", f.deletePod},
		{"kill bot", f.killBot},
		{"kill the leader", f.killLeader},
		{"kill a replica", func() error { f.control[f.rng.IntN(len(f.control))].kill(); return nil }},
		{"restart kubelet", func() error { return f.part("restart", "kubelet") }},
		{"restart controllers", func() error { return f.part("restart", "controllers") }},
		{"restart scheduler", func() error { return f.part("restart", "scheduler") }},
		{"restart etcd", func() error { return f.part("restart", "etcd") }},
		{"API server away", f.apiServerAway},
	}
	fault := all[(n-1)%len(all)] // each of them in turn, at moments that differ
	f.journal.note("fault", "%d: %s", n, fault.name)
	f.counts[fault.name]++
	if err := fault.do(); err != nil {
		f.journal.note("fault", "%s: %v", fault.name, err)
	}
}

func (f *clusterFaults) part(args ...string) error {
	out, err := f.cluster.run(context.WithoutCancel(f.t.Context()), args...)
	if err != nil {
		return fmt.Errorf("cluster.sh %v: %w: %s", args, err, out)
	}
	return nil
}

func (f *clusterFaults) killLeader() error {
	for _, s := range f.control {
		if s.p.leads() {
			s.kill()
		}
	}
	return nil
}

// deletePod deletes a pod of a Worker, as a drained node or a person does.
func (f *clusterFaults) deletePod() error {
	pods, err := f.cluster.api.CoreV1().Pods("").List(f.t.Context(), f.cluster.selected(""))
	if err != nil || len(pods.Items) == 0 {
		return errors.Join(errNobody, err)
	}
	p := pods.Items[f.rng.IntN(len(pods.Items))]
	grace := int64(1 + f.rng.IntN(5))
	f.journal.note("fault", "pod %s, with %d s", p.Name, grace)
	return f.cluster.api.CoreV1().Pods(p.Namespace).Delete(f.t.Context(), p.Name, metav1.DeleteOptions{GracePeriodSeconds: &grace})
}

// apiServerAway takes it away for longer than a lease or a watch lasts.
func (f *clusterFaults) apiServerAway() error {
	if err := f.part("stop", "apiserver", "-KILL"); err != nil {
		return err
	}
	f.undoing.Add(1)
	time.AfterFunc(20*time.Second, func() {
		defer f.undoing.Done()
		if err := f.part("start", "apiserver"); err != nil {
			f.t.Errorf("starting the API server: %v", err)
		}
	})
	return nil
}

// foreignThings are objects that belong to somebody else.
type foreignThings struct {
	c    *cluster
	maps map[string]corev1.ConfigMap // by namespace
}

// foreign puts a thing of somebody else into a namespace of its own and into every client's.
func (c *cluster) foreign(t *testing.T) *foreignThings {
	t.Helper()
	f := &foreignThings{c: c, maps: map[string]corev1.ConfigMap{}}
	own := c.installation + "-of-others" // beginning as a client's would
	_, err := c.api.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: own,
		Labels: map[string]string{labelInstallation: "another"}}}, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		_ = c.api.CoreV1().Namespaces().Delete(context.WithoutCancel(t.Context()), own, metav1.DeleteOptions{}) // what is left of a test cluster goes with it
	})
	f.put(t, own)
	eventually(t, time.Minute, "both clients to have namespaces", func() error {
		spaces, err := c.api.CoreV1().Namespaces().List(t.Context(), c.selected(""))
		if err == nil && len(spaces.Items) < 2 {
			err = fmt.Errorf("there are %d", len(spaces.Items))
		}
		return err
	})
	spaces, err := c.api.CoreV1().Namespaces().List(t.Context(), c.selected(""))
	must(t, err)
	for _, ns := range spaces.Items {
		f.put(t, ns.Name)
	}
	return f
}

func (f *foreignThings) put(t *testing.T, ns string) {
	t.Helper()
	// With a label that looks like ours, and isn't.
	m, err := f.c.api.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "theirs",
		Labels: map[string]string{labelWorker: "wrk_of_others"}}, Data: map[string]string{"keep": "this"}}, metav1.CreateOptions{})
	must(t, err)
	f.maps[ns] = *m
}

func (f *foreignThings) untouched(t *testing.T) {
	t.Helper()
	for ns, was := range f.maps {
		is, err := f.c.api.CoreV1().ConfigMaps(ns).Get(t.Context(), was.Name, metav1.GetOptions{})
		if err != nil || is.UID != was.UID || is.ResourceVersion != was.ResourceVersion {
			t.Errorf("somebody else's thing in %s was touched: %v", ns, err)
		}
	}
}
