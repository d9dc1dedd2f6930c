package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	clientinformers "k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Indexes of what informers have seen.
const (
	byWorker    = "worker"
	byTenant    = "tenant"
	byNode      = "node"
	byNamespace = cache.NamespaceIndex
)

// informers are the watches, each with a cache of what it has seen: of this installation alone, besides the cluster's
// nodes and classes.
type informers struct {
	namespaces, policies, limits, quotas cache.SharedIndexInformer
	sets, pods, claims                   cache.SharedIndexInformer
	nodes, runtimes, storage             cache.SharedIndexInformer

	mu  sync.Mutex
	err error // of the last watch that failed
}

// follow starts the informers; e.ready tells of their first lists.
func (e *Engine) follow(background context.Context, api kubernetes.Interface) error {
	own := labels.SelectorFromSet(labels.Set{labelInstallation: e.cfg.Installation}).String()
	ours := clientinformers.NewSharedInformerFactoryWithOptions(api, 0,
		clientinformers.WithTransform(slim),
		clientinformers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = own }))
	all := clientinformers.NewSharedInformerFactoryWithOptions(api, 0, clientinformers.WithTransform(slim))
	s := &informers{
		namespaces: ours.Core().V1().Namespaces().Informer(),
		policies:   ours.Networking().V1().NetworkPolicies().Informer(),
		limits:     ours.Core().V1().LimitRanges().Informer(),
		quotas:     ours.Core().V1().ResourceQuotas().Informer(),
		sets:       ours.Apps().V1().StatefulSets().Informer(),
		pods:       ours.Core().V1().Pods().Informer(),
		claims:     ours.Core().V1().PersistentVolumeClaims().Informer(),
		nodes:      all.Core().V1().Nodes().Informer(),
		runtimes:   all.Node().V1().RuntimeClasses().Informer(),
		storage:    all.Storage().V1().StorageClasses().Informer(),
	}
	e.seen = s
	var errs []error
	check := func(_ any, err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, i := range []cache.SharedIndexInformer{s.sets, s.pods, s.claims} {
		check(nil, i.AddIndexers(cache.Indexers{byWorker: labelIndex(labelWorker), byTenant: labelIndex(labelTenant)}))
		check(i.AddEventHandler(handler(e.workerChanged)))
	}
	check(nil, s.pods.AddIndexers(cache.Indexers{byNode: func(o any) ([]string, error) { return []string{o.(*corev1.Pod).Spec.NodeName}, nil }}))
	for _, i := range []cache.SharedIndexInformer{s.namespaces, s.policies, s.limits, s.quotas} {
		check(i.AddEventHandler(handler(e.tenantChanged)))
	}
	check(s.nodes.AddEventHandler(handler(e.nodeChanged)))
	for _, i := range s.each() {
		check(nil, i.SetWatchErrorHandler(func(r *cache.Reflector, err error) {
			s.failed(err)
			cache.DefaultWatchErrorHandler(background, r, err)
		}))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("setting up the watches: %w", err)
	}
	ours.StartWithContext(background)
	all.StartWithContext(background)
	e.running.Add(2)
	context.AfterFunc(background, func() {
		defer e.running.Done()
		ours.Shutdown()
		all.Shutdown()
	})
	go func() {
		defer e.running.Done()
		e.list(background)
	}()
	return nil
}

// list waits until the first lists are in and the API server has said what it is.
func (e *Engine) list(background context.Context) {
	synced := make([]cache.InformerSynced, 0, len(e.seen.each()))
	for _, i := range e.seen.each() {
		synced = append(synced, i.HasSynced)
	}
	if !cache.WaitForCacheSync(background.Done(), synced...) {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		_, err := e.askServer()
		if err == nil {
			break
		}
		e.seen.failed(err)
		select {
		case <-background.Done():
			return
		case <-tick.C:
		}
	}
	close(e.ready)
	e.notifier.Notify("") // whoever was refused until now
}

// awaitLists waits for the first lists, and not for long when the API server is away.
func (e *Engine) awaitLists(ctx context.Context) error {
	limit := time.NewTimer(syncWait)
	defer limit.Stop()
	select {
	case <-e.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("listing what there is: %w", ctx.Err())
	case <-limit.C:
	}
	err := e.listed()
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return err
	}
	if err != nil {
		e.log.WarnContext(ctx, "the cluster can't be reached; until it can, nothing about machines is changed", "err", err)
	}
	return nil
}

// listed gives ErrUnavailable until the first lists are in: before, nothing is known of what there is.
func (e *Engine) listed() error {
	select {
	case <-e.ready:
		return nil
	default:
	}
	e.seen.mu.Lock()
	defer e.seen.mu.Unlock()
	err := e.seen.err
	if err == nil {
		err = errors.New("the API server does not answer")
	}
	return unavailable("the cluster can't be reached", fmt.Errorf("listing what there is: %w", err))
}

// failed remembers why the API server doesn't tell.
func (s *informers) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *informers) each() []cache.SharedIndexInformer {
	return []cache.SharedIndexInformer{s.namespaces, s.policies, s.limits, s.quotas, s.sets, s.pods, s.claims, s.nodes, s.runtimes, s.storage}
}

// slim drops what is large and never read. A pod is compared by its marks and its resources alone.
func slim(o any) (any, error) {
	if p, ok := o.(*corev1.Pod); ok {
		p.Spec.Volumes, p.Spec.Tolerations, p.Spec.InitContainers, p.Spec.SecurityContext = nil, nil, nil, nil
		for i, c := range p.Spec.Containers {
			p.Spec.Containers[i] = corev1.Container{Name: c.Name, Resources: c.Resources}
		}
	}
	if m, ok := o.(metav1.Object); ok {
		m.SetManagedFields(nil)
	}
	if n, ok := o.(*corev1.Node); ok {
		n.Status.Images, n.Annotations = nil, nil
	}
	return o, nil
}

func labelIndex(label string) cache.IndexFunc {
	return func(o any) ([]string, error) { return []string{o.(metav1.Object).GetLabels()[label]}, nil }
}

// handler calls f for every change; was is nil for what is new, and is for what is gone.
func handler(f func(was, is metav1.Object)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { f(nil, o.(metav1.Object)) },
		UpdateFunc: func(was, is any) { f(was.(metav1.Object), is.(metav1.Object)) },
		DeleteFunc: func(o any) {
			if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			f(o.(metav1.Object), nil)
		},
	}
}

func (e *Engine) workerChanged(was, is metav1.Object) {
	o := is
	if o == nil {
		o = was
	}
	id := o.GetLabels()[labelWorker]
	e.signals.send(id)
	e.notifier.Notify(id)
}

func (e *Engine) tenantChanged(was, is metav1.Object) {
	o := is
	if o == nil {
		o = was
	}
	tenant := o.GetLabels()[labelTenant]
	e.signals.send(tenant)
	if was == nil || is != nil && equality.Semantic.DeepEqual(was.GetLabels(), is.GetLabels()) && equality.Semantic.DeepEqual(specOf(was), specOf(is)) {
		return // new, which only we make, or a status alone
	}
	for _, id := range e.workersOf(tenant) {
		e.notifier.Notify(id)
	}
}

func specOf(o metav1.Object) any {
	switch o := o.(type) {
	case *networkingv1.NetworkPolicy:
		return o.Spec
	case *corev1.ResourceQuota:
		return o.Spec
	case *corev1.LimitRange:
		return o.Spec
	}
	return nil
}

// workersOf lists the ids of a tenant's Workers.
func (e *Engine) workersOf(tenant string) []string {
	var ids []string
	for _, i := range []cache.SharedIndexInformer{e.seen.sets, e.seen.claims} {
		objects, err := i.GetIndexer().ByIndex(byTenant, tenant)
		if err != nil {
			continue // the index was added when the informer was made
		}
		for _, o := range objects {
			ids = append(ids, o.(metav1.Object).GetLabels()[labelWorker])
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (e *Engine) nodeChanged(was, is metav1.Object) {
	if was != nil && is != nil && nodeReady(was.(*corev1.Node)) == nodeReady(is.(*corev1.Node)) {
		return
	}
	o := is
	if o == nil {
		o = was
	}
	pods, err := e.seen.pods.GetIndexer().ByIndex(byNode, o.GetName())
	if err != nil {
		return
	}
	for _, p := range pods {
		e.workerChanged(nil, p.(metav1.Object))
	}
}

func nodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Watch implements engine.Engine.
func (e *Engine) Watch(ctx context.Context) (<-chan string, error) { return e.notifier.Watch(ctx), nil }

// one gives the only object that an informer has seen of the Worker, the zero value when there is none.
func one[T interface {
	comparable
	runtime.Object
}](i cache.SharedIndexInformer, id string) (found T, err error) {
	objects, err := i.GetIndexer().ByIndex(byWorker, id)
	if err != nil {
		return found, fmt.Errorf("looking for Worker %s: %w", id, err)
	}
	for _, o := range objects {
		if t, ok := o.(T); ok && (found == *new(T) || o.(metav1.Object).GetName() == podName(id)) {
			found = t
		}
	}
	return found, nil
}

// view is what informers have seen of a Worker. Its objects are shared: they are read only.
type view struct {
	set   *appsv1.StatefulSet
	pod   *corev1.Pod
	claim *corev1.PersistentVolumeClaim
}

// view gives it; ErrUnavailable before anything is known.
func (e *Engine) view(id string) (v view, err error) {
	if err := e.listed(); err != nil {
		return v, err
	}
	if v.set, err = one[*appsv1.StatefulSet](e.seen.sets, id); err != nil {
		return v, err
	}
	if v.pod, err = one[*corev1.Pod](e.seen.pods, id); err != nil {
		return v, err
	}
	v.claim, err = one[*corev1.PersistentVolumeClaim](e.seen.claims, id)
	return v, err
}

func (v view) nothing() bool { return v.set == nil && v.pod == nil && v.claim == nil }

// node gives the pod's node, nil when it has none or the cluster doesn't know it any more.
func (e *Engine) node(p *corev1.Pod) *corev1.Node {
	return named[*corev1.Node](e.seen.nodes, p.Spec.NodeName)
}

func (e *Engine) runtimeClass(name string) *nodev1.RuntimeClass {
	return named[*nodev1.RuntimeClass](e.seen.runtimes, name)
}

func (e *Engine) storageClass(name string) *storagev1.StorageClass {
	return named[*storagev1.StorageClass](e.seen.storage, name)
}

func named[T runtime.Object](i cache.SharedIndexInformer, key string) (t T) {
	if o, found, err := i.GetIndexer().GetByKey(key); err == nil && found {
		t, _ = o.(T)
	}
	return t
}

// written wraps the error of a write, or waits until the informer has seen what was written: from then on, this
// process reads what it wrote. key is the Worker or tenant that the object belongs to.
func (e *Engine) written(ctx context.Context, key string, i cache.SharedIndexInformer, o metav1.Object, err error, doing string) error {
	if err != nil {
		return e.apiError(doing, err)
	}
	name := o.GetName()
	if ns := o.GetNamespace(); ns != "" {
		name = ns + "/" + name
	}
	err = e.until(ctx, key, seenWait, func() (bool, error) {
		live, found, err := i.GetIndexer().GetByKey(name)
		if err != nil || !found {
			return false, err
		}
		order, err := resourceversion.CompareResourceVersion(live.(metav1.Object).GetResourceVersion(), o.GetResourceVersion())
		return order >= 0, err
	})
	if errors.Is(err, errWaited) {
		return unavailable("the cluster is slow to answer", fmt.Errorf("%s: the cluster has not told of it within %s", doing, seenWait))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// errWaited says that until gave up.
var errWaited = errors.New("it did not come in time")

// until waits for the condition, which is looked at whenever something of the Worker or tenant changes, and each second.
func (e *Engine) until(ctx context.Context, key string, limit time.Duration, condition func() (bool, error)) error {
	changed, stop := e.signals.subscribe(key)
	defer stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		if done, err := condition(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			return errWaited
		case <-changed:
		case <-tick.C:
		}
	}
}

// signals wakes those who wait for a change of a Worker or tenant. The zero value is ready.
type signals struct {
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]struct{}
}

func (s *signals) subscribe(key string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = map[string]map[chan struct{}]struct{}{}
	}
	if s.waiting[key] == nil {
		s.waiting[key] = map[chan struct{}]struct{}{}
	}
	s.waiting[key][c] = struct{}{}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.waiting[key], c); len(s.waiting[key]) == 0 {
			delete(s.waiting, key)
		}
	}
}

func (s *signals) send(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.waiting[key] {
		select {
		case c <- struct{}{}:
		default: // it has one to look at already
		}
	}
}
