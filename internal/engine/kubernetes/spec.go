package kubernetes

import (
	"math"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/engine"
)

// What a machine may write besides its volume: its log, the copy of the agent.
const (
	agentMiB     = 256
	ephemeralMiB = 1024
	// ephemeralRequestMiB is what the scheduler sets aside of it.
	ephemeralRequestMiB = 128
)

// tmp is for temporary files. They lie in the machine's memory, as on the other engines, and half of it at most: on the
// node's disk nothing would stop them before the kubelet measures next, and until then they take what other clients' pods
// need.
func tmp(s baas.Size) *coreac.VolumeApplyConfiguration {
	return emptyDir("tmp", min(256, s.MemoryMiB/2), corev1.StorageMediumMemory)
}

// A plan may allow more than there is; what no number holds is the largest one.
func mib(n int64) resource.Quantity {
	return *resource.NewQuantity(min(n, math.MaxInt64>>20)<<20, resource.BinarySI)
}

func gib(n int64) resource.Quantity {
	return *resource.NewQuantity(min(n, math.MaxInt64>>30)<<30, resource.BinarySI)
}

func milli(n int64) resource.Quantity { return *resource.NewMilliQuantity(n, resource.DecimalSI) }

// resources gives the part of a container's resources that changes live.
func (e *Engine) resources(s baas.Size) (limits, requests corev1.ResourceList) {
	limits = corev1.ResourceList{corev1.ResourceCPU: milli(s.CPUMillis), corev1.ResourceMemory: mib(s.MemoryMiB)}
	requests = corev1.ResourceList{
		corev1.ResourceCPU:    milli(max(s.CPUMillis*int64(e.cfg.CPURequest)/100, 1)),
		corev1.ResourceMemory: mib(max(s.MemoryMiB*int64(e.cfg.MemoryRequest)/100, 1)),
	}
	return limits, requests
}

// allResources adds what never changes.
func (e *Engine) allResources(s baas.Size) *coreac.ResourceRequirementsApplyConfiguration {
	limits, requests := e.resources(s)
	limits[corev1.ResourceEphemeralStorage] = mib(ephemeralMiB)
	requests[corev1.ResourceEphemeralStorage] = mib(ephemeralRequestMiB)
	return coreac.ResourceRequirements().WithLimits(limits).WithRequests(requests)
}

// marks are what a pod remembers of the Machine that it was made for.
type marks struct {
	spec, token string
	restarts    int64
}

func (e *Engine) agentURL(m engine.Machine) string {
	if m.AgentURL != "" {
		return m.AgentURL
	}
	return e.cfg.AgentURL
}

// marksOf gives the marks of a pod that is made for m.
func (e *Engine) marksOf(m engine.Machine) marks {
	k := marks{spec: digest(m.Image, string(m.Isolation), e.agentURL(m))[:32], restarts: m.Restarts}
	if m.AgentToken != "" {
		k.token = digest(m.AgentToken)
	}
	return k
}

// readMarks gives the marks of a pod or of a StatefulSet's template.
func readMarks(annotations map[string]string) marks {
	restarts, _ := strconv.ParseInt(annotations[annotationRestarts], 10, 64)
	return marks{spec: annotations[annotationSpec], token: annotations[annotationToken], restarts: restarts}
}

// serve reports whether a pod with the marks k is what is wanted. An unknown token is any.
func (k marks) serve(want marks) bool {
	return k.spec == want.spec && k.restarts >= want.restarts && (want.token == "" || k.token == want.token)
}

// claim describes the Worker's volume. live is nil before there is one.
func (e *Engine) claim(m engine.Machine, live *corev1.PersistentVolumeClaim) *coreac.PersistentVolumeClaimApplyConfiguration {
	size := gib(m.Size.DiskGiB)
	class := e.cfg.StorageClass
	if live != nil {
		// A claim keeps its class, and never shrinks.
		class = ""
		if have := live.Spec.Resources.Requests[corev1.ResourceStorage]; have.Cmp(size) > 0 || e.cfg.ElasticVolumes {
			size = have
		}
	}
	spec := coreac.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(coreac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: size}))
	if live != nil && live.Spec.StorageClassName != nil {
		class = *live.Spec.StorageClassName
	}
	if class != "" {
		spec.WithStorageClassName(class)
	}
	return coreac.PersistentVolumeClaim(objectName(m.ID), e.namespace(m.TenantID)).
		WithLabels(e.workerLabels(m.TenantID, m.ID)).
		WithSpec(spec)
}

// statefulSet describes the Worker's StatefulSet. live is nil before there is one; from it come what m leaves open
// (the token, when m has none) and what a difference in m alone shall not change (name, a higher restart count).
func (e *Engine) statefulSet(m engine.Machine, live *appsv1.StatefulSet) *appsac.StatefulSetApplyConfiguration {
	k := e.marksOf(m)
	name, secret := m.Name, secretName(m.ID, m.AgentToken)
	if live != nil {
		have := readMarks(live.Spec.Template.Annotations)
		name = live.Annotations[annotationName]
		k.restarts = max(k.restarts, have.restarts)
		if k.token == "" {
			k.token, secret = have.token, secretOf(live)
		}
	}
	labels := e.workerLabels(m.TenantID, m.ID)
	return appsac.StatefulSet(objectName(m.ID), e.namespace(m.TenantID)).
		WithLabels(labels).
		WithAnnotations(map[string]string{annotationName: name}).
		WithSpec(appsac.StatefulSetSpec().
			WithReplicas(1).
			WithRevisionHistoryLimit(1).
			WithSelector(metaac.LabelSelector().WithMatchLabels(map[string]string{labelInstallation: e.cfg.Installation, labelWorker: m.ID})).
			WithUpdateStrategy(appsac.StatefulSetUpdateStrategy().WithType(appsv1.OnDeleteStatefulSetStrategyType)).
			WithTemplate(coreac.PodTemplateSpec().
				WithLabels(labels).
				WithAnnotations(map[string]string{
					annotationSpec:     k.spec,
					annotationToken:    k.token,
					annotationRestarts: strconv.FormatInt(k.restarts, 10),
					annotationAgent:    e.cfg.Image,
					"cluster-autoscaler.kubernetes.io/safe-to-evict": strconv.FormatBool(e.cfg.Movable),
				}).
				WithSpec(e.podSpec(m, secret))))
}

// secretOf gives the name of the Secret that a StatefulSet's pods take their token from.
func secretOf(s *appsv1.StatefulSet) string {
	for _, c := range s.Spec.Template.Spec.Containers {
		for _, v := range c.Env {
			if v.Name == agentapi.EnvToken && v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
				return v.ValueFrom.SecretKeyRef.Name
			}
		}
	}
	return ""
}

func (e *Engine) podSpec(m engine.Machine, secret string) *coreac.PodSpecApplyConfiguration {
	place := e.cfg.placement(m.ID, m.TenantID, m.Plan.ID)
	image := m.Image
	if image == "" {
		image = e.cfg.Image
	}
	worker := coreac.Container().
		WithName(container).
		WithImage(image).
		WithCommand(agentPath, "agent").
		WithWorkingDir(dataDir).
		WithEnv(
			coreac.EnvVar().WithName("HOME").WithValue(dataDir),
			coreac.EnvVar().WithName(agentapi.EnvURL).WithValue(e.agentURL(m)),
			coreac.EnvVar().WithName(agentapi.EnvToken).WithValueFrom(coreac.EnvVarSource().
				WithSecretKeyRef(coreac.SecretKeySelector().WithName(secret).WithKey(secretKey))),
			coreac.EnvVar().WithName(agentapi.EnvWorker).WithValue(m.ID),
			coreac.EnvVar().WithName(agentapi.EnvData).WithValue(dataDir),
			coreac.EnvVar().WithName(agentapi.EnvDiskGiB).WithValue(strconv.FormatInt(m.Size.DiskGiB, 10)),
		).
		WithResources(e.allResources(m.Size)).
		WithSecurityContext(restricted()).
		WithVolumeMounts(
			coreac.VolumeMount().WithName("data").WithMountPath(dataDir),
			coreac.VolumeMount().WithName("tmp").WithMountPath("/tmp"),
		)
	spec := coreac.PodSpec().
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(int64(e.cfg.StopTimeout/time.Second)).
		WithSecurityContext(e.podSecurity()).
		WithVolumes(
			coreac.Volume().WithName("data").WithPersistentVolumeClaim(coreac.PersistentVolumeClaimVolumeSource().WithClaimName(objectName(m.ID))),
			tmp(m.Size),
		)
	if m.Image != "" {
		// The platform's own image has the agent in it.
		worker.WithVolumeMounts(coreac.VolumeMount().WithName("agent").WithMountPath(agentDir).WithReadOnly(true))
		spec.WithVolumes(emptyDir("agent", agentMiB, corev1.StorageMediumDefault)).
			WithInitContainers(coreac.Container().
				WithName("agent").
				WithImage(e.cfg.Image).
				WithCommand(agentPath, "inject", "/agent/baas").
				WithResources(e.allResources(m.Size)).
				WithSecurityContext(restricted()).
				WithVolumeMounts(coreac.VolumeMount().WithName("agent").WithMountPath("/agent")))
	}
	if class := e.cfg.RuntimeClasses[m.Isolation]; class != "" {
		spec.WithRuntimeClassName(class)
	}
	if e.registry != "" {
		spec.WithImagePullSecrets(coreac.LocalObjectReference().WithName(e.registry))
	}
	if len(place.NodeSelector) > 0 {
		spec.WithNodeSelector(place.NodeSelector)
	}
	for _, t := range place.Tolerations {
		spec.WithTolerations(toleration(t))
	}
	if place.PriorityClass != "" {
		spec.WithPriorityClassName(place.PriorityClass)
	}
	return spec.WithContainers(worker)
}

// toleration sets no field to an empty value: the cluster leaves those out, and they would always differ.
func toleration(t corev1.Toleration) *coreac.TolerationApplyConfiguration {
	a := coreac.Toleration()
	if t.Key != "" {
		a.WithKey(t.Key)
	}
	if t.Operator != "" {
		a.WithOperator(t.Operator)
	}
	if t.Value != "" {
		a.WithValue(t.Value)
	}
	if t.Effect != "" {
		a.WithEffect(t.Effect)
	}
	if t.TolerationSeconds != nil {
		a.WithTolerationSeconds(*t.TolerationSeconds)
	}
	return a
}

func emptyDir(name string, sizeMiB int64, medium corev1.StorageMedium) *coreac.VolumeApplyConfiguration {
	dir := coreac.EmptyDirVolumeSource().WithSizeLimit(mib(sizeMiB))
	if medium != corev1.StorageMediumDefault { // the cluster leaves it out, and it would always differ
		dir.WithMedium(medium)
	}
	return coreac.Volume().WithName(name).WithEmptyDir(dir)
}

func restricted() *coreac.SecurityContextApplyConfiguration {
	return coreac.SecurityContext().
		WithAllowPrivilegeEscalation(false).
		WithReadOnlyRootFilesystem(true).
		WithCapabilities(coreac.Capabilities().WithDrop("ALL"))
}

func (e *Engine) podSecurity() *coreac.PodSecurityContextApplyConfiguration {
	c := coreac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithSeccompProfile(coreac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault)).
		WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch)
	if id := e.cfg.UserID; id > 0 {
		c.WithRunAsUser(id).WithRunAsGroup(id).WithFSGroup(id)
	}
	return c
}

// secretKey is the key of the token in its Secret.
const secretKey = "token"

// secret describes the agent's token. Its owner is the claim, so that the cluster removes one that a crash left behind.
func (e *Engine) secret(m engine.Machine, claim *corev1.PersistentVolumeClaim) *corev1.Secret {
	immutable := true
	s := &corev1.Secret{Immutable: &immutable, Type: corev1.SecretTypeOpaque, StringData: map[string]string{secretKey: m.AgentToken}}
	s.Name, s.Labels = secretName(m.ID, m.AgentToken), e.workerLabels(m.TenantID, m.ID)
	s.OwnerReferences = ownedBy(claim)
	return s
}
