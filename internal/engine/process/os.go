package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/engine"
)

// process names one process for all time: a pid is used again, but not with the same start within one boot.
type process struct {
	PID       int
	Start     string // in clock ticks since the boot, as the kernel tells it
	Boot      string
	StartedAt time.Time
}

// stat is what /proc tells about a process.
type stat struct {
	state   string
	group   int
	session int
	start   string
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The name in parentheses may hold anything, parentheses too.
	_, rest, ok := strings.Cut(string(b[max(0, strings.LastIndexByte(string(b), ')')):]), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 20 {
		return stat{}, fmt.Errorf("process %d: unknown format of its status", pid)
	}
	group, _ := strconv.Atoi(f[2])
	session, _ := strconv.Atoi(f[3])
	return stat{state: f[0], group: group, session: session, start: f[19]}, nil
}

func bootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// alive reports whether the process runs. One that has ended and isn't waited for yet doesn't.
func (e *Engine) alive(p process) bool {
	if p.PID == 0 || p.Boot != e.bootID {
		return false
	}
	s, err := readStat(p.PID)
	return err == nil && s.start == p.Start && s.state != "Z" && s.state != "X"
}

// start starts the agent as leader of a session of its own, holding the machine's lock.
func (e *Engine) start(dir string, m engine.Machine) (process, error) {
	doing := "starting the agent of " + m.ID
	lock, err := takeLock(filepath.Join(dir, lockFile))
	if err != nil {
		return process{}, fmt.Errorf("%s: %w", doing, err)
	}
	defer lock.Close() // the agent keeps its own
	out, err := os.OpenFile(filepath.Join(dir, logFile), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return process{}, fmt.Errorf("%s: %w", doing, err)
	}
	defer out.Close()
	data := filepath.Join(dir, dataDir)
	cmd := exec.CommandContext(context.Background(), e.cfg.BinaryPath, "agent") // it outlives the call
	cmd.Dir = data
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = []*os.File{lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// The control plane's own environment holds its secrets.
	cmd.Env = []string{
		"HOME=" + data,
		"PATH=" + os.Getenv("PATH"),
		"LANG=" + os.Getenv("LANG"),
		agentapi.EnvURL + "=" + e.url(m),
		agentapi.EnvToken + "=" + m.AgentToken,
		agentapi.EnvWorker + "=" + m.ID,
		agentapi.EnvData + "=" + data,
		agentapi.EnvDiskGiB + "=" + strconv.FormatInt(m.Size.DiskGiB, 10),
	}
	// The pid can't be given to another process before Wait, so what is read about it is about the agent.
	if err := cmd.Start(); err != nil {
		return process{}, fmt.Errorf("%s: %w", doing, err)
	}
	s, err := readStat(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return process{}, fmt.Errorf("%s: %w", doing, err)
	}
	go func() { _ = cmd.Wait() }()
	return process{PID: cmd.Process.Pid, Start: s.start, Boot: e.bootID, StartedAt: time.Now()}, nil
}

// takeLock opens the lock file and locks it, which fails while a process of the machine's last run lives.
func takeLock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("a process of the machine's last run is still there: %w", err)
	}
	return f, nil
}

// end ends all processes of a machine: the agent is asked, and gets time to stop its bots; what is left is killed.
func (e *Engine) end(ctx context.Context, dir string, p process, timeout time.Duration) error {
	doing := "ending the processes of machine " + filepath.Base(dir)
	left, err := e.members(dir, p)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if len(left) == 0 {
		return nil
	}
	leader := p.PID
	if !e.alive(p) {
		leader = 0
		for _, pid := range left {
			// The agent of a start that was never noted down leads its session.
			if s, err := readStat(pid); err == nil && s.session == pid {
				leader = pid
			}
		}
	}
	if leader != 0 {
		if err := terminate(ctx, leader, timeout); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	// A process that is being killed may still have made another, so look until there is none.
	deadline := time.Now().Add(10 * time.Second)
	for {
		if left, err = e.members(dir, p); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: processes %v don't end", doing, left)
		}
		for _, pid := range left {
			if err := terminate(ctx, pid, 0); err != nil {
				return fmt.Errorf("%s: %w", doing, err)
			}
		}
	}
}

// terminate sends SIGTERM, waits, and sends SIGKILL when the time is over. A timeout of 0 kills at once.
func terminate(ctx context.Context, pid int, timeout time.Duration) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	signal := func(s unix.Signal) error {
		if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("sending %s to process %d: %w", s, pid, err)
		}
		return nil
	}
	if timeout > 0 {
		if err := signal(unix.SIGTERM); err != nil {
			return err
		}
		deadline := time.Now().Add(timeout)
		for time.Now().Before(deadline) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if ended, err := waitEnd(fd, min(time.Until(deadline), 100*time.Millisecond)); ended || err != nil {
				return err
			}
		}
	}
	if err := signal(unix.SIGKILL); err != nil {
		return err
	}
	_, err = waitEnd(fd, 5*time.Second)
	return err
}

// waitEnd waits until the process of the pidfd has ended, or the time is over; a negative time waits for good.
func waitEnd(fd int, timeout time.Duration) (ended bool, err error) {
	ms := -1
	if timeout >= 0 {
		ms = int(max(timeout.Milliseconds(), 1))
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, ms)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("waiting for a process: %w", err)
		}
		return n > 0, nil
	}
}

// members finds the living processes of a machine: those of the session that p led, and those that hold the lock.
func (e *Engine) members(dir string, p process) ([]int, error) {
	var lock unix.Stat_t
	locked := false
	if f, err := takeLock(filepath.Join(dir, lockFile)); err == nil {
		f.Close()
	} else if unix.Stat(filepath.Join(dir, lockFile), &lock) == nil {
		locked = true
	}
	// The kernel gives a pid to nobody while a session of that number has members. So if the pid belongs to another
	// process by now, the session is gone.
	session := 0
	if p.PID != 0 && p.Boot == e.bootID {
		if s, err := readStat(p.PID); err != nil || s.start == p.Start {
			session = p.PID
		}
	}
	if session == 0 && !locked {
		return nil, nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		s, err := readStat(pid)
		if err != nil || s.state == "Z" || s.state == "X" {
			continue
		}
		if session != 0 && s.session == session || locked && holds(pid, lock) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// holds reports whether the process has the file open.
func holds(pid int, file unix.Stat_t) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false // ended, or another user's
	}
	for _, entry := range entries {
		var s unix.Stat_t
		if unix.Stat(filepath.Join(dir, entry.Name()), &s) == nil && s.Dev == file.Dev && s.Ino == file.Ino {
			return true
		}
	}
	return false
}

// watch tells the watchers when the process ends. Once per process.
func (e *Engine) watch(id string, p process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watched[id] == p {
		return
	}
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return // ended; the caller sees that by itself
	}
	e.watched[id] = p
	go func() {
		defer unix.Close(fd)
		if _, err := waitEnd(fd, -1); err != nil && !errors.Is(err, fs.ErrClosed) {
			e.log.Error("an agent can't be watched", "worker", id, "error", err)
		}
		e.mu.Lock()
		if e.watched[id] == p {
			delete(e.watched, id)
		}
		e.mu.Unlock()
		e.notifier.Notify(id)
	}()
}
