package agent

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// sampleEvery is the time between two measurements.
const sampleEvery = 10 * time.Second

// startOver is when what the agent's start needed is not needed any more.
const startOver = 3 * time.Second

// sampler measures the Worker and its bots and books the differences.
type sampler struct {
	sup     *supervisor
	machine machine
	meter   *meter
	disk    *disk
	log     *slog.Logger
	now     func() time.Time

	mu    sync.Mutex
	last  time.Time // with its monotonic part
	bots  map[string]totals
	sum   totals // of the Worker
	use   agentapi.Now
	asked int64 // sum.requests when idle was last asked
}

// totals are readings that only grow, and present ones.
type totals struct {
	cpu, running      time.Duration
	in, out, requests int64
	memory, disk      int64
}

func newSampler(sup *supervisor, m machine, mt *meter, d *disk, log *slog.Logger) *sampler {
	return &sampler{sup: sup, machine: m, meter: mt, disk: d, log: log, now: time.Now, bots: map[string]totals{}}
}

func (s *sampler) run(ctx context.Context) {
	s.sample()
	t := time.NewTicker(sampleEvery)
	defer t.Stop()
	started := time.After(startOver)
	for {
		select {
		case <-ctx.Done():
			return
		case <-started:
			debug.FreeOSMemory()
		case <-t.C:
			s.sample()
		}
		if s.idle() {
			_ = trim() // what fails costs memory, nothing else
		}
	}
}

// idle reports whether no request came since it was last asked.
func (s *sampler) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.sum.requests == s.asked
	s.asked = s.sum.requests
	return idle
}

// present is the use at the last measurement.
func (s *sampler) present() agentapi.Now {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.use
	u.DiskBytes, u.DiskLimit, u.DiskFull = s.disk.state()
	return u
}

// sample measures and books what was used since the last time.
func (s *sampler) sample() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	first := s.last.IsZero()
	elapsed := now.Sub(s.last)
	if !first && elapsed <= 0 {
		return
	}
	s.last = now
	bots, sum := s.readings(now)
	amounts := map[string]baas.Meters{}
	var worker baas.Meters
	for id, t := range bots {
		a := t.since(s.bots[id], elapsed)
		if first {
			a = baas.Meters{}
		}
		bots[id] = t.atLeast(s.bots[id])
		amounts[id] = a
		worker = worker.Add(a)
	}
	s.bots = bots
	if first {
		s.sum = sum
		return
	}
	own := sum.since(s.sum, elapsed)
	own.RunningMillis = elapsed.Milliseconds()
	worker.RunningMillis = 0 // of bots: their sum says nothing about the Worker
	// A bot's amounts are part of its Worker's, also where the two come from different sources.
	worker = worker.Max(own)
	amounts[""] = worker
	s.sum = sum.atLeast(s.sum)
	s.use = agentapi.Now{CPUMillis: worker.CPUMillis * 1000 / max(1, elapsed.Milliseconds()), MemoryBytes: sum.memory}
	if err := s.meter.add(now, elapsed, amounts); err != nil {
		s.log.Error("usage", "error", err)
	}
}

// readings takes the present totals of every bot and of the Worker.
func (s *sampler) readings(now time.Time) (map[string]totals, totals) {
	procs := s.sup.census.take()
	bots := map[string]totals{}
	var sum totals
	for _, b := range s.sup.list() {
		t := totals{in: b.meters.in.Load(), out: b.meters.out.Load(), requests: b.meters.requests.Load(), disk: s.disk.of(b.id)}
		t.running, t.cpu = b.meters.read(now)
		for _, p := range procs[b.id] {
			t.cpu += p.cpu
			t.memory += s.sup.census.proc.memory(p)
		}
		bots[b.id] = t
		sum.requests += t.requests
		sum.in += t.in
		sum.out += t.out
		sum.cpu += t.cpu
		sum.memory += t.memory
	}
	for _, p := range procs[""] {
		sum.cpu += p.cpu
		sum.memory += s.sup.census.proc.memory(p)
	}
	if cpu, ok := s.machine.cpu(); ok {
		sum.cpu = cpu
	}
	if n, ok := s.machine.memory(); ok {
		sum.memory = n
	}
	if in, out, ok := s.machine.network(); ok {
		sum.in, sum.out = in, out
	}
	sum.disk, _, _ = s.disk.state()
	return bots, sum
}

// since is what was used after o. A reading that went down, as when processes vanish between two looks, is no use.
func (t totals) since(o totals, elapsed time.Duration) baas.Meters {
	byteSeconds := func(n int64) int64 { return int64(float64(n) * elapsed.Seconds()) }
	return baas.Meters{
		CPUMillis:         max(0, t.cpu.Milliseconds()-o.cpu.Milliseconds()),
		RunningMillis:     max(0, t.running.Milliseconds()-o.running.Milliseconds()),
		BytesIn:           max(0, t.in-o.in),
		BytesOut:          max(0, t.out-o.out),
		Requests:          max(0, t.requests-o.requests),
		MemoryByteSeconds: byteSeconds(t.memory),
		DiskByteSeconds:   byteSeconds(t.disk),
	}
}

// atLeast keeps the higher reading of what only grows, so that nothing is counted twice after a reading went down.
func (t totals) atLeast(o totals) totals {
	t.cpu, t.running = max(t.cpu, o.cpu), max(t.running, o.running)
	t.in, t.out, t.requests = max(t.in, o.in), max(t.out, o.out), max(t.requests, o.requests)
	return t
}
