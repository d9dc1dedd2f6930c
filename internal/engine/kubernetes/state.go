package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// Inspect implements engine.Engine. It sends no request.
func (e *Engine) Inspect(_ context.Context, m engine.Machine) (engine.State, error) {
	v, err := e.view(m.ID)
	if err != nil {
		return engine.State{ID: m.ID}, err
	}
	s := e.state(m.ID, v)
	if v.nothing() {
		e.confirmed.drop(m.ID)
		s.TenantID = m.TenantID
		return s, nil
	}
	if v.claim != nil {
		// The agent holds the Worker to a limit below the volume's size.
		s.Size.DiskGiB = m.Size.DiskGiB
		have := v.claim.Status.Capacity[corev1.ResourceStorage]
		if v.claim.Status.Phase == corev1.ClaimBound && !e.cfg.ElasticVolumes && have.Cmp(gib(m.Size.DiskGiB)) < 0 {
			s.Size.DiskGiB = have.Value() >> 30
		}
	}
	s.Current, err = e.current(m, v, s)
	return s, err
}

// state tells what a Worker is, without regard to what it should be.
func (e *Engine) state(id string, v view) engine.State {
	s := engine.State{ID: id, Phase: engine.PhaseAbsent, Volume: v.claim != nil && v.claim.DeletionTimestamp == nil}
	switch {
	case v.set != nil:
		s.TenantID = v.set.Labels[labelTenant]
	case v.pod != nil:
		s.TenantID = v.pod.Labels[labelTenant]
	case v.claim != nil:
		s.TenantID = v.claim.Labels[labelTenant]
		s.Detail = "a volume without a machine"
	}
	if v.set == nil && v.pod == nil {
		return s
	}
	s.Phase = engine.PhaseStopped
	if v.set != nil {
		s.Size = sizeOf(v.set.Spec.Template.Spec.Containers)
		s.AgentOld = v.set.Spec.Template.Annotations[annotationAgent] != e.cfg.Image
	}
	if v.pod == nil {
		if v.set.Spec.Replicas == nil || *v.set.Spec.Replicas > 0 {
			s.Detail = "the cluster has not made its pod yet"
			e.troubles.tell(id, &s)
		}
		return s
	}
	s.AgentOld = v.pod.Annotations[annotationAgent] != e.cfg.Image
	e.podState(id, v.pod, &s)
	return s
}

// sizeOf gives the limits of the Worker's container among some.
func sizeOf(cs []corev1.Container) baas.Size {
	for _, c := range cs {
		if c.Name == container {
			return baas.Size{CPUMillis: c.Resources.Limits.Cpu().MilliValue(), MemoryMiB: c.Resources.Limits.Memory().Value() >> 20}
		}
	}
	return baas.Size{}
}

func workerStatus(p *corev1.Pod) *corev1.ContainerStatus {
	for i, c := range p.Status.ContainerStatuses {
		if c.Name == container {
			return &p.Status.ContainerStatuses[i]
		}
	}
	return nil
}

// up reports whether the Worker's container may be running.
func (e *Engine) up(p *corev1.Pod) bool {
	s := workerStatus(p)
	return s != nil && s.State.Running != nil && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded
}

// podState adds what the pod tells.
func (e *Engine) podState(id string, p *corev1.Pod, s *engine.State) {
	c := workerStatus(p)
	if c != nil && c.LastTerminationState.Terminated != nil {
		s.ExitCode = int(c.LastTerminationState.Terminated.ExitCode)
	}
	if e.up(p) {
		s.Phase, s.StartedAt, s.ExitCode = engine.PhaseRunning, c.State.Running.StartedAt.Time, 0
		s.Size = sizeOf(p.Spec.Containers)
		if c.Resources != nil && len(c.Resources.Limits) > 0 {
			s.Size = baas.Size{CPUMillis: c.Resources.Limits.Cpu().MilliValue(), MemoryMiB: c.Resources.Limits.Memory().Value() >> 20}
		}
		e.runningState(p, s)
		return
	}
	s.Phase = engine.PhaseStopped
	switch {
	case p.Status.Phase == corev1.PodFailed:
		s.Detail, s.Reason = strings.TrimSpace(p.Status.Reason+" "+p.Status.Message), endReason(p)
		if c != nil && c.State.Terminated != nil {
			s.ExitCode, s.OOMKilled = int(c.State.Terminated.ExitCode), c.State.Terminated.Reason == reasonOOM
		}
	case c != nil && c.State.Terminated != nil:
		ended(c.State.Terminated, s)
	case p.DeletionTimestamp != nil:
		s.Detail = "the pod is being removed"
	default:
		e.pendingState(id, p, c, s)
	}
}

const reasonOOM = "OOMKilled"

func ended(t *corev1.ContainerStateTerminated, s *engine.State) {
	s.ExitCode, s.OOMKilled = int(t.ExitCode), t.Reason == reasonOOM
	s.Detail = fmt.Sprintf("ended with code %d (%s)", t.ExitCode, t.Reason)
	if s.OOMKilled {
		s.Reason = "The Worker used more memory than its limit."
	}
}

// runningState says what is the matter with a pod that runs.
func (e *Engine) runningState(p *corev1.Pod, s *engine.State) {
	node := e.node(p)
	switch {
	case node == nil || !nodeReady(node):
		// Whether it runs can't be known. It counts as running: nothing else may be started in its place.
		s.Detail = fmt.Sprintf("node %s does not answer", p.Spec.NodeName)
		s.Reason = "The machine in the cluster that it runs on does not answer. It starts elsewhere once the cluster has given that machine up."
	case p.DeletionTimestamp != nil:
		s.Detail, s.Reason = "the pod is being ended", endReason(p)
	case condition(p, corev1.PodResizePending) != nil:
		c := condition(p, corev1.PodResizePending)
		s.Detail = "resize " + c.Reason + ": " + c.Message
		s.Reason = "Its new size waits for room on the machine that it runs on; a restart may move it to another."
	case condition(p, corev1.PodResizeInProgress) != nil:
		c := condition(p, corev1.PodResizeInProgress)
		s.Detail = strings.TrimSpace("resize in progress " + c.Reason + " " + c.Message)
	}
}

// endReason tells the client why the cluster ends a pod.
func endReason(p *corev1.Pod) string {
	switch p.Status.Reason {
	case "Evicted":
		if strings.Contains(p.Status.Message, "ephemeral") || strings.Contains(p.Status.Message, "emptyDir") {
			return "The Worker wrote more temporary files than it may; it is started again."
		}
		return "The machine in the cluster that it ran on was short of resources; the Worker is started again."
	case "Preempting", "Preempted":
		return "The cluster needed the room for something more important; the Worker is started again when there is room."
	case "NodeLost":
		return "The machine in the cluster that it ran on does not answer."
	case "NodeShutdown", "Terminated":
		return "The machine in the cluster that it ran on was shut down; the Worker is started again elsewhere."
	}
	if c := condition(p, corev1.DisruptionTarget); c != nil {
		switch c.Reason {
		case corev1.PodReasonPreemptionByScheduler:
			return "The cluster needed the room for something more important; the Worker is started again when there is room."
		case "DeletionByTaintManager":
			return "The machine in the cluster that it ran on is not fit for use; the Worker is started again elsewhere."
		}
		return "The cluster moves it to another machine."
	}
	return ""
}

// pendingState says how far a pod is that doesn't run yet.
func (e *Engine) pendingState(id string, p *corev1.Pod, c *corev1.ContainerStatus, s *engine.State) {
	fail := func(reason, detail string) { s.Phase, s.Reason, s.Detail = engine.PhaseFailed, reason, detail }
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			fail(unschedulableReason(c.Message), unschedulable+c.Message)
			return
		}
	}
	statuses := slices.Clone(p.Status.InitContainerStatuses)
	if c != nil {
		statuses = append(statuses, *c)
	}
	for _, c := range statuses {
		if c.State.Waiting == nil {
			continue
		}
		detail := strings.TrimSpace(c.State.Waiting.Reason + ": " + c.State.Waiting.Message)
		switch c.State.Waiting.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
			fail(fmt.Sprintf("The image %s could not be fetched: it doesn't exist, or the cluster may not read it.", c.Image), detail)
			return
		case "CrashLoopBackOff":
			last := c.LastTerminationState.Terminated
			fail("The machine ends right after its start and is tried again.", detail)
			if last != nil {
				if s.ExitCode, s.OOMKilled = int(last.ExitCode), last.Reason == reasonOOM; s.OOMKilled {
					s.Reason = "The Worker used more memory than its limit, again and again."
				}
			}
			return
		case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PostStartHookError":
			// A node that is busy hasn't read the Secret yet, and tries again by itself.
			if strings.Contains(detail, "failed to sync") && strings.Contains(detail, "cache") {
				s.Detail = detail
				continue
			}
			fail("The machine could not be started.", detail)
			return
		case "PodInitializing", "ContainerCreating":
			s.Detail = "the node is making the container"
		default:
			s.Detail = detail
		}
	}
	if s.Detail == "" {
		s.Detail = "the pod waits for a node"
	}
	e.troubles.tell(id, s)
}

// unschedulable begins the detail of a pod that no node takes.
const unschedulable = "unschedulable: "

func unschedulableReason(message string) string {
	switch {
	case strings.Contains(message, "persistentvolumeclaim") || strings.Contains(message, "volume"):
		return "Its volume can't be had on any machine of the cluster at the moment."
	case strings.Contains(message, "Insufficient"):
		return "The cluster has no room for a Worker of this size at the moment."
	}
	return "No machine of the cluster takes the Worker at the moment."
}

// definite is the error for a machine that won't come up by waiting a little longer, nil for one that may.
func (e *Engine) definite(m engine.Machine, v view, s engine.State, waited time.Duration) error {
	if s.Phase != engine.PhaseFailed {
		return nil
	}
	x, told := e.troubles.get(m.ID)
	switch {
	case x.quota:
	case told && !x.lasting:
		return nil // nodes try again by themselves
	case waited < grace && (told || strings.HasPrefix(s.Detail, unschedulable)):
		return nil
	}
	code := baas.CodeInternal
	if x.quota {
		code = baas.CodeQuotaExceeded
	}
	return &baas.Error{Code: code, Message: s.Reason, Err: fmt.Errorf("starting the machine of %s: %s", m.ID, s.Detail)}
}

// trouble is what the cluster's events say about a machine that doesn't come up.
type trouble struct {
	reason, detail string
	quota          bool
	lasting        bool // waiting alone won't help
}

// troubles remembers it until the machine runs, so that Inspect needs no request. The zero value is ready.
type troubles struct {
	mu sync.Mutex
	of map[string]trouble
}

func (t *troubles) set(id string, x trouble) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string]trouble{}
	}
	t.of[id] = x
}

func (t *troubles) clear(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, id)
}

func (t *troubles) get(id string) (trouble, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x, ok := t.of[id]
	return x, ok
}

// tell adds what is known to the state of a machine that doesn't run.
func (t *troubles) tell(id string, s *engine.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x, ok := t.of[id]; ok {
		s.Phase, s.Reason, s.Detail = engine.PhaseFailed, x.reason, x.detail
	}
}

// askWhy looks through the cluster's events for what keeps a machine from coming up, where no status tells: a pod that
// can't be made, a volume that can't be mounted.
func (e *Engine) askWhy(ctx context.Context, id string, v view) error {
	var object metav1.Object
	switch {
	case v.pod != nil:
		object = v.pod
	case v.set != nil:
		object = v.set
	default:
		return nil
	}
	list, err := e.api.CoreV1().Events(object.GetNamespace()).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.uid": string(object.GetUID())}.String()})
	if err != nil {
		return e.apiError("asking the cluster why the machine of "+id+" does not come up", err)
	}
	var last *corev1.Event
	for i, ev := range list.Items {
		if last == nil || eventTime(ev).After(eventTime(*last)) {
			last = &list.Items[i]
		}
	}
	if last == nil || last.Type != corev1.EventTypeWarning {
		e.troubles.clear(id) // none, or over: something else has happened since
		return nil
	}
	x := trouble{detail: last.Reason + ": " + last.Message}
	switch {
	case strings.Contains(last.Message, quotaExceeded):
		x.reason, x.quota = "The tenant's quota in the cluster is used up.", true
	case last.Reason == "FailedMount" || last.Reason == "FailedAttachVolume":
		x.reason = "Its volume could not be attached."
	case last.Reason == "FailedCreate":
		x.reason = "The cluster refuses to start it."
		x.lasting = strings.Contains(last.Message, "forbidden") || strings.Contains(last.Message, "denied")
	case last.Reason == "FailedCreatePodSandBox":
		x.reason = "The machine could not be started."
	default: // what the pod's own status tells better
		e.troubles.clear(id)
		return nil
	}
	e.troubles.set(id, x)
	return nil
}

func eventTime(ev corev1.Event) time.Time {
	if !ev.LastTimestamp.IsZero() {
		return ev.LastTimestamp.Time
	}
	return ev.EventTime.Time
}

// List implements engine.Engine.
func (e *Engine) List(context.Context) ([]engine.State, error) {
	if err := e.listed(); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, list := range [][]any{e.seen.sets.GetIndexer().List(), e.seen.claims.GetIndexer().List(), e.seen.pods.GetIndexer().List()} {
		for _, o := range list {
			if id := o.(metav1.Object).GetLabels()[labelWorker]; id != "" {
				ids[id] = true
			}
		}
	}
	var states []engine.State
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		v, err := e.view(id)
		if err != nil {
			return nil, err
		}
		if v.nothing() {
			continue
		}
		s := e.state(id, v)
		if v.claim != nil {
			request := v.claim.Spec.Resources.Requests[corev1.ResourceStorage]
			s.Size.DiskGiB = request.Value() >> 30
		}
		states = append(states, s)
	}
	return states, nil
}
