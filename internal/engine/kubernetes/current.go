package kubernetes

import (
	"reflect"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/baas-platform/baas/internal/engine"
)

// current reports whether Ensure would change nothing.
func (e *Engine) current(m engine.Machine, v view, s engine.State) (bool, error) {
	if s.Phase != engine.PhaseRunning || v.set == nil || v.claim == nil || v.pod == nil || v.pod.DeletionTimestamp != nil ||
		!readMarks(v.pod.Annotations).serve(e.marksOf(m)) || !e.sized(v.pod, m.Size) {
		return false, nil
	}
	seen := e.versions(m, v)
	if e.confirmed.is(m, seen) {
		return true, nil
	}
	if same, err := covers(v.set, e.statefulSet(m, v.set)); err != nil || !same {
		return false, err
	}
	if same, err := covers(v.claim, e.claim(m, v.claim)); err != nil || !same {
		return false, err
	}
	d, err := e.tenantDiff(e.tenantWants(m))
	if err != nil || d.any() {
		return false, err
	}
	e.confirmed.put(m, seen)
	return true, nil
}

// versions names the versions of everything that current compares with a Machine, besides the pod.
func (e *Engine) versions(m engine.Machine, v view) string {
	ns := e.namespace(m.TenantID)
	s := v.set.ResourceVersion + " " + v.claim.ResourceVersion
	for _, o := range []metav1.Object{
		named[*corev1.Namespace](e.seen.namespaces, ns),
		named[*networkingv1.NetworkPolicy](e.seen.policies, ns+"/"+denyName),
		named[*networkingv1.NetworkPolicy](e.seen.policies, ns+"/"+egressName),
		named[*corev1.LimitRange](e.seen.limits, ns+"/"+limitRangeName),
		named[*corev1.ResourceQuota](e.seen.quotas, ns+"/"+quotaName),
	} {
		s += " "
		if !reflect.ValueOf(o).IsNil() {
			s += o.GetResourceVersion()
		}
	}
	cpu, memory := e.overhead() // is a part of the quota
	return s + " " + cpu.String() + " " + memory.String()
}

// confirmations remember what was found to be as it should: comparing costs a thousand times as much as seeing that
// nothing has changed since. The zero value is ready.
type confirmations struct {
	mu sync.Mutex
	of map[string]confirmation
}

type confirmation struct {
	machine engine.Machine
	seen    string
}

func (c *confirmations) is(m engine.Machine, seen string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := c.of[m.ID]
	return ok && have.seen == seen && reflect.DeepEqual(have.machine, m)
}

func (c *confirmations) put(m engine.Machine, seen string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]confirmation{}
	}
	c.of[m.ID] = confirmation{m, seen}
}

func (c *confirmations) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, id)
}
