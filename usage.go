package baas

import (
	"context"
	"time"
)

// Window is the length of one usage window.
const Window = time.Minute

// How long usage is kept.
const (
	KeepMinutes = 7 * 24 * time.Hour
	KeepHours   = 400 * 24 * time.Hour
)

// Meters are the amounts of one window. Every amount is a sum over the window, so that windows add up.
type Meters struct {
	CPUMillis         int64 `json:"cpu_ms" doc:"CPU time, milliseconds"`
	MemoryByteSeconds int64 `json:"memory_byte_seconds"`
	DiskByteSeconds   int64 `json:"disk_byte_seconds"`
	BytesIn           int64 `json:"bytes_in" doc:"Worker: received by its network; bot: received through the gateway"`
	BytesOut          int64 `json:"bytes_out" doc:"Worker: sent by its network; bot: sent through the gateway"`
	Requests          int64 `json:"requests" doc:"Through the gateway"`
	RunningMillis     int64 `json:"running_ms" doc:"Milliseconds that it ran"`
}

// Add is the sum, meter by meter.
func (m Meters) Add(o Meters) Meters {
	return Meters{m.CPUMillis + o.CPUMillis, m.MemoryByteSeconds + o.MemoryByteSeconds, m.DiskByteSeconds + o.DiskByteSeconds,
		m.BytesIn + o.BytesIn, m.BytesOut + o.BytesOut, m.Requests + o.Requests, m.RunningMillis + o.RunningMillis}
}

// Sub is the difference, meter by meter.
func (m Meters) Sub(o Meters) Meters {
	return Meters{m.CPUMillis - o.CPUMillis, m.MemoryByteSeconds - o.MemoryByteSeconds, m.DiskByteSeconds - o.DiskByteSeconds,
		m.BytesIn - o.BytesIn, m.BytesOut - o.BytesOut, m.Requests - o.Requests, m.RunningMillis - o.RunningMillis}
}

// Max is the larger, meter by meter. It is how the ledger merges two reports of the same window: a window only grows
// until it is closed, so the larger report is the later one, whatever the order of arrival.
func (m Meters) Max(o Meters) Meters {
	return Meters{max(m.CPUMillis, o.CPUMillis), max(m.MemoryByteSeconds, o.MemoryByteSeconds), max(m.DiskByteSeconds, o.DiskByteSeconds),
		max(m.BytesIn, o.BytesIn), max(m.BytesOut, o.BytesOut), max(m.Requests, o.Requests), max(m.RunningMillis, o.RunningMillis)}
}

// UsageWindow is what one Worker (BotID "") or one bot in it used in one minute. (WorkerID, BotID, Start) and the
// meter are its key; there is no other id, so reporting it again changes nothing. A bot's amounts are part of its
// Worker's, not in addition to them.
type UsageWindow struct {
	WorkerID string    `json:"worker_id"`
	BotID    string    `json:"bot_id,omitempty"`
	Start    time.Time `json:"start" doc:"Full minute, UTC"`
	Meters
}

// UsageStep is the resolution of a usage report.
type UsageStep string

// Steps. Minutes reach back KeepMinutes, the others KeepHours.
const (
	StepMinute UsageStep = "minute"
	StepHour   UsageStep = "hour"
	StepDay    UsageStep = "day" // of UTC
)

// UsageQuery asks for a range of usage.
type UsageQuery struct {
	WorkerIDs []string  // when not nil, only these
	BotID     string    // one bot; ByBot is ignored then
	ByBot     bool      // one series per bot instead of one per Worker
	From, To  time.Time // From inclusive, To exclusive; aligned down to Step
	Step      UsageStep
}

// UsagePoint is the usage of one Worker or bot in one step. Steps without a report have no point: a gap is visible as a gap.
type UsagePoint struct {
	WorkerID string    `json:"worker_id"`
	BotID    string    `json:"bot_id,omitempty"`
	Start    time.Time `json:"start"`
	Windows  int64     `json:"windows" doc:"Minutes that were reported in this step"`
	Meters
}

// UsageStore is the ledger of a tenant.
type UsageStore interface {
	// Record merges windows by Meters.Max and keeps the hours equal to the sum of their minutes, in the transaction
	// around it. Windows older than now-KeepMinutes are left out and counted in late: their minutes are gone, so a
	// duplicate could not be told from news. May be repeated, in any order.
	Record(ctx context.Context, now time.Time, ws []UsageWindow) (late int, err error)
	// Query gives points by worker, bot and start.
	Query(ctx context.Context, q UsageQuery) ([]UsagePoint, error)
}
