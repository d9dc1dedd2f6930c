package conformance

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/enginetest"
	"github.com/baas-platform/baas/internal/engine/kubernetes"
)

const (
	labelInstallation = "baas-platform.github.io/installation"
	labelWorker       = "baas-platform.github.io/worker"
)

// cluster is one installation on the real cluster, which a test has for itself.
type cluster struct {
	t       testing.TB
	cfg     kubernetes.Config
	api     clientset.Interface
	control *enginetest.Control
	probe   string // the program that stands in for the agent
	other   string // an image without the agent
}

// script is what makes and breaks the cluster.
func script(t testing.TB, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "../../../../test/kubernetes/cluster.sh", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("cluster.sh %v: %v\n%s", args, err, out)
	}
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	kubeconfig, host := os.Getenv("BAAS_TEST_KUBECONFIG"), os.Getenv("BAAS_TEST_KUBERNETES_HOST")
	if kubeconfig == "" || host == "" {
		t.Fatal(`these tests need a cluster: eval "$(test/kubernetes/cluster.sh up)" starts one`)
	}
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	rest.QPS, rest.Burst = 200, 400
	api, err := clientset.NewForConfig(rest)
	if err != nil {
		t.Fatal(err)
	}
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatal(err)
	}
	name := "test-" + hex.EncodeToString(random[:])
	c := &cluster{t: t, api: api, control: enginetest.NewControl(t, host), other: "baas.local/other:" + name}
	c.probe = enginetest.BuildProbe(t)
	script(t, "image", "baas.local/worker:"+name, c.probe, "/.baas/baas")
	script(t, "image", c.other, c.probe, "/theirs")
	c.cfg = kubernetes.Config{
		Kubeconfig:   kubeconfig,
		Installation: name,
		Image:        "baas.local/worker:" + name,
		AgentURL:     c.control.URL,
		StopTimeout:  5 * time.Second,
		CPURequest:   10, // the node has few cores
		Log:          slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	t.Cleanup(func() { c.clean(t) })
	return c
}

func (c *cluster) New(t testing.TB) *kubernetes.Engine {
	t.Helper()
	e, err := kubernetes.New(t.Context(), c.cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	c.t.Cleanup(func() { e.Close() }) // the end of a subtest cleans with it
	return e
}

func (c *cluster) harness() enginetest.Harness {
	return enginetest.Harness{
		New:         func(t testing.TB) engine.Engine { return c.New(t) },
		Isolation:   "container",
		Control:     c.control,
		Data:        func(string) string { return "/data" },
		Identity:    c.identity,
		Kill:        c.kill,
		Leftovers:   c.leftovers,
		OtherImage:  c.other,
		Unsupported: "vm",
	}
}

func (c *cluster) selector(id string) metav1.ListOptions {
	l := map[string]string{labelInstallation: c.cfg.Installation}
	if id != "" {
		l[labelWorker] = id
	}
	return metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: l})}
}

// pod gives the Worker's only pod.
func (c *cluster) pod(t testing.TB, id string) *corev1.Pod {
	t.Helper()
	pods, err := c.api.CoreV1().Pods("").List(t.Context(), c.selector(id))
	if err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 {
		t.Fatalf("%s has %d pods", id, len(pods.Items))
	}
	return &pods.Items[0]
}

func (c *cluster) identity(t testing.TB, id string) string {
	t.Helper()
	p := c.pod(t, id)
	s := string(p.UID)
	for _, cs := range p.Status.ContainerStatuses {
		s += " " + cs.ContainerID
	}
	return s
}

func (c *cluster) kill(t testing.TB, id string) {
	t.Helper()
	p := c.pod(t, id)
	now := int64(1)
	if err := c.api.CoreV1().Pods(p.Namespace).Delete(t.Context(), p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
}

// leftovers lists what the installation has on the cluster. What is being deleted isn't there; what the cluster
// collects by itself, because its owner is gone, is given a moment.
func (c *cluster) leftovers(t testing.TB) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	for {
		names, collectable := c.things(t, ctx)
		if !collectable {
			return names
		}
		select {
		case <-ctx.Done():
			return names
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *cluster) things(t testing.TB, ctx context.Context) (names []string, collectable bool) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	opts := c.selector("")
	claims := map[string]bool{}
	add := func(kind string, o metav1.Object) {
		if o.GetDeletionTimestamp() == nil {
			names = append(names, fmt.Sprintf("%s %s/%s %s", kind, o.GetNamespace(), o.GetName(), o.GetLabels()[labelWorker]))
		}
	}
	terminating := map[string]bool{}
	nss, err := c.api.CoreV1().Namespaces().List(ctx, opts)
	must(err)
	for _, o := range nss.Items {
		add("namespace", &o)
		terminating[o.Name] = o.DeletionTimestamp != nil
	}
	pvcs, err := c.api.CoreV1().PersistentVolumeClaims("").List(ctx, opts)
	must(err)
	for _, o := range pvcs.Items {
		if !terminating[o.Namespace] {
			add("claim", &o)
			claims[o.Namespace+"/"+o.Name] = true
		}
	}
	sets, err := c.api.AppsV1().StatefulSets("").List(ctx, opts)
	must(err)
	for _, o := range sets.Items {
		if !terminating[o.Namespace] {
			add("set", &o)
		}
	}
	pods, err := c.api.CoreV1().Pods("").List(ctx, opts)
	must(err)
	for _, o := range pods.Items {
		if !terminating[o.Namespace] {
			add("pod", &o)
		}
	}
	secrets, err := c.api.CoreV1().Secrets("").List(ctx, opts)
	must(err)
	for _, o := range secrets.Items {
		if !terminating[o.Namespace] {
			add("secret", &o)
			collectable = collectable || !claims[o.Namespace+"/"+o.OwnerReferences[0].Name]
		}
	}
	return names, collectable
}

// clean removes what a failed test has left.
func (c *cluster) clean(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	nss, err := c.api.CoreV1().Namespaces().List(ctx, c.selector(""))
	if err != nil {
		t.Error(err)
		return
	}
	for _, o := range nss.Items {
		if o.DeletionTimestamp == nil {
			if err := c.api.CoreV1().Namespaces().Delete(ctx, o.Name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}
	}
}

// until waits for the condition.
func until(t testing.TB, what string, limit time.Duration, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %s", what, limit)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
