package kubernetes

import (
	"context"
	"fmt"
	"math"
	"net/netip"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// tenantWants is everything that a tenant's namespace should have.
type tenantWants struct {
	namespace *coreac.NamespaceApplyConfiguration
	policies  []*networkingac.NetworkPolicyApplyConfiguration
	limits    *coreac.LimitRangeApplyConfiguration
	quota     *coreac.ResourceQuotaApplyConfiguration // nil: none is set, and one that is there stays
}

func (e *Engine) tenantWants(m engine.Machine) tenantWants {
	ns, labels := e.namespace(m.TenantID), e.tenantLabels(m.TenantID)
	w := tenantWants{
		namespace: coreac.Namespace(ns).WithLabels(labels).WithLabels(map[string]string{
			"pod-security.kubernetes.io/enforce":         "restricted",
			"pod-security.kubernetes.io/enforce-version": "latest",
		}),
		policies: []*networkingac.NetworkPolicyApplyConfiguration{
			networkingac.NetworkPolicy(denyName, ns).WithLabels(labels).WithSpec(networkingac.NetworkPolicySpec().
				WithPodSelector(metaac.LabelSelector()).
				WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)),
			networkingac.NetworkPolicy(egressName, ns).WithLabels(labels).WithSpec(networkingac.NetworkPolicySpec().
				WithPodSelector(metaac.LabelSelector().WithMatchLabels(map[string]string{labelInstallation: e.cfg.Installation})).
				WithPolicyTypes(networkingv1.PolicyTypeEgress).
				WithEgress(e.egress()...)),
		},
		// The platform's own pods say what they need; these are for what an administrator or a webhook adds.
		limits: coreac.LimitRange(limitRangeName, ns).WithLabels(labels).WithSpec(coreac.LimitRangeSpec().WithLimits(
			coreac.LimitRangeItem().WithType(corev1.LimitTypeContainer).
				WithDefault(corev1.ResourceList{corev1.ResourceCPU: milli(250), corev1.ResourceMemory: mib(128)}).
				WithDefaultRequest(corev1.ResourceList{corev1.ResourceCPU: milli(50), corev1.ResourceMemory: mib(64)}),
		)),
	}
	if e.registry != "" {
		w.limits.WithAnnotations(map[string]string{annotationRegistry: e.registry})
	}
	if m.Plan.ID != "" && !e.cfg.NoQuota {
		w.quota = coreac.ResourceQuota(quotaName, ns).WithLabels(labels).WithSpec(coreac.ResourceQuotaSpec().WithHard(e.quota(m.Plan.Limits)))
	}
	return w
}

// quota gives the plan's limits as the cluster counts them.
func (e *Engine) quota(l baas.Limits) corev1.ResourceList {
	cpu, memory := milli(l.CPUMillis), mib(l.MemoryMiB)
	// A RuntimeClass's overhead counts, and isn't the tenant's to pay.
	overheadCPU, overheadMemory := e.overhead()
	cpu.Add(*resource.NewMilliQuantity(overheadCPU.MilliValue()*int64(l.Workers), resource.DecimalSI))
	memory.Add(*resource.NewQuantity(overheadMemory.Value()*int64(l.Workers), resource.BinarySI))
	return corev1.ResourceList{
		corev1.ResourceLimitsCPU:      cpu,
		corev1.ResourceLimitsMemory:   memory,
		corev1.ResourceRequestsCPU:    cpu,
		corev1.ResourceRequestsMemory: memory,
		// Claims never shrink, so a tenant that made Workers smaller holds more than it is counted for.
		corev1.ResourceRequestsStorage:        gib(2 * min(l.DiskGiB, math.MaxInt64/2)),
		corev1.ResourcePersistentVolumeClaims: *resource.NewQuantity(int64(l.Workers), resource.DecimalSI),
		corev1.ResourcePods:                   *resource.NewQuantity(int64(l.Workers), resource.DecimalSI),
		// High enough for anything. Its count tells whether somebody else keeps Secrets here, which this program may not list.
		countSecrets: *resource.NewQuantity(100_000, resource.DecimalSI),
	}
}

const countSecrets = corev1.ResourceName("count/secrets")

// egress is what a Worker reaches.
func (e *Engine) egress() []*networkingac.NetworkPolicyEgressRuleApplyConfiguration {
	rule := networkingac.NetworkPolicyEgressRule
	port := func(protocol corev1.Protocol, n int) *networkingac.NetworkPolicyPortApplyConfiguration {
		return networkingac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(int32(n)))
	}
	dns := rule().
		WithPorts(port(corev1.ProtocolUDP, e.cfg.DNS.Port), port(corev1.ProtocolTCP, e.cfg.DNS.Port)).
		WithTo(podPeer(e.cfg.DNS.Namespace, e.cfg.DNS.Labels)).
		WithTo(addressPeers(e.cfg.DNS.Addresses)...)
	control := rule().WithPorts(port(corev1.ProtocolTCP, e.cfg.ControlPlane.Port)).WithTo(addressPeers(e.cfg.ControlPlane.Addresses)...)
	if e.cfg.ControlPlane.Namespace != "" {
		control.WithTo(podPeer(e.cfg.ControlPlane.Namespace, e.cfg.ControlPlane.Labels))
	}
	internet := rule()
	for _, all := range []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")} {
		block := networkingac.IPBlock().WithCIDR(all.String())
		for _, list := range [][]netip.Prefix{e.cfg.Deny, metadataNetworks} {
			for _, p := range list {
				if p.Addr().Is4() == all.Addr().Is4() {
					block.WithExcept(p.Masked().String())
				}
			}
		}
		internet.WithTo(networkingac.NetworkPolicyPeer().WithIPBlock(block))
	}
	return []*networkingac.NetworkPolicyEgressRuleApplyConfiguration{dns, control, internet}
}

func podPeer(namespace string, labels map[string]string) *networkingac.NetworkPolicyPeerApplyConfiguration {
	return networkingac.NetworkPolicyPeer().
		WithNamespaceSelector(metaac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: namespace})).
		WithPodSelector(metaac.LabelSelector().WithMatchLabels(labels))
}

func addressPeers(prefixes []netip.Prefix) (peers []*networkingac.NetworkPolicyPeerApplyConfiguration) {
	for _, p := range prefixes {
		peers = append(peers, networkingac.NetworkPolicyPeer().WithIPBlock(networkingac.IPBlock().WithCIDR(p.Masked().String())))
	}
	return peers
}

// tenantDiff tells which of a tenant's things are missing or changed, by what informers have seen.
type tenantDiff struct {
	namespace bool
	policies  []*networkingac.NetworkPolicyApplyConfiguration
	limits    bool
	quota     bool
}

func (d tenantDiff) any() bool { return d.namespace || len(d.policies) > 0 || d.limits || d.quota }

func (e *Engine) tenantDiff(w tenantWants) (d tenantDiff, err error) {
	ns := *w.namespace.Name
	differs := func(live any, found bool, want any) bool {
		if !found {
			return true
		}
		same, cerr := covers(live, want)
		if cerr != nil {
			err = cerr
		}
		return !same
	}
	o, found, gerr := e.seen.namespaces.GetIndexer().GetByKey(ns)
	if gerr != nil {
		return d, gerr
	}
	d.namespace = differs(o, found, w.namespace) || o.(*corev1.Namespace).DeletionTimestamp != nil
	if d.namespace {
		// What it held may be on its way out with it.
		return tenantDiff{namespace: true, policies: w.policies, limits: true, quota: w.quota != nil}, err
	}
	for _, p := range w.policies {
		o, found, _ := e.seen.policies.GetIndexer().GetByKey(ns + "/" + *p.Name)
		if differs(o, found, p) {
			d.policies = append(d.policies, p)
		}
	}
	o, found, _ = e.seen.limits.GetIndexer().GetByKey(ns + "/" + limitRangeName)
	d.limits = differs(o, found, w.limits)
	if w.quota != nil {
		o, found, _ = e.seen.quotas.GetIndexer().GetByKey(ns + "/" + quotaName)
		d.quota = differs(o, found, w.quota)
	}
	return d, err
}

// ensureTenant makes the tenant's namespace what it should be.
func (e *Engine) ensureTenant(ctx context.Context, m engine.Machine, progress func(engine.Step)) error {
	w := e.tenantWants(m)
	d, err := e.tenantDiff(w)
	if err != nil || !d.any() {
		return err
	}
	// Machines of one tenant that come at once would do the same work.
	defer e.tenants.lock(m.TenantID)()
	if d, err = e.tenantDiff(w); err != nil || !d.any() {
		return err
	}
	progress(engine.StepNetwork)
	if err := ctx.Err(); err != nil {
		return err
	}
	ns := *w.namespace.Name
	if d.namespace {
		if err := e.ensureNamespace(ctx, w); err != nil {
			return err
		}
	}
	opts := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	g, gctx := errgroup.WithContext(ctx)
	for _, p := range d.policies {
		g.Go(func() error {
			o, err := e.api.NetworkingV1().NetworkPolicies(ns).Apply(gctx, p, opts)
			return e.written(gctx, m.TenantID, e.seen.policies, o, err, "setting the network policy "+*p.Name+" in "+ns)
		})
	}
	if d.limits {
		g.Go(func() error {
			before := e.registrySecret(ns)
			if err := e.makeRegistrySecret(gctx, m.TenantID); err != nil {
				return err
			}
			o, err := e.api.CoreV1().LimitRanges(ns).Apply(gctx, w.limits, opts)
			if err := e.written(gctx, m.TenantID, e.seen.limits, o, err, "setting the limit range in "+ns); err != nil || before == "" || before == e.registry {
				return err
			}
			return e.deleteSecret(gctx, ns, before)
		})
	}
	if d.quota {
		g.Go(func() error {
			o, err := e.api.CoreV1().ResourceQuotas(ns).Apply(gctx, w.quota, opts)
			return e.written(gctx, m.TenantID, e.seen.quotas, o, err, "setting the quota in "+ns)
		})
	}
	return g.Wait()
}

// ensureNamespace makes the namespace, waiting for the end of one that is being deleted.
func (e *Engine) ensureNamespace(ctx context.Context, w tenantWants) error {
	ns := *w.namespace.Name
	doing := "making namespace " + ns
	live, err := e.api.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return e.apiError(doing, err)
	case !e.ours(live.Labels):
		return fmt.Errorf("%s: it exists and doesn't belong to installation %s; rename or remove it, or choose another namespace prefix", doing, e.cfg.Installation)
	case live.DeletionTimestamp != nil:
		tenant := live.Labels[labelTenant]
		err := e.until(ctx, tenant, deleteWait, func() (bool, error) {
			o, found, err := e.seen.namespaces.GetIndexer().GetByKey(ns)
			return !found || err == nil && o.(*corev1.Namespace).UID != live.UID, err
		})
		if err != nil {
			return unavailable("the cluster is still deleting the tenant's old namespace", fmt.Errorf("%s: %w", doing, err))
		}
	}
	o, err := e.api.CoreV1().Namespaces().Apply(ctx, w.namespace, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return e.written(ctx, w.namespace.Labels[labelTenant], e.seen.namespaces, o, err, doing)
}
