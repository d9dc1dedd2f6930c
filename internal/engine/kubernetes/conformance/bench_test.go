package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/kubernetes"
)

func percentile(ds []time.Duration, p float64) time.Duration {
	slices.Sort(ds)
	return ds[min(int(float64(len(ds))*p), len(ds)-1)]
}

// BenchmarkCreate compares a Worker that the engine makes with the same StatefulSet and claim applied directly, in
// turns, each until the container runs, and until the cluster has been told everything. A kubelet looks at its pods once
// a second. What begins when something before it has just been seen to end would always begin at the same moment of that
// second, and differ by a whole one or not at all for a millisecond more or less: so each begins at a moment of its own.
func BenchmarkCreate(b *testing.B) {
	c := newCluster(b)
	var sent atomic.Int64 // when the last StatefulSet was applied
	c.cfg.Transport = func(rt http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			res, err := rt.RoundTrip(r)
			if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/statefulsets/") {
				sent.Store(time.Now().UnixNano())
			}
			return res, err
		})
	}
	e := c.New(b)
	tenant := baas.NewID(baas.PrefixTenant)
	fresh := func() engine.Machine {
		m := machine(c)
		m.TenantID, m.Plan = tenant, baas.Plan{}
		return m
	}
	first := fresh() // the namespace is there in both cases
	ensure(b, e, first)
	measured := map[string][]time.Duration{}
	note := func(name string, d time.Duration) { measured[name] = append(measured[name], d) }
	for b.Loop() {
		m := fresh()
		time.Sleep(rand.N(time.Second))
		begun := time.Now()
		ensure(b, e, m)
		note("ours", time.Since(begun))
		note("ours-told", time.Unix(0, sent.Load()).Sub(begun))
		set, claim, secret := c.manifests(b, m)
		if err := e.Remove(b.Context(), m.ID); err != nil {
			b.Fatal(err)
		}
		time.Sleep(rand.N(time.Second))
		begun = time.Now()
		c.apply(b, set, claim, secret)
		note("kubectl-told", time.Since(begun))
		c.awaitPod(b, set)
		note("kubectl", time.Since(begun))
		if err := e.Remove(b.Context(), m.ID); err != nil {
			b.Fatal(err)
		}
	}
	for name, ds := range measured {
		b.ReportMetric(float64(percentile(ds, 0.5).Milliseconds()), name+"-p50-ms")
		b.ReportMetric(float64(percentile(ds, 0.95).Milliseconds()), name+"-p95-ms")
	}
}

// manifests gives what a person would apply to get the same.
func (c *cluster) manifests(t testing.TB, m engine.Machine) (*appsv1.StatefulSet, *corev1.PersistentVolumeClaim, *corev1.Secret) {
	t.Helper()
	ns := namespace(c, m)
	set, err := c.api.AppsV1().StatefulSets(ns).Get(t.Context(), name(m.ID), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	claim, err := c.api.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), name(m.ID), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := c.api.CoreV1().Secrets(ns).List(t.Context(), c.selector(m.ID))
	if err != nil || len(secrets.Items) != 1 {
		t.Fatalf("%d secrets: %v", len(secrets.Items), err)
	}
	secret := &secrets.Items[0]
	plain := func(o metav1.ObjectMeta) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: o.Name, Namespace: o.Namespace, Labels: o.Labels}
	}
	claim.ObjectMeta, claim.Status, claim.Spec.VolumeName = plain(claim.ObjectMeta), corev1.PersistentVolumeClaimStatus{}, ""
	secret.ObjectMeta = plain(secret.ObjectMeta)
	set.ObjectMeta, set.Status = plain(set.ObjectMeta), appsv1.StatefulSetStatus{}
	return set, claim, secret
}

// apply does what kubectl apply --server-side does, without the time that the program takes to start.
func (c *cluster) apply(t testing.TB, set *appsv1.StatefulSet, claim *corev1.PersistentVolumeClaim, secret *corev1.Secret) {
	t.Helper()
	ns, opts := set.Namespace, metav1.PatchOptions{FieldManager: "kubectl"}
	body := func(kind, version string, o any) []byte {
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		m["kind"], m["apiVersion"] = kind, version
		delete(m, "status")
		if b, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
		return b
	}
	if _, err := c.api.CoreV1().PersistentVolumeClaims(ns).Patch(t.Context(), claim.Name, types.ApplyPatchType, body("PersistentVolumeClaim", "v1", claim), opts); err != nil {
		t.Fatal(err)
	}
	if _, err := c.api.CoreV1().Secrets(ns).Patch(t.Context(), secret.Name, types.ApplyPatchType, body("Secret", "v1", secret), opts); err != nil {
		t.Fatal(err)
	}
	if _, err := c.api.AppsV1().StatefulSets(ns).Patch(t.Context(), set.Name, types.ApplyPatchType, body("StatefulSet", "apps/v1", set), opts); err != nil {
		t.Fatal(err)
	}
}

// awaitPod waits until the StatefulSet's pod runs.
func (c *cluster) awaitPod(t testing.TB, set *appsv1.StatefulSet) {
	t.Helper()
	until(t, "the pod", time.Minute, func() bool {
		pods, err := c.api.CoreV1().Pods(set.Namespace).List(t.Context(), c.selector(set.Labels[labelWorker]))
		return err == nil && len(pods.Items) == 1 && len(pods.Items[0].Status.ContainerStatuses) == 1 &&
			pods.Items[0].Status.ContainerStatuses[0].State.Running != nil
	})
}

// BenchmarkScale makes many Workers on simulated nodes at once, and then looks at all of them without a reason, as the
// controllers do, for BAAS_BENCH_IDLE (1m). BAAS_BENCH_WORKERS (2000) are in ten times fewer tenants.
func BenchmarkScale(b *testing.B) {
	workers, idle := 2000, time.Minute
	if s := os.Getenv("BAAS_BENCH_WORKERS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		workers = n
	}
	if s := os.Getenv("BAAS_BENCH_IDLE"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			b.Fatal(err)
		}
		idle = d
	}
	c := newCluster(b)
	script(b, "kwok", strconv.Itoa(workers/100+2))
	c.cfg.Placement = map[string]kubernetes.Placement{"": {NodeSelector: map[string]string{"type": "simulated"},
		// Simulated nodes may seem away for a moment when the machine is busy.
		Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}}}
	c.cfg.StartWait = 5 * time.Minute
	var requests, waiting atomic.Int64
	c.cfg.Transport = func(rt http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			begun := time.Now()
			res, err := rt.RoundTrip(r)
			if r.URL.Query().Get("watch") == "" {
				requests.Add(1)
				waiting.Add(int64(time.Since(begun)))
			}
			return res, err
		})
	}
	e := c.New(b)
	machines := make([]engine.Machine, workers)
	var tenant string
	for i := range machines {
		if i%10 == 0 {
			tenant = baas.NewID(baas.PrefixTenant)
		}
		machines[i] = machine(c)
		machines[i].TenantID = tenant
		machines[i].Plan.Limits = baas.Limits{Workers: 10, CPUMillis: 10000, MemoryMiB: 10000, DiskGiB: 100}
	}
	for b.Loop() {
		begun, spent := time.Now(), cpuTime()
		each(b, machines, 256, func(ctx context.Context, m engine.Machine) error { return e.Ensure(ctx, m, nil) })
		took := time.Since(begun)
		report := func(value float64, unit string) {
			b.ReportMetric(value, unit)
			fmt.Fprintf(os.Stderr, "%12.2f %s\n", value, unit) // now, since taking all of it away takes long
		}
		report(took.Seconds(), "make-s")
		report((cpuTime()-spent).Seconds()/took.Seconds()*100, "make-cpu-%")
		report(float64(requests.Load())/float64(workers), "requests/worker")
		until(b, "settled machines", time.Minute, func() bool {
			for _, m := range machines {
				if !inspect(b, e, m).Current {
					return false
				}
			}
			return true
		})
		before, spent := requests.Load(), cpuTime()
		begun = time.Now()
		tick := time.NewTicker(idle / time.Duration(workers))
		for _, m := range machines {
			<-tick.C
			if !inspect(b, e, m).Current {
				b.Errorf("%s is not current", m.ID)
			}
		}
		tick.Stop()
		report((cpuTime()-spent).Seconds()/time.Since(begun).Seconds()*100, "idle-cpu-%")
		report(float64(requests.Load()-before), "idle-requests")
		report(float64(residentMiB(b)), "resident-MiB")
		each(b, machines, 256, func(ctx context.Context, m engine.Machine) error { return e.Remove(ctx, m.ID) })
	}
}

// each does something with all machines, some at once.
func each(b *testing.B, ms []engine.Machine, atOnce int, do func(context.Context, engine.Machine) error) {
	b.Helper()
	queue := make(chan engine.Machine)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for m := range queue {
				if err := do(b.Context(), m); err != nil {
					b.Errorf("%s: %v", m.ID, err)
				}
			}
		})
	}
	for _, m := range ms {
		queue <- m
	}
	close(queue)
	wg.Wait()
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func residentMiB(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			return kib >> 10
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
