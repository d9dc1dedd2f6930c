package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/baas-platform/baas"
)

// EventQuery narrows a list of events.
type EventQuery struct {
	WorkerIDs []string
	BotID     string
	UserIDs   []string // baas.ByPlatform for what nobody did
	Areas     []baas.Area
	Kinds     []baas.EventKind
	Levels    []baas.Level
	Search    string
	From, To  time.Time
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Events lists what happened, newest first.
func (t *Tenant) Events(ctx context.Context, q EventQuery) iter.Seq2[baas.Event, error] {
	return pages[baas.Event](ctx, t.c, t.at("events"), q.params())
}

// EventsCSV is Events as CSV. The caller closes it.
func (t *Tenant) EventsCSV(ctx context.Context, q EventQuery) (io.ReadCloser, error) {
	res, err := t.c.send(ctx, request{method: http.MethodGet, path: t.at("events.csv"), query: q.params()})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

func (q EventQuery) params() url.Values {
	return query("worker", join(q.WorkerIDs), "bot", q.BotID, "user", join(q.UserIDs), "area", join(q.Areas), "kind", join(q.Kinds), "level", join(q.Levels),
		"search", q.Search, "from", moment(q.From), "to", moment(q.To))
}

// Changes yields what changed, beginning with a resync, and connects again when the connection ends; each connection
// begins with a resync. An error is the last thing it yields, and comes when ctx ends or the API refuses.
func (t *Tenant) Changes(ctx context.Context) iter.Seq2[baas.Change, error] {
	return func(yield func(baas.Change, error) bool) {
		for {
			more, err := t.changes(ctx, func(c baas.Change) bool { return yield(c, nil) })
			if !more {
				return
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			if err != nil && (ctx.Err() != nil || !errors.Is(err, baas.ErrUnavailable)) {
				yield(baas.Change{}, err)
				return
			}
			if t.c.wait(ctx, time.Second) != nil {
				yield(baas.Change{}, ctx.Err())
				return
			}
		}
	}
}

// changes reads one connection to its end. more is false when the caller has enough.
func (t *Tenant) changes(ctx context.Context, yield func(baas.Change) bool) (more bool, err error) {
	res, err := t.c.send(ctx, request{method: http.MethodGet, path: t.at("changes"), accept: "text/event-stream"})
	if err != nil {
		return true, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var c baas.Change
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return true, &baas.Error{Code: baas.CodeUnavailable, Message: "the stream of changes is damaged", Err: err}
		}
		if !yield(c) {
			return false, nil
		}
	}
	return true, nil
}

// Usage reports what Workers and bots used.
func (t *Tenant) Usage(ctx context.Context, q baas.UsageQuery) ([]baas.UsagePoint, error) {
	l, err := call[baas.List[baas.UsagePoint]](ctx, t.c, request{method: http.MethodGet, path: t.at("usage"), query: usageParams(q)})
	return l.Items, err
}

// UsageCSV is Usage as CSV. The caller closes it.
func (t *Tenant) UsageCSV(ctx context.Context, q baas.UsageQuery) (io.ReadCloser, error) {
	res, err := t.c.send(ctx, request{method: http.MethodGet, path: t.at("usage.csv"), query: usageParams(q)})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

func usageParams(q baas.UsageQuery) map[string][]string {
	v := query("worker", join(q.WorkerIDs), "bot", q.BotID, "from", moment(q.From), "to", moment(q.To), "step", string(q.Step))
	if q.ByBot {
		v.Set("by_bot", strconv.FormatBool(true))
	}
	return v
}
