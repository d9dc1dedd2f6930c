package e2e

import (
	"os"
	"os/exec"
	"testing"

	"github.com/baas-platform/baas/web"
)

// TestDashboard walks through the dashboard in a real browser, on demo clients with Docker Workers: the flows, and every
// page in both themes, languages and sizes with axe-core.
func TestDashboard(t *testing.T) {
	if !web.Built() {
		t.Fatal("the dashboard isn't built into this test: run `make web` first")
	}
	p := newPlatform(t, "docker", "BAAS_DEMO=true", "BAAS_RESYNC=1m")
	for _, script := range []string{"flows.mjs", "screens.mjs"} {
		cmd := exec.CommandContext(t.Context(), "node", "scripts/"+script)
		cmd.Dir = "../web"
		cmd.Env = append(os.Environ(), "BASE="+p.url)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		t.Logf("%s:\n%s", script, out)
	}
}
