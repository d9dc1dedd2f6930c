package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// sized reports whether the pod was asked to be of the size, and nothing about that is still open.
func (e *Engine) sized(p *corev1.Pod, s baas.Size) bool {
	limits, requests := e.resources(s)
	return e.asked(p, limits, requests) && !resizing(p) && inForce(p, limits)
}

// asked reports whether the pod's specification has the resources.
func (e *Engine) asked(p *corev1.Pod, limits, requests corev1.ResourceList) bool {
	for _, c := range p.Spec.Containers {
		if c.Name == container {
			return holds(c.Resources.Limits, limits) && holds(c.Resources.Requests, requests)
		}
	}
	return false
}

// inForce reports whether the kubelet says that the limits are in force. One that doesn't say is believed.
func inForce(p *corev1.Pod, limits corev1.ResourceList) bool {
	s := workerStatus(p)
	return s == nil || s.Resources == nil || s.State.Running == nil || holds(s.Resources.Limits, limits)
}

func holds(have, want corev1.ResourceList) bool {
	for name, w := range want {
		if h, ok := have[name]; !ok || h.Cmp(w) != 0 {
			return false
		}
	}
	return true
}

// resizing reports whether a resize waits or is under way.
func resizing(p *corev1.Pod) bool {
	return condition(p, corev1.PodResizePending) != nil || condition(p, corev1.PodResizeInProgress) != nil
}

// condition gives the pod's condition when it is true.
func condition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i, c := range p.Status.Conditions {
		if c.Type == kind && c.Status == corev1.ConditionTrue {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// resize changes the limits of the live pod, and waits for that for a while.
func (e *Engine) resize(ctx context.Context, m engine.Machine, pod *corev1.Pod) error {
	limits, requests := e.resources(m.Size)
	doing := fmt.Sprintf("resizing the machine of %s to %+v", m.ID, m.Size)
	if !e.asked(pod, limits, requests) {
		patch, err := json.Marshal(map[string]any{"spec": map[string]any{"containers": []any{
			map[string]any{"name": container, "resources": corev1.ResourceRequirements{Limits: limits, Requests: requests}},
		}}})
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		p, err := e.api.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager}, "resize")
		if apierrors.IsNotFound(err) {
			return nil // the pod has ended; the next one has the size from its template
		}
		if err := e.written(ctx, m.ID, e.seen.pods, p, err, doing); err != nil {
			return err
		}
	}
	var refused error
	err := e.until(ctx, m.ID, resizeWait, func() (bool, error) {
		v, err := e.view(m.ID)
		if err != nil || v.pod == nil || v.pod.UID != pod.UID || v.pod.DeletionTimestamp != nil {
			return true, err
		}
		refused = resizeRefused(v.pod, m.Size)
		return refused != nil || e.sized(v.pod, m.Size), nil
	})
	switch {
	case refused != nil:
		return refused
	case errors.Is(err, errWaited):
		// No error: what else is to be done about the Worker must not wait for its node, and Inspect tells.
		e.log.WarnContext(ctx, "the node has not confirmed a Worker's new limits yet", "worker", m.ID, "size", m.Size, "after", resizeWait)
	case err != nil:
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// resizeRefused is why the node doesn't give the size. It keeps the wish, and gives it as soon as it can.
func resizeRefused(p *corev1.Pod, s baas.Size) error {
	if c := condition(p, corev1.PodResizePending); fresh(p, c) {
		return &baas.Error{
			Code: baas.CodeConflict, Err: fmt.Errorf("%s: %s", c.Reason, c.Message),
			Message: fmt.Sprintf("the machine in the cluster that it runs on has no room for %d thousandths of a core and %d MiB: they come when there is room, or with a restart, which may move it to another machine",
				s.CPUMillis, s.MemoryMiB),
		}
	}
	if c := condition(p, corev1.PodResizeInProgress); fresh(p, c) && c.Reason == corev1.PodReasonError {
		return &baas.Error{
			Code: baas.CodeConflict, Err: fmt.Errorf("%s: %s", c.Reason, c.Message),
			Message: fmt.Sprintf("its limits can't be changed to %d thousandths of a core and %d MiB now: when it uses more memory than that, stop some of its bots first, or choose a larger size",
				s.CPUMillis, s.MemoryMiB),
		}
	}
	return nil
}

// fresh reports whether a condition is about the pod's present specification. A kubelet that doesn't say is believed.
func fresh(p *corev1.Pod, c *corev1.PodCondition) bool {
	return c != nil && (c.ObservedGeneration == 0 || c.ObservedGeneration >= p.Generation)
}

// awaitGrowth waits for a larger volume, for as long as that usually takes. Some storage grows only when the pod starts
// anew; that is no error.
func (e *Engine) awaitGrowth(ctx context.Context, m engine.Machine) error {
	err := e.until(ctx, m.ID, resizeWait, func() (bool, error) {
		v, err := e.view(m.ID)
		if err != nil || v.claim == nil {
			return false, err
		}
		asked := v.claim.Spec.Resources.Requests[corev1.ResourceStorage]
		if e.cfg.ElasticVolumes {
			return true, nil
		}
		if asked.Cmp(gib(m.Size.DiskGiB)) < 0 {
			return false, nil // not seen yet
		}
		if v.claim.Status.Phase != corev1.ClaimBound {
			return true, nil
		}
		for _, c := range v.claim.Status.Conditions {
			if c.Type == corev1.PersistentVolumeClaimFileSystemResizePending && c.Status == corev1.ConditionTrue {
				return true, nil
			}
		}
		have := v.claim.Status.Capacity[corev1.ResourceStorage]
		return have.Cmp(asked) >= 0, nil
	})
	if errors.Is(err, errWaited) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("waiting for the volume of %s to grow: %w", m.ID, err)
	}
	return nil
}
