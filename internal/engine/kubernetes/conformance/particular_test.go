package conformance

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/kubernetes"
)

func machine(c *cluster) engine.Machine {
	id := baas.NewID(baas.PrefixWorker)
	return engine.Machine{
		ID: id, TenantID: baas.NewID(baas.PrefixTenant), Name: "Financeiro", Isolation: baas.IsolationContainer,
		Size: baas.Size{CPUMillis: 300, MemoryMiB: 96, DiskGiB: 1}, AgentToken: "token-of-" + id,
		Plan: baas.Plan{ID: "PRO", Limits: baas.Limits{Workers: 2, CPUMillis: 2000, MemoryMiB: 1024, DiskGiB: 10}},
	}
}

func namespace(c *cluster, m engine.Machine) string {
	return c.cfg.Installation + "-" + strings.ReplaceAll(m.TenantID, "_", "-")
}

func name(id string) string { return strings.ReplaceAll(id, "_", "-") }

func ensure(t testing.TB, e *kubernetes.Engine, m engine.Machine) {
	t.Helper()
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
}

func inspect(t testing.TB, e *kubernetes.Engine, m engine.Machine) engine.State {
	t.Helper()
	s, err := e.Inspect(t.Context(), m)
	if err != nil {
		t.Fatalf("Inspect: %v", err)
	}
	return s
}

func running(t testing.TB, e *kubernetes.Engine, m engine.Machine) engine.State {
	t.Helper()
	s := inspect(t, e, m)
	if s.Phase != engine.PhaseRunning || !s.Current {
		t.Fatalf("state: %+v", s)
	}
	return s
}

func TestWhatAMachineMay(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.cfg.Placement = map[string]kubernetes.Placement{
		"":    {NodeSelector: map[string]string{"nobody": "here"}},
		"PRO": {NodeSelector: map[string]string{"kubernetes.io/os": "linux"}, Tolerations: []corev1.Toleration{{Key: "client", Operator: corev1.TolerationOpEqual, Value: "a", Effect: corev1.TaintEffectNoSchedule}, {Operator: corev1.TolerationOpExists}}, PriorityClass: "system-cluster-critical"},
	}
	e, m := c.New(t), machine(c)
	m.Image = c.other // with the agent by way of an init container
	ensure(t, e, m)
	running(t, e, m)
	p := c.control.Probe(t, m.ID)
	if user := p.Must(t, "user", "", ""); user != "65532:65532" {
		t.Errorf("runs as %s", user)
	}
	for _, path := range []string{"/new", "/.baas/baas", "/etc/new", "/var/run/new"} {
		if _, err := p.Do(t, "write", path, "x"); err == nil {
			t.Errorf("%s can be written", path)
		}
	}
	for _, path := range []string{"/data/new", "/tmp/new"} {
		p.Must(t, "write", path, "x")
	}
	if _, err := p.Do(t, "read", "/var/run/secrets/kubernetes.io/serviceaccount/token", ""); err == nil {
		t.Error("the cluster's service account token is in the machine")
	}
	pod := c.pod(t, m.ID)
	if pod.Spec.PriorityClassName != "system-cluster-critical" || pod.Spec.NodeSelector["kubernetes.io/os"] != "linux" ||
		!slices.ContainsFunc(pod.Spec.Tolerations, func(t corev1.Toleration) bool { return t.Key == "client" && t.Value == "a" }) {
		t.Errorf("placement: %+v", pod.Spec)
	}
	if l := pod.Spec.Containers[0].Resources.Limits; l.StorageEphemeral().Value() != 1<<30 || l.Cpu().MilliValue() != 300 || l.Memory().Value() != 96<<20 {
		t.Errorf("limits: %v", l)
	}
	if pod.Status.QOSClass != corev1.PodQOSBurstable {
		t.Errorf("class: %s", pod.Status.QOSClass)
	}
	c.namespaceIs(t, m)
}

// namespaceIs checks the tenant's namespace as objects; what the policies keep away is tried from inside pods in package e2e.
func (c *cluster) namespaceIs(t *testing.T, m engine.Machine) {
	t.Helper()
	ns, err := c.api.CoreV1().Namespaces().Get(t.Context(), namespace(c, m), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if ns.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("labels: %v", ns.Labels)
	}
	deny, err := c.api.NetworkingV1().NetworkPolicies(ns.Name).Get(t.Context(), "default-deny", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s := deny.Spec; len(s.PolicyTypes) != 2 || len(s.Ingress)+len(s.Egress)+len(s.PodSelector.MatchLabels) != 0 {
		t.Errorf("default-deny: %+v", s)
	}
	out, err := c.api.NetworkingV1().NetworkPolicies(ns.Name).Get(t.Context(), "workers", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s := out.Spec; !slices.Equal(s.PolicyTypes, []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}) || len(s.Ingress) != 0 || len(s.Egress) != 3 {
		t.Fatalf("workers: %+v", s)
	}
	dns, control, internet := out.Spec.Egress[0], out.Spec.Egress[1], out.Spec.Egress[2]
	if len(dns.Ports) != 2 || dns.Ports[0].Port.IntValue() != 53 || dns.To[0].PodSelector.MatchLabels["k8s-app"] != "kube-dns" {
		t.Errorf("way to DNS: %+v", dns)
	}
	if len(control.To) != 1 || control.To[0].IPBlock.CIDR != "10.77.1.1/32" || control.Ports[0].Port.IntValue() != c.control.Port {
		t.Errorf("way to the control plane: %+v", control)
	}
	if len(internet.To) != 2 || internet.To[0].IPBlock.CIDR != "0.0.0.0/0" || internet.To[1].IPBlock.CIDR != "::/0" {
		t.Fatalf("way to the internet: %+v", internet)
	}
	for _, want := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} {
		if !slices.Contains(internet.To[0].IPBlock.Except, want) {
			t.Errorf("the internet includes %s", want)
		}
	}
	if !slices.Contains(internet.To[1].IPBlock.Except, "fd00:ec2::254/128") {
		t.Errorf("the internet includes metadata: %v", internet.To[1].IPBlock.Except)
	}
	quota, err := c.api.CoreV1().ResourceQuotas(ns.Name).Get(t.Context(), "baas", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if h := quota.Spec.Hard; h.Name("limits.cpu", "").MilliValue() != 2000 || h.Name("limits.memory", "").Value() != 1<<30 || h.Pods().Value() != 2 {
		t.Errorf("quota: %v", h)
	}
	if _, err := c.api.CoreV1().LimitRanges(ns.Name).Get(t.Context(), "baas", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

func TestAPassThatChangesNothingSendsNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var requests atomic.Int64
	c.cfg.Transport = func(rt http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("watch") == "" {
				requests.Add(1)
			}
			return rt.RoundTrip(r)
		})
	}
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	until(t, "a settled machine", 10*time.Second, func() bool { return inspect(t, e, m).Current })
	before := requests.Load()
	for range 100 {
		running(t, e, m)
		ensure(t, e, m)
		if _, err := e.List(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := requests.Load() - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestDriftIsPutRightAndOthersFieldsStay(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	until(t, "a settled machine", 10*time.Second, func() bool { return inspect(t, e, m).Current })
	ns, first := namespace(c, m), c.identity(t, m.ID)
	patch := func(kind, name, body string) {
		t.Helper()
		var err error
		p, o := types.MergePatchType, metav1.PatchOptions{FieldManager: "somebody"}
		switch kind {
		case "set":
			_, err = c.api.AppsV1().StatefulSets(ns).Patch(t.Context(), name, p, []byte(body), o)
		case "policy":
			_, err = c.api.NetworkingV1().NetworkPolicies(ns).Patch(t.Context(), name, p, []byte(body), o)
		case "quota":
			_, err = c.api.CoreV1().ResourceQuotas(ns).Patch(t.Context(), name, p, []byte(body), o)
		case "namespace":
			_, err = c.api.CoreV1().Namespaces().Patch(t.Context(), name, p, []byte(body), o)
		}
		if err != nil {
			t.Fatalf("patching the %s: %v", kind, err)
		}
	}
	ours := []struct{ kind, name, body string }{
		{"set", name(m.ID), `{"spec":{"template":{"spec":{"securityContext":{"runAsUser":1}}}}}`},
		{"set", name(m.ID), `{"spec":{"template":{"spec":{"nodeSelector":null,"terminationGracePeriodSeconds":1}}}}`},
		{"policy", "workers", `{"spec":{"egress":[{}]}}`},
		{"policy", "default-deny", `{"spec":{"policyTypes":["Ingress"]}}`},
		{"quota", "baas", `{"spec":{"hard":{"pods":"99"}}}`},
		{"namespace", ns, `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`},
	}
	for _, d := range ours {
		patch(d.kind, d.name, d.body)
		until(t, "word of a changed "+d.kind, 10*time.Second, func() bool { return !inspect(t, e, m).Current })
		ensure(t, e, m)
		running(t, e, m)
	}
	if err := c.api.NetworkingV1().NetworkPolicies(ns).Delete(t.Context(), "default-deny", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "word of a missing policy", 10*time.Second, func() bool { return !inspect(t, e, m).Current })
	ensure(t, e, m)
	running(t, e, m)
	c.namespaceIs(t, m)

	patch("set", name(m.ID), `{"metadata":{"annotations":{"theirs":"stays"}}}`)
	patch("namespace", ns, `{"metadata":{"labels":{"theirs":"stays"}}}`)
	ensure(t, e, m)
	m.Size.MemoryMiB += 32 // a write of ours
	ensure(t, e, m)
	set, err := c.api.AppsV1().StatefulSets(ns).Get(t.Context(), name(m.ID), metav1.GetOptions{})
	if err != nil || set.Annotations["theirs"] != "stays" {
		t.Errorf("another's annotation: %v %v", set.Annotations, err)
	}
	if now := c.identity(t, m.ID); now != first {
		t.Error("putting things right restarted the machine")
	}
}

func TestForeignObjectsKeepTheNamespace(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e := c.New(t)
	for kind, put := range map[string]func(ns string) (remove func() error, err error){
		"config map": func(ns string) (func() error, error) {
			o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}}
			_, err := c.api.CoreV1().ConfigMaps(ns).Create(t.Context(), o, metav1.CreateOptions{})
			return func() error {
				return c.api.CoreV1().ConfigMaps(ns).Delete(t.Context(), "theirs", metav1.DeleteOptions{})
			}, err
		},
		"secret": func(ns string) (func() error, error) {
			o := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}}
			_, err := c.api.CoreV1().Secrets(ns).Create(t.Context(), o, metav1.CreateOptions{})
			return func() error { return c.api.CoreV1().Secrets(ns).Delete(t.Context(), "theirs", metav1.DeleteOptions{}) }, err
		},
	} {
		m := machine(c)
		ensure(t, e, m)
		ns := namespace(c, m)
		remove, err := put(ns)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Remove(t.Context(), m.ID); err != nil {
			t.Fatalf("Remove: %v", err)
		}
		live, err := c.api.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
		if err != nil || live.DeletionTimestamp != nil {
			t.Fatalf("the namespace with a foreign %s is gone: %v", kind, err)
		}
		if err := remove(); err != nil {
			t.Fatalf("the foreign %s is gone: %v", kind, err)
		}
		until(t, "the end of the namespace", 30*time.Second, func() bool {
			if err := e.Remove(t.Context(), m.ID); err != nil {
				t.Fatalf("Remove: %v", err)
			}
			live, err := c.api.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
			return apierrors.IsNotFound(err) || live.DeletionTimestamp != nil
		})
	}
}

func TestANamespaceOfOthersIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, m := c.New(t), machine(c)
	theirs := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace(c, m)}}
	if _, err := c.api.CoreV1().Namespaces().Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := e.Ensure(t.Context(), m, nil); err == nil || !strings.Contains(err.Error(), "doesn't belong") {
		t.Errorf("Ensure in another's namespace: %v", err)
	}
	if err := e.Remove(t.Context(), m.ID); err != nil {
		t.Errorf("Remove: %v", err)
	}
	live, err := c.api.CoreV1().Namespaces().Get(t.Context(), theirs.Name, metav1.GetOptions{})
	if err != nil || live.DeletionTimestamp != nil || len(live.Labels) != 1 {
		t.Errorf("another's namespace: %+v %v", live, err)
	}
	if err := c.api.CoreV1().Namespaces().Delete(t.Context(), theirs.Name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

func TestAnUpdateOfTheAgentDisturbsNobody(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	first := c.identity(t, m.ID)
	old := c.cfg.Image
	c.cfg.Image = c.cfg.Image + "-next"
	script(t, "image", c.cfg.Image, c.probe, "/.baas/baas")
	e = c.New(t)
	if s := inspect(t, e, m); !s.AgentOld || s.Phase != engine.PhaseRunning {
		t.Errorf("state after an update of %s: %+v", old, s)
	}
	ensure(t, e, m)
	if s := running(t, e, m); !s.AgentOld || c.identity(t, m.ID) != first {
		t.Errorf("the update restarted the machine, or is not told: %+v", s)
	}
	if err := e.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	ensure(t, e, m)
	if s := running(t, e, m); s.AgentOld {
		t.Error("a restart didn't bring the new agent")
	}
}

func TestAVolumeThatCannotGrow(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.cfg.StorageClass = "baas-test-fixed"
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	m.Size.DiskGiB = 2
	m.Size.CPUMillis = 400
	err := e.Ensure(t.Context(), m, nil)
	var refusal *baas.Error
	if !errors.As(err, &refusal) || refusal.Code != baas.CodeUnsupported || !strings.Contains(refusal.Message, "baas-test-fixed") {
		t.Errorf("growing gives %v", err)
	}
	if s := inspect(t, e, m); s.Size.CPUMillis != 300 || s.Size.DiskGiB != 1 {
		t.Errorf("a refusal changed the size to %+v", s.Size)
	}
	c.cfg.ElasticVolumes = true
	e = c.New(t)
	ensure(t, e, m)
	if s := running(t, e, m); s.Size != m.Size {
		t.Errorf("size %+v, want %+v", s.Size, m.Size)
	}
}

func TestAGuaranteedMachineIsResizedLive(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.cfg.CPURequest = 100
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	first := c.pod(t, m.ID)
	if first.Status.QOSClass != corev1.PodQOSGuaranteed {
		t.Errorf("class: %s", first.Status.QOSClass)
	}
	m.Size.CPUMillis, m.Size.MemoryMiB = 400, 128
	ensure(t, e, m)
	if s := running(t, e, m); s.Size != m.Size || c.pod(t, m.ID).UID != first.UID {
		t.Errorf("after a resize: %+v", s)
	}
	// More than the node has: it goes on as it is, and says why.
	m.Plan.Limits.CPUMillis = 100000
	m.Size.CPUMillis = 60000
	err := e.Ensure(t.Context(), m, nil)
	if !errors.Is(err, baas.ErrConflict) {
		t.Errorf("a size beyond the node gives %v", err)
	}
	if s := inspect(t, e, m); s.Phase != engine.PhaseRunning || s.Current || s.Reason == "" || s.Size.CPUMillis != 400 {
		t.Errorf("state with a size beyond the node: %+v", s)
	}
	m.Size.CPUMillis = 300
	ensure(t, e, m)
	if s := running(t, e, m); s.Size != m.Size || c.pod(t, m.ID).UID != first.UID {
		t.Errorf("back within the node: %+v", s)
	}
}

func TestNodesGetTheRegistrysCredentials(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.cfg.RegistryCredentials = []byte(`{"auths": {"registry.example.com": {"auth": "b25l"}}}`)
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	secret := func() *corev1.Secret {
		t.Helper()
		list, err := c.api.CoreV1().Secrets(namespace(c, m)).List(t.Context(), metav1.ListOptions{FieldSelector: "type=kubernetes.io/dockerconfigjson"})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%d secrets, %v", len(list.Items), err)
		}
		return &list.Items[0]
	}
	first, pod := secret(), c.pod(t, m.ID)
	if got := pod.Spec.ImagePullSecrets; len(got) != 1 || got[0].Name != first.Name {
		t.Errorf("the pod has %v, the secret is %s", got, first.Name)
	}
	if string(first.Data[corev1.DockerConfigJsonKey]) != string(c.cfg.RegistryCredentials) {
		t.Error("the credentials are other ones")
	}
	if !inspect(t, e, m).Current {
		t.Error("it isn't settled")
	}

	// Others: the template follows, the pod goes on, the old ones are gone.
	c.cfg.RegistryCredentials = []byte(`{"auths": {"registry.example.com": {"auth": "dHdv"}}}`)
	e = c.New(t)
	ensure(t, e, m)
	if second := secret(); second.Name == first.Name || string(second.Data[corev1.DockerConfigJsonKey]) != string(c.cfg.RegistryCredentials) {
		t.Error("the credentials are the old ones")
	}
	if now := c.pod(t, m.ID); now.UID != pod.UID {
		t.Error("new credentials made the machine anew")
	}
	if err := e.Remove(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the namespace", 30*time.Second, func() bool {
		ns, err := c.api.CoreV1().Namespaces().Get(t.Context(), namespace(c, m), metav1.GetOptions{})
		return err != nil || ns.DeletionTimestamp != nil
	})
}
