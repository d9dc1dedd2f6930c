package httpapi

import (
	"context"
	"encoding/csv"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
)

// EventQuery narrows the activity log.
type EventQuery struct {
	TenantPath
	Worker []string         `query:"worker" doc:"Ids of Workers, separated by commas"`
	Bot    string           `query:"bot" maxLength:"64" doc:"Id of a bot"`
	User   []string         `query:"user" doc:"Ids of people who did it, separated by commas; platform stands for what nobody did"`
	Area   []baas.Area      `query:"area" enum:"tenant,support,member,invitation,token,secret,worker,bot,move" doc:"What it is about, the part of the kind before the dot; separated by commas"`
	Kind   []baas.EventKind `query:"kind" doc:"Such as worker.created, separated by commas"`
	Level  []baas.Level     `query:"level" enum:"info,warning,error" doc:"Any of these, separated by commas"`
	Search string           `query:"search" maxLength:"100" doc:"Part of the message"`
	From   time.Time        `query:"from" doc:"Not before"`
	To     time.Time        `query:"to" doc:"Before"`
}

func (q *EventQuery) filter() baas.EventFilter {
	return baas.EventFilter{WorkerIDs: q.Worker, BotID: q.Bot, UserIDs: q.User, Areas: q.Area, Kinds: q.Kind, Levels: q.Level, Search: q.Search, From: q.From, To: q.To}
}

func (s *server) eventRoutes() {
	handle(s, route{method: "GET", path: "/tenants/{tenant}/events", id: "event.list", summary: "What happened, newest first"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			EventQuery
			Paged
		}) (*answer[baas.List[baas.Event]], error) {
			f := in.filter()
			f.Page = in.page()
			return ok(s.app.Events(ctx, actor, in.Tenant, f))
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}/events.csv", id: "event.csv", summary: "The same as CSV, all of it", stream: "text/csv",
		doc: "A cell that a spreadsheet would take for a formula begins with an apostrophe."},
		func(ctx context.Context, actor authz.Actor, in *EventQuery) (*streamed, error) {
			events, err := s.app.ExportEvents(ctx, actor, in.Tenant, in.filter())
			if err != nil {
				return nil, err
			}
			return s.eventsCSV(events), nil
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}/changes", id: "change.stream", summary: "Server-sent events: what to read again",
		doc: "The name of each event is the kind of thing that changed, its data the change. It begins with resync, which asks " +
			"to read everything; comments keep the connection open.",
		stream: eventStream, of: s.schema(baas.Change{})},
		func(ctx context.Context, actor authz.Actor, in *TenantPath) (*streamed, error) {
			changes, tenantID, err := s.app.Changes(ctx, actor, in.Tenant)
			if err != nil {
				return nil, err
			}
			return s.changeEvents(tenantID, changes), nil
		})
}

// eventsCSV streams events. An error breaks the connection, so that a client can't take a part for the whole.
func (s *server) eventsCSV(events iter.Seq2[app.ExportedEvent, error]) *streamed {
	return &streamed{func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Disposition", `attachment; filename="activity.csv"`)
		out := csv.NewWriter(begin(hc, "text/csv; charset=utf-8"))
		_ = out.Write([]string{"at", "level", "kind", "message", "user_id", "email", "worker_id", "bot_id", "data"}) // Error below tells
		for e, err := range events {
			if err != nil {
				if hc.Context().Err() == nil {
					s.Log.ErrorContext(hc.Context(), "exporting events", "request", requestID(hc.Context()), "err", err)
				}
				panic(http.ErrAbortHandler)
			}
			data := ""
			if len(e.Data) > 0 {
				data = strings.TrimSuffix(string(jsonLine(e.Data)), "\n")
			}
			row := []string{e.At.UTC().Format(time.RFC3339), string(e.Level), string(e.Kind), e.Message, e.UserID, e.Email, e.WorkerID, e.BotID, data}
			for i := range row {
				row[i] = plainCell(row[i])
			}
			if out.Write(row) != nil {
				return // the client is gone
			}
		}
		out.Flush()
	}}
}

// plainCell keeps spreadsheets from reading a text as a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// usageQuery is the range of a usage report.
type usageQuery struct {
	TenantPath
	Worker []string       `query:"worker" doc:"Ids of Workers, separated by commas"`
	Bot    string         `query:"bot" maxLength:"64" doc:"Id of one bot"`
	ByBot  bool           `query:"by_bot" doc:"One series per bot instead of one per Worker"`
	From   time.Time      `query:"from" doc:"Inclusive; a day before to when left out"`
	To     time.Time      `query:"to" doc:"Exclusive; now when left out"`
	Step   baas.UsageStep `query:"step" enum:"minute,hour,day" default:"hour" doc:"Minutes reach back 7 days, hours and days 400"`
}

func (q *usageQuery) usage() baas.UsageQuery {
	return baas.UsageQuery{WorkerIDs: q.Worker, BotID: q.Bot, ByBot: q.ByBot, From: q.From, To: q.To, Step: q.Step}
}

func (s *server) usageRoutes() {
	handle(s, route{method: "GET", path: "/tenants/{tenant}/usage", id: "usage.get", summary: "What Workers and bots used",
		doc: "A step without a report has no point: a gap is a gap."},
		func(ctx context.Context, actor authz.Actor, in *usageQuery) (*answer[baas.List[baas.UsagePoint]], error) {
			points, err := s.app.Usage(ctx, actor, in.Tenant, in.usage())
			return ok(baas.List[baas.UsagePoint]{Items: points}, err)
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}/usage.csv", id: "usage.csv", summary: "The same as CSV", stream: "text/csv"},
		func(ctx context.Context, actor authz.Actor, in *usageQuery) (*streamed, error) {
			points, err := s.app.Usage(ctx, actor, in.Tenant, in.usage())
			if err != nil {
				return nil, err
			}
			return download("usage.csv", "text/csv; charset=utf-8", func(w io.Writer) error { return usageCSV(w, points) }), nil
		})
}

func usageCSV(w io.Writer, points []baas.UsagePoint) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"start", "worker_id", "bot_id", "windows", "cpu_ms", "memory_byte_seconds", "disk_byte_seconds", "bytes_in",
		"bytes_out", "requests", "running_ms"}) // Error below tells
	for _, p := range points {
		row := []string{p.Start.UTC().Format(time.RFC3339), p.WorkerID, p.BotID}
		for _, n := range []int64{p.Windows, p.CPUMillis, p.MemoryByteSeconds, p.DiskByteSeconds, p.BytesIn, p.BytesOut, p.Requests, p.RunningMillis} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}
