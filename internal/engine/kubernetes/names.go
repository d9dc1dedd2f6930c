package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Labels and annotations. labelInstallation marks everything that is ours.
const (
	domain            = "baas-platform.github.io/"
	labelManagedBy    = "app.kubernetes.io/managed-by"
	labelInstallation = domain + "installation"
	labelTenant       = domain + "tenant"
	labelWorker       = domain + "worker"

	annotationName     = domain + "name"     // the Worker's name when its StatefulSet was made
	annotationSpec     = domain + "spec"     // on pods: fingerprint of what can't change while one lives
	annotationToken    = domain + "token"    // on pods: SHA-256 of the agent's token
	annotationRestarts = domain + "restarts" // on pods: Machine.Restarts that it was made for
	annotationAgent    = domain + "agent"    // on pods: the image that its agent comes from
)

// fieldManager owns the fields that this package sets.
const fieldManager = "baas"

// Names of what every tenant's namespace has.
const (
	quotaName      = "baas"
	limitRangeName = "baas"
	denyName       = "default-deny"
	egressName     = "workers"
)

// Where things are inside a machine.
const (
	agentDir  = "/.baas"
	agentPath = agentDir + "/baas"
	dataDir   = "/data"
	container = "worker"
)

// objectName makes an id a name that the cluster accepts.
func objectName(id string) string { return strings.ReplaceAll(id, "_", "-") }

func podName(id string) string { return objectName(id) + "-0" }

func (e *Engine) namespace(tenantID string) string {
	return e.cfg.NamespacePrefix + objectName(tenantID)
}

// secretName differs for every token, so that a Secret is never changed nor read.
func secretName(id, token string) string { return objectName(id) + "-" + digest(token)[:10] }

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		// The length in front keeps ("ab", "c") and ("a", "bc") apart.
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (e *Engine) tenantLabels(tenantID string) map[string]string {
	return map[string]string{labelManagedBy: fieldManager, labelInstallation: e.cfg.Installation, labelTenant: tenantID}
}

func (e *Engine) workerLabels(tenantID, id string) map[string]string {
	l := e.tenantLabels(tenantID)
	l[labelWorker] = id
	return l
}

// ours reports whether labels belong to this installation.
func (e *Engine) ours(labels map[string]string) bool {
	return labels[labelInstallation] == e.cfg.Installation
}
