package baas

import (
	"context"
	"time"
)

// EventKind says what happened, such as "worker.created" or "bot.crashed". Kinds are stable.
type EventKind string

// Level of an event.
type Level string

// Levels.
const (
	LevelInfo    Level = "info"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Event is something that happened in a tenant: what people did and what the platform found or did.
type Event struct {
	ID       string         `json:"id"`
	TenantID string         `json:"tenant_id"`
	At       time.Time      `json:"at"`
	Kind     EventKind      `json:"kind" example:"worker.provisioning"`
	Level    Level          `json:"level" enum:"info,warning,error"`
	WorkerID string         `json:"worker_id,omitempty"`
	BotID    string         `json:"bot_id,omitempty"`
	UserID   string         `json:"user_id,omitempty" doc:"Who did it; empty when the platform did"`
	Message  string         `json:"message" doc:"For a person, in English; kind and data let a client say it in another language"`
	Data     map[string]any `json:"data,omitempty"`
}

// Area is what an event is about: the part of its kind before the dot.
type Area string

// Areas.
const (
	AreaTenant     Area = "tenant"
	AreaSupport    Area = "support"
	AreaMember     Area = "member"
	AreaInvitation Area = "invitation"
	AreaToken      Area = "token"
	AreaSecret     Area = "secret"
	AreaWorker     Area = "worker"
	AreaBot        Area = "bot"
	AreaMove       Area = "move"
)

// Areas lists every area.
func Areas() []Area {
	return []Area{AreaTenant, AreaSupport, AreaMember, AreaInvitation, AreaToken, AreaSecret, AreaWorker, AreaBot, AreaMove}
}

// ByPlatform as a user id of an EventFilter asks for what nobody did: the platform found or did it.
const ByPlatform = "platform"

// EventFilter narrows a list of events.
type EventFilter struct {
	WorkerIDs []string // when not nil, only events of these Workers
	BotID     string
	UserIDs   []string // done by any of these; ByPlatform stands for the platform itself
	Areas     []Area
	Kinds     []EventKind
	Levels    []Level
	Search    string // part of the message
	From, To  time.Time
	Page
}

// EventStore keeps a tenant's events.
type EventStore interface {
	Add(ctx context.Context, e ...Event) error
	List(ctx context.Context, f EventFilter) (es []Event, next string, err error) // newest first
}

// Change is a wake-up: something about this thing is different, read it again. It carries no data.
type Change struct {
	TenantID string `json:"tenant_id"`
	Kind     string `json:"kind" enum:"tenant,worker,bot,move,member,invitation,secret,token,event,support,resync"`
	ID       string `json:"id"`
	WorkerID string `json:"worker_id,omitempty"` // of a bot, event or move's source, for members with a limit
}

// ChangeResync as Change.Kind says that changes were lost on the way: read everything again.
const ChangeResync = "resync"
