package kubernetes

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/baas-platform/baas"
)

// file is Config as its YAML file has it. The names follow what Kubernetes calls such things.
type file struct {
	Kubeconfig      string                     `json:"kubeconfig"`
	Installation    string                     `json:"installation"`
	NamespacePrefix string                     `json:"namespacePrefix"`
	Image           string                     `json:"image"`
	AgentURL        string                     `json:"agentURL"`
	Registry        string                     `json:"registryCredentials"` // a file
	StorageClass    string                     `json:"storageClass"`
	ElasticVolumes  bool                       `json:"elasticVolumes"`
	RuntimeClasses  map[baas.Isolation]*string `json:"runtimeClasses"` // null: the level can't be had
	Placement       map[string]struct {
		NodeSelector  map[string]string   `json:"nodeSelector"`
		Tolerations   []corev1.Toleration `json:"tolerations"`
		PriorityClass string              `json:"priorityClassName"`
	} `json:"placement"`
	CPURequest    int   `json:"cpuRequestPercent"`
	MemoryRequest int   `json:"memoryRequestPercent"`
	UserID        int64 `json:"userID"`
	DNS           struct {
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"podLabels"`
		Port      int               `json:"port"`
		Addresses []netip.Prefix    `json:"addresses"`
	} `json:"dns"`
	ControlPlane struct {
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"podLabels"`
		Addresses []netip.Prefix    `json:"addresses"`
		Port      int               `json:"port"`
	} `json:"controlPlane"`
	Deny        []netip.Prefix  `json:"denyCIDRs"`
	NoQuota     bool            `json:"noQuota"`
	Movable     bool            `json:"movable"`
	StopTimeout metav1.Duration `json:"stopTimeout"`
	StartWait   metav1.Duration `json:"startWait"`
}

// ReadConfig reads a Config from a YAML file; docs/kubernetes.md lists its fields. A field that is not known is an
// error, and so is a value that can't be. Log, Version, Now and Transport are the caller's to set.
func ReadConfig(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration of the Kubernetes engine: %w", err)
	}
	var f file
	if err := yaml.UnmarshalStrict(b, &f); err != nil {
		return Config{}, fmt.Errorf("reading the configuration of the Kubernetes engine: %s: %w", path, err)
	}
	c := Config{
		Kubeconfig: f.Kubeconfig, Installation: f.Installation, NamespacePrefix: f.NamespacePrefix, Image: f.Image, AgentURL: f.AgentURL,
		StorageClass: f.StorageClass, ElasticVolumes: f.ElasticVolumes,
		CPURequest: f.CPURequest, MemoryRequest: f.MemoryRequest, UserID: f.UserID,
		DNS:          DNS{Namespace: f.DNS.Namespace, Labels: f.DNS.Labels, Port: f.DNS.Port, Addresses: f.DNS.Addresses},
		ControlPlane: ControlPlane{Namespace: f.ControlPlane.Namespace, Labels: f.ControlPlane.Labels, Addresses: f.ControlPlane.Addresses, Port: f.ControlPlane.Port},
		Deny:         f.Deny, NoQuota: f.NoQuota, Movable: f.Movable, StopTimeout: f.StopTimeout.Duration, StartWait: f.StartWait.Duration,
	}
	if f.Registry != "" {
		if c.RegistryCredentials, err = os.ReadFile(f.Registry); err != nil {
			return Config{}, fmt.Errorf("reading the configuration of the Kubernetes engine: %s: registryCredentials: %w", path, err)
		}
	}
	if f.RuntimeClasses != nil {
		c.RuntimeClasses = map[baas.Isolation]string{}
	}
	for level, class := range f.RuntimeClasses {
		if class != nil {
			c.RuntimeClasses[level] = *class
		}
	}
	for key, p := range f.Placement {
		if c.Placement == nil {
			c.Placement = map[string]Placement{}
		}
		if key == "default" {
			key = ""
		}
		c.Placement[key] = Placement{NodeSelector: p.NodeSelector, Tolerations: p.Tolerations, PriorityClass: p.PriorityClass}
	}
	if c.StopTimeout < 0 || c.StopTimeout%time.Second != 0 {
		return Config{}, fmt.Errorf("reading the configuration of the Kubernetes engine: %s: stopTimeout %s: must be whole seconds, such as 310s", path, c.StopTimeout)
	}
	_, err = c.withDefaults()
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration of the Kubernetes engine: %s: %w", path, err)
	}
	return c, nil
}
