package docker

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/moby/moby/client"

	"github.com/baas-platform/baas/internal/engine"
)

// Labels. labelInstallation marks everything that is ours.
const (
	labelInstallation = "baas.installation"
	labelKind         = "baas.kind" // one of the kinds below
	labelTenant       = "baas.tenant"
	labelWorker       = "baas.worker"
	labelName         = "baas.name"     // the Worker's name when the container was made
	labelSpec         = "baas.spec"     // fingerprint of what can't change on a live container
	labelToken        = "baas.token"    // SHA-256 of the agent's token
	labelAgent        = "baas.agent"    // hash of the agent's binary
	labelRestarts     = "baas.restarts" // Machine.Restarts that it was made for
	labelDisk         = "baas.disk_gib"
)

// Values of labelKind.
const (
	kindWorker = "worker" // container or volume of a Worker
	kindTenant = "tenant" // network
	kindAgent  = "agent"  // volume with the agent's binary
	kindHelper = "helper" // short-lived container
)

// Interface names hold 15 bytes. All bridges of an installation begin alike, which the firewall rules match.
const (
	bridgePrefixLen = 7
	bridgeNameLen   = 15
)

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		// The length in front keeps ("ab", "c") and ("a", "bc") apart.
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func short(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:n]
}

func (e *Engine) machineName(id string) string     { return e.cfg.Installation + "-" + id }
func (e *Engine) networkName(tenant string) string { return e.cfg.Installation + "-" + tenant }
func (e *Engine) bridgePrefix() string {
	return "bw" + short(e.cfg.Installation, bridgePrefixLen-2)
}
func (e *Engine) bridgeName(tenant string) string {
	return e.bridgePrefix() + short(tenant, bridgeNameLen-bridgePrefixLen)
}

// spec is the fingerprint of what a container can't change while it lives.
func (e *Engine) spec(m engine.Machine) string {
	url := m.AgentURL
	if url == "" {
		url = e.agentURL
	}
	return digest(m.Image, string(m.Isolation), url)[:32]
}

func tokenHash(token string) string {
	if token == "" {
		return ""
	}
	return digest(token)
}

// ours reports whether labels belong to this installation.
func (e *Engine) ours(labels map[string]string) bool {
	return labels[labelInstallation] == e.cfg.Installation
}

// labels gives the labels of a thing of this installation.
func (e *Engine) labels(kind string, more ...string) map[string]string {
	l := map[string]string{labelInstallation: e.cfg.Installation, labelKind: kind}
	for i := 0; i+1 < len(more); i += 2 {
		l[more[i]] = more[i+1]
	}
	return l
}

// owned filters lists to things of the kind.
func (e *Engine) owned(kind string, more ...string) client.Filters {
	f := client.Filters{}.Add("label", labelInstallation+"="+e.cfg.Installation, labelKind+"="+kind)
	return f.Add("label", more...)
}
