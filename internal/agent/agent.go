package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/baas-platform/baas/internal/tunnel"
)

// ErrOutdated is why Run ended: the control plane wants a newer build.
var ErrOutdated = tunnel.ErrOutdated

// ExitOutdated is the exit code of the process for ErrOutdated.
const ExitOutdated = 78

// errNoSpace is a full file system.
var errNoSpace = unix.ENOSPC

// agent holds the parts together.
type agent struct {
	cfg       Config
	log       *slog.Logger
	vol       volume
	sup       *supervisor
	disk      *disk
	meter     *meter
	sampler   *sampler
	proxy     *proxy
	boot      string
	startedAt time.Time

	mu   sync.Mutex
	busy map[string]chan struct{} // bots whose directory a request changes

	looking  sync.Mutex
	sequence int64 // of the last status; guarded by looking
}

// Run runs the agent until ctx ends, then stops every bot and returns nil. It returns ErrOutdated, also after stopping
// them, when the control plane refuses this build, and any other error when it can't work at all. The process must
// have no other children.
func Run(ctx context.Context, cfg Config) error {
	if err := cfg.check(); err != nil {
		return fmt.Errorf("configuring the agent: %w", err)
	}
	if err := harden(); err != nil {
		return err
	}
	// A burst of traffic must not make the agent take the memory of the bots.
	debug.SetMemoryLimit(48 << 20)
	data, err := filepath.Abs(cfg.Data)
	if err != nil {
		return fmt.Errorf("finding the volume: %w", err)
	}
	vol := volume{data}
	lock, err := vol.open(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()

	a := &agent{cfg: cfg, log: cfg.Log, vol: vol, boot: rand.Text(), startedAt: time.Now().UTC(), busy: map[string]chan struct{}{}}
	a.sup = newSupervisor(vol, cfg.Log, cfg.Assistant, cfg.Environ)
	a.sup.limit.Store(cfg.DiskGiB << 30)
	a.disk = newDisk(vol, a.sup.diskLimit, a.sup.diskFull)
	if a.meter, err = newMeter(vol.agent("usage"), cfg.WorkerID); err != nil {
		return err
	}
	a.sampler = newSampler(a.sup, newMachine(), a.meter, a.disk, cfg.Log)
	a.proxy = newProxy(a.sup, cfg.Log)
	if err := a.sup.sweep(ctx); err != nil {
		return err
	}
	if err := a.sup.load(); err != nil {
		// The control plane sends it again; until then nothing runs that nobody asked for.
		cfg.Log.Error("starting without the kept desired state", "error", err)
	}
	return a.serve(ctx)
}

// serve runs the parts and ends them in order: first the bots, then what they need, then the connection.
func (a *agent) serve(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	// What the bots need outlives them.
	below, stopBelow := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBelow()
	var base, above sync.WaitGroup
	base.Go(func() {
		if err := a.sup.nursery.run(below); err != nil {
			end(err)
		}
	})
	base.Go(func() { a.disk.run(below) })
	base.Go(func() { a.sampler.run(below) })
	base.Go(func() { a.watchMemory(below, newMachine()) })
	if a.cfg.URL != "" {
		base.Go(func() {
			err := tunnel.Serve(below, tunnel.DialConfig{
				URL: a.cfg.URL, Token: a.cfg.Token, WorkerID: a.cfg.WorkerID, Version: a.cfg.Version,
				Handler: a.routes(), Log: a.log,
			})
			if !errors.Is(err, context.Canceled) {
				end(err)
			}
		})
	}
	above.Go(func() { a.sup.run(ctx) })
	a.log.Info("agent started", "worker", a.cfg.WorkerID, "version", a.cfg.Version)
	above.Wait()
	a.sampler.sample()
	stopBelow()
	base.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	a.log.Info("agent ended", "worker", a.cfg.WorkerID)
	return nil
}
