package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/baas-platform/baas"
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
// else keeps things in the same namespaces. BAAS_CLUSTER_FAULTS is the number of faults (15 when unset).
func TestClusterFaults(t *testing.T) {
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
	// A pod's process has the cluster's cgroup; no other process of this machine is a bot of this scenario.
	watch := observeOnly(t, func(pid int) bool { return strings.Contains(cgroups(pid), "baas-kubernetes") })
	s := newStorm(t, "BAAS_CLUSTER_FAULTS", 15, 1, front, replicas, watch)
	foreign := c.foreign(t)
	f := &clusterFaults{replicaFaults: replicaFaults{chaos: chaos{storm: s}}, cluster: c}
	s.rage(time.Second, 5*time.Second, f.next)
	s.settle()
	eventually(t, orphans, "nothing on the cluster that is of no Worker, and nothing twice", func() error { return c.has(t.Context(), s.customers) })
	sum := s.reckon()
	foreign.untouched(t)
	if sum.acked < s.count/2 || sum.kept < s.count {
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

// next gives each of them in turn, at moments that differ.
func (f *clusterFaults) next(n int) fault {
	all := []fault{
		{"delete a pod", f.deletePod},
		{"delete a pod", f.deletePod},
		{"kill bot", f.killBot},
		{"kill the leader", f.killLeader},
		{"kill a replica", func() error { f.some().kill(); return nil }},
		{"restart kubelet", func() error { return f.part("restart", "kubelet") }},
		{"restart controllers", func() error { return f.part("restart", "controllers") }},
		{"restart scheduler", func() error { return f.part("restart", "scheduler") }},
		{"restart etcd", func() error { return f.part("restart", "etcd") }},
		{"API server away", f.apiServerAway},
	}
	return all[(n-1)%len(all)]
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

// away is longer than a lease or a watch lasts, or than a control plane that starts waits for the cluster.
const away = time.Minute

// apiServerAway takes the API server away while the other faults go on.
func (f *clusterFaults) apiServerAway() error {
	if err := f.part("stop", "apiserver", "-KILL"); err != nil {
		return err
	}
	f.later(away, func() {
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
