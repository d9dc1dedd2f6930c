package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/authz"
)

// filesTimeout is how long an upload may take to arrive.
const filesTimeout = 10 * time.Minute

// upload reads its body as it arrives.
type upload struct {
	BotPath
	body io.Reader
	size int64
}

// Resolve takes the body from the request; huma calls it before the handler.
func (u *upload) Resolve(ctx huma.Context) []error {
	r, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(filesTimeout)) // not every server can; then its own limits hold
	u.body, u.size = r.Body, r.ContentLength
	return nil
}

func (s *server) botActionRoutes() {
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	handle(s, route{method: "PUT", path: botPath + "/files", id: "bot.put_files", summary: "Upload a program's files",
		doc: "A tar.gz or zip archive of at most 64 MiB, which is unpacked to at most 512 MiB. Replaces what was uploaded before; the bot restarts on it.",
		body: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/gzip": binary, "application/zip": binary,
			"application/octet-stream": binary}}},
		func(ctx context.Context, actor authz.Actor, in *upload) (*tagged[baas.Bot], error) {
			if in.size > baas.MaxArtifact {
				return nil, baas.Errorf(baas.CodeTooLarge, "the archive has %d bytes; at most %d are allowed", in.size, baas.MaxArtifact)
			}
			return bot(s.app.PutFiles(ctx, actor, in.Tenant, in.Bot, in.body))
		})
	handle(s, route{method: "GET", path: botPath + "/files", id: "bot.get_files", summary: "Download a program's files",
		doc: "The archive as it was uploaded, tar.gz or zip.", stream: "application/octet-stream", of: binary.Schema},
		func(ctx context.Context, actor authz.Actor, in *BotPath) (*streamed, error) {
			b, body, err := s.app.Files(ctx, actor, in.Tenant, in.Bot)
			if err != nil {
				return nil, err
			}
			return s.archive(b, body), nil
		})
	handle(s, route{method: "GET", path: botPath + "/logs", id: "bot.logs", summary: "What a bot wrote",
		doc: "One JSON document a line. With follow it goes on until the client ends it; with Accept: text/event-stream the " +
			"lines come as server-sent events named line, and an error as an event named error.",
		stream: "application/x-ndjson", of: s.schema(agentapi.LogLine{})},
		func(ctx context.Context, actor authz.Actor, in *struct {
			BotPath
			Tail   int       `query:"tail" minimum:"0" maximum:"10000" default:"200" doc:"The last lines"`
			Follow bool      `query:"follow" doc:"Go on with new lines as they are written"`
			Since  time.Time `query:"since" doc:"Leave out older lines"`
			Accept string    `header:"Accept" hidden:"true"`
		}) (*streamed, error) {
			q := agentapi.LogQuery{Tail: in.Tail, Follow: in.Follow, Since: in.Since}
			if q.Tail == 0 {
				q.Tail = -1
			}
			lines, err := s.app.Logs(ctx, actor, in.Tenant, in.Bot, q)
			if err != nil {
				return nil, err
			}
			if strings.Contains(in.Accept, eventStream) {
				return s.logEvents(lines), nil
			}
			return s.logLines(lines), nil
		})
	handle(s, route{method: "POST", path: botPath + "/messages", id: "bot.send_message", summary: "Send a bot a test message", maxBody: 64 << 10,
		doc: "The bot answers as it would on its chat page."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			BotPath
			Body baas.BotMessage
		}) (*answer[baas.BotReply], error) {
			return ok(s.app.SendMessage(ctx, actor, in.Tenant, in.Bot, in.Body))
		})
	handle(s, route{method: "POST", path: botPath + "/channels/check", id: "bot.check_channels", summary: "Check an assistant's channels",
		doc: "Asks Telegram and WhatsApp from inside the Worker whether the secrets, the account and the webhook are right. What is wrong is in the " +
			"checks, with a stable code; the answer is 200 then too."},
		func(ctx context.Context, actor authz.Actor, in *BotPath) (*answer[baas.List[baas.ChannelCheck]], error) {
			return ok(s.app.CheckChannels(ctx, actor, in.Tenant, in.Bot))
		})
	handle(s, route{method: "POST", path: botPath + "/channels/telegram/webhook", id: "bot.telegram_webhook", summary: "Let Telegram send messages to an assistant",
		doc: "Calls Telegram's setWebhook from inside the Worker, with the bot's address and the secret that it expects. Answers the checks of the " +
			"channel after that. May be repeated."},
		func(ctx context.Context, actor authz.Actor, in *BotPath) (*answer[baas.List[baas.ChannelCheck]], error) {
			return ok(s.app.SetTelegramWebhook(ctx, actor, in.Tenant, in.Bot))
		})
	handle(s, route{method: "POST", path: botPath + "/preview", id: "bot.preview", summary: "An address that lets one's browser reach a bot for an hour"},
		func(ctx context.Context, actor authz.Actor, in *BotPath) (*answer[baas.Preview], error) {
			return ok(s.app.Preview(ctx, actor, in.Tenant, in.Bot))
		})
	handle(s, route{method: "POST", path: botPath + "/access-token", id: "bot.access_token", summary: "Make a new access token for a bot",
		doc: "For access: token. The one before stops working. The answer holds it, once."},
		func(ctx context.Context, actor authz.Actor, in *botWrite) (*answer[baas.NewAccessToken], error) {
			return ok(s.app.NewAccessToken(ctx, actor, in.Tenant, in.Bot))
		})
}

// jsonLine encodes one line of a stream.
func jsonLine(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // of types of this module, which encode
		return []byte("{}\n")
	}
	return append(b, '\n')
}
