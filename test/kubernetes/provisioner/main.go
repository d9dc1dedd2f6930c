// Command provisioner gives the test cluster a StorageClass: directories of the node as volumes, made when a claim's
// pod is scheduled, grown on paper, deleted with the claim.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

// The classes: one whose volumes grow, which is the default, and one whose volumes don't.
const (
	growing     = "baas-test"
	fixed       = "baas-test-fixed"
	provisioner = "baas.local/directory"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file")
	dir := flag.String("dir", "", "directory of the volumes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *kubeconfig, *dir); err != nil {
		log.Fatal(err)
	}
}

type controller struct {
	api    kubernetes.Interface
	dir    string
	queue  workqueue.TypedRateLimitingInterface[string]
	claims cache.Indexer
}

func run(ctx context.Context, kubeconfig, dir string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Burst = 200, 400
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	if err := classes(ctx, api); err != nil {
		return fmt.Errorf("making the StorageClasses: %w", err)
	}
	factory := informers.NewSharedInformerFactory(api, 0)
	claims, volumes := factory.Core().V1().PersistentVolumeClaims().Informer(), factory.Core().V1().PersistentVolumes().Informer()
	c := &controller{api: api, dir: dir, claims: claims.GetIndexer(),
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](50*time.Millisecond, 5*time.Second))}
	if _, err := claims.AddEventHandler(handler(func(o any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(o); err == nil {
			c.queue.Add(key)
		}
	})); err != nil {
		return err
	}
	if _, err := volumes.AddEventHandler(handler(func(o any) {
		if v, ok := o.(*corev1.PersistentVolume); ok && v.Spec.ClaimRef != nil {
			c.queue.Add(v.Spec.ClaimRef.Namespace + "/" + v.Spec.ClaimRef.Name)
			if v.Status.Phase == corev1.VolumeReleased {
				c.queue.Add("/" + v.Name)
			}
		}
	})); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	context.AfterFunc(ctx, c.queue.ShutDown)
	for range 7 {
		go c.work(ctx)
	}
	c.work(ctx)
	return nil
}

func handler(f func(any)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{AddFunc: f, UpdateFunc: func(_, o any) { f(o) }, DeleteFunc: f}
}

func classes(ctx context.Context, api kubernetes.Interface) error {
	wait, reclaim := storagev1.VolumeBindingWaitForFirstConsumer, corev1.PersistentVolumeReclaimDelete
	for name, grows := range map[string]bool{growing: true, fixed: false} {
		c := &storagev1.StorageClass{
			ObjectMeta:           metav1.ObjectMeta{Name: name, Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": fmt.Sprint(grows)}},
			Provisioner:          provisioner,
			VolumeBindingMode:    &wait,
			ReclaimPolicy:        &reclaim,
			AllowVolumeExpansion: &grows,
		}
		if _, err := api.StorageV1().StorageClasses().Create(ctx, c, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

func (c *controller) work(ctx context.Context) {
	for {
		key, end := c.queue.Get()
		if end {
			return
		}
		if err := c.sync(ctx, key); err != nil && ctx.Err() == nil {
			log.Printf("%s: %v", key, err)
			c.queue.AddRateLimited(key)
		} else {
			c.queue.Forget(key)
		}
		c.queue.Done(key)
	}
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	if namespace == "" {
		return c.delete(ctx, name)
	}
	o, found, err := c.claims.GetByKey(key)
	if err != nil || !found {
		return err
	}
	claim := o.(*corev1.PersistentVolumeClaim)
	if class := claim.Spec.StorageClassName; class == nil || *class != growing && *class != fixed || claim.DeletionTimestamp != nil {
		return nil
	}
	node := claim.Annotations["volume.kubernetes.io/selected-node"]
	switch {
	case claim.Spec.VolumeName == "" && node != "":
		return c.make(ctx, claim, node)
	case claim.Status.Phase == corev1.ClaimBound:
		return c.grow(ctx, claim)
	}
	return nil
}

func volumeName(claim *corev1.PersistentVolumeClaim) string { return "pvc-" + string(claim.UID) }

func (c *controller) make(ctx context.Context, claim *corev1.PersistentVolumeClaim, node string) error {
	name := volumeName(claim)
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(path, 0o777); err != nil { // whatever the umask is
		return err
	}
	kind := corev1.HostPathDirectory
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      claim.Spec.Resources.Requests,
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &kind}},
			ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name,
				UID: claim.UID, ResourceVersion: claim.ResourceVersion},
		},
	}
	_, err := c.api.CoreV1().PersistentVolumes().Create(ctx, v, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// grow follows a larger request, as a driver with online expansion does.
func (c *controller) grow(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	want, have := claim.Spec.Resources.Requests.Storage(), claim.Status.Capacity.Storage()
	if want.Cmp(*have) <= 0 {
		return nil
	}
	v, err := c.api.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if v.Spec.Capacity.Storage().Cmp(*want) < 0 {
		v.Spec.Capacity[corev1.ResourceStorage] = want.DeepCopy()
		if _, err := c.api.CoreV1().PersistentVolumes().Update(ctx, v, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	claim = claim.DeepCopy()
	claim.Status.Capacity[corev1.ResourceStorage] = want.DeepCopy()
	_, err = c.api.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{})
	return err
}

func (c *controller) delete(ctx context.Context, name string) error {
	if filepath.Base(name) != name || name == "." || name == ".." {
		return errors.New("not the name of a volume")
	}
	if err := os.RemoveAll(filepath.Join(c.dir, name)); err != nil {
		return err
	}
	err := c.api.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
