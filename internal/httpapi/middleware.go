package httpapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
)

// CookieName is the cookie of a log-in.
const CookieName = "baas_session"

// maxBody bounds a request's JSON, in bytes.
const maxBody = 1 << 20

// bodyTimeout is how long a request's JSON may take to arrive.
const bodyTimeout = 30 * time.Second

type ctxKey int

const (
	ctxRequestID ctxKey = iota
	ctxActor
	ctxRecord
	ctxRemote
)

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(ctxRequestID).(string)
	return id
}

func actorOf(ctx context.Context) authz.Actor {
	a, _ := ctx.Value(ctxActor).(authz.Actor)
	return a
}

// record is what the access log says about a request.
type record struct {
	user, token string
	operation   string
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{8,80}$`)

// identify gives each request an id, the client's own if it is a plain one.
func (s *server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !requestIDPattern.MatchString(id) {
			id = strings.ToLower(rand.Text())
		}
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		ctx := context.WithValue(r.Context(), ctxRequestID, id)
		ctx = context.WithValue(ctx, ctxRemote, s.ClientAddress(r))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// log writes a line for every request.
func (s *server) log(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		rec := &record{}
		rw := &responseWriter{ResponseWriter: w}
		next.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), ctxRecord, rec)))
		s.Log.InfoContext(r.Context(), "request", "request", requestID(r.Context()), "method", r.Method, "path", r.URL.Path,
			"operation", rec.operation, "status", rw.code(), "bytes", rw.bytes, "took", s.Now().Sub(began), "user", rec.user,
			"token", rec.token, "remote", s.ClientAddress(r))
	})
}

// responseWriter remembers what was answered.
type responseWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *responseWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func (w *responseWriter) WriteHeader(code int) {
	if w.status == 0 {
		w.status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recover answers a panic with a problem and logs where it was.
func (s *server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			if r.Context().Err() != nil { // the client is gone: writing the answer failed
				return
			}
			s.Log.ErrorContext(r.Context(), "a request panicked", "request", requestID(r.Context()), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if rw, ok := w.(*responseWriter); ok && rw.status != 0 {
				panic(http.ErrAbortHandler) // part of an answer is out: break the connection rather than end it as if whole
			}
			problemOf(errors.New("panic"), requestID(r.Context())).write(w)
		}()
		next.ServeHTTP(w, r)
	})
}

// limitBody bounds every body; operations have lower limits of their own.
func (s *server) limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, baas.MaxArtifact+1)
		next.ServeHTTP(w, r)
	})
}

// crossOrigin refuses what another site made a browser send.
func (s *server) crossOrigin(w http.ResponseWriter, r *http.Request) {
	problemOf(baas.Errorf(baas.CodeForbidden, "the request comes from another site"), requestID(r.Context())).write(w)
}

// noRoute answers paths and methods that aren't there.
func (s *server) noRoute(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			probe := r.Clone(r.Context())
			probe.Method = m
			if _, pattern := mux.Handler(probe); strings.HasPrefix(pattern, m+" ") {
				allowed = append(allowed, m)
			}
		}
		p := problemOf(baas.Errorf(baas.CodeNotFound, "there is no such path in the API; %s/openapi.json lists them", Prefix), requestID(r.Context()))
		if len(allowed) > 0 && !slices.Contains(allowed, r.Method) {
			p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
			p.Detail = "this path takes " + strings.Join(allowed, ", ")
			w.Header().Set("Allow", strings.Join(allowed, ", "))
		}
		p.write(w)
	}
}

// credential is the secret that a request carries: an API token, else the cookie of a log-in.
func credential(r *http.Request) string {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, secret, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(secret)
		}
		return ""
	}
	if c, err := r.Cookie(CookieName); err == nil {
		return c.Value
	}
	return ""
}

// authenticate finds the actor and counts the request against its limit.
func (s *server) authenticate(public bool) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		ctx := r.Context()
		rec, _ := ctx.Value(ctxRecord).(*record)
		if rec != nil {
			rec.operation = hc.Operation().OperationID
		}
		if public {
			next(hc)
			return
		}
		actor, err := s.app.Authenticate(ctx, credential(r))
		if err != nil {
			s.failure(ctx, err).write(w)
			return
		}
		if rec != nil {
			rec.user, rec.token = actor.UserID, actor.TokenID
		}
		if err := s.calls.take(w.Header(), actor.SessionID+actor.TokenID, s.Now()); err != nil {
			s.failure(ctx, err).write(w)
			return
		}
		next(huma.WithValue(hc, ctxActor, actor))
	}
}

// readBody reads a JSON body in time and within its limit, and tells the use case what identifies the request.
func (s *server) readBody(route route) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		if r.Method == http.MethodGet || route.body != nil {
			next(hc)
			return
		}
		limit := route.maxBody
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(bodyTimeout)) // not every server can; then its own limits hold
		body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
		_ = rc.SetReadDeadline(time.Time{})
		if err != nil || int64(len(body)) > limit {
			p := baas.Errorf(baas.CodeTooLarge, "the request's body is larger than %d bytes", limit)
			if err != nil {
				p = baas.Errorf(baas.CodeInvalid, "the request's body didn't arrive whole within %s", bodyTimeout)
			}
			s.failure(hc.Context(), p).write(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			h := sha256.New()
			fmt.Fprintf(h, "%s\n%s\n%s\n", r.Method, r.URL.RequestURI(), r.Header.Get("If-Match"))
			h.Write(body)
			hc = huma.WithContext(hc, app.WithRequest(hc.Context(), app.Request{IdempotencyKey: key, Fingerprint: h.Sum(nil)}))
		}
		next(hc)
	}
}
