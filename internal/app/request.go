package app

import "context"

// Request is what a use case needs to know of the request that it serves.
type Request struct {
	IdempotencyKey string // of the client; "" when it sent none
	Fingerprint    []byte // SHA-256 of method, path and body
}

type requestKey struct{}

// WithRequest gives the use cases called with the context the request that they serve.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

func requestOf(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}
