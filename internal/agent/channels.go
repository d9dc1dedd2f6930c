package agent

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
)

// maxChannelQuery bounds the settings of an assistant, in bytes.
const maxChannelQuery = 4 << 20

// channels asks chat platforms from here: what matters is whether the bots of this Worker reach them.
func (a *agent) channels(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxChannelQuery))
	if err != nil {
		return baas.Errorf(baas.CodeTooLarge, "the settings could not be read, or are larger than %d MiB", maxChannelQuery>>20)
	}
	var q agentapi.ChannelQuery
	if err := json.Unmarshal(body, &q); err != nil {
		return baas.Errorf(baas.CodeInvalid, "the settings are no valid JSON document: %s", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	writeAnswer(w, http.StatusOK, agentapi.ChannelReport{Checks: bots.CheckChannels(r.Context(), &http.Client{Transport: transport}, q)})
	return nil
}
