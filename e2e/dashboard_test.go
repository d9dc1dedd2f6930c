package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baas-platform/baas/web"
)

// TestDashboard proves the dashboard in a real browser. On demo clients with Docker Workers: what people do there, and
// every page in both themes, languages and sizes with axe-core and the keyboard. With many Workers and bots, which the
// engine only pretends to run since what counts is the browser: Lighthouse, and frames while the board scrolls. What
// chat platforms answer is proven on the process engine, whose bots reach this machine.
func TestDashboard(t *testing.T) {
	if !web.Built() {
		t.Fatal("the dashboard isn't built into this test: run `make web` first")
	}
	t.Run("people", func(t *testing.T) {
		p := newPlatform(t, "docker", "BAAS_DEMO=true", "BAAS_RESYNC=1m")
		files, err := probeFiles()
		must(t, err)
		program := filepath.Join(t.TempDir(), "program.tar.gz")
		must(t, os.WriteFile(program, files, 0o600))
		inBrowser(t, p, "PROGRAM="+program, "flows.mjs")
		inBrowser(t, p, "", "pages.mjs", filepath.Join(t.TempDir(), "pictures"))
	})
	t.Run("channels", func(t *testing.T) {
		p := newPlatform(t, "process", "BAAS_DEMO=true", "BAAS_RESYNC=1m") // whose bots reach the flow's own Telegram and WhatsApp
		inBrowser(t, p, "", "flows.mjs", "channels")
	})
	for _, c := range []struct{ script, workers, bots string }{
		{"lighthouse.mjs", "100", "500"},
		{"board-speed.mjs", "1000", "5000"},
	} {
		t.Run(strings.TrimSuffix(c.script, ".mjs"), func(t *testing.T) {
			p := newPlatform(t, "fake", "BAAS_DEMO=true", "BAAS_RESYNC=1h")
			inBrowser(t, p, "", "fill.mjs", c.workers, c.bots)
			inBrowser(t, p, "", c.script)
		})
	}
}

// inBrowser runs a script of web/e2e against the platform.
func inBrowser(t *testing.T, p *platform, env string, script ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"e2e/" + script[0]}, script[1:]...)...)
	cmd.Dir = "../web"
	cmd.Env = append(os.Environ(), "BASE="+p.url)
	if env != "" {
		cmd.Env = append(cmd.Env, env)
	}
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output() // as it comes: this takes minutes
	must(t, cmd.Run())
}
