package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/baas-platform/baas"
)

// status is the one table of codes and HTTP statuses.
var status = map[baas.Code]int{
	baas.CodeInvalid:         http.StatusUnprocessableEntity,
	baas.CodeUnauthenticated: http.StatusUnauthorized,
	baas.CodeForbidden:       http.StatusForbidden,
	baas.CodeNotFound:        http.StatusNotFound,
	baas.CodeConflict:        http.StatusConflict,
	baas.CodeNameTaken:       http.StatusConflict,
	baas.CodeQuotaExceeded:   http.StatusConflict,
	baas.CodeVersionMismatch: http.StatusPreconditionFailed,
	baas.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	baas.CodeIdempotency:     http.StatusUnprocessableEntity,
	baas.CodeRateLimited:     http.StatusTooManyRequests,
	baas.CodeUnavailable:     http.StatusServiceUnavailable,
	baas.CodeUnsupported:     http.StatusUnprocessableEntity,
	baas.CodeInternal:        http.StatusInternalServerError,
}

// Problem is an error as clients see it (RFC 9457).
type Problem struct {
	Type      string            `json:"type" example:"about:blank"`
	Title     string            `json:"title" doc:"What the status means"`
	Status    int               `json:"status"`
	Code      baas.Code         `json:"code" enum:"invalid,unauthenticated,forbidden,not_found,conflict,name_taken,quota_exceeded,version_mismatch,too_large,idempotency_key_reused,rate_limited,unavailable,unsupported,internal" doc:"Stable; switch on this"`
	Detail    string            `json:"detail,omitempty" doc:"For a person"`
	Errors    []baas.FieldError `json:"errors,omitempty" doc:"Which inputs are wrong"`
	RequestID string            `json:"request_id,omitempty" doc:"Also in the header X-Request-Id; name it when you ask for help"`

	retryAfter int
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus tells huma the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders tells huma the headers.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="baas"`)
	}
	return h
}

// problemOf makes the problem of an error. The cause of an internal error stays out of it.
func problemOf(err error, requestID string) *Problem {
	var e *baas.Error
	if !errors.As(err, &e) || e.Code == baas.CodeInternal {
		e = &baas.Error{Code: baas.CodeInternal, Message: "something went wrong on our side; it was logged"}
	}
	code, ok := status[e.Code]
	if !ok {
		code = http.StatusInternalServerError
	}
	return &Problem{Type: "about:blank", Title: http.StatusText(code), Status: code, Code: e.Code, Detail: e.Message,
		Errors: e.Fields, RequestID: requestID, retryAfter: e.RetryAfter}
}

// write answers with the problem outside of huma.
func (p *Problem) write(w http.ResponseWriter) {
	for k, vs := range p.GetHeaders() {
		w.Header()[k] = vs
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// asProblem turns errors of the library itself, about parameters and bodies, into problems.
func asProblem(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &Problem{Type: "about:blank", Title: http.StatusText(m.Status), Status: m.Status, Code: baas.CodeInvalid,
		Detail: "some fields are wrong", RequestID: requestID(ctx.Context())}
	switch m.Status {
	case http.StatusInternalServerError:
		p.Code, p.Detail = baas.CodeInternal, "something went wrong on our side; it was logged"
		return p, nil
	case http.StatusRequestEntityTooLarge:
		p.Code, p.Detail = baas.CodeTooLarge, m.Detail
		return p, nil
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusRequestTimeout, http.StatusNotAcceptable:
		p.Detail = m.Detail
	}
	for _, d := range m.Errors {
		p.Errors = append(p.Errors, fieldError(d))
	}
	return p, nil
}

// fieldError names the field the way that the domain does: "size.memory_mib", not "body.size.memory_mib".
func fieldError(d *huma.ErrorDetail) baas.FieldError {
	f := baas.FieldError{Field: d.Location, Message: d.Message}
	for _, place := range []string{"body.", "query.", "path.", "header."} {
		if rest, ok := strings.CutPrefix(d.Location, place); ok {
			f.Field = rest
		}
	}
	if rest, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name := strings.TrimSuffix(rest, " to be present")
		if f.Field != "" && f.Field != "body" {
			name = f.Field + "." + name
		}
		f = baas.FieldError{Field: name, Message: "must be given"}
	}
	switch {
	case d.Message == "unexpected property":
		f.Message = "is not a field here; check its spelling"
	case d.Message == "unknown query parameter":
		f.Message = "is not a parameter here; check its spelling"
	case strings.HasPrefix(d.Message, "invalid date/time"), strings.HasPrefix(d.Message, validation.MsgExpectedRFC3339DateTime):
		f.Message = "must be a time such as 2026-01-31T15:04:05Z (RFC 3339)"
	}
	return f
}
