package store

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/baas-platform/baas"
)

// filter collects the conditions of a list.
type filter struct {
	where []string
	args  []any
	lock  string // at the end of the query
}

func (f *filter) and(cond string, args ...any) {
	f.where = append(f.where, cond)
	f.args = append(f.args, args...)
}

// in wants col to be one of values. The list is padded to a power of two by repeating its last value, so that few
// different statements are prepared.
func in[S ~string](f *filter, col string, values []S) {
	if len(values) == 0 {
		f.and("1 = 0")
		return
	}
	n := 1
	for n < len(values) {
		n *= 2
	}
	args := make([]any, n)
	for i := range args {
		args[i] = string(values[min(i, len(values)-1)])
	}
	f.and(col+" IN (?"+strings.Repeat(", ?", n-1)+")", args...)
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// contains wants one of the lower-cased columns to hold text, without regard to case.
func (f *filter) contains(text string, cols ...string) {
	if text == "" {
		return
	}
	pattern := "%" + likeEscaper.Replace(strings.ToLower(text)) + "%"
	conds := make([]string, len(cols))
	args := make([]any, len(cols))
	for i, col := range cols {
		conds[i], args[i] = col+` LIKE ? ESCAPE '\'`, pattern
	}
	f.and("("+strings.Join(conds, " OR ")+")", args...)
}

// sql is " WHERE …", or "" without conditions.
func (f *filter) sql() string {
	if len(f.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.where, " AND ")
}

// order of a paged list.
type order string

const (
	ascending  order = "ASC"
	descending order = "DESC"
)

// page reads one page of a list that is ordered by the key column. query is everything before WHERE; key gives the
// key of a thing; prefix is that of the ids which the key consists of, so that a cursor of another list is refused.
func page[T any](ctx context.Context, c conn, what string, fields func(*T) []any, query string, f filter,
	col string, o order, p baas.Page, prefix string, key func(T) string) (vs []T, next string, err error) {
	if p.Cursor != "" {
		after, err := decodeCursor(p.Cursor, what, prefix)
		if err != nil {
			return nil, "", err
		}
		if o == ascending {
			f.and(col+" > ?", after)
		} else {
			f.and(col+" < ?", after)
		}
	}
	// One row more than asked for tells whether there is a next page.
	f.args = append(f.args, p.Size()+1)
	vs, err = list(ctx, c, what, fields, query+f.sql()+" ORDER BY "+col+" "+string(o)+" LIMIT ?"+f.lock, f.args...)
	if err != nil {
		return nil, "", err
	}
	if len(vs) > p.Size() {
		vs = vs[:p.Size()]
		next = encodeCursor(what, key(vs[len(vs)-1]))
	}
	return vs, next, nil
}

func encodeCursor(what, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(what + "\x00" + key))
}

func decodeCursor(cursor, what, prefix string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	key, ok := strings.CutPrefix(string(b), what+"\x00")
	if err != nil || !ok || !baas.ValidID(prefix, key) {
		var p baas.Problems
		p.Add("cursor", "is not a cursor of this list; give the one that the page before returned, or none to start at the beginning")
		return "", p.Err()
	}
	return key, nil
}
