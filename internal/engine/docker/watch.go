package docker

import (
	"context"
	"time"

	"github.com/moby/moby/client"
)

// Between tries to follow the engine's events again.
const (
	minRetry = 200 * time.Millisecond
	maxRetry = 15 * time.Second
)

// Watch implements engine.Engine. It also keeps the host's firewall rules in place while it runs, and clears away what a
// crash left.
func (e *Engine) Watch(ctx context.Context) (<-chan string, error) {
	out := e.notifier.Watch(ctx)
	events := e.follow(ctx)
	go e.watch(ctx, events)
	return out, nil
}

func (e *Engine) follow(ctx context.Context) client.EventsResult {
	return e.api.Events(ctx, client.EventsListOptions{Filters: e.owned(kindWorker).Add("type", "container")})
}

func (e *Engine) watch(ctx context.Context, events client.EventsResult) {
	guard := time.NewTicker(e.cfg.GuardEvery)
	defer guard.Stop()
	wait := minRetry
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-events.Messages:
			wait = minRetry
			e.notifier.Notify(ev.Actor.Attributes[labelWorker])
		case <-guard.C:
			e.repeatGuard(ctx)
			if err := e.removeHelpers(ctx, e.owned(kindHelper), helperAge); err != nil && ctx.Err() == nil {
				e.log.WarnContext(ctx, "helper containers that were left could not be removed", "error", err)
			}
		case err := <-events.Err:
			if ctx.Err() != nil {
				return
			}
			e.log.WarnContext(ctx, "events of the engine are lost; following them again", "error", err, "in", wait)
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			wait = min(2*wait, maxRetry)
			if err := ping(ctx, e.api, e.cfg.AnswerWithin); err != nil {
				continue
			}
			events = e.follow(ctx)
			// What happened in between is unknown, and a new start of the engine may have touched the firewall.
			e.forgetImages()
			e.repeatGuard(ctx)
			e.notifier.Notify("")
		}
	}
}

func (e *Engine) repeatGuard(ctx context.Context) {
	if err := e.applyGuard(ctx); err != nil && ctx.Err() == nil {
		e.log.ErrorContext(ctx, "host firewall rules could not be set", "error", err)
	}
}
