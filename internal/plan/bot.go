package plan

import (
	"time"

	"github.com/baas-platform/baas"
)

// botStatus is what a person should know about a bot.
func botStatus(in Input, w baas.WorkerStatus, b baas.Bot) baas.BotStatus {
	for _, m := range in.Moves {
		if m.BotID == b.ID && m.From == in.Worker.ID && (carries(m, in.Worker.ID) || m.Step == baas.MoveRollingBack) {
			return botState(in.Now, b.Status, baas.BotMoving, MoveReason(m))
		}
	}
	if in.Agent != nil {
		for _, a := range in.Agent.Bots {
			if a.ID == b.ID {
				return a.Status
			}
		}
		if !BotsMayRun(in.Tenant, in.Worker) || b.Desired == baas.DesiredStopped {
			return botState(in.Now, b.Status, baas.BotStopped, "stopped")
		}
		return botState(in.Now, b.Status, baas.BotPending, "being handed to its Worker")
	}
	if b.Desired == baas.DesiredStopped && in.Machine.Phase != Running {
		return botState(in.Now, b.Status, baas.BotStopped, "stopped by a person")
	}
	switch w.State {
	case baas.WorkerUnreachable, baas.WorkerRunning, baas.WorkerDegraded:
		return b.Status // the last word of its agent
	case baas.WorkerStopped, baas.WorkerStopping, baas.WorkerDeleting:
		return botState(in.Now, b.Status, baas.BotStopped, "its Worker is "+string(w.State))
	case baas.WorkerFailed:
		return botState(in.Now, b.Status, baas.BotPending, "its Worker can't be started: "+w.Reason)
	}
	return botState(in.Now, b.Status, baas.BotPending, "its Worker is being provisioned")
}

func botState(now time.Time, old baas.BotStatus, s baas.BotState, reason string) baas.BotStatus {
	since := old.Since
	if old.State != s {
		since = now
	}
	return baas.BotStatus{State: s, Reason: reason, Since: since, Restarts: old.Restarts}
}

// MoveReason says what a move is doing, for a person.
func MoveReason(m baas.Move) string {
	text := map[baas.MoveStep]string{
		baas.MoveRequested:   "the move is about to begin",
		baas.MoveStopping:    "being stopped in the Worker that it leaves",
		baas.MoveCarrying:    "its files are on the way to the other Worker",
		baas.MoveSwitched:    "being started in its new Worker",
		baas.MoveCleaning:    "being removed from the Worker that it left",
		baas.MoveDone:        "moved",
		baas.MoveRollingBack: "the move failed; it goes back to where it was",
		baas.MoveFailed:      "the move failed; it is where it was",
	}[m.Step]
	if m.Reason != "" {
		return text + ": " + m.Reason
	}
	return text
}
