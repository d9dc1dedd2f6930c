package store

import (
	"context"
	"slices"
	"strings"

	"github.com/baas-platform/baas"
)

// events implements baas.EventStore.
type events struct{ tenantTx }

const eventColumns = `id, tenant_id, at, kind, level, worker_id, bot_id, user_id, message, data`

func eventFields(e *baas.Event) []any {
	return []any{&e.ID, &e.TenantID, timeCol{&e.At}, &e.Kind, &e.Level, textCol{&e.WorkerID}, textCol{&e.BotID}, textCol{&e.UserID},
		&e.Message, asJSON(&e.Data)}
}

func (t events) Add(ctx context.Context, es ...baas.Event) error {
	for _, e := range es {
		var data any
		if len(e.Data) > 0 {
			data = asJSON(&e.Data)
		}
		_, err := t.exec(ctx, `INSERT INTO events (`+eventColumns+`, message_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.ID, t.tenant, micros(e.At), e.Kind, e.Level, orNull(e.WorkerID), orNull(e.BotID), orNull(e.UserID), e.Message, data, nameKey(e.Message))
		if err != nil {
			return doing("writing the event", err)
		}
		t.changed("event", e.ID, e.WorkerID)
	}
	return nil
}

// byUser wants an event to be done by one of the people, or by nobody for baas.ByPlatform.
func byUser(w *filter, ids []string) {
	people := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == baas.ByPlatform })
	var some filter
	in(&some, "user_id", people)
	if len(people) == len(ids) {
		w.and(some.where[0], some.args...)
		return
	}
	w.and("(user_id IS NULL OR "+some.where[0]+")", some.args...)
}

func (t events) List(ctx context.Context, f baas.EventFilter) ([]baas.Event, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	if f.WorkerIDs != nil {
		in(&w, "worker_id", f.WorkerIDs)
	}
	if f.BotID != "" {
		w.and("bot_id = ?", f.BotID)
	}
	if len(f.UserIDs) > 0 {
		byUser(&w, f.UserIDs)
	}
	if len(f.Areas) > 0 {
		conds := make([]string, len(f.Areas))
		args := make([]any, len(f.Areas))
		for i, a := range f.Areas {
			conds[i], args[i] = `kind LIKE ? ESCAPE '\'`, likeEscaper.Replace(string(a))+".%"
		}
		w.and("("+strings.Join(conds, " OR ")+")", args...)
	}
	if len(f.Kinds) > 0 {
		in(&w, "kind", f.Kinds)
	}
	if len(f.Levels) > 0 {
		in(&w, "level", f.Levels)
	}
	w.contains(f.Search, "message_key")
	if !f.From.IsZero() {
		w.and("at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		w.and("at < ?", micros(f.To))
	}
	return page(ctx, t, "events", eventFields, `SELECT `+eventColumns+` FROM events`, w,
		"id", descending, f.Page, baas.PrefixEvent, func(e baas.Event) string { return e.ID })
}
