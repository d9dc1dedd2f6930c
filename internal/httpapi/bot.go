package httpapi

import (
	"context"
	"net/http"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// botWrite is what the actions on a bot take.
type botWrite struct {
	BotPath
	Write
}

const botPath = "/tenants/{tenant}/bots/{bot}"

func (s *server) botRoutes() {
	handle(s, route{method: "GET", path: "/tenants/{tenant}/bots", id: "bot.list", summary: "Bots"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
			Search string          `query:"search" maxLength:"100" doc:"Part of the name"`
			Worker []string        `query:"worker" doc:"Ids of Workers, separated by commas"`
			State  []baas.BotState `query:"state" enum:"pending,starting,running,unhealthy,backoff,crash_loop,stopped,completed,moving,failed" doc:"Any of these, separated by commas"`
			Kind   baas.BotKind    `query:"kind" enum:"assistant,program"`
		}) (*answer[baas.List[baas.Bot]], error) {
			return ok(s.app.Bots(ctx, actor, in.Tenant, baas.BotFilter{Search: in.Search, WorkerIDs: in.Worker, States: in.State, Kind: in.Kind, Page: in.page()}))
		})
	handle(s, route{method: "POST", path: "/tenants/{tenant}/bots", id: "bot.create", summary: "Make a bot on a Worker", status: http.StatusCreated},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Body baas.BotCreate
		}) (*tagged[baas.Bot], error) {
			return bot(s.app.CreateBot(ctx, actor, in.Tenant, in.Body))
		})
	handle(s, route{method: "GET", path: botPath, id: "bot.get", summary: "A bot"},
		func(ctx context.Context, actor authz.Actor, in *BotPath) (*tagged[baas.Bot], error) {
			return bot(s.app.Bot(ctx, actor, in.Tenant, in.Bot))
		})
	handle(s, route{method: "PATCH", path: botPath, id: "bot.update", summary: "Change a bot",
		doc: "assistant or program replaces the whole of it. The bot restarts when that changes what runs."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			BotPath
			Match
			Write
			Body baas.BotUpdate
		}) (*tagged[baas.Bot], error) {
			v, err := in.version()
			if err != nil {
				return nil, err
			}
			return bot(s.app.UpdateBot(ctx, actor, in.Tenant, in.Bot, v, in.Body))
		})
	handle(s, route{method: "DELETE", path: botPath, id: "bot.delete", summary: "Delete a bot with its directory"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			BotPath
			Confirm
			Write
		}) (*nothing, error) {
			return done(s.app.DeleteBot(ctx, actor, in.Tenant, in.Bot, in.Confirm.Confirm))
		})
	handle(s, route{method: "POST", path: botPath + "/start", id: "bot.start", summary: "Start a bot", status: http.StatusAccepted},
		func(ctx context.Context, actor authz.Actor, in *botWrite) (*tagged[baas.Bot], error) {
			return bot(s.app.StartBot(ctx, actor, in.Tenant, in.Bot))
		})
	handle(s, route{method: "POST", path: botPath + "/stop", id: "bot.stop", summary: "Stop a bot", status: http.StatusAccepted},
		func(ctx context.Context, actor authz.Actor, in *botWrite) (*tagged[baas.Bot], error) {
			return bot(s.app.StopBot(ctx, actor, in.Tenant, in.Bot))
		})
	handle(s, route{method: "POST", path: botPath + "/restart", id: "bot.restart", summary: "Restart a bot", status: http.StatusAccepted},
		func(ctx context.Context, actor authz.Actor, in *botWrite) (*tagged[baas.Bot], error) {
			return bot(s.app.RestartBot(ctx, actor, in.Tenant, in.Bot))
		})
}

func (s *server) moveRoutes() {
	handle(s, route{method: "POST", path: botPath + "/move", id: "bot.move", summary: "Move a bot to another Worker", status: http.StatusAccepted,
		doc: "A hand-over: the bot is stopped, its directory goes along, and it starts on the other Worker; requests to it wait. What fails goes back."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			BotPath
			Write
			Body baas.MoveCreate
		}) (*answer[baas.Move], error) {
			return ok(s.app.MoveBot(ctx, actor, in.Tenant, in.Bot, in.Body))
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}/moves", id: "move.list", summary: "Moves, newest first"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
			Bot string `query:"bot" maxLength:"64" doc:"Id of a bot"`
		}) (*answer[baas.List[baas.Move]], error) {
			return ok(s.app.Moves(ctx, actor, in.Tenant, in.Bot, in.page()))
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}/moves/{move}", id: "move.get", summary: "A move"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Move string `path:"move" maxLength:"64"`
		}) (*answer[baas.Move], error) {
			return ok(s.app.Move(ctx, actor, in.Tenant, in.Move))
		})
}

func bot(b baas.Bot, err error) (*tagged[baas.Bot], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[baas.Bot]{tag(b.Version), b}, nil
}
