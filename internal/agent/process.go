package agent

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nursery starts and reaps every child of the agent, also those that bots orphaned. It is the only caller of wait:
// starts and reaps exclude each other, so an exit status always finds its process.
type nursery struct {
	mu       sync.Mutex
	children map[int]*process
	reaped   chan struct{}                    // closed and replaced after children were reaped
	adopted  func(pid int, cpu time.Duration) // told of a reaped process that the agent didn't start
	starts   chan startRequest
}

// process is a child that the agent started.
type process struct {
	pid  int
	done chan struct{} // closed when it was reaped; then the rest is set

	status syscall.WaitStatus
	cpu    time.Duration // of it and the descendants it waited for
}

// startSpec says what to start. files are its descriptors 0, 1, 2 and so on.
type startSpec struct {
	path  string
	args  []string
	dir   string
	env   []string
	files []uintptr
	// fileBytes is the largest file it may write; 0: no limit.
	fileBytes int64
}

type startRequest struct {
	spec  startSpec
	reply chan<- startReply
}

type startReply struct {
	p   *process
	err error
}

func newNursery(adopted func(pid int, cpu time.Duration)) *nursery {
	return &nursery{
		children: map[int]*process{}, reaped: make(chan struct{}), adopted: adopted, starts: make(chan startRequest),
	}
}

// run starts and reaps until ctx ends. Children must be gone by then: they are killed with the thread that started them.
func (n *nursery) run(ctx context.Context) error {
	// Orphans of bots come to the agent rather than to an init outside, so that none is lost from sight.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming the reaper of orphans: %w", err)
	}
	chld := make(chan os.Signal, 1)
	signal.Notify(chld, syscall.SIGCHLD)
	defer signal.Stop(chld)
	ended := make(chan struct{})
	defer func() { <-ended }()
	go func() {
		defer close(ended)
		n.starter(ctx)
	}()
	for {
		n.reap()
		select {
		case <-ctx.Done():
			return nil
		case <-chld:
		}
	}
}

// starter forks on one thread that lives as long as the agent: the kernel binds the death signal of a child to the
// thread that forked it. Nothing started here gains privileges by executing a file.
func (n *nursery) starter(ctx context.Context) {
	runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-n.starts:
			p, err := n.fork(r.spec)
			r.reply <- startReply{p, err}
		}
	}
}

func (n *nursery) fork(s startSpec) (*process, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	pid, err := syscall.ForkExec(s.path, s.args, &syscall.ProcAttr{
		Dir: s.dir, Env: s.env, Files: s.files,
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return nil, err
	}
	p := &process{pid: pid, done: make(chan struct{})}
	n.children[pid] = p
	// A child can't be given limits before it runs. The moment in between is too short to fill a disk.
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	if s.fileBytes > 0 {
		limitFiles(pid, s.fileBytes)
	}
	return p, nil
}

// limitFiles bounds the files that a process may write, in bytes. A bound can be changed, except that 0 is for good.
func limitFiles(pid int, most int64) {
	var l unix.Rlimit
	if most > 0 {
		if unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &l) != nil {
			return // it has ended
		}
		l.Cur = min(uint64(most), l.Max)
	}
	_ = unix.Prlimit(pid, unix.RLIMIT_FSIZE, &l, nil)
}

// start starts a process in a session and process group of its own, both numbered as its pid.
func (n *nursery) start(ctx context.Context, s startSpec) (*process, error) {
	reply := make(chan startReply, 1)
	select {
	case n.starts <- startRequest{s, reply}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r := <-reply
	return r.p, r.err
}

func (n *nursery) reap() {
	n.mu.Lock()
	defer n.mu.Unlock()
	any := false
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, &usage)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			break
		}
		any = true
		cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		p := n.children[pid]
		if p == nil {
			n.adopted(pid, cpu)
			continue
		}
		delete(n.children, pid)
		p.status, p.cpu = status, cpu
		close(p.done)
	}
	if any {
		close(n.reaped)
		n.reaped = make(chan struct{})
	}
}

// changed is closed after the next reap.
func (n *nursery) changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reaped
}

// signal sends sig to the group of p, unless p was reaped: its number may be another's by then.
func (n *nursery) signal(p *process, sig syscall.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.children[p.pid] == p {
		_ = syscall.Kill(-p.pid, sig)
	}
}

// exitCode is the process's code, 128+n after signal n.
func (p *process) exitCode() int {
	if p.status.Signaled() {
		return 128 + int(p.status.Signal())
	}
	return p.status.ExitStatus()
}

// how says how it ended, for a person.
func (p *process) how() string {
	if p.status.Signaled() {
		if p.status.Signal() == syscall.SIGKILL {
			return "was killed (signal 9), as happens when memory runs out"
		}
		if p.status.Signal() == syscall.SIGXFSZ {
			return "was ended because it wrote a file as large as the disk"
		}
		return fmt.Sprintf("was ended by signal %d (%s)", p.status.Signal(), p.status.Signal())
	}
	return fmt.Sprintf("ended with code %d", p.status.ExitStatus())
}

// harden keeps other processes of the same user, which the bots are, from reading the agent's memory and environment.
func harden() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("shutting the agent's memory to others: %w", err)
	}
	return nil
}
