package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/baas-platform/baas"
)

// conn runs statements with ? placeholders inside one transaction.
type conn interface {
	exec(ctx context.Context, query string, args ...any) (affected int64, err error)
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// exclusively waits until no other transaction of the tenant works on the usage of these Workers.
	exclusively(ctx context.Context, tenant string, workers []string) error
	dialect
}

// dialect is what the two databases say differently.
type dialect interface {
	forUpdate() string // at the end of a SELECT whose rows this transaction will change
	forShare() string  // at the end of a SELECT whose rows must not disappear
	clock() string     // an expression for the microseconds since 1970
	taken(err error) bool
	dangling(err error) bool // refers to something that isn't there
}

// tx is a transaction in progress with what it will announce.
type tx struct {
	conn
	s       *Store
	changes []baas.Change
}

func (t *tx) announce(c baas.Change) {
	if !slices.Contains(t.changes, c) {
		t.changes = append(t.changes, c)
	}
}

// row reads exactly one row into dest; ErrNotFound.
func row(ctx context.Context, c conn, dest []any, query string, args ...any) error {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return errMissing
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}

// errMissing is what row answers; notFound makes it speak of a thing.
var errMissing = &baas.Error{Code: baas.CodeNotFound, Message: "not found"}

// get reads one thing; a missing row becomes an ErrNotFound that names what.
func get[T any](ctx context.Context, c conn, what string, fields func(*T) []any, query string, args ...any) (T, error) {
	var v T
	err := row(ctx, c, fields(&v), query, args...)
	if err != nil {
		var zero T
		return zero, doing("reading the "+what, notFound(err, what))
	}
	return v, nil
}

// list reads all rows of a query.
func list[T any](ctx context.Context, c conn, what string, fields func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return nil, doing("listing "+what, err)
	}
	defer rows.Close()
	vs := []T{}
	for rows.Next() {
		var v T
		if err := rows.Scan(fields(&v)...); err != nil {
			return nil, doing("listing "+what, err)
		}
		vs = append(vs, v)
	}
	return vs, doing("listing "+what, rows.Err())
}

// change runs a statement that must touch one row; otherwise what is missing.
func change(ctx context.Context, c conn, what, query string, args ...any) error {
	n, err := c.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = errMissing
	}
	return doing("writing the "+what, notFound(err, what))
}

func notFound(err error, what string) error {
	if errors.Is(err, errMissing) {
		return baas.Errorf(baas.CodeNotFound, "there is no such %s", what)
	}
	return err
}

// doing adds what was being done to an error of the database; errors of the domain speak for themselves.
func doing(what string, err error) error {
	var e *baas.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// micros is how times are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

func microsPtr(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

// orNull stores "" as NULL.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// timeCol scans a stored time.
type timeCol struct{ t *time.Time }

func (c timeCol) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", src)
	}
	*c.t = time.UnixMicro(n).UTC()
	return nil
}

// timePtrCol scans a stored time that may be missing.
type timePtrCol struct{ t **time.Time }

func (c timePtrCol) Scan(src any) error {
	if src == nil {
		*c.t = nil
		return nil
	}
	*c.t = new(time.Time)
	return timeCol{*c.t}.Scan(src)
}

// textCol scans text that may be NULL, which reads as "".
type textCol struct{ s *string }

func (c textCol) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*c.s = ""
	case string:
		*c.s = src
	case []byte:
		*c.s = string(src)
	default:
		return fmt.Errorf("a text is stored as %T", src)
	}
	return nil
}

// jsonCol stores and scans a value as JSON text; NULL leaves the zero value.
type jsonCol[T any] struct{ v *T }

func asJSON[T any](v *T) jsonCol[T] { return jsonCol[T]{v} }

func (c jsonCol[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(c.v)
	return string(b), err
}

func (c jsonCol[T]) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(src), c.v)
	case []byte:
		return json.Unmarshal(src, c.v)
	}
	return fmt.Errorf("JSON is stored as %T", src)
}

// nameKey is what names are compared and searched by.
func nameKey(name string) string { return strings.ToLower(name) }
