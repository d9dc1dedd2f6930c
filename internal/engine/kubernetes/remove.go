package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// removeSeconds is what the agent gets when its machine is deleted: nothing of it will be used again.
const removeSeconds = 10

// countWait is how long the cluster gets to count a namespace's Secrets anew.
const countWait = 5 * time.Second

func ownedBy(claim *corev1.PersistentVolumeClaim) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "PersistentVolumeClaim", Name: claim.Name, UID: claim.UID}}
}

// Remove implements engine.Engine. The machine ends before its volume goes.
func (e *Engine) Remove(ctx context.Context, id string) error {
	v, err := e.lookup(ctx, id)
	if err != nil {
		return err
	}
	doing := "removing the machine of " + id
	background := metav1.DeletePropagationBackground
	if v.set != nil {
		if secret := secretOf(v.set); secret != "" {
			if err := e.deleteSecret(ctx, v.set.Namespace, secret); err != nil {
				return err
			}
		}
		err := e.api.AppsV1().StatefulSets(v.set.Namespace).Delete(ctx, v.set.Name, metav1.DeleteOptions{PropagationPolicy: &background})
		if err != nil && !apierrors.IsNotFound(err) {
			return e.apiError(doing, err)
		}
	}
	if v.pod != nil {
		seconds := int64(removeSeconds)
		if err := e.deletePod(ctx, v.pod, &seconds, doing); err != nil {
			return err
		}
	}
	if err := e.awaitGone(ctx, id, e.endWait(), doing, func(v view) bool { return v.set == nil && v.pod == nil }); err != nil {
		return err
	}
	if v.claim != nil {
		err := e.api.CoreV1().PersistentVolumeClaims(v.claim.Namespace).Delete(ctx, v.claim.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return e.apiError("removing the volume of "+id, err)
		}
	}
	if err := e.awaitGone(ctx, id, deleteWait, "removing the volume of "+id, view.nothing); err != nil {
		return err
	}
	e.troubles.clear(id)
	e.confirmed.drop(id)
	if v.claim != nil {
		if err := e.awaitCount(ctx, v.claim.Namespace, v.claim.Labels[labelTenant]); err != nil {
			return err
		}
	}
	return e.sweep(ctx)
}

// awaitCount waits for the cluster to have counted the Secrets of a namespace without Workers anew: until then ours,
// which is gone, looks like somebody else's.
func (e *Engine) awaitCount(ctx context.Context, ns, tenant string) error {
	if e.inUse(ns) {
		return nil
	}
	err := e.until(ctx, tenant, countWait, func() (bool, error) { return e.foreignSecrets(ns) == "", nil })
	if err != nil && !errors.Is(err, errWaited) {
		return fmt.Errorf("looking for foreign secrets in %s: %w", ns, err)
	}
	return nil
}

func (e *Engine) deleteSecret(ctx context.Context, ns, name string) error {
	err := e.api.CoreV1().Secrets(ns).Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return e.apiError("removing the old secret "+name, err)
}

// sweep deletes the namespaces of tenants that have no Worker any more. All of them, since a crash may have left one
// behind of which nothing but the namespace tells.
func (e *Engine) sweep(ctx context.Context) error {
	var errs []error
	for _, o := range e.seen.namespaces.GetIndexer().List() {
		ns := o.(*corev1.Namespace)
		if ns.DeletionTimestamp == nil && ns.Name == e.namespace(ns.Labels[labelTenant]) && !e.inUse(ns.Name) {
			errs = append(errs, e.sweepOne(ctx, ns))
		}
	}
	return errors.Join(errs...)
}

// inUse reports whether informers have seen anything of a Worker in the namespace.
func (e *Engine) inUse(ns string) bool {
	s := e.seen
	for _, i := range []interface {
		ByIndex(string, string) ([]any, error)
	}{s.sets.GetIndexer(), s.claims.GetIndexer(), s.pods.GetIndexer()} {
		if objects, err := i.ByIndex(byNamespace, ns); err != nil || len(objects) > 0 {
			return true
		}
	}
	return false
}

func (e *Engine) sweepOne(ctx context.Context, ns *corev1.Namespace) error {
	id := ns.Labels[labelTenant]
	doing := "removing namespace " + ns.Name
	x, unlock := e.tenants.get(id)
	defer unlock()
	if x.making > 0 || e.inUse(ns.Name) {
		return nil
	}
	stays := func(found string) {
		e.log.InfoContext(ctx, "the namespace of a tenant without Workers stays: somebody has put things into it", "namespace", ns.Name, "found", found)
	}
	if found := e.foreignSecrets(ns.Name); found != "" {
		stays(found)
		return nil
	}
	// The version from before the look: whoever changes the namespace after it stops the deletion.
	live, err := e.api.CoreV1().Namespaces().Get(ctx, ns.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && (live.DeletionTimestamp != nil || !e.ours(live.Labels)) {
		return nil
	}
	if err != nil {
		return e.apiError(doing, err)
	}
	foreign, err := e.foreign(ctx, ns.Name)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if foreign != "" {
		stays(foreign)
		return nil
	}
	err = e.api.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &live.UID, ResourceVersion: &live.ResourceVersion}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	if err != nil {
		return e.apiError(doing, err)
	}
	err = e.until(ctx, id, seenWait, func() (bool, error) {
		o, found, err := e.seen.namespaces.GetIndexer().GetByKey(ns.Name)
		return !found || err == nil && o.(*corev1.Namespace).DeletionTimestamp != nil, err
	})
	if errors.Is(err, errWaited) {
		return nil
	}
	return err
}

// foreign names something in the namespace that deleting it would take along and that isn't ours to delete, "" when
// there is nothing.
func (e *Engine) foreign(ctx context.Context, ns string) (string, error) {
	core, apps, batch, network := e.api.CoreV1(), e.api.AppsV1(), e.api.BatchV1(), e.api.NetworkingV1()
	opts := metav1.ListOptions{Limit: 50}
	for kind, list := range map[string]func() (any, error){
		"pod":                     func() (any, error) { return core.Pods(ns).List(ctx, opts) },
		"persistent volume claim": func() (any, error) { return core.PersistentVolumeClaims(ns).List(ctx, opts) },
		"service":                 func() (any, error) { return core.Services(ns).List(ctx, opts) },
		"config map":              func() (any, error) { return core.ConfigMaps(ns).List(ctx, opts) },
		"stateful set":            func() (any, error) { return apps.StatefulSets(ns).List(ctx, opts) },
		"deployment":              func() (any, error) { return apps.Deployments(ns).List(ctx, opts) },
		"daemon set":              func() (any, error) { return apps.DaemonSets(ns).List(ctx, opts) },
		"job":                     func() (any, error) { return batch.Jobs(ns).List(ctx, opts) },
		"cron job":                func() (any, error) { return batch.CronJobs(ns).List(ctx, opts) },
		"ingress":                 func() (any, error) { return network.Ingresses(ns).List(ctx, opts) },
		"network policy":          func() (any, error) { return network.NetworkPolicies(ns).List(ctx, opts) },
	} {
		objects, err := list()
		if err != nil {
			return "", e.apiError("looking for a "+kind, err)
		}
		if name := firstForeign(objects, e.ours); name != "" {
			return kind + " " + name, nil
		}
	}
	return "", nil
}

// clusterMade are objects that clusters put into every namespace.
var clusterMade = map[string]bool{"kube-root-ca.crt": true, "openshift-service-ca.crt": true, "istio-ca-root-cert": true}

func firstForeign(list any, ours func(map[string]string) bool) string {
	objects, err := tree(list)
	if err != nil {
		return "what can't be read"
	}
	items, _ := objects.(map[string]any)["items"].([]any)
	for _, i := range items {
		item, _ := i.(map[string]any)
		meta, _ := item["metadata"].(map[string]any)
		name, _ := meta["name"].(string)
		labels := map[string]string{}
		if have, ok := meta["labels"].(map[string]any); ok {
			for k, v := range have {
				labels[k], _ = v.(string)
			}
		}
		if !ours(labels) && !clusterMade[name] {
			return name
		}
	}
	return ""
}

// foreignSecrets asks the quota, which counts Secrets: this program has no right to list them. Agents' tokens are deleted
// before the namespace is looked at, the credentials for images go with it; one that the cluster is still collecting makes the namespace stay until the next look.
func (e *Engine) foreignSecrets(ns string) string {
	quota := named[*corev1.ResourceQuota](e.seen.quotas, ns+"/"+quotaName)
	if quota == nil {
		return ""
	}
	var ours resource.Quantity
	if e.registrySecret(ns) != "" {
		ours = *resource.NewQuantity(1, resource.DecimalSI)
	}
	if used, ok := quota.Status.Used[countSecrets]; ok && used.Cmp(ours) > 0 {
		return used.String() + " secrets"
	}
	return ""
}
