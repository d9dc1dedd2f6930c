package kubernetes

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/baas-platform/baas"
)

// Config says which cluster to use and how. Image and AgentURL are needed; everything else has a default.
type Config struct {
	Kubeconfig      string // file; the service account of the pod that this runs in when empty
	Installation    string // keeps several installations on one cluster apart; "baas" when empty
	NamespacePrefix string // of tenants' namespaces; the installation and a hyphen when empty

	// Image is the platform's Worker image, with the agent at /.baas/baas. Its agent also goes into other images.
	Image    string
	AgentURL string // what agents dial, such as ws://baas-agents.baas.svc:8081

	// RegistryCredentials let nodes fetch images, the platform's and Workers' own alike: the contents of a Secret of type
	// kubernetes.io/dockerconfigjson. None when empty; nodes may have some of their own.
	RegistryCredentials []byte

	StorageClass string // of Workers' volumes; the cluster's default when empty
	// ElasticVolumes says that the StorageClass doesn't hold volumes to their size (directories of a node): a larger
	// disk is then a matter of the agent alone.
	ElasticVolumes bool
	// RuntimeClasses gives an isolation level's RuntimeClass; "" is the nodes' default, for container alone. By default
	// container: "", sandbox: gvisor, vm: kata. A level that is left out of a map that is given can't be had.
	RuntimeClasses map[baas.Isolation]string
	// Placement says where Workers run, by plan, tenant or Worker id; "" is for all others. The most specific counts alone.
	Placement map[string]Placement

	// CPURequest and MemoryRequest are which part of its limits a Worker reserves, in percent; 100 when 0. Less lets
	// more Workers share a node, and memory that is promised twice gets Workers killed when they all use it.
	CPURequest    int
	MemoryRequest int

	// UserID is the user and group that everything in a Worker runs as; 65532 when 0, chosen by the cluster when
	// negative, as OpenShift's security context constraints want it.
	UserID int64

	DNS          DNS
	ControlPlane ControlPlane
	// Deny is networks that Workers may not reach, besides the clouds' metadata addresses: at least the cluster's
	// nodes, pods and services. All private networks when nil.
	Deny []netip.Prefix
	// NoQuota leaves out the ResourceQuota that repeats the plan's limits.
	NoQuota bool
	// Movable lets the cluster's autoscaler end Workers to free a node.
	Movable bool

	StopTimeout time.Duration // what the agent gets to stop its bots before it is killed; 310 s when 0
	// StartWait bounds how long one Ensure waits for the pod; 20 s when 0. A pod that is still on its way by then is no error.
	StartWait time.Duration

	Version string // of this program, told to the API server
	// Transport, when not nil, wraps the way to the API server, to count requests.
	Transport func(http.RoundTripper) http.RoundTripper
	Log       *slog.Logger     // slog.Default() when nil
	Now       func() time.Time // time.Now when nil
}

// Placement says where the Workers of a plan, a tenant or one Worker run.
type Placement struct {
	NodeSelector  map[string]string
	Tolerations   []corev1.Toleration
	PriorityClass string
}

// DNS is where Workers may ask for names.
type DNS struct {
	Namespace string            // of the DNS pods; kube-system when empty
	Labels    map[string]string // of the DNS pods; k8s-app: kube-dns when empty
	Port      int               // of the DNS pods; 53 when 0 (OpenShift: 5353)
	Addresses []netip.Prefix    // besides, such as a cache on each node
}

// ControlPlane is where agents reach this program. Pods in Namespace with Labels, Addresses, or both.
type ControlPlane struct {
	Namespace string
	Labels    map[string]string
	Addresses []netip.Prefix // the host of AgentURL, when it is an address, is always among them
	Port      int            // on which the pods listen, behind any Service; that of AgentURL when 0
}

var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// privateNetworks are never the internet.
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// metadataNetworks are where clouds tell machines their credentials, and other addresses that lead nowhere else.
var metadataNetworks = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),     // link-local: most clouds
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::254/128"), // AWS
}

func (c Config) withDefaults() (Config, error) {
	if c.Installation == "" {
		c.Installation = "baas"
	}
	if c.NamespacePrefix == "" {
		c.NamespacePrefix = c.Installation + "-"
	}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !namePattern.MatchString(c.Installation) {
		wrong("installation %q: must be up to 32 lower-case letters, digits and hyphens", c.Installation)
	}
	if !namePattern.MatchString(c.NamespacePrefix + "x") {
		wrong("namespace prefix %q: must be up to 31 lower-case letters, digits and hyphens, and not begin with a hyphen", c.NamespacePrefix)
	}
	if c.Image == "" {
		wrong("image: the platform's Worker image must be given, such as registry.example.com/baas:1.0")
	}
	c.RuntimeClasses = maps.Clone(c.RuntimeClasses)
	if c.RuntimeClasses == nil {
		c.RuntimeClasses = map[baas.Isolation]string{baas.IsolationContainer: "", baas.IsolationSandbox: "gvisor", baas.IsolationVM: "kata"}
	}
	for level, class := range c.RuntimeClasses {
		switch level {
		case baas.IsolationContainer:
		case baas.IsolationSandbox, baas.IsolationVM:
			if class == "" {
				wrong("runtime class of isolation %s: must be named, or the level left out: the nodes' default isolates less", level)
			}
		default:
			wrong("runtime class of isolation %q: must be container, sandbox or vm", level)
		}
	}
	for part, p := range map[string]*int{"CPU": &c.CPURequest, "memory": &c.MemoryRequest} {
		if *p == 0 {
			*p = 100
		}
		if *p < 1 || *p > 100 {
			wrong("%s request %d: must be between 1 and 100 percent", part, *p)
		}
	}
	if c.UserID == 0 {
		c.UserID = 65532
	}
	if c.DNS.Namespace == "" {
		c.DNS.Namespace = "kube-system"
	}
	if len(c.DNS.Labels) == 0 {
		c.DNS.Labels = map[string]string{"k8s-app": "kube-dns"}
	}
	if c.DNS.Port == 0 {
		c.DNS.Port = 53
	}
	if err := checkRegistry(c.RegistryCredentials); err != nil {
		errs = append(errs, err)
	}
	if err := c.ControlPlane.complete(c.AgentURL); err != nil {
		errs = append(errs, err)
	}
	if c.Deny == nil {
		c.Deny = privateNetworks
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = 310 * time.Second
	}
	if c.StartWait == 0 {
		c.StartWait = 20 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, errors.Join(errs...)
}

// complete takes what is missing from the address that agents dial.
func (c *ControlPlane) complete(agentURL string) error {
	u, err := url.Parse(agentURL)
	if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == "" {
		return fmt.Errorf("agent URL %q: must be an address that pods reach, such as ws://baas-agents.baas.svc:8081", agentURL)
	}
	if c.Port == 0 {
		port := u.Port()
		if port == "" {
			port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
		}
		if c.Port, err = strconv.Atoi(port); err != nil || c.Port < 1 || c.Port > 65535 {
			return fmt.Errorf("agent URL %q: its port must be between 1 and 65535", agentURL)
		}
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		a, _ := netip.ParseAddr(u.Hostname())
		c.Addresses = append(append([]netip.Prefix(nil), c.Addresses...), netip.PrefixFrom(a, a.BitLen()))
	}
	if len(c.Addresses) == 0 && (c.Namespace == "" || len(c.Labels) == 0) {
		return errors.New("control plane: Workers need a way to it; give its pods' namespace and labels, or its addresses")
	}
	return nil
}

// placement gives what counts for the Worker.
func (c *Config) placement(worker, tenant, plan string) Placement {
	for _, key := range []string{worker, tenant, plan} {
		if p, ok := c.Placement[key]; ok {
			return p
		}
	}
	return c.Placement[""]
}
