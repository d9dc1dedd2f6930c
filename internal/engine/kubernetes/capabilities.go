package kubernetes

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/version"

	corev1 "k8s.io/api/core/v1"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// serverAge is how long what the API server tells about itself is kept.
const serverAge = 5 * time.Minute

// server is what the API server is.
type server struct {
	mu      sync.Mutex
	at      time.Time
	version string
	resize  bool
}

// resizeVersion is the first whose kubelets lower a memory limit in place.
var resizeVersion = version.MustParseGeneric("1.34.0")

// askServer learns the API server's version and whether pods can be resized.
func (e *Engine) askServer() (version_ string, err error) {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	if e.server.version != "" && e.cfg.Now().Sub(e.server.at) < serverAge {
		return e.server.version, nil
	}
	const doing = "asking the API server about itself"
	info, err := e.api.Discovery().ServerVersion()
	if err != nil {
		return "", e.apiError(doing, err)
	}
	list, err := e.api.Discovery().ServerResourcesForGroupVersion("v1")
	if err != nil {
		return "", e.apiError(doing, err)
	}
	e.server.resize = false
	for _, r := range list.APIResources {
		if r.Name == "pods/resize" {
			have, err := version.ParseGeneric(info.GitVersion)
			e.server.resize = err == nil && have.AtLeast(resizeVersion)
		}
	}
	e.server.version, e.server.at = info.GitVersion, e.cfg.Now()
	return info.GitVersion, nil
}

// canResize reports whether a pod's size changes without a restart, as far as the API server last said.
func (e *Engine) canResize() bool {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	return e.server.resize
}

// missingLevel says why an isolation level can't be had, "" when it can.
func (e *Engine) missingLevel(level baas.Isolation) string {
	class, known := e.cfg.RuntimeClasses[level]
	switch {
	case !known:
		return "no RuntimeClass is configured for it"
	case class != "" && e.runtimeClass(class) == nil:
		return fmt.Sprintf("the cluster has no RuntimeClass named %s", class)
	}
	return ""
}

// admit refuses what can't be had here, before anything is done.
func (e *Engine) admit(m engine.Machine, claim *corev1.PersistentVolumeClaim) error {
	switch m.Isolation {
	case baas.IsolationContainer, baas.IsolationSandbox, baas.IsolationVM:
	default:
		return baas.Errorf(baas.CodeUnsupported, "isolation %q can't be had on a cluster: choose container, sandbox or vm", m.Isolation)
	}
	if why := e.missingLevel(m.Isolation); why != "" {
		return baas.Errorf(baas.CodeUnsupported, "isolation %s can't be had: %s", m.Isolation, why)
	}
	if claim == nil || e.cfg.ElasticVolumes {
		return nil
	}
	have := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	if have.Cmp(gib(m.Size.DiskGiB)) >= 0 || claim.Spec.StorageClassName == nil {
		return nil
	}
	name := *claim.Spec.StorageClassName
	if class := e.storageClass(name); class == nil || class.AllowVolumeExpansion == nil || !*class.AllowVolumeExpansion {
		return baas.Errorf(baas.CodeUnsupported,
			"the disk can't grow to %d GiB: it was made with %d GiB, and volumes of the storage class %s don't grow; make a new Worker with a larger disk and move the bots there",
			m.Size.DiskGiB, have.Value()>>30, name)
	}
	return nil
}

// overhead is the most that any level's RuntimeClass adds to a pod.
func (e *Engine) overhead() (cpu, memory resource.Quantity) {
	for _, name := range e.cfg.RuntimeClasses {
		class := e.runtimeClass(name)
		if class == nil || class.Overhead == nil {
			continue
		}
		if c := class.Overhead.PodFixed[corev1.ResourceCPU]; c.Cmp(cpu) > 0 {
			cpu = c
		}
		if m := class.Overhead.PodFixed[corev1.ResourceMemory]; m.Cmp(memory) > 0 {
			memory = m
		}
	}
	return cpu, memory
}

// Capabilities implements engine.Engine.
func (e *Engine) Capabilities(context.Context) (engine.Capabilities, error) {
	if err := e.listed(); err != nil {
		return engine.Capabilities{}, err
	}
	v, err := e.askServer()
	if err != nil {
		return engine.Capabilities{}, err
	}
	c := engine.Capabilities{
		Engine: "kubernetes", Version: v, LiveResize: e.canResize(), DiskLimit: "enforced", Images: true,
		Isolation: map[baas.Isolation]string{}, Missing: map[baas.Isolation]string{},
	}
	if e.cfg.ElasticVolumes {
		c.DiskLimit = "watched"
	}
	for _, level := range []baas.Isolation{baas.IsolationContainer, baas.IsolationSandbox, baas.IsolationVM} {
		if why := e.missingLevel(level); why != "" {
			c.Missing[level] = why
			continue
		}
		name := e.cfg.RuntimeClasses[level]
		if name == "" {
			c.Isolation[level] = "the nodes' default runtime"
			continue
		}
		c.Isolation[level] = fmt.Sprintf("RuntimeClass %s (%s)", name, e.runtimeClass(name).Handler)
	}
	if !c.LiveResize {
		c.Warnings = append(c.Warnings, engine.Warning{Code: engine.WarnResizeRestarts,
			Message: "a Worker restarts when its CPU or memory changes: pods are resized in place from Kubernetes 1.34 on"})
	}
	c.Warnings = append(c.Warnings, engine.Warning{Code: engine.WarnNetworkPolicies,
		Message: "Workers are kept from each other and from the cluster's network by NetworkPolicies: make sure that its network plugin enforces them"})
	return c, nil
}
