package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/baas-platform/baas"
)

// TestClusterAttacks is an attacker inside a bot on a real cluster, whose network keeps to NetworkPolicies. First it is
// shown what there is to reach where a network doesn't, or all that is out of reach later would prove nothing.
func TestClusterAttacks(t *testing.T) {
	c := newCluster(t)
	_, apiPort, err := net.SplitHostPort(freeAddress(t, "0.0.0.0"))
	must(t, err)
	agents := freeAddress(t, c.host)
	// The API listens everywhere, as careless operators have it.
	p := newPlatform(t, "kubernetes", append(c.environment(t, agents), "BAAS_AGENT_LISTEN="+agents, "BAAS_LISTEN=0.0.0.0:"+apiPort, "BAAS_PUBLIC_URL=http://127.0.0.1:"+apiPort)...)
	p.cluster = c
	on := &clusterTarget{cluster: c, t: t, metadata: []string{"169.254.169.254", "100.100.100.200"}}
	on.serveMetadata()
	a := newAttack(t, p, baas.IsolationContainer, on, apiPort, agents)
	defer a.report()
	on.withoutPolicies(a)
	a.run()
}

// clusterTarget is a real cluster of one node on this machine.
type clusterTarget struct {
	*cluster
	t        *testing.T
	metadata []string // addresses at which the node has a server
}

// inNode runs a program in the network that the node has.
func inNode(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=/run/netns/baas-kubernetes"}, args...)...)
}

// serveMetadata has the node serve where clouds tell machines their credentials.
func (c *clusterTarget) serveMetadata() {
	c.t.Helper()
	for _, ip := range c.metadata {
		if out, err := inNode("ip", "addr", "replace", ip+"/32", "dev", "lo").CombinedOutput(); err != nil {
			c.t.Fatalf("giving the node an address: %v: %s", err, out)
		}
		server := inNode("socat", "TCP-LISTEN:80,reuseaddr,fork,bind="+ip, "OPEN:/dev/null")
		must(c.t, server.Start())
		c.t.Cleanup(func() {
			_ = server.Process.Kill()
			_ = server.Wait()
			if out, err := inNode("ip", "addr", "del", ip+"/32", "dev", "lo").CombinedOutput(); err != nil {
				c.t.Errorf("taking the node's address away: %v: %s", err, out)
			}
		})
	}
}

// withoutPolicies shows that everything is there to be reached while nothing enforces policies.
func (c *clusterTarget) withoutPolicies(a *attackRun) {
	c.t.Helper()
	there := a.addresses()
	maps.DeleteFunc(there, func(_, addr string) bool { // where nobody listens
		host, _, _ := net.SplitHostPort(addr)
		return host == "127.0.0.1" || host == "169.254.170.2" || host == "168.63.129.16"
	})
	c.script(c.t, "stop", "enforcer")
	defer c.script(c.t, "start", "enforcer") // also when that fails
	reached := a.dials(slices.Collect(maps.Values(there))...)
	for _, what := range sorted(there) {
		a.check(slices.Contains(reached, there[what]), "in reach where the network enforces nothing: "+what, "%s", there[what])
	}
	c.script(c.t, "start", "enforcer")
	eventually(c.t, 30*time.Second, "the policies to be in force", func() error {
		if reached := a.dials(net.JoinHostPort(c.host, a.apiPort)); len(reached) > 0 {
			return errors.New("the API is in reach")
		}
		return nil
	})
}

// pod gives the Worker's only pod.
func (c *clusterTarget) pod(worker string) corev1.Pod {
	c.t.Helper()
	pods, err := c.api.CoreV1().Pods("").List(c.t.Context(), c.selected(worker))
	must(c.t, err)
	if len(pods.Items) != 1 {
		c.t.Fatalf("%s has %d pods", worker, len(pods.Items))
	}
	return pods.Items[0]
}

func (c *clusterTarget) started(worker string) string { return c.containers(c.t, worker) }

// forbidden gives the cluster's own addresses, and those of other pods.
func (c *clusterTarget) forbidden(a *attackRun) map[string]string {
	node, err := c.api.CoreV1().Nodes().Get(c.t.Context(), c.pod(a.home.ID).Spec.NodeName, metav1.GetOptions{})
	must(c.t, err)
	i := slices.IndexFunc(node.Status.Addresses, func(a corev1.NodeAddress) bool { return a.Type == corev1.NodeInternalIP })
	ip := node.Status.Addresses[i].Address
	const bridge = "10.77.128.1" // of pods, by cluster.sh
	return map[string]string{
		"the API server of the cluster":         net.JoinHostPort(ip, "6443"),
		"the API server, at the pods' bridge":   net.JoinHostPort(bridge, "6443"),
		"the kubelet":                           net.JoinHostPort(ip, "10250"),
		"a bot of another Worker of the tenant": net.JoinHostPort(c.pod(a.next.ID).Status.PodIP, "20003"),
		"a bot of another tenant":               net.JoinHostPort(c.pod(a.far.ID).Status.PodIP, "20004"),
	}
}

// processes reads the pod's cgroup, and finds its processes among all of this machine.
func (c *clusterTarget) processes(worker, name string) (limit, have int) {
	c.t.Helper()
	pod := "pod" + string(c.pod(worker).UID)
	for _, file := range append(glob("/sys/fs/cgroup/pids/baas-kubernetes/kubepods/*/"+pod+"/pids.max"), glob("/sys/fs/cgroup/baas-kubernetes/kubepods/*/"+pod+"/pids.max")...) {
		b, err := os.ReadFile(file)
		must(c.t, err)
		_, err = fmt.Sscan(string(b), &limit)
		must(c.t, err)
	}
	for _, file := range glob("/proc/[0-9]*/cmdline") {
		command, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(command, []byte(name)) {
			continue // it may have ended
		}
		if in, err := os.ReadFile(filepath.Join(filepath.Dir(file), "cgroup")); err == nil && bytes.Contains(in, []byte(pod)) {
			have++
		}
	}
	return limit, have
}

func (c *clusterTarget) volume(worker string) string {
	c.t.Helper()
	ns := c.pod(worker).Namespace
	claims, err := c.api.CoreV1().PersistentVolumeClaims(ns).List(c.t.Context(), c.selected(worker))
	must(c.t, err)
	volume, err := c.api.CoreV1().PersistentVolumes().Get(c.t.Context(), claims.Items[0].Spec.VolumeName, metav1.GetOptions{})
	must(c.t, err)
	if volume.Spec.HostPath == nil {
		c.t.Fatalf("the volume of %s isn't a directory of the node: %+v", worker, volume.Spec)
	}
	return volume.Spec.HostPath.Path
}

// hardened reads the pod back from the cluster, by Pod Security "restricted" and the CIS Kubernetes Benchmark, section 5,
// and tries to put a pod beside it that isn't so.
func (c *clusterTarget) hardened(a *attackRun) {
	p := c.pod(a.home.ID)
	s, box := p.Spec.SecurityContext, p.Spec.Containers[0].SecurityContext
	yes := func(b *bool) bool { return b != nil && *b }
	no := func(b *bool) bool { return b != nil && !*b }
	a.check(len(p.Spec.Containers) == 1 && !yes(box.Privileged), "CIS 5.2.2, PSS: not privileged", "")
	a.check(!p.Spec.HostPID && !p.Spec.HostIPC && !p.Spec.HostNetwork && !yes(p.Spec.ShareProcessNamespace), "CIS 5.2.3-5, PSS: namespaces of its own", "")
	a.check(no(box.AllowPrivilegeEscalation), "CIS 5.2.6, PSS: no new privileges", "")
	a.check(yes(s.RunAsNonRoot) && s.RunAsUser != nil && *s.RunAsUser > 0, "CIS 5.2.7, PSS: not root", "%d", *s.RunAsUser)
	a.check(slices.Equal(box.Capabilities.Drop, []corev1.Capability{"ALL"}) && len(box.Capabilities.Add) == 0, "CIS 5.2.8-10, PSS: every capability dropped", "%+v", box.Capabilities)
	a.check(s.SeccompProfile != nil && s.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault, "CIS 5.7.2, PSS: system calls filtered", "")
	a.check(no(p.Spec.AutomountServiceAccountToken), "CIS 5.1.6: no token of the cluster", "")
	a.check(yes(box.ReadOnlyRootFilesystem), "root file system read-only", "")
	kinds := map[string]bool{}
	for _, v := range p.Spec.Volumes {
		kinds[v.Name] = v.PersistentVolumeClaim != nil || v.EmptyDir != nil
	}
	a.check(!slices.Contains(slices.Collect(maps.Values(kinds)), false), "PSS: no path of the node, no Secret as a file", "volumes %v", slices.Sorted(maps.Keys(kinds)))
	limits := p.Spec.Containers[0].Resources.Limits
	a.check(limits.Cpu().MilliValue() == 500 && limits.Memory().Value() == 128<<20 && limits.StorageEphemeral().Value() > 0, "CPU, memory and the node's disk limited", "%s, %s, %s",
		limits.Cpu(), limits.Memory(), limits.StorageEphemeral())
	most, _ := c.processes(a.home.ID, "")
	a.check(most > 0 && most <= 4096, "processes limited, by the kubelet's podPidsLimit", "%d", most)

	ns, err := c.api.CoreV1().Namespaces().Get(c.t.Context(), p.Namespace, metav1.GetOptions{})
	must(c.t, err)
	a.check(ns.Labels["pod-security.kubernetes.io/enforce"] == "restricted", "CIS 5.2.1: the namespace enforces Pod Security restricted", "")
	_, err = c.api.CoreV1().Pods(p.Namespace).Create(c.t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "privileged"},
		Spec: corev1.PodSpec{HostNetwork: true, Containers: []corev1.Container{{Name: "x", Image: "x"}}}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	a.check(apierrors.IsForbidden(err) && strings.Contains(fmt.Sprint(err), "PodSecurity"), "a pod that isn't so is refused", "")
	policies, err := c.api.NetworkingV1().NetworkPolicies(p.Namespace).List(c.t.Context(), c.selected(""))
	must(c.t, err)
	a.check(len(policies.Items) == 2, "CIS 5.3.2: the namespace has network policies", "%d", len(policies.Items))
}
