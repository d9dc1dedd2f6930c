package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/baas-platform/baas/internal/engine"
)

// Ensure implements engine.Engine. It returns when the pod runs, when it is known why it doesn't, or after
// Config.StartWait: a pod that is still on its way then is no error, and Inspect tells how far it is.
func (e *Engine) Ensure(ctx context.Context, m engine.Machine, progress func(engine.Step)) error {
	if progress == nil {
		progress = func(engine.Step) {}
	}
	defer e.tenants.begin(m.TenantID)()
	v, err := e.view(m.ID)
	if err != nil {
		return err
	}
	if err := e.admit(m, v.claim); err != nil {
		return err
	}
	if v.set == nil && m.AgentToken == "" {
		return fmt.Errorf("making the machine of %s: an agent token is needed for a new machine", m.ID)
	}
	if err := e.ensureTenant(ctx, m, progress); err != nil {
		return err
	}
	claim, err := e.ensureClaim(ctx, m, v.claim, progress)
	if err != nil {
		return err
	}
	oldSecret, err := e.ensureSet(ctx, m, v.set, claim, progress)
	if err != nil {
		return err
	}
	if err := e.ensurePod(ctx, m, progress); err != nil {
		return err
	}
	if oldSecret != "" {
		if err := e.deleteSecret(ctx, e.namespace(m.TenantID), oldSecret); err != nil {
			return err
		}
	}
	return e.awaitGrowth(ctx, m)
}

// ensureClaim makes the Worker's volume, or asks for more of it.
func (e *Engine) ensureClaim(ctx context.Context, m engine.Machine, live *corev1.PersistentVolumeClaim, progress func(engine.Step)) (*corev1.PersistentVolumeClaim, error) {
	ns, doing := e.namespace(m.TenantID), "making the volume of "+m.ID
	if live != nil && live.DeletionTimestamp != nil {
		if err := e.awaitGone(ctx, m.ID, deleteWait, doing, func(v view) bool { return v.claim == nil || v.claim.UID != live.UID }); err != nil {
			return nil, err
		}
		live = nil
	}
	want := e.claim(m, live)
	if live != nil {
		same, err := covers(live, want)
		if err != nil || same {
			return live, err
		}
	}
	progress(engine.StepVolume)
	var made *corev1.PersistentVolumeClaim
	// A quota that was made a moment ago isn't counted yet.
	err := e.until(ctx, m.TenantID, seenWait, func() (bool, error) {
		var err error
		made, err = e.api.CoreV1().PersistentVolumeClaims(ns).Apply(ctx, want, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
		if apierrors.IsForbidden(err) && strings.Contains(err.Error(), quotaUnknown) {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return nil, e.apiError(doing, err)
	}
	return made, nil // awaitGrowth waits for the informer to have seen it, while the pod is made
}

// ensureSet makes the StatefulSet what it should be. Its template restarts nothing by itself. oldSecret is the name of
// a token's Secret that no pod needs once the present one has ended.
func (e *Engine) ensureSet(ctx context.Context, m engine.Machine, live *appsv1.StatefulSet, claim *corev1.PersistentVolumeClaim, progress func(engine.Step)) (oldSecret string, err error) {
	ns, doing := e.namespace(m.TenantID), "making the machine of "+m.ID
	if live != nil && live.DeletionTimestamp != nil {
		if err := e.awaitGone(ctx, m.ID, deleteWait, doing, func(v view) bool { return v.set == nil || v.set.UID != live.UID }); err != nil {
			return "", err
		}
		if live = nil; m.AgentToken == "" {
			return "", fmt.Errorf("%s: an agent token is needed for a new machine", doing)
		}
	}
	want := e.statefulSet(m, live)
	if live != nil {
		if same, err := covers(live, want); err != nil || same {
			return "", err
		}
	}
	if m.AgentToken != "" && (live == nil || secretOf(live) != secretName(m.ID, m.AgentToken)) {
		progress(engine.StepMachine)
		_, err := e.api.CoreV1().Secrets(ns).Create(ctx, e.secret(m, claim), metav1.CreateOptions{FieldManager: fieldManager})
		// Its name follows from its contents, so one that is there is the same.
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return "", e.apiError("storing the agent's token of "+m.ID, err)
		}
		if live != nil {
			oldSecret = secretOf(live)
		}
	}
	if live == nil || live.Spec.Replicas == nil || *live.Spec.Replicas == 0 {
		progress(engine.StepStart)
	}
	made, err := e.api.AppsV1().StatefulSets(ns).Apply(ctx, want, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return oldSecret, e.written(ctx, m.ID, e.seen.sets, made, err, doing)
}

// ensurePod brings the pod to what the template says: in place where only its size differs, by ending it otherwise,
// and waits for it.
func (e *Engine) ensurePod(ctx context.Context, m engine.Machine, progress func(engine.Step)) error {
	for {
		v, err := e.view(m.ID)
		if err != nil {
			return err
		}
		pod := v.pod
		if pod == nil || pod.DeletionTimestamp != nil || v.set == nil {
			return e.awaitRunning(ctx, m)
		}
		stale := !readMarks(pod.Annotations).serve(e.marksOf(m))
		differs := !e.sized(pod, m.Size)
		// A pod that isn't up disturbs nobody when it is made anew, and may be there for what has been corrected since.
		idle := !e.up(pod) && (differs || v.set.Status.UpdateRevision != "" && pod.Labels[appsv1.StatefulSetRevisionLabel] != v.set.Status.UpdateRevision)
		if !stale && !idle && differs && e.canResize() {
			progress(engine.StepResize)
			if err := e.resize(ctx, m, pod); err != nil {
				return err
			}
			return e.awaitRunning(ctx, m)
		}
		if !stale && !idle && !differs {
			return e.awaitRunning(ctx, m)
		}
		progress(engine.StepStart)
		if err := e.replacePod(ctx, m, pod); err != nil {
			return err
		}
	}
}

// replacePod ends a pod so that the cluster makes it anew from the present template.
func (e *Engine) replacePod(ctx context.Context, m engine.Machine, pod *corev1.Pod) error {
	doing := "restarting the machine of " + m.ID
	// The controller must know the template, or the new pod would be like the old one.
	err := e.until(ctx, m.ID, seenWait, func() (bool, error) {
		v, err := e.view(m.ID)
		return err == nil && (v.set == nil || v.set.Status.ObservedGeneration >= v.set.Generation), err
	})
	if errors.Is(err, errWaited) {
		return unavailable("the cluster is slow to answer", fmt.Errorf("%s: the cluster's controllers don't take notice of it", doing))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	err = e.api.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return e.apiError(doing, err)
	}
	return e.awaitGone(ctx, m.ID, e.endWait(), doing, func(v view) bool { return v.pod == nil || v.pod.UID != pod.UID })
}

// endWait is how long a pod may take until it is gone.
func (e *Engine) endWait() time.Duration { return e.cfg.StopTimeout + deleteWait }

// awaitGone waits for the cluster to have ended something.
func (e *Engine) awaitGone(ctx context.Context, id string, limit time.Duration, doing string, gone func(view) bool) error {
	err := e.until(ctx, id, limit, func() (bool, error) {
		v, err := e.view(id)
		return err == nil && gone(v), err
	})
	if errors.Is(err, errWaited) {
		return unavailable("the cluster has not ended the Worker's machine yet; the node that it runs on may be away",
			fmt.Errorf("%s: not gone after %s", doing, limit))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// Times after which a pod that doesn't come up is asked about, and is no longer expected to come by itself.
const (
	askEvery = 3 * time.Second
	// asksPerSecond bounds that for all together: where many wait, the cluster is slow for that very reason, and looking
	// through events is dear to it.
	asksPerSecond = 5
	grace         = 10 * time.Second // the cluster may be adding a node, or moving a volume to another one
)

// awaitRunning waits for a running pod that is what is wanted.
func (e *Engine) awaitRunning(ctx context.Context, m engine.Machine) error {
	want, begun := e.marksOf(m), e.cfg.Now()
	asked := begun
	var trouble error
	err := e.until(ctx, m.ID, e.cfg.StartWait, func() (bool, error) {
		v, err := e.view(m.ID)
		if err != nil {
			return false, err
		}
		s := e.state(m.ID, v)
		if s.Phase == engine.PhaseRunning && v.pod.DeletionTimestamp == nil && readMarks(v.pod.Annotations).serve(want) {
			e.troubles.clear(m.ID)
			return true, nil
		}
		now := e.cfg.Now()
		if s.Phase != engine.PhaseRunning && now.Sub(asked) >= askEvery && e.asking.Allow() {
			asked = now
			if err := e.askWhy(ctx, m.ID, v); err != nil {
				return false, err
			}
			s = e.state(m.ID, v)
		}
		if trouble = e.definite(m, v, s, now.Sub(begun)); trouble != nil {
			return true, nil
		}
		return false, nil
	})
	switch {
	case trouble != nil:
		return trouble
	case errors.Is(err, errWaited):
		return nil
	case err != nil:
		return fmt.Errorf("waiting for the machine of %s: %w", m.ID, err)
	}
	return nil
}

// Stop implements engine.Engine.
func (e *Engine) Stop(ctx context.Context, id string) error {
	v, err := e.lookup(ctx, id)
	if err != nil {
		return err
	}
	doing := "stopping the machine of " + id
	switch {
	case v.set != nil && (v.set.Spec.Replicas == nil || *v.set.Spec.Replicas != 0):
		set, err := e.api.AppsV1().StatefulSets(v.set.Namespace).Patch(ctx, v.set.Name, types.MergePatchType,
			[]byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{FieldManager: fieldManager})
		if apierrors.IsNotFound(err) {
			break
		}
		if err := e.written(ctx, id, e.seen.sets, set, err, doing); err != nil {
			return err
		}
	case v.set == nil && v.pod != nil:
		if err := e.deletePod(ctx, v.pod, nil, doing); err != nil {
			return err
		}
	}
	e.troubles.clear(id)
	// The controller may be about to make a pod for what it saw last.
	return e.awaitGone(ctx, id, e.endWait(), doing, func(v view) bool {
		return v.pod == nil && (v.set == nil || v.set.Status.ObservedGeneration >= v.set.Generation)
	})
}

func (e *Engine) deletePod(ctx context.Context, pod *corev1.Pod, grace *int64, doing string) error {
	err := e.api.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name,
		metav1.DeleteOptions{GracePeriodSeconds: grace, Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return e.apiError(doing, err)
}

// lookup is view for calls that take an absent Worker as done: it asks the API server before it says so.
func (e *Engine) lookup(ctx context.Context, id string) (view, error) {
	v, err := e.view(id)
	if err != nil || !v.nothing() {
		return v, err
	}
	doing := "looking for the machine of " + id
	opts := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{
		MatchLabels: map[string]string{labelInstallation: e.cfg.Installation, labelWorker: id}})}
	sets, err := e.api.AppsV1().StatefulSets("").List(ctx, opts)
	if err != nil {
		return v, e.apiError(doing, err)
	}
	for i := range sets.Items {
		v.set = &sets.Items[i]
	}
	claims, err := e.api.CoreV1().PersistentVolumeClaims("").List(ctx, opts)
	if err != nil {
		return v, e.apiError(doing, err)
	}
	for i := range claims.Items {
		v.claim = &claims.Items[i]
	}
	pods, err := e.api.CoreV1().Pods("").List(ctx, opts)
	if err != nil {
		return v, e.apiError(doing, err)
	}
	for i := range pods.Items {
		v.pod = &pods.Items[i]
	}
	return v, nil
}
