package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// Parameters that operations share.
type (
	// TenantPath names a tenant.
	TenantPath struct {
		Tenant string `path:"tenant" maxLength:"64" doc:"Id or slug of the tenant"`
	}
	// WorkerPath names a Worker.
	WorkerPath struct {
		TenantPath
		Worker string `path:"worker" maxLength:"64" doc:"Id of the Worker"`
	}
	// BotPath names a bot.
	BotPath struct {
		TenantPath
		Bot string `path:"bot" maxLength:"64" doc:"Id of the bot"`
	}
	// Paged asks for one page of a list.
	Paged struct {
		Cursor string `query:"cursor" maxLength:"400" doc:"next of the page before"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"Things on the page; 50 when left out"`
	}
	// Write is the header of requests that change something.
	Write struct {
		Key string `header:"Idempotency-Key" maxLength:"200" doc:"Any text of your choice; the same request with the same key is carried out once, and answered the same for a day"`
	}
	// Match is the header of updates.
	Match struct {
		IfMatch string `header:"If-Match" doc:"ETag of what was read; the update is refused with 412 when it changed since. * or left out: update whatever it is now"`
	}
	// Confirm is asked of deletions.
	Confirm struct {
		Confirm string `query:"confirm" doc:"The name of what is deleted, letter for letter"`
	}
)

func (p Paged) page() baas.Page { return baas.Page{Cursor: p.Cursor, Limit: p.Limit} }

// version reads the ETag; 0 means any.
func (m Match) version() (int64, error) {
	tag := strings.TrimSpace(m.IfMatch)
	if tag == "" || tag == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64)
	if err != nil || n < 1 {
		var p baas.Problems
		p.Add("If-Match", `must be an ETag of this API such as "3"`)
		return 0, p.Err()
	}
	return n, nil
}

// Answers.
type (
	answer[T any] struct {
		Body T
	}
	tagged[T any] struct {
		ETag string `header:"ETag" doc:"Version, for If-Match"`
		Body T
	}
	nothing struct{}
)

func ok[T any](v T, err error) (*answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &answer[T]{v}, nil
}

func done(err error) (*nothing, error) {
	if err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

func tag(version int64) string { return fmt.Sprintf("%q", strconv.FormatInt(version, 10)) }

// route describes an operation.
type route struct {
	method, path string
	id           string // of the operation, "worker.create": its tag is what is before the dot
	summary      string
	doc          string
	status       int  // on success; 200, or 204 without a body, when 0
	public       bool // without a log-in
	maxBody      int64
	stream       string       // media type of a streamed answer
	of           *huma.Schema // schema of what is streamed
	body         *huma.RequestBody
}

// handle registers an operation. Handlers get the actor that the request was authenticated for.
func handle[I, O any](s *server, r route, fn func(ctx context.Context, actor authz.Actor, in *I) (*O, error)) {
	if r.maxBody == 0 {
		r.maxBody = maxBody
	}
	noun, _, _ := strings.Cut(r.id, ".")
	op := huma.Operation{
		Method: r.method, Path: r.path, OperationID: strings.NewReplacer(".", "-", "_", "-").Replace(r.id), Summary: r.summary, Description: r.doc,
		Tags: []string{noun}, DefaultStatus: r.status, BodyReadTimeout: -1, MaxBodyBytes: r.maxBody + 1, RequestBody: r.body, // readBody keeps the limit; huma refuses a body of it
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
	}
	if r.public {
		op.Security = []map[string][]string{}
	}
	op.Responses = map[string]*huma.Response{"default": {Description: "Problem", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: s.schema(Problem{})}}}}
	if r.stream != "" {
		op.Responses["200"] = &huma.Response{Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{r.stream: {Schema: r.of}}}
	}
	op.Middlewares = huma.Middlewares{s.authenticate(r.public), s.readBody(r)}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, actorOf(ctx), in)
		if err != nil {
			return nil, s.failure(ctx, err)
		}
		return out, nil
	})
}

// failure is the problem of an error; what is our fault is logged with its cause.
func (s *server) failure(ctx context.Context, err error) *Problem {
	p := problemOf(err, requestID(ctx))
	if p.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "a request failed", "request", p.RequestID, "code", p.Code, "err", err)
	}
	return p
}

// schema is the reference to a type's schema in the document.
func (s *server) schema(v any) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}
