package agent

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// After a restart of the Worker, whoever is told that a bot ended is told its exit code in the same answer.
func TestTheExitCodeComesWithTheState(t *testing.T) {
	vol := volume{root: t.TempDir()}
	sup := newSupervisor(vol, slog.New(slog.DiscardHandler), nil, nil)
	want := &agentapi.DesiredBot{ID: "bot_done", Run: true, Restart: baas.RestartOnFailure}
	rest := memory{Print: fingerprint(want, ""), State: baas.BotCompleted, Reason: "ended well"}
	if err := os.MkdirAll(filepath.Dir(vol.memory(want.ID)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(vol.memory(want.ID), true, rest); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		b := newBot(want.ID, sup)
		b.want = want
		looking, told := make(chan struct{}), make(chan agentapi.BotStatus)
		go func() {
			close(looking)
			for {
				if r := b.report(); r.State != baas.BotStopped {
					told <- r
					return
				}
			}
		}()
		<-looking
		b.step(t.Context())
		if r := <-told; r.State != baas.BotCompleted || r.ExitCode == nil {
			t.Fatalf("%+v", r)
		}
	}
}
