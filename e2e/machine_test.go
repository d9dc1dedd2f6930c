package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// onAMachineOfItsOwn runs the test again in process, network and mount namespaces of its own, and reports whether the
// caller is in there. Restarting an engine and cutting networks then disturb nobody, every process on the "machine" is
// the test's, and all of them end with it.
func onAMachineOfItsOwn(t *testing.T) bool {
	t.Helper()
	const inside = "BAAS_E2E_INSIDE"
	if os.Getenv(inside) == t.Name() {
		return true
	}
	exe, err := os.Executable()
	must(t, err)
	deadline, _ := t.Deadline()
	args := []string{"--fork", "--kill-child", "--pid", "--mount-proc", "--net", "--mount", "--propagation", "private",
		// A shell as first process, since it takes in orphans.
		"sh", "-c", `ip link set lo up && "$@"; code=$?; exit $code`, "sh",
		exe, "-test.run=^" + t.Name() + "$", "-test.v", "-test.timeout=" + max(time.Minute, time.Until(deadline)-10*time.Second).String()}
	cmd := exec.CommandContext(t.Context(), "unshare", args...)
	cmd.Env = append(os.Environ(), inside+"="+t.Name(), "BAAS_E2E_BINARY="+binary)
	out := &lineLog{t: t}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		t.Fatalf("on a machine of its own, which takes root, unshare and ip: %v", err)
	}
	return false
}

// lineLog passes what a process writes on to the test's log.
type lineLog struct {
	t    *testing.T
	rest []byte
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		fmt.Fprintf(l.t.Output(), "| %s\n", line)
		l.rest = rest
	}
}

// dockerd is an engine of the test's own.
type dockerd struct {
	dir  string
	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// newDockerd starts an engine, makes it the one that this process and its children use, and stops it with the test.
func newDockerd(t *testing.T) *dockerd {
	t.Helper()
	dir, err := os.MkdirTemp("", "dockerd") // paths of sockets are short
	must(t, err)
	d := &dockerd{dir: dir}
	t.Cleanup(func() {
		d.end(syscall.SIGTERM)
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			lines := strings.Split(string(log), "\n")
			t.Logf("log of the engine:\n%s", strings.Join(lines[max(0, len(lines)-30):], "\n"))
		}
		unmountBelow(dir) // what an engine that was killed left
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing the engine: %v", err)
		}
	})
	must(t, os.WriteFile(filepath.Join(dir, "daemon.json"), []byte("{}"), 0o600))
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "docker.sock"))
	must(t, d.begin(t.Context()))
	return d
}

func unmountBelow(dir string) {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	lines := strings.Split(string(mounts), "\n")
	slices.Reverse(lines) // the last ones first
	for _, line := range lines {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			_ = unix.Unmount(f[1], unix.MNT_DETACH)
		}
	}
}

// begin starts the engine and waits until it answers.
func (d *dockerd) begin(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	socket := filepath.Join(d.dir, "docker.sock")
	// An engine that was killed leaves its pid file, whose number may be another process's by now.
	_ = os.Remove(filepath.Join(d.dir, "pid"))
	d.cmd = exec.Command("dockerd", "--config-file", filepath.Join(d.dir, "daemon.json"), "--data-root", filepath.Join(d.dir, "data"),
		"--exec-root", filepath.Join(d.dir, "exec"), "--pidfile", filepath.Join(d.dir, "pid"), "-H", "unix://"+socket)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("starting an engine (scripts/docker.sh installs one): %w", err)
	}
	d.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended is for who ended it
		close(done)
	}(d.cmd, d.done)
	// One that was killed may first wait for a container that it has lost track of, as long as that has to stop: 310 s.
	limit := time.After(7 * time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if engineAnswers(ctx) {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.done:
			return errors.New("the engine ended")
		case <-limit:
			return errors.New("the engine doesn't answer")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// engineAnswers asks the engine something, which one that hangs takes and doesn't answer.
func engineAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "version").Run() == nil
}

// end ends the engine and waits for that. One that was asked to is killed when it takes too long, as service managers do:
// an engine may start a container while it stops the others, and then waits for it for minutes.
func (d *dockerd) end(how syscall.Signal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(how) // it may have ended already
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
	d.cmd = nil
}

// smallDisk mounts a file system of its own.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fillDisk takes what room is left and gives the way to free it.
func fillDisk(dir string) (free func(), err error) {
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for {
		if _, err = f.Write(block); err != nil {
			if errors.Is(err, unix.ENOSPC) {
				return func() { _ = os.Remove(name) }, nil
			}
			return nil, err
		}
	}
}

// supervisor starts the control plane again whenever it ended, as a service manager does.
type supervisor struct {
	p    *platform
	mu   sync.Mutex
	stop context.CancelFunc
	done chan struct{}
	runs int
}

func supervise(t *testing.T, p *platform) *supervisor {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &supervisor{p: p, stop: cancel, done: make(chan struct{}), runs: 1}
	t.Cleanup(s.end)
	go s.run(ctx, t)
	return s
}

func (s *supervisor) run(ctx context.Context, t *testing.T) {
	defer close(s.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.p.done:
		}
		pause := time.NewTimer(200 * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		s.mu.Lock()
		cmd := exec.Command(binary, "serve")
		cmd.Env = append(os.Environ(), s.p.env...)
		cmd.Stdout, cmd.Stderr = s.p.log, s.p.log
		if err := cmd.Start(); err != nil {
			t.Errorf("starting the control plane: %v", err)
			s.mu.Unlock()
			return
		}
		done := make(chan struct{})
		go func() {
			_ = cmd.Wait()
			close(done)
		}()
		s.p.cmd, s.p.done = cmd, done
		s.runs++
		s.mu.Unlock()
	}
}

// kill ends the control plane as a power cut does; it comes back by itself.
func (s *supervisor) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.p.cmd.Process.Kill() // it may have ended already
}

func (s *supervisor) end() {
	s.stop()
	<-s.done
}
