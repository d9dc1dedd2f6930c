package agent_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

func TestBotRunsAndAnswers(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	began := time.Now()
	w.run(program(t, "bot_1", "serve", freePort(t)))
	b := w.until("bot_1", "running", state(baas.BotRunning))
	t.Logf("running after %s", time.Since(began))
	if b.PID == 0 || b.Port == 0 || b.Reason == "" || b.Since.IsZero() {
		t.Errorf("status %+v", b)
	}
	code, body := w.get("bot_1", "/a%2Fb//c?x=1&y")
	if code != 200 || body != "GET /a%2Fb//c?x=1&y host=bot xff=" {
		t.Errorf("got %d %q", code, body)
	}
	_, env := w.get("bot_1", "/env")
	for _, want := range []string{"IMAGE_VAR=of-the-image", "BAAS_BOT_ID=bot_1", "HOME=" + w.data + "/bots/bot_1/data"} {
		if !strings.Contains(env, want) {
			t.Errorf("the bot's environment lacks %s", want)
		}
	}
	if strings.Contains(env, "token-of-") || strings.Contains(env, "BAAS_AGENT") {
		t.Errorf("the agent's variables reached the bot:\n%s", env)
	}
	s, err := w.client().Status(w.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if s.WorkerID != "wrk_1" || s.Revision != w.rev || s.Boot == "" || len(s.Bots) != 1 || fmt.Sprint(s.Stored) != "[bot_1]" {
		t.Errorf("status %+v", s)
	}
	w.run()
	w.eventually("process is gone", func() bool { return !alive(b.PID) })
	if code, _ := w.get("bot_1", "/"); code != 502 {
		t.Errorf("a stopped bot answered %d", code)
	}
}

func TestAssistantGetsPortAndConfig(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	w.run(agentapi.DesiredBot{ID: "bot_a", Name: "A", Run: true, Builtin: &agentapi.AssistantConfig{BotID: "bot_a", APIKey: "k3y"}})
	b := w.until("bot_a", "running", state(baas.BotRunning))
	if b.Port == 0 {
		t.Fatal("no port")
	}
	_, env := w.get("bot_a", "/env")
	var conf string
	for line := range strings.Lines(env) {
		if v, ok := strings.CutPrefix(line, agentapi.EnvBotConf+"="); ok {
			conf = strings.TrimSpace(v)
		}
	}
	st, err := os.Stat(conf)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("settings in %q: %v %v", conf, st, err)
	}
	if strings.Contains(env, "k3y") {
		t.Error("a secret is in the environment")
	}
}

func TestCrashBacksOffAndLoops(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	w.run(program(t, "bot_1", "crash", 0))
	b := w.until("bot_1", "backing off", state(baas.BotBackoff))
	if b.ExitCode == nil || *b.ExitCode != 3 || b.NextRetryAt == nil || !strings.Contains(b.Reason, "ended with code 3; next start in 1 s") {
		t.Fatalf("status %+v", b)
	}
	// A person who asks for a restart doesn't wait.
	again := program(t, "bot_1", "serve", freePort(t))
	again.Restarts = 1
	w.run(again)
	w.until("bot_1", "running", state(baas.BotRunning))
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	d := program(t, "bot_1", "daemon", freePort(t))
	d.StopSecs = 1
	child := freePort(t)
	d.Env["CHILD_PORT"] = fmt.Sprint(child)
	w.run(d)
	b := w.until("bot_1", "running", state(baas.BotRunning))
	var grandchild int
	w.eventually("grandchild listens", func() bool {
		pids := w.processes("bot_1")
		for _, p := range pids {
			if p != b.PID {
				grandchild = p
			}
		}
		return grandchild != 0
	})
	d.Run = false
	d.Held = true
	w.run(d)
	w.until("bot_1", "held", func(b agentapi.BotStatus) bool { return b.Held })
	if alive(b.PID) || alive(grandchild) || len(w.processes("bot_1")) != 0 {
		t.Fatalf("confirmed as stopped while %v live", w.processes("bot_1"))
	}
}

func TestBotsStartAgainWithoutControlPlane(t *testing.T) {
	p := newPlatform(t)
	w := p.newWorker(t, "wrk_1")
	port := freePort(t)
	w.run(program(t, "bot_1", "serve", port))
	b := w.until("bot_1", "running", state(baas.BotRunning))
	w.kill() // a crash: no time to stop anything
	w.eventually("bot dies with its agent", func() bool { return !alive(b.PID) })
	<-p.down
	w.launch("BAAS_AGENT_URL=")
	w.eventually("bot runs again", func() bool { return len(w.processes("bot_1")) == 1 })
	if code := w.shutdown(); code != 0 {
		t.Fatalf("agent ended with %d:\n%s", code, w.err)
	}
	if left := w.processes("bot_1"); len(left) != 0 {
		t.Fatalf("%v live after their agent", left)
	}
	w.boot()
	s, err := w.client().Status(w.ctx())
	if err != nil || s.Revision != w.rev {
		t.Fatalf("revision %d, want %d (%v)", s.Revision, w.rev, err)
	}
	w.until("bot_1", "running", state(baas.BotRunning))
}

func TestLeftoversOfKilledAgentAreEnded(t *testing.T) {
	p := newPlatform(t)
	w := p.newWorker(t, "wrk_1")
	d := program(t, "bot_1", "daemon", freePort(t))
	d.Env["CHILD_PORT"] = fmt.Sprint(freePort(t))
	w.run(d)
	w.until("bot_1", "running", state(baas.BotRunning))
	w.eventually("grandchild", func() bool { return len(w.processes("bot_1")) == 2 })
	before := w.processes("bot_1")
	w.kill()
	<-p.down
	w.boot()
	w.until("bot_1", "running", state(baas.BotRunning))
	for _, pid := range before {
		if alive(pid) {
			t.Errorf("process %d of the earlier run lives beside the new one", pid)
		}
	}
}

func TestOlderRevisionIsRefused(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	w.rev = 7
	w.run()
	put := func(rev int64) error {
		_, err := w.client().PutDesired(w.ctx(), agentapi.Desired{Revision: rev, WorkerID: "wrk_1"})
		return err
	}
	if err := put(8); err != nil {
		t.Fatal(err)
	}
	if err := put(7); !errors.Is(err, baas.ErrConflict) {
		t.Errorf("older: %v", err)
	}
	_, err := w.client().PutDesired(w.ctx(), agentapi.Desired{Revision: 9, WorkerID: "wrk_2"})
	if !errors.Is(err, baas.ErrInvalid) {
		t.Errorf("of another Worker: %v", err)
	}
	_, err = w.client().PutDesired(w.ctx(), agentapi.Desired{Revision: 9, WorkerID: "wrk_1", Bots: []agentapi.DesiredBot{{ID: "../x"}}})
	if !errors.Is(err, baas.ErrInvalid) || !strings.Contains(err.Error(), "bots[0].id") || !strings.Contains(err.Error(), "bots[0].command") {
		t.Errorf("bad input: %v", err)
	}
}

func TestAgentIsShutToItsBots(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	d := program(t, "bot_1", "serve", freePort(t))
	w.run(d)
	w.until("bot_1", "running", state(baas.BotRunning))
	st, err := os.Stat(fmt.Sprintf("/proc/%d/environ", w.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	// A process whose memory is shut belongs to root in /proc, whoever runs it.
	if st.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Error("the agent's environment belongs to its own user")
	}
}
