package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The credentials for images are a Secret in each tenant's namespace, which bots can't read: pods have no service
// account. Like tokens it is made and deleted, never read, and so has another name for other credentials. The limit
// range remembers which one was made: it is applied after it, so that what it says is there.
const (
	annotationRegistry = domain + "registry"
	registryPrefix     = "registry-"
)

// registryName is the name of the Secret with these credentials, "" when there are none.
func registryName(credentials []byte) string {
	if len(credentials) == 0 {
		return ""
	}
	return registryPrefix + digest(string(credentials))[:10]
}

// checkRegistry looks whether the credentials are what kubelets read. What is wrong with them isn't quoted.
func checkRegistry(credentials []byte) error {
	if len(credentials) == 0 {
		return nil
	}
	var f struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	if json.Unmarshal(credentials, &f) != nil || len(f.Auths) == 0 {
		return errors.New(`registry credentials: must be JSON with "auths", as in the key .dockerconfigjson of a Secret of type kubernetes.io/dockerconfigjson`)
	}
	return nil
}

// makeRegistrySecret gives the tenant's namespace the credentials that its limit range is about to name.
func (e *Engine) makeRegistrySecret(ctx context.Context, tenantID string) error {
	if e.registry == "" {
		return nil
	}
	immutable := true
	s := &corev1.Secret{Immutable: &immutable, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: e.cfg.RegistryCredentials}}
	s.Name, s.Labels = e.registry, e.tenantLabels(tenantID)
	_, err := e.api.CoreV1().Secrets(e.namespace(tenantID)).Create(ctx, s, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) {
		return nil // made before the limit range could say so, or the limit range was changed by somebody
	}
	return e.apiError("giving the credentials for images to "+e.namespace(tenantID), err)
}

// registrySecret names the credentials that the namespace was given, "" when it has none.
func (e *Engine) registrySecret(ns string) string {
	l := named[*corev1.LimitRange](e.seen.limits, ns+"/"+limitRangeName)
	if l == nil || !strings.HasPrefix(l.Annotations[annotationRegistry], registryPrefix) {
		return ""
	}
	return l.Annotations[annotationRegistry]
}
