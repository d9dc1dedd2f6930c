package agent

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// keepStored is how long a window that the control plane has stored is remembered. A clock that is set back by less
// goes on with the amounts of the windows that it comes to again, so that their larger report replaces the first.
const keepStored = time.Hour

// meter turns amounts into windows of one minute and keeps them on the volume, a file per minute, until they are
// acknowledged.
//
//	NNN.json  windows of the minute NNN (of Unix time) that aren't all acknowledged
//	NNN.done  acknowledged; kept for keepStored
type meter struct {
	dir      string
	workerID string

	mu     sync.Mutex
	open   *minute       // the one that amounts go to now
	newest int64         // highest minute ever written
	ahead  time.Duration // of the clock, after it was set back by more than keepStored
}

// minute is one file.
type minute struct {
	Number  int64                  `json:"minute"`
	Amounts map[string]baas.Meters `json:"amounts"` // by bot; "" is the Worker
	Acked   []string               `json:"acked,omitempty"`
	// Grown are the bots whose amounts weren't reported as they are now: an acknowledgement would be of less.
	Grown []string `json:"grown,omitempty"`
}

func (m *minute) start() time.Time { return time.Unix(m.Number*60, 0).UTC() }

func minuteOf(t time.Time) int64 {
	n := t.Unix()
	if n < 0 {
		return 0
	}
	return n / 60
}

func newMeter(dir, workerID string) (*meter, error) {
	m := &meter{dir: dir, workerID: workerID}
	ns, err := m.numbers()
	if err != nil {
		return nil, fmt.Errorf("reading kept usage: %w", err)
	}
	for n := range ns {
		m.newest = max(m.newest, n)
	}
	return m, nil
}

// numbers lists the minutes on the volume, and whether each is acknowledged.
func (m *meter) numbers() (map[int64]bool, error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, err
	}
	ns := map[int64]bool{}
	for _, e := range entries {
		base, ext, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.ParseInt(base, 10, 64)
		if err != nil || ext != "json" && ext != "done" {
			continue
		}
		if done, both := ns[n]; both { // a crash between writing the one and removing the other
			ns[n] = done && ext == "done"
			continue
		}
		ns[n] = ext == "done"
	}
	return ns, nil
}

func (m *meter) path(n int64, ext string) string {
	return filepath.Join(m.dir, strconv.FormatInt(n, 10)+"."+ext)
}

// read reads a minute; an empty one when there is none, or none that can be read.
func (m *meter) read(n int64) *minute {
	for _, ext := range []string{"json", "done"} {
		var x minute
		if readJSON(m.path(n, ext), &x) == nil && x.Number == n && x.Amounts != nil {
			return &x
		}
	}
	return &minute{Number: n, Amounts: map[string]baas.Meters{}}
}

func (m *meter) write(x *minute, durable bool) error {
	if err := writeJSON(m.path(x.Number, "json"), durable, x); err != nil {
		return err
	}
	m.newest = max(m.newest, x.Number)
	if err := os.Remove(m.path(x.Number, "done")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// add books what was used in the time elapsed before now (of the wall clock), by bot. It is on the volume when add
// returns; what can't be written is tried again with the next call.
func (m *meter) add(now time.Time, elapsed time.Duration, amounts map[string]baas.Meters) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	to := now.Add(m.ahead)
	if oldest := time.Unix(m.newest*60, 0).Add(-keepStored); to.Before(oldest) {
		m.ahead += time.Unix(m.newest*60, 0).Sub(to)
		to = now.Add(m.ahead)
	} else if m.ahead > 0 && minuteOf(now) > m.newest {
		m.ahead, to = 0, now
	}
	var errs []error
	for n, part := range split(to.Add(-elapsed), to, amounts) {
		if err := m.goTo(n); err != nil {
			errs = append(errs, err)
		}
		for bot, a := range part {
			if a == (baas.Meters{}) {
				continue
			}
			m.open.Amounts[bot] = m.open.Amounts[bot].Add(a)
			m.open.Acked = without(m.open.Acked, bot)
			if !slices.Contains(m.open.Grown, bot) {
				m.open.Grown = append(m.open.Grown, bot)
			}
		}
	}
	if err := m.goTo(minuteOf(to)); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, m.write(m.open, false))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("keeping usage: %w", err)
	}
	return nil
}

// goTo makes n the open minute. The one before is durable then.
func (m *meter) goTo(n int64) error {
	if m.open != nil && m.open.Number == n {
		return nil
	}
	if m.open != nil && len(m.open.Amounts) > 0 {
		if err := m.write(m.open, true); err != nil {
			return err // and goes on with it: nothing is lost, only booked late
		}
	}
	m.open = m.read(n)
	return m.purge()
}

// purge deletes what has had its time.
func (m *meter) purge() error {
	ns, err := m.numbers()
	if err != nil {
		return err
	}
	for n, done := range ns {
		age := time.Duration(m.newest-n) * time.Minute
		if n == m.open.Number || age <= keepStored || !done && age <= baas.KeepMinutes {
			continue
		}
		for _, ext := range []string{"json", "done"} {
			if err := os.Remove(m.path(n, ext)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// split divides amounts over the minutes between two times, in proportion; the parts add up to the whole.
func split(from, to time.Time, amounts map[string]baas.Meters) map[int64]map[string]baas.Meters {
	parts := map[int64]map[string]baas.Meters{}
	whole := to.Sub(from)
	if whole <= 0 || minuteOf(from) == minuteOf(to) {
		parts[minuteOf(to)] = amounts
		return parts
	}
	rest := maps.Clone(amounts)
	for n := minuteOf(from); n < minuteOf(to); n++ {
		begin, end := time.Unix(n*60, 0), time.Unix(n*60+60, 0)
		if begin.Before(from) {
			begin = from
		}
		share := end.Sub(begin)
		part := map[string]baas.Meters{}
		for bot, a := range amounts {
			p := scale(a, share, whole)
			part[bot], rest[bot] = p, rest[bot].Sub(p)
		}
		parts[n] = part
	}
	parts[minuteOf(to)] = rest
	return parts
}

// scale is a·part/whole, rounded down, meter by meter.
func scale(a baas.Meters, part, whole time.Duration) baas.Meters {
	f := func(v int64) int64 {
		if v <= 0 {
			return 0
		}
		hi, lo := bits.Mul64(uint64(v), uint64(part))
		q, _ := bits.Div64(hi, lo, uint64(whole)) // part < whole, so it fits
		return int64(q)
	}
	return baas.Meters{
		CPUMillis: f(a.CPUMillis), MemoryByteSeconds: f(a.MemoryByteSeconds), DiskByteSeconds: f(a.DiskByteSeconds),
		BytesIn: f(a.BytesIn), BytesOut: f(a.BytesOut), Requests: f(a.Requests), RunningMillis: f(a.RunningMillis),
	}
}

// closed reads at most limit closed windows that aren't acknowledged, oldest first.
func (m *meter) closed(limit int) (agentapi.UsageReport, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := agentapi.UsageReport{Windows: []baas.UsageWindow{}}
	ns, err := m.numbers()
	if err != nil {
		return r, fmt.Errorf("reading kept usage: %w", err)
	}
	for _, n := range slices.Sorted(maps.Keys(ns)) {
		if ns[n] || m.open != nil && n == m.open.Number {
			continue
		}
		x := m.read(n)
		news := false
		for _, bot := range slices.Sorted(maps.Keys(x.Amounts)) {
			if slices.Contains(x.Acked, bot) {
				continue
			}
			if len(r.Windows) == limit {
				r.More = true
				break
			}
			news = news || slices.Contains(x.Grown, bot)
			x.Grown = without(x.Grown, bot)
			r.Windows = append(r.Windows, baas.UsageWindow{WorkerID: m.workerID, BotID: bot, Start: x.start(), Meters: x.Amounts[bot]})
		}
		if news {
			if err := m.write(x, false); err != nil {
				return r, fmt.Errorf("keeping usage: %w", err)
			}
		}
		if r.More {
			break
		}
	}
	return r, nil
}

func without(list []string, x string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == x })
}

// ack forgets windows. Those that it doesn't know, and those that have grown since they were read, are left.
func (m *meter) ack(keys []agentapi.UsageKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	byMinute := map[int64][]string{}
	for _, k := range keys {
		byMinute[minuteOf(k.Start)] = append(byMinute[minuteOf(k.Start)], k.BotID)
	}
	for _, n := range slices.SortedFunc(maps.Keys(byMinute), cmp.Compare) {
		if m.open != nil && m.open.Number == n {
			continue
		}
		x := m.read(n)
		if len(x.Amounts) == 0 {
			continue
		}
		for _, bot := range byMinute[n] {
			if _, known := x.Amounts[bot]; known && !slices.Contains(x.Acked, bot) && !slices.Contains(x.Grown, bot) {
				x.Acked = append(x.Acked, bot)
			}
		}
		if err := m.write(x, false); err != nil {
			return fmt.Errorf("acknowledging usage: %w", err)
		}
		if len(x.Acked) == len(x.Amounts) {
			if err := os.Rename(m.path(n, "json"), m.path(n, "done")); err != nil {
				return fmt.Errorf("acknowledging usage: %w", err)
			}
		}
	}
	return nil
}
