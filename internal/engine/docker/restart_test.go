package docker

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/enginetest"
)

// daemon is an engine of the test's own, since restarting the machine's would disturb everybody who uses it. It must
// run in a network namespace of its own too: two engines in one fight over the default bridge.
type daemon struct {
	dir string
	cmd *exec.Cmd
}

func (d *daemon) host() string { return "unix://" + filepath.Join(d.dir, "docker.sock") }

func (d *daemon) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command("dockerd", "--config-file", filepath.Join(d.dir, "daemon.json"),
		"--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "-H", d.host())
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("starting an engine, which needs root and dockerd (scripts/docker.sh): %v", err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		api, err := connect(t.Context(), d.host())
		if err == nil {
			api.Close()
			return
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(d.dir, "log"))
			t.Fatalf("the engine doesn't answer: %v\n%s", err, text)
		}
	}
}

func (d *daemon) stop(t *testing.T) {
	if d.cmd == nil {
		return
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	_ = d.cmd.Wait() // its exit code says nothing that matters here
	d.cmd = nil
}

func TestMachinesComeBackWithARestartedEngine(t *testing.T) {
	t.Parallel()
	// The thread ends with the test; what it starts and what it listens on are in its namespace.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatalf("making a network namespace, which needs root: %v", err)
	}
	// Paths of sockets are short, which rules out the test's own directory.
	dir, err := os.MkdirTemp("", "dockerd")
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{dir: dir}
	t.Cleanup(func() {
		d.stop(t)
		// An engine leaves the mount of its own network namespace behind.
		_ = unix.Unmount(filepath.Join(dir, "exec", "netns", "default"), unix.MNT_DETACH)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "daemon.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start(t)

	control := enginetest.NewControl(t, "0.0.0.0")
	cfg := Config{
		Host: d.host(), Installation: "test-restart", BinaryPath: enginetest.BuildProbe(t), AgentListenPort: control.Port,
		StopTimeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
	}
	e, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m := engine.Machine{
		ID: baas.NewID(baas.PrefixWorker), TenantID: baas.NewID(baas.PrefixTenant), Isolation: baas.IsolationContainer,
		Size: baas.DefaultSize, AgentToken: "token",
	}
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		e, err := New(ctx, cfg)
		if err != nil {
			t.Error(err)
			return
		}
		defer e.Close()
		if err := e.Remove(ctx, m.ID); err != nil {
			t.Error(err)
		}
		if err := e.RemoveInstallation(ctx); err != nil {
			t.Error(err)
		}
	})
	control.Probe(t, m.ID).Must(t, "write", dataDir+"/note", "kept")
	stopped := m
	stopped.ID = baas.NewID(baas.PrefixWorker)
	if err := e.Ensure(t.Context(), stopped, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(t.Context(), stopped.ID); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	changes, err := e.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}

	d.stop(t)
	d.start(t)

	for id := range changes { // ends with ctx
		if id == "" {
			break
		}
	}
	if ctx.Err() != nil {
		t.Fatal("Watch did not tell that the engine is back")
	}
	if got := control.Probe(t, m.ID).Must(t, "read", dataDir+"/note", ""); got != "kept" {
		t.Errorf("the volume has %q", got)
	}
	if s, err := e.Inspect(t.Context(), m); err != nil || s.Phase != engine.PhaseRunning || !s.Current {
		t.Errorf("the running machine is %+v, %v", s, err)
	}
	if s, err := e.Inspect(t.Context(), stopped); err != nil || s.Phase != engine.PhaseStopped {
		t.Errorf("the stopped machine is %+v, %v", s, err)
	}
	if err := e.Remove(t.Context(), stopped.ID); err != nil {
		t.Error(err)
	}
	nets, err := e.api.NetworkList(t.Context(), client.NetworkListOptions{Filters: e.owned(kindTenant)})
	if err != nil || len(nets.Items) != 1 {
		t.Errorf("networks: %v, %v", nets.Items, err)
	}
}
