package conformance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// asTheChartAllows gives a kubeconfig with the rights that the Helm chart gives the control plane, and no others.
func (c *cluster) asTheChartAllows(t *testing.T) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.cfg.Installation, Labels: map[string]string{labelInstallation: c.cfg.Installation + "-itself"}}}
	if _, err := c.api.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	rbac := filepath.Join(t.TempDir(), "rbac.yaml")
	helm := exec.CommandContext(t.Context(), "go", "-C", "../../../../deploy/tools", "tool", "helm", "template", "baas", "../helm/baas", "--namespace", ns.Name,
		"--show-only", "templates/rbac.yaml", "--set", "workers.installation="+c.cfg.Installation, "--set", "database.existingSecret=x", "--kube-version", "1.34.0")
	helm.Stderr = os.Stderr
	out, err := helm.Output()
	if err != nil {
		t.Fatalf("rendering the chart: %v", err)
	}
	if err := os.WriteFile(rbac, out, 0o600); err != nil {
		t.Fatal(err)
	}
	script(t, "kubectl", "apply", "-f", rbac)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "../../../../test/kubernetes/cluster.sh", "kubectl", "delete", "--ignore-not-found", "--wait=false", "-f", rbac).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		if err := c.api.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	token, err := c.api.CoreV1().ServiceAccounts(ns.Name).CreateToken(t.Context(), "baas", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	conf, err := clientcmd.LoadFromFile(c.cfg.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name := range conf.AuthInfos {
		conf.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*conf, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheChartsRightsAreEnoughAndNoMore(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.cfg.Kubeconfig = c.asTheChartAllows(t)
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	running(t, e, m)
	m.Size.CPUMillis, m.Size.DiskGiB = 400, 2 // resize, growth
	ensure(t, e, m)
	m.AgentToken = "another" // a new Secret, the old one deleted
	ensure(t, e, m)
	running(t, e, m)
	if err := c.api.NetworkingV1().NetworkPolicies(namespace(c, m)).Delete(t.Context(), "workers", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "word of a missing policy", 10*time.Second, func() bool { return !inspect(t, e, m).Current })
	ensure(t, e, m)
	if err := e.Stop(t.Context(), m.ID); err != nil {
		t.Errorf("Stop: %v", err)
	}
	broken := machine(c)
	broken.TenantID, broken.Image = m.TenantID, "127.0.0.1:9/missing:1"
	if err := e.Ensure(t.Context(), broken, nil); message(err) == "" {
		t.Errorf("Ensure of a missing image: %v", err)
	}
	for _, id := range []string{broken.ID, m.ID} {
		if err := e.Remove(t.Context(), id); err != nil {
			t.Errorf("Remove: %v", err)
		}
	}
	live, err := c.api.CoreV1().Namespaces().Get(t.Context(), namespace(c, m), metav1.GetOptions{})
	if !apierrors.IsNotFound(err) && live.DeletionTimestamp == nil {
		t.Error("the tenant's namespace is left")
	}
	c.mayNot(t)
}

// mayNot tries what the control plane has no use for.
func (c *cluster) mayNot(t *testing.T) {
	t.Helper()
	rest, err := clientcmd.BuildConfigFromFlags("", c.cfg.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	api, err := clientset.NewForConfig(rest)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	meta := metav1.ObjectMeta{Name: c.cfg.Installation + "-try"}
	for what, try := range map[string]func() error{
		"list Secrets": func() error { _, err := api.CoreV1().Secrets("").List(ctx, metav1.ListOptions{}); return err },
		"read a Secret": func() error {
			_, err := api.CoreV1().Secrets(c.cfg.Installation).Get(ctx, "any", metav1.GetOptions{})
			return err
		},
		"put a Secret elsewhere": func() error {
			_, err := api.CoreV1().Secrets("default").Create(ctx, &corev1.Secret{ObjectMeta: meta}, metav1.CreateOptions{})
			return err
		},
		"delete what is elsewhere": func() error { return api.CoreV1().Pods("kube-system").Delete(ctx, "any", metav1.DeleteOptions{}) },
		"make another namespace": func() error {
			_, err := api.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: meta}, metav1.CreateOptions{})
			return err
		},
		"delete another namespace": func() error {
			return api.CoreV1().Namespaces().Delete(ctx, "default", metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
		},
		"make a pod": func() error {
			_, err := api.CoreV1().Pods("default").Create(ctx, &corev1.Pod{ObjectMeta: meta}, metav1.CreateOptions{})
			return err
		},
	} {
		// A pod that isn't there is told only to who may delete it; admission comes before that answer.
		if err := try(); !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsNotFound(err) {
			t.Errorf("the control plane may %s: %v", what, err)
		}
	}
}
