package baas

import (
	"context"
	"time"
)

// MoveStep is how far a hand-over is; the package documentation draws the order.
type MoveStep string

// Steps of a move.
const (
	MoveRequested   MoveStep = "requested"
	MoveStopping    MoveStep = "stopping" // the source stops the bot and confirms it
	MoveCarrying    MoveStep = "carrying" // its directory goes to the target
	MoveSwitched    MoveStep = "switched" // the bot now belongs to the target, which starts it
	MoveCleaning    MoveStep = "cleaning" // the source deletes its copy of the directory
	MoveDone        MoveStep = "done"
	MoveRollingBack MoveStep = "rolling_back" // the target deletes what arrived; the source starts the bot again
	MoveFailed      MoveStep = "failed"       // over; the bot is where it was
)

// Ended reports whether nothing more will happen.
func (s MoveStep) Ended() bool { return s == MoveDone || s == MoveFailed }

// Move is one hand-over of a bot from a Worker to another.
type Move struct {
	ID         string     `json:"id"`
	TenantID   string     `json:"tenant_id"`
	BotID      string     `json:"bot_id"`
	From       string     `json:"from" doc:"Worker id"`
	To         string     `json:"to" doc:"Worker id"`
	Step       MoveStep   `json:"step" enum:"requested,stopping,carrying,switched,cleaning,done,rolling_back,failed"`
	Reason     string     `json:"reason,omitempty" doc:"What it waits for, or why it failed"`
	Bytes      int64      `json:"bytes" doc:"Carried so far"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	DeadlineAt time.Time  `json:"deadline_at" doc:"When a move that didn't get to switched goes back"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
}

// MoveStore keeps a tenant's moves.
type MoveStore interface {
	Create(ctx context.Context, m Move) error // ErrConflict while the bot has one that hasn't ended
	Get(ctx context.Context, id string) (Move, error)
	List(ctx context.Context, botID string, p Page) (ms []Move, next string, err error) // newest first; every bot's when botID is ""
	Active(ctx context.Context, workerID string) ([]Move, error)                        // not ended, from or to the Worker; every one when ""
	Update(ctx context.Context, m Move) error
}
