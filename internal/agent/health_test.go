package agent_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

func TestHealthOverHTTP(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	d := program(t, "bot_1", "serve", freePort(t))
	d.Health = &baas.HealthCheck{HTTP: "/healthz", IntervalSeconds: 1, Failures: 2}
	w.run(d)
	b := w.until("bot_1", "running", state(baas.BotRunning))
	w.get("bot_1", "/sick?is=yes")
	sick := w.until("bot_1", "unhealthy", state(baas.BotUnhealthy))
	if !strings.Contains(sick.Reason, "GET /healthz answered 503") || sick.PID != b.PID {
		t.Errorf("%+v", sick)
	}
	w.get("bot_1", "/sick?is=no")
	w.until("bot_1", "running again", state(baas.BotRunning))
	// A new check counts without a restart, and may ask for one.
	d.Health = &baas.HealthCheck{HTTP: "/healthz", IntervalSeconds: 1, Failures: 1, RestartAfter: 2}
	w.run(d)
	w.get("bot_1", "/sick?is=yes")
	again := w.until("bot_1", "restarted", func(s agentapi.BotStatus) bool { return s.State == baas.BotRunning && s.PID != b.PID })
	if again.Restarts != 1 {
		t.Errorf("%d restarts", again.Restarts)
	}
}

func TestHealthOverTCPAndCommand(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	tcp := program(t, "bot_tcp", "serve", freePort(t))
	tcp.Health = &baas.HealthCheck{TCP: true, IntervalSeconds: 1}
	cmd := program(t, "bot_cmd", "silent", 0)
	cmd.Health = &baas.HealthCheck{Command: []string{"sh", "-c", `test -e "$BAAS_BOT_DATA/well"`}, IntervalSeconds: 1, Failures: 1}
	slow := program(t, "bot_slow", "silent", 0)
	slow.Health = &baas.HealthCheck{Command: []string{"sleep", "60"}, IntervalSeconds: 1, TimeoutSeconds: 1, Failures: 1}
	w.run(tcp, cmd, slow)
	w.until("bot_tcp", "running", state(baas.BotRunning))
	b := w.until("bot_cmd", "unhealthy", state(baas.BotUnhealthy))
	if !strings.Contains(b.Reason, "sh ended with code 1") {
		t.Errorf("%+v", b)
	}
	if err := os.WriteFile(w.data+"/bots/bot_cmd/data/well", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.until("bot_cmd", "running", state(baas.BotRunning))
	b = w.until("bot_slow", "unhealthy", state(baas.BotUnhealthy))
	if !strings.Contains(b.Reason, "sleep did not end within 1s") {
		t.Errorf("%+v", b)
	}
}

func TestRestartPolicies(t *testing.T) {
	p := newPlatform(t)
	w := p.newWorker(t, "wrk_1")
	done := program(t, "bot_done", "complete", 0)
	done.Restart = baas.RestartOnFailure
	never := program(t, "bot_never", "crash", 0)
	never.Restart = baas.RestartNever
	missing := program(t, "bot_missing", "", 0)
	missing.Command = []string{"no-such-program"}
	port := freePort(t)
	first, second := program(t, "bot_first", "serve", port), program(t, "bot_second", "serve", port)
	bots := []agentapi.DesiredBot{done, never, missing, first, second}
	w.run(bots...)
	check := func() {
		t.Helper()
		if b := w.until("bot_done", "completed", state(baas.BotCompleted)); b.ExitCode == nil || *b.ExitCode != 0 {
			t.Errorf("%+v", b)
		}
		if b := w.until("bot_never", "failed", state(baas.BotFailed)); b.ExitCode == nil || *b.ExitCode != 3 || b.NextRetryAt != nil {
			t.Errorf("%+v", b)
		}
		if b := w.until("bot_missing", "failed", state(baas.BotFailed)); !strings.Contains(b.Reason, "there is no program no-such-program") || b.NextRetryAt == nil {
			t.Errorf("%+v", b)
		}
		w.until("bot_first", "running", state(baas.BotRunning))
		if b := w.until("bot_second", "failed", state(baas.BotFailed)); !strings.Contains(b.Reason, fmt.Sprintf("port %d is already used by the bot bot_first", port)) {
			t.Errorf("%+v", b)
		}
	}
	check()
	// What rests, rests after a restart of the Worker too.
	w.shutdown()
	<-p.down
	w.boot()
	check()
	log := 0
	for l, err := range w.client().Logs(w.ctx(), "bot_done", agentapi.LogQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(l.Text, "started") {
			log++
		}
	}
	if log != 1 {
		t.Errorf("it was started %d times", log)
	}
	// A person who stops it and starts it again wants it to run.
	done.Run = false
	w.run(done)
	w.until("bot_done", "stopped", state(baas.BotStopped))
	done.Run = true
	done.Command, done.Env, done.Port = first.Command, first.Env, freePort(t)
	w.run(done)
	w.until("bot_done", "running", state(baas.BotRunning))
}

func TestDiskLimitStopsBots(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	filler, other := program(t, "bot_fill", "fill", 0), program(t, "bot_2", "serve", freePort(t))
	w.rev++
	_, err := w.client().PutDesired(w.ctx(), agentapi.Desired{
		Revision: w.rev, WorkerID: w.id, Size: baas.Size{DiskGiB: 1}, Bots: []agentapi.DesiredBot{filler, other},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"bot_fill", "bot_2"} {
		w.until(id, "stopped by the disk", func(b agentapi.BotStatus) bool {
			return b.State == baas.BotStopped && strings.Contains(b.Reason, "disk is full")
		})
	}
	s, err := w.client().Status(w.ctx())
	if err != nil || !s.Usage.DiskFull || s.Usage.DiskLimit != 1<<30 || s.Usage.DiskBytes < 1<<30 {
		t.Fatalf("%+v %v", s.Usage, err)
	}
	// A stopped bot that is made room of lets the others run again.
	w.rev++
	if _, err := w.client().PutDesired(w.ctx(), agentapi.Desired{Revision: w.rev, WorkerID: w.id, Size: baas.Size{DiskGiB: 1}, Bots: []agentapi.DesiredBot{other}}); err != nil {
		t.Fatal(err)
	}
	if err := w.client().DeleteBot(w.ctx(), "bot_fill"); err != nil {
		t.Fatal(err)
	}
	w.until("bot_2", "running", state(baas.BotRunning))
}

// One file may be as large as the disk, also when the disk grows under a bot that runs.
func TestALargerDiskTakesLargerFiles(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	bot := program(t, "bot_1", "serve", freePort(t))
	for _, gib := range []int64{1, 3} {
		w.rev++
		_, err := w.client().PutDesired(w.ctx(), agentapi.Desired{
			Revision: w.rev, WorkerID: w.id, Size: baas.Size{DiskGiB: gib}, Bots: []agentapi.DesiredBot{bot},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(fmt.Sprintf(`(?m)^Max file size +%d `, gib<<30))
		w.eventually(fmt.Sprintf("files of %d GiB", gib), func() bool {
			_, limits := w.get("bot_1", "/read?path=/proc/self/limits")
			return want.MatchString(limits)
		})
	}
	if b := w.until("bot_1", "running", state(baas.BotRunning)); b.Restarts != 0 {
		t.Errorf("it was restarted for it %d times", b.Restarts)
	}
}

// The host's disk is everybody's: a bot that writes as fast as it can and ignores SIGTERM must not get far past the limit.
func TestABotThatHoardsIsEndedNearTheLimit(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	hoarder := program(t, "bot_1", "hoard", 0)
	hoarder.StopSecs = 300
	w.rev++
	_, err := w.client().PutDesired(w.ctx(), agentapi.Desired{
		Revision: w.rev, WorkerID: w.id, Size: baas.Size{DiskGiB: 1}, Bots: []agentapi.DesiredBot{hoarder},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.until("bot_1", "stopped by the disk", func(b agentapi.BotStatus) bool {
		return b.State == baas.BotStopped && b.PID == 0 && strings.Contains(b.Reason, "disk is full")
	})
	used := int64(0)
	err = filepath.WalkDir(w.data, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			info, err := e.Info()
			if err == nil {
				used += info.Size()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.2f GiB", float64(used)/(1<<30))
	if used < 1<<30 || used > 2<<30 {
		t.Errorf("%.2f GiB on a disk of 1 GiB", float64(used)/(1<<30))
	}
}

func TestLogsFollowARealBot(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	w.run(program(t, "bot_1", "serve", freePort(t)))
	w.until("bot_1", "running", state(baas.BotRunning))
	n := 0
	for l, err := range w.client().Logs(w.ctx(), "bot_1", agentapi.LogQuery{Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Stream == "agent" && strings.HasPrefix(l.Text, "started") {
			w.get("bot_1", "/log?text=0")
		}
		if l.Stream == "stdout" {
			if l.Text != fmt.Sprint(n) {
				t.Fatalf("line %q, want %d", l.Text, n)
			}
			if n++; n == 20 {
				break
			}
			w.get("bot_1", fmt.Sprint("/log?text=", n))
		}
	}
	if n != 20 {
		t.Fatalf("%d lines", n)
	}
}
