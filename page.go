package baas

// Limits of one page of a list.
const (
	DefaultPageSize = 50
	MaxPageSize     = 500
)

// Page asks for one page of a list. Cursor is what the page before returned as next; "" starts at the beginning. A
// cursor is opaque to clients; the store refuses one that it didn't make with CodeInvalid.
type Page struct {
	Cursor string
	Limit  int // 0 means DefaultPageSize; more than MaxPageSize is cut to it
}

// Size is the limit in force.
func (p Page) Size() int {
	switch {
	case p.Limit <= 0:
		return DefaultPageSize
	case p.Limit > MaxPageSize:
		return MaxPageSize
	}
	return p.Limit
}
