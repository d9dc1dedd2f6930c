package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// launch is everything but the descriptors that a process of a bot is started with.
type launch struct {
	args []string
	dir  string
	env  []string
	port int
}

// prepare makes the directories and says how to start the bot.
func (b *bot) prepare(ctx context.Context, want *agentapi.DesiredBot, digest string) (launch, error) {
	vol := b.sup.vol
	l := launch{args: want.Command, dir: vol.data(b.id), port: want.Port}
	if err := os.MkdirAll(vol.data(b.id), 0o700); err != nil {
		return l, fmt.Errorf("its directory can't be made: %w", err)
	}
	if want.Files != nil {
		h, _ := digestHex(digest)
		l.dir = filepath.Join(vol.apps(b.id), h)
		b.dropOldFiles(h)
	}
	extra := map[string]string{agentapi.EnvBotID: b.id, agentapi.EnvBotData: vol.data(b.id)}
	if want.Builtin != nil {
		port, err := freePort(ctx)
		if err != nil {
			return l, fmt.Errorf("no free port for it: %w", err)
		}
		if err := writeJSON(vol.conf(b.id), false, want.Builtin); err != nil {
			return l, fmt.Errorf("its settings can't be written: %w", err)
		}
		l.args, l.port = b.sup.assistant, port
		extra[agentapi.EnvBotConf] = vol.conf(b.id)
	}
	if l.port > 0 {
		extra[agentapi.EnvPort] = strconv.Itoa(l.port)
	}
	l.env = environment(b.sup.environ, vol.data(b.id), want.Env, extra)
	return l, nil
}

// environment is the image's, then the bot's own, then what the platform sets.
func environment(base []string, home string, own, set map[string]string) []string {
	vars := map[string]string{}
	for _, kv := range base {
		if k, v, ok := strings.Cut(kv, "="); ok && !strings.HasPrefix(k, "BAAS_") && k != agentapi.EnvPort {
			vars[k] = v
		}
	}
	vars["HOME"] = home
	if vars["PATH"] == "" {
		vars["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	for k, v := range own {
		vars[k] = v
	}
	for k, v := range set {
		vars[k] = v
	}
	env := make([]string, 0, len(vars))
	for k, v := range vars {
		env = append(env, k+"="+v)
	}
	slices.Sort(env)
	return env
}

// start starts the bot's process. lock is inherited by it.
func (b *bot) start(ctx context.Context, want *agentapi.DesiredBot, digest string, lock *os.File) (*process, launch, error) {
	l, err := b.prepare(ctx, want, digest)
	if err != nil {
		return nil, l, err
	}
	p, err := b.spawn(ctx, l, lock)
	if err != nil {
		return nil, l, err
	}
	b.sup.census.begin(p.pid, b.id)
	b.meters.begin(time.Now())
	return p, l, nil
}

// spawn starts l with its output going to the log.
func (b *bot) spawn(ctx context.Context, l launch, lock *os.File) (*process, error) {
	path, err := lookPath(l.args[0], l.dir, l.env)
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	var ends [2]int
	for i, stream := range []string{"stdout", "stderr"} {
		r, w, err := pipe()
		if err != nil {
			for _, fd := range ends[:i] {
				_ = unix.Close(fd)
			}
			return nil, fmt.Errorf("making its output: %w", err)
		}
		ends[i] = w
		go func() {
			defer r.Close()
			b.log.pour(stream, r)
		}()
	}
	defer func() {
		for _, fd := range ends {
			_ = unix.Close(fd)
		}
	}()
	spec := startSpec{
		path: path, args: l.args, dir: l.dir, env: l.env, fileBytes: max(0, b.sup.diskLimit()),
		files: []uintptr{null.Fd(), uintptr(ends[0]), uintptr(ends[1])},
	}
	if lock != nil {
		spec.files = append(spec.files, lock.Fd())
	}
	p, err := b.sup.nursery.start(ctx, spec)
	switch {
	case errors.Is(err, syscall.ENOENT):
		return nil, fmt.Errorf("%s, or the interpreter that it names, is not there", l.args[0])
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be executed", l.args[0])
	case errors.Is(err, syscall.ENOEXEC):
		return nil, fmt.Errorf("%s is no program for this machine", l.args[0])
	case errors.Is(err, syscall.E2BIG):
		return nil, errors.New("its arguments and environment are too long")
	case errors.Is(err, syscall.EAGAIN):
		return nil, errors.New("the Worker's limit of processes is reached")
	case err != nil:
		return nil, err
	}
	return p, nil
}

// pipe makes a pipe whose read end waits in the runtime's poller and whose write end is an ordinary blocking one.
func pipe() (*os.File, int, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, 0, err
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, 0, errors.Join(err, unix.Close(fds[0]), unix.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), "output"), fds[1], nil
}

// lookPath finds a program as a shell in dir with env would, and below dir by its bare name as well.
func lookPath(name, dir string, env []string) (string, error) {
	var candidates []string
	switch {
	case filepath.IsAbs(name):
		candidates = []string{name}
	case strings.Contains(name, "/"):
		candidates = []string{filepath.Join(dir, name)}
	default:
		for _, kv := range env {
			if list, ok := strings.CutPrefix(kv, "PATH="); ok {
				for _, d := range filepath.SplitList(list) {
					if filepath.IsAbs(d) {
						candidates = append(candidates, filepath.Join(d, name))
					}
				}
			}
		}
		candidates = append(candidates, filepath.Join(dir, name))
	}
	found := ""
	for _, c := range candidates {
		st, err := os.Stat(c)
		if err != nil || st.IsDir() {
			continue
		}
		if st.Mode()&0o111 != 0 {
			return c, nil
		}
		found = c
	}
	if found != "" {
		return "", fmt.Errorf("%s may not be executed: its file has no x permission", name)
	}
	return "", fmt.Errorf("there is no program %s in its files or the Worker's image", name)
}

// dropOldFiles deletes what was unpacked before.
func (b *bot) dropOldFiles(current string) {
	entries, err := os.ReadDir(b.sup.vol.apps(b.id))
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Name() == current {
			continue
		}
		if err := b.sup.vol.discard(filepath.Join(b.sup.vol.apps(b.id), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.sup.log.Warn("deleting a bot's old files", "bot", b.id, "error", err)
		}
	}
}

// freePort finds a port that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// check is how a bot is asked whether it is well, with its defaults filled in.
type check struct {
	baas.HealthCheck
	every, limit time.Duration
	failures     int
}

func checkOf(h *baas.HealthCheck) check {
	c := check{every: 10 * time.Second, limit: 3 * time.Second, failures: 3}
	if h == nil {
		return c
	}
	c.HealthCheck = *h
	if h.IntervalSeconds > 0 {
		c.every = time.Duration(h.IntervalSeconds) * time.Second
	}
	if h.TimeoutSeconds > 0 {
		c.limit = time.Duration(h.TimeoutSeconds) * time.Second
	}
	if h.Failures > 0 {
		c.failures = h.Failures
	}
	return c
}
