package conformance

import (
	"testing"

	"github.com/baas-platform/baas/internal/engine/enginetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, newCluster(t).harness())
}
