package app

import (
	"context"
	"iter"
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

// ExportedEvent is an event with the e-mail of who did it, as far as the actor may know it.
type ExportedEvent struct {
	baas.Event
	Email string
}

// ExportEvents yields what happened, newest first and page by page, however much it is. An error is the last thing it yields.
func (a *App) ExportEvents(ctx context.Context, actor authz.Actor, tenant string, f baas.EventFilter) (iter.Seq2[ExportedEvent, error], error) {
	s, err := a.enter(ctx, actor, tenant, authz.EventRead)
	if err != nil {
		return nil, err
	}
	f.WorkerIDs = within(f.WorkerIDs, s.Workers())
	f.Page = baas.Page{Limit: baas.MaxPageSize}
	emails, err := a.emails(ctx, s)
	if err != nil {
		return nil, err
	}
	return func(yield func(ExportedEvent, error) bool) {
		for {
			page, err := view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Event], error) { return listOf(tx.Events().List(ctx, f)) })
			if err != nil {
				yield(ExportedEvent{}, err)
				return
			}
			for _, e := range page.Items {
				if !yield(ExportedEvent{e, emails[e.UserID]}, nil) {
					return
				}
			}
			if f.Cursor = page.Next; f.Cursor == "" {
				return
			}
		}
	}, nil
}

// emails are those of the people whom the seat may know: members, and operators who were there by a support session.
func (a *App) emails(ctx context.Context, s seat) (map[string]string, error) {
	return view(ctx, a, s, func(tx baas.TenantTx) (map[string]string, error) {
		by := map[string]string{}
		sessions, err := all(func(p baas.Page) ([]baas.Support, string, error) {
			return tx.Support().List(ctx, baas.SupportFilter{Page: p})
		})
		if err != nil {
			return nil, err
		}
		for _, n := range sessions {
			by[n.UserID] = n.Email
		}
		if authz.Decide(s.Actor, authz.MemberRead, s.tenant.Status) != nil {
			return by, nil
		}
		members, err := all(func(p baas.Page) ([]baas.Member, string, error) { return tx.Members().List(ctx, "", p) })
		for _, m := range members {
			by[m.UserID] = m.Email
		}
		return by, err
	})
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
			last := s.touches(c) // coming back, the client gets what it may see now
			// That its support session has ended, an operator learns from nothing else.
			if last && c.Kind == "support" || !last && mayNotice(s, c) {
				select {
				case out <- c:
				case <-ctx.Done():
					return
				}
			}
			if last {
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
