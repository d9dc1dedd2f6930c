package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// BotQuery narrows a list of bots.
type BotQuery struct {
	Search    string // part of the name
	WorkerIDs []string
	States    []baas.BotState
	Kind      baas.BotKind
}

// Bots lists the bots.
func (t *Tenant) Bots(ctx context.Context, q BotQuery) iter.Seq2[baas.Bot, error] {
	return pages[baas.Bot](ctx, t.c, t.at("bots"), query("search", q.Search, "worker", join(q.WorkerIDs), "state", join(q.States), "kind", string(q.Kind)))
}

// Bot reads a bot.
func (t *Tenant) Bot(ctx context.Context, id string) (baas.Bot, error) {
	return call[baas.Bot](ctx, t.c, request{method: http.MethodGet, path: t.at("bots", id)})
}

// CreateBot makes a bot.
func (t *Tenant) CreateBot(ctx context.Context, in baas.BotCreate) (baas.Bot, error) {
	return call[baas.Bot](ctx, t.c, request{method: http.MethodPost, path: t.at("bots"), body: in})
}

// UpdateBot changes a bot if it still has the version; 0 means any.
func (t *Tenant) UpdateBot(ctx context.Context, id string, version int64, u baas.BotUpdate) (baas.Bot, error) {
	return call[baas.Bot](ctx, t.c, request{method: http.MethodPatch, path: t.at("bots", id), body: u, version: version})
}

// DeleteBot deletes a bot. confirm is its name.
func (t *Tenant) DeleteBot(ctx context.Context, id, confirm string) error {
	return exec(ctx, t.c, request{method: http.MethodDelete, path: t.at("bots", id), query: query("confirm", confirm)})
}

// StartBot asks for a bot to run.
func (t *Tenant) StartBot(ctx context.Context, id string) (baas.Bot, error) {
	return t.botAction(ctx, id, "start")
}

// StopBot asks for a bot to stop.
func (t *Tenant) StopBot(ctx context.Context, id string) (baas.Bot, error) {
	return t.botAction(ctx, id, "stop")
}

// RestartBot asks for one restart of a bot.
func (t *Tenant) RestartBot(ctx context.Context, id string) (baas.Bot, error) {
	return t.botAction(ctx, id, "restart")
}

func (t *Tenant) botAction(ctx context.Context, id, action string) (baas.Bot, error) {
	return call[baas.Bot](ctx, t.c, request{method: http.MethodPost, path: t.at("bots", id, action)})
}

// PutFiles uploads a program's files, a tar.gz or zip archive. It is sent once, since the body can't be read again.
func (t *Tenant) PutFiles(ctx context.Context, id string, archive io.Reader) (b baas.Bot, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, t.c.base+t.at("bots", id, "files"), archive)
	if err != nil {
		return b, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	res, err := t.c.do(req)
	if err != nil {
		return b, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&b); err != nil {
		return b, fmt.Errorf("reading the answer: %w", err)
	}
	return b, nil
}

// SendMessage sends a bot a test message.
func (t *Tenant) SendMessage(ctx context.Context, id string, m baas.BotMessage) (baas.BotReply, error) {
	return call[baas.BotReply](ctx, t.c, request{method: http.MethodPost, path: t.at("bots", id, "messages"), body: m, once: true})
}

// Preview gives an address that lets a browser reach the bot for a while.
func (t *Tenant) Preview(ctx context.Context, id string) (baas.Preview, error) {
	return call[baas.Preview](ctx, t.c, request{method: http.MethodPost, path: t.at("bots", id, "preview")})
}

// NewAccessToken makes the bot's access token anew.
func (t *Tenant) NewAccessToken(ctx context.Context, id string) (baas.NewAccessToken, error) {
	return call[baas.NewAccessToken](ctx, t.c, request{method: http.MethodPost, path: t.at("bots", id, "access-token")})
}

// MoveBot asks for a hand-over of a bot to another Worker.
func (t *Tenant) MoveBot(ctx context.Context, id, workerID string) (baas.Move, error) {
	return call[baas.Move](ctx, t.c, request{method: http.MethodPost, path: t.at("bots", id, "move"), body: baas.MoveCreate{WorkerID: workerID}})
}

// Moves lists the moves of a bot, or of all when botID is "", newest first.
func (t *Tenant) Moves(ctx context.Context, botID string) iter.Seq2[baas.Move, error] {
	return pages[baas.Move](ctx, t.c, t.at("moves"), query("bot", botID))
}

// Move reads a move.
func (t *Tenant) Move(ctx context.Context, id string) (baas.Move, error) {
	return call[baas.Move](ctx, t.c, request{method: http.MethodGet, path: t.at("moves", id)})
}

// LogLine is one line of what a bot wrote.
type LogLine = agentapi.LogLine

// LogQuery says which lines to read.
type LogQuery struct {
	Tail   int       // the last lines
	Follow bool      // go on with new lines
	Since  time.Time // leave out older lines
}

// Logs yields what a bot wrote. An error is the last thing it yields; with Follow it goes on until ctx ends or the
// connection breaks.
func (t *Tenant) Logs(ctx context.Context, id string, q LogQuery) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		v := url.Values{"tail": {strconv.Itoa(q.Tail)}}
		if q.Follow {
			v.Set("follow", "true")
		}
		if !q.Since.IsZero() {
			v.Set("since", q.Since.UTC().Format(time.RFC3339Nano))
		}
		res, err := t.c.send(ctx, request{method: http.MethodGet, path: t.at("bots", id, "logs"), query: v, accept: "application/x-ndjson"})
		if err != nil {
			yield(LogLine{}, err)
			return
		}
		defer res.Body.Close()
		dec := json.NewDecoder(res.Body)
		for {
			var l LogLine
			err := dec.Decode(&l)
			switch {
			case err == io.EOF:
				return
			case ctx.Err() != nil:
				yield(LogLine{}, ctx.Err())
				return
			case err != nil:
				yield(LogLine{}, &baas.Error{Code: baas.CodeUnavailable, Message: "the connection broke", Err: err})
				return
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

// CheckChannels asks the chat platforms of an assistant, from inside its Worker, whether its channels work.
func (t *Tenant) CheckChannels(ctx context.Context, id string) ([]baas.ChannelCheck, error) {
	l, err := call[baas.List[baas.ChannelCheck]](ctx, t.c, request{method: http.MethodPost, path: t.at("bots", id, "channels", "check")})
	return l.Items, err
}

// SetTelegramWebhook lets Telegram send messages to an assistant, and gives the checks of the channel after that.
func (t *Tenant) SetTelegramWebhook(ctx context.Context, id string) ([]baas.ChannelCheck, error) {
	l, err := call[baas.List[baas.ChannelCheck]](ctx, t.c, request{method: http.MethodPost, path: t.at("bots", id, "channels", "telegram", "webhook")})
	return l.Items, err
}

// Files reads the archive of a program's files as it was uploaded. The caller closes it.
func (t *Tenant) Files(ctx context.Context, id string) (io.ReadCloser, error) {
	res, err := t.c.send(ctx, request{method: http.MethodGet, path: t.at("bots", id, "files")})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
