package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// event is something that the seat's person did.
func (a *App) event(s seat, kind baas.EventKind, message string, data map[string]any) baas.Event {
	if s.Support != nil { // the tenant knows no more of the person than the session says
		data = maps.Clone(data)
		if data == nil {
			data = map[string]any{}
		}
		data["support_id"], data["operator"] = s.Support.ID, s.Support.Name
	}
	return baas.Event{ID: baas.NewID(baas.PrefixEvent), TenantID: s.tenant.ID, At: a.now(), Kind: kind, Level: baas.LevelInfo,
		UserID: s.UserID, Message: message, Data: data}
}

func ofWorker(e baas.Event, w baas.Worker) baas.Event {
	e.WorkerID = w.ID
	return e
}

func ofBot(e baas.Event, b baas.Bot) baas.Event {
	e.WorkerID, e.BotID = b.WorkerID, b.ID
	return e
}

// Events lists what happened, newest first.
func (a *App) Events(ctx context.Context, actor authz.Actor, tenant string, f baas.EventFilter) (baas.List[baas.Event], error) {
	s, err := a.enter(ctx, actor, tenant, authz.EventRead)
	if err != nil {
		return baas.List[baas.Event]{}, err
	}
	f.WorkerIDs = within(f.WorkerIDs, s.Workers())
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Event], error) { return listOf(tx.Events().List(ctx, f)) })
}

// maxWatch ends a stream of changes, so that who was logged out meanwhile doesn't look on; clients come back by themselves.
const maxWatch = 15 * time.Minute

// Changes delivers what the actor may know of, until ctx ends, the membership or the token changes or maxWatch is over. It also
// gives the tenant's id.
func (a *App) Changes(ctx context.Context, actor authz.Actor, tenant string) (<-chan baas.Change, string, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWatch)
	in := a.Store.Subscribe(ctx) // before the decision, so that no change after it is missed
	s, err := a.enter(ctx, actor, tenant, authz.EventRead)
	if err != nil {
		cancel()
		return nil, "", err
	}
	out := make(chan baas.Change)
	over := time.AfterFunc(a.left(s, maxWatch), cancel)
	go func() {
		defer over.Stop()
		defer cancel()
		defer close(out)
		for c := range in {
			if s.touches(c) {
				return // coming back, the client gets what it may see now
			}
			if !mayNotice(s, c) {
				continue
			}
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, s.tenant.ID, nil
}

// touches reports whether the change is about what the seat stands on: the membership, the support session or the API token.
func (s seat) touches(c baas.Change) bool {
	if c.TenantID != s.tenant.ID {
		return false
	}
	return c.Kind == "member" && c.ID == s.UserID || c.Kind == "support" && s.Support != nil && c.ID == s.Support.ID || c.Kind == "token" && s.Token() && (c.ID == s.TokenID || c.ID == "")
}

// mayNotice reports whether the change is about something that the seat sees.
func mayNotice(s seat, c baas.Change) bool {
	switch {
	case c.Kind == baas.ChangeResync:
		return true
	case c.TenantID != s.tenant.ID:
		return false
	case !s.Limited() || c.Kind == "tenant" || c.Kind == "support":
		return true
	case c.Kind == "worker":
		return s.Sees(c.ID)
	case slices.Contains([]string{"bot", "event", "move", "secret"}, c.Kind):
		return c.WorkerID != "" && s.Sees(c.WorkerID)
	}
	return false
}
