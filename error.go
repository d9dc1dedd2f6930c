package baas

import (
	"errors"
	"fmt"
	"strings"
)

// Code classifies an Error. Codes are stable: clients may switch on them.
type Code string

// The codes, each with the HTTP status that internal/httpapi answers for it.
const (
	CodeInvalid         Code = "invalid"                // 422: the input breaks a rule; Fields says which
	CodeUnauthenticated Code = "unauthenticated"        // 401: nobody, or a log-in that ended
	CodeForbidden       Code = "forbidden"              // 403: known, but the role or the scope lacks this action
	CodeNotFound        Code = "not_found"              // 404: missing, or another tenant's
	CodeConflict        Code = "conflict"               // 409: the present state refuses it
	CodeNameTaken       Code = "name_taken"             // 409: the name is in use
	CodeQuotaExceeded   Code = "quota_exceeded"         // 409: the plan's limit is reached
	CodeVersionMismatch Code = "version_mismatch"       // 412: changed since it was read (If-Match)
	CodeTooLarge        Code = "too_large"              // 413: over a documented size limit
	CodeIdempotency     Code = "idempotency_key_reused" // 422: same Idempotency-Key, other request
	CodeRateLimited     Code = "rate_limited"           // 429: too many requests; RetryAfter says when
	CodeUnavailable     Code = "unavailable"            // 503: not now; may be repeated
	CodeUnsupported     Code = "unsupported"            // 422: the engine or plan can't give it; the message says why
	CodeInternal        Code = "internal"               // 500: our fault; the cause stays in the log
)

// Error is the one error type of the domain: a stable code, a message for the person who caused it, and a cause that
// is logged and never shown.
type Error struct {
	Code       Code
	Message    string
	Fields     []FieldError // which inputs are wrong; only with CodeInvalid and the like
	RetryAfter int          // seconds; 0 when unknown
	Err        error        // private cause
}

// FieldError names one wrong input. Field is a JSON path such as "size.memory_mib".
type FieldError struct {
	Field   string `json:"field" doc:"JSON path of the wrong input"`
	Message string `json:"message" doc:"What is wrong and what would be right"`
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Field, f.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrNotFound) true for every Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Message == "" && t.Err == nil
}

// Sentinels for errors.Is; each matches every Error of its code.
var (
	ErrInvalid         = &Error{Code: CodeInvalid}
	ErrUnauthenticated = &Error{Code: CodeUnauthenticated}
	ErrForbidden       = &Error{Code: CodeForbidden}
	ErrNotFound        = &Error{Code: CodeNotFound}
	ErrConflict        = &Error{Code: CodeConflict}
	ErrNameTaken       = &Error{Code: CodeNameTaken}
	ErrQuotaExceeded   = &Error{Code: CodeQuotaExceeded}
	ErrVersionMismatch = &Error{Code: CodeVersionMismatch}
	ErrUnavailable     = &Error{Code: CodeUnavailable}
	ErrUnsupported     = &Error{Code: CodeUnsupported}
)

// Errorf makes an Error whose message is shown to the person. A %w operand becomes the private cause and its text is
// part of the message, so wrap only what may be shown; use Internal for what may not.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// CodeOf gives the code of the first Error in err's chain, CodeInternal for any other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// Problems collects field errors during validation.
type Problems []FieldError

// Add records one wrong field.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// In adds the problems of a nested value with its field as prefix.
func (p *Problems) In(prefix string, err error) {
	var e *Error
	if errors.As(err, &e) {
		for _, f := range e.Fields {
			*p = append(*p, FieldError{Field: prefix + "." + f.Field, Message: f.Message})
		}
	}
}

// Err is nil without problems, otherwise an Error with CodeInvalid that names all of them.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Message: "some fields are wrong", Fields: p}
}
