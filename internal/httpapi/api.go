package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/baas-platform/baas/internal/app"
)

// Prefix is where the API is served.
const Prefix = "/api/v1"

// Config says how the API is served. The zero Config is for a test on plain HTTP without limits on the rate.
type Config struct {
	Log *slog.Logger
	// PublicURL is where browsers reach the dashboard; with https its cookie is sent over TLS alone.
	PublicURL string
	// Rate and Burst limit the requests of each session and API token, a second and at once. 0: no limit.
	Rate  float64
	Burst int
	// LogInRate limits log-ins per address and e-mail, a minute; LogInBurst at once. 0: no limit.
	LogInRate  float64
	LogInBurst int
	// ClientAddress tells the address of who sends the request; that of the connection when nil.
	ClientAddress func(*http.Request) string
	Heartbeat     time.Duration    // between the comments that keep a stream open; 15 s when 0
	Now           func() time.Time // time.Now when nil
}

// server is what the handlers share.
type server struct {
	Config
	app     *app.App
	api     huma.API
	calls   *limiter // by session or token
	logIns  *limiter // by address and e-mail
	sources *limiter // log-ins by address alone, so that one source can't try many people
}

// New serves the use cases. The handler takes every path below Prefix.
func New(a *app.App, c Config) http.Handler {
	s, mux := newServer(a, c)
	doc, err := document(s.api)
	if err != nil { // a mistake in the routes, which every test of this package meets
		panic(fmt.Sprintf("httpapi: %v", err))
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(doc)
	})
	mux.HandleFunc(Prefix+"/", s.noRoute(mux))
	cross := http.NewCrossOriginProtection()
	if c.PublicURL != "" {
		_ = cross.AddTrustedOrigin(c.PublicURL) // a wrong one trusts nobody
	}
	cross.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	return s.identify(s.log(s.recover(s.limitBody(cross.Handler(mux)))))
}

func newServer(a *app.App, c Config) (*server, *http.ServeMux) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ClientAddress == nil {
		c.ClientAddress = remoteHost
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &server{Config: c, app: a,
		calls:   newLimiter(c.Rate, c.Burst),
		logIns:  newLimiter(c.LogInRate/60, c.LogInBurst),
		sources: newLimiter(10*c.LogInRate/60, 10*c.LogInBurst),
	}
	mux := http.NewServeMux()
	s.api = humago.NewWithPrefix(mux, Prefix, s.humaConfig())
	s.routes()
	return s, mux
}

// routes registers every operation, a file per resource.
func (s *server) routes() {
	s.accountRoutes()
	s.platformRoutes()
	s.tenantRoutes()
	s.memberRoutes()
	s.tokenRoutes()
	s.secretRoutes()
	s.workerRoutes()
	s.botRoutes()
	s.botActionRoutes()
	s.moveRoutes()
	s.eventRoutes()
	s.usageRoutes()
	s.supportRoutes()
}

func (s *server) humaConfig() huma.Config {
	c := huma.DefaultConfig("BaaS", "1")
	c.Info.Description = "Bot as a Service: companies run their chat bots in isolated Workers.\n\n" +
		"Things of a tenant live below `/tenants/{tenant}`, where the id or the slug stands for the tenant. Another " +
		"tenant's thing answers like a missing one. Errors are problems (RFC 9457) with a stable `code`. Lists page by " +
		"`cursor`. Writes take `Idempotency-Key` where it is listed; updates check `If-Match` against `ETag`. `/tenants/{tenant}/changes` " +
		"says what to read again."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil // no $schema in answers
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{asProblem}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: CookieName, Description: "Set by POST /login"},
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token, " + app.TokenPrefix + "…"},
	}
	return c
}

// OpenAPI is the OpenAPI 3.1 document of the API, as it is checked in at api/openapi.json.
func OpenAPI() ([]byte, error) {
	s, _ := newServer(nil, Config{})
	return document(s.api)
}

func document(api huma.API) ([]byte, error) {
	tidySchemas(api.OpenAPI())
	raw, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("encoding the OpenAPI document: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("indenting the OpenAPI document: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// tidySchemas drops what the library adds and this API doesn't answer: its own error, and null for lists.
func tidySchemas(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	for _, s := range schemas {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false
			}
		}
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				if p.Schema.Type == huma.TypeArray {
					p.Schema.Nullable = false
				}
			}
		}
	}
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (s *server) secure() bool { return strings.HasPrefix(s.PublicURL, "https://") }
