package kubernetes

import (
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// newEngine is an engine whose informers have seen the objects. It never runs anything: what a cluster does is tested
// on a real one, in package conformance.
func newEngine(t *testing.T, nodes ...*corev1.Node) *Engine {
	t.Helper()
	api := fake.NewClientset()
	api.Resources = []*metav1.APIResourceList{{GroupVersion: "v1"}}
	for _, n := range nodes {
		if err := api.Tracker().Add(n); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Config{Image: "platform:1", AgentURL: "ws://10.1.2.3:8081", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	e, err := newWith(t.Context(), cfg, api, api)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func node(ready corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n-" + strings.ToLower(string(ready))},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}}}
}

func worker(s corev1.ContainerState) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: container, Image: "example.com/bot:1", State: s}
}

func TestPodStates(t *testing.T) {
	e := newEngine(t, node(corev1.ConditionTrue), node(corev1.ConditionUnknown))
	began := metav1.NewTime(time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC))
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}}
	waiting := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	pod := func(phase corev1.PodPhase, nodeName string, cs ...corev1.ContainerStatus) corev1.Pod {
		return corev1.Pod{Spec: corev1.PodSpec{NodeName: nodeName}, Status: corev1.PodStatus{Phase: phase, ContainerStatuses: cs}}
	}
	with := func(p corev1.Pod, change func(*corev1.Pod)) corev1.Pod { change(&p); return p }
	now := metav1.Now()
	for _, c := range []struct {
		name           string
		pod            corev1.Pod
		phase          engine.Phase
		reason, detail string
		exit           int
		oom            bool
	}{
		{name: "running", pod: pod(corev1.PodRunning, "n-true", worker(running)), phase: engine.PhaseRunning},
		{name: "on a node that is away, it counts as running", pod: pod(corev1.PodRunning, "n-unknown", worker(running)), phase: engine.PhaseRunning,
			reason: "does not answer", detail: "n-unknown"},
		{name: "on a node that the cluster has forgotten", pod: pod(corev1.PodRunning, "n-gone", worker(running)), phase: engine.PhaseRunning, reason: "does not answer"},
		{name: "being ended", phase: engine.PhaseRunning, detail: "being ended",
			pod: with(pod(corev1.PodRunning, "n-true", worker(running)), func(p *corev1.Pod) { p.DeletionTimestamp = &now })},
		{name: "drained", phase: engine.PhaseRunning, reason: "moves it to another machine",
			pod: with(pod(corev1.PodRunning, "n-true", worker(running)), func(p *corev1.Pod) {
				p.DeletionTimestamp = &now
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI"}}
			})},
		{name: "evicted", phase: engine.PhaseStopped, reason: "short of resources", detail: "Evicted",
			pod: with(pod(corev1.PodFailed, "n-true"), func(p *corev1.Pod) {
				p.Status.Reason, p.Status.Message = "Evicted", "The node was low on resource: memory."
			})},
		{name: "evicted for what it wrote", phase: engine.PhaseStopped, reason: "temporary files",
			pod: with(pod(corev1.PodFailed, "n-true", worker(running)), func(p *corev1.Pod) {
				p.Status.Reason, p.Status.Message = "Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."
			})},
		{name: "out of memory", phase: engine.PhaseStopped, reason: "more memory than its limit", detail: "137", exit: 137, oom: true,
			pod: pod(corev1.PodRunning, "n-true", worker(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: reasonOOM}}))},
		{name: "ended", phase: engine.PhaseStopped, detail: "code 3", exit: 3,
			pod: pod(corev1.PodRunning, "n-true", worker(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}}))},
		{name: "ends again and again", phase: engine.PhaseFailed, reason: "again and again", detail: "back-off", exit: 137, oom: true,
			pod: with(pod(corev1.PodRunning, "n-true", worker(waiting("CrashLoopBackOff", "back-off 40s"))), func(p *corev1.Pod) {
				p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: reasonOOM}
			})},
		{name: "image missing", pod: pod(corev1.PodPending, "n-true", worker(waiting("ImagePullBackOff", "not found"))), phase: engine.PhaseFailed,
			reason: "example.com/bot:1 could not be fetched", detail: "not found"},
		{name: "the agent's image missing", phase: engine.PhaseFailed, reason: "platform:1 could not be fetched",
			pod: with(pod(corev1.PodPending, "n-true", worker(waiting("PodInitializing", ""))), func(p *corev1.Pod) {
				p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "agent", Image: "platform:1", State: waiting("ErrImagePull", "x")}}
			})},
		{name: "can't be started", pod: pod(corev1.PodPending, "n-true", worker(waiting("CreateContainerError", "bad"))), phase: engine.PhaseFailed, reason: "could not be started", detail: "bad"},
		{name: "the node hasn't read the Secret yet", phase: engine.PhaseStopped, detail: "timed out",
			pod: pod(corev1.PodPending, "n-true", worker(waiting("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition")))},
		{name: "no room", phase: engine.PhaseFailed, reason: "no room", detail: "Insufficient cpu",
			pod: with(pod(corev1.PodPending, ""), func(p *corev1.Pod) {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available: 3 Insufficient cpu."}}
			})},
		{name: "volume elsewhere", phase: engine.PhaseFailed, reason: "volume",
			pod: with(pod(corev1.PodPending, ""), func(p *corev1.Pod) {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available: 3 node(s) had volume node affinity conflict."}}
			})},
		{name: "on its way", pod: pod(corev1.PodPending, "n-true", worker(waiting("ContainerCreating", ""))), phase: engine.PhaseStopped, detail: "making the container"},
		{name: "waits for a node", pod: pod(corev1.PodPending, ""), phase: engine.PhaseStopped, detail: "waits for a node"},
		{name: "a resize waits", phase: engine.PhaseRunning, reason: "waits for room", detail: "Infeasible",
			pod: with(pod(corev1.PodRunning, "n-true", worker(running)), func(p *corev1.Pod) {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: corev1.PodReasonInfeasible}}
			})},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := e.state("wrk_1", view{pod: &c.pod})
			if s.Phase != c.phase || !strings.Contains(s.Reason, c.reason) || (c.reason == "" && s.Reason != "") || !strings.Contains(s.Detail, c.detail) ||
				s.ExitCode != c.exit || s.OOMKilled != c.oom {
				t.Errorf("got %+v", s)
			}
			if c.phase == engine.PhaseRunning && !s.StartedAt.Equal(began.Time) {
				t.Errorf("started at %s", s.StartedAt)
			}
		})
	}
}

func TestARefusedResizeOfBeforeIsNotTheNextOnes(t *testing.T) {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Generation: 2}, Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: corev1.PodReasonInfeasible, ObservedGeneration: 1}}}}
	if err := resizeRefused(p, baas.DefaultSize); err != nil {
		t.Errorf("an answer to generation 1 refuses generation 2: %v", err)
	}
	p.Status.Conditions[0].ObservedGeneration = 2
	if err := resizeRefused(p, baas.DefaultSize); err == nil {
		t.Error("not refused")
	}
}

func TestMarks(t *testing.T) {
	e := newEngine(t)
	m := engine.Machine{ID: "wrk_1", TenantID: "ten_1", Isolation: baas.IsolationContainer, AgentToken: "secret", Restarts: 2}
	set := e.statefulSet(m, nil)
	have := readMarks(set.Spec.Template.Annotations)
	for name, c := range map[string]struct {
		change func(*engine.Machine)
		serves bool
	}{
		"itself":                {func(*engine.Machine) {}, true},
		"fewer restarts":        {func(m *engine.Machine) { m.Restarts = 1 }, true},
		"no token":              {func(m *engine.Machine) { m.AgentToken = "" }, true},
		"another size":          {func(m *engine.Machine) { m.Size.CPUMillis = 1 }, true},
		"more restarts":         {func(m *engine.Machine) { m.Restarts = 3 }, false},
		"another token":         {func(m *engine.Machine) { m.AgentToken = "other" }, false},
		"an image":              {func(m *engine.Machine) { m.Image = "x" }, false},
		"another isolation":     {func(m *engine.Machine) { m.Isolation = baas.IsolationVM }, false},
		"another agent address": {func(m *engine.Machine) { m.AgentURL = "ws://elsewhere" }, false},
	} {
		want := m
		c.change(&want)
		if have.serve(e.marksOf(want)) != c.serves {
			t.Errorf("%s: serves %t", name, !c.serves)
		}
	}
}

func TestThePodHoldsNoSecret(t *testing.T) {
	e := newEngine(t)
	m := engine.Machine{ID: "wrk_1", TenantID: "ten_1", Isolation: baas.IsolationContainer, AgentToken: "very-secret", Size: baas.DefaultSize}
	b, err := tree(e.statefulSet(m, nil))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(jsonText(t, b)), "very-secret") {
		t.Error("the agent's token is in the StatefulSet")
	}
}

func TestTenantsAreKeptWhileAMachineIsMade(t *testing.T) {
	var ts tenants
	end := ts.begin("ten_1")
	also := ts.begin("ten_1")
	x, unlock := ts.get("ten_1")
	if x.making != 2 {
		t.Errorf("%d are being made", x.making)
	}
	unlock()
	end()
	also()
	x, unlock = ts.get("ten_1")
	if x.making != 0 {
		t.Errorf("%d are being made", x.making)
	}
	unlock()
	if len(ts.known) != 0 {
		t.Errorf("%d tenants are remembered", len(ts.known))
	}
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAPlanWithoutBoundsHasAQuota(t *testing.T) {
	e := newEngine(t)
	for _, n := range []int64{1e12, math.MaxInt64} {
		for name, q := range e.quota(baas.Limits{Workers: 1e6, CPUMillis: n, MemoryMiB: n, DiskGiB: n}) {
			if q.Sign() <= 0 {
				t.Errorf("%d of everything: %s is %s", n, name, q.String())
			}
		}
	}
}

func TestWhatIsConfirmedIsThatAlone(t *testing.T) {
	var c confirmations
	m := engine.Machine{ID: "wrk_1", TenantID: "ten_1", Size: baas.Size{CPUMillis: 100}, Plan: baas.Plan{Limits: baas.Limits{Isolation: []baas.Isolation{"container"}}}}
	if c.is(m, "1 2") {
		t.Error("confirmed before anything was compared")
	}
	c.put(m, "1 2")
	if !c.is(m, "1 2") {
		t.Error("not confirmed")
	}
	other := m
	other.Plan.Limits.Isolation = []baas.Isolation{"container", "vm"}
	if c.is(m, "1 3") || c.is(other, "1 2") {
		t.Error("something else is confirmed")
	}
	c.drop(m.ID)
	if c.is(m, "1 2") {
		t.Error("confirmed after it is gone")
	}
}
