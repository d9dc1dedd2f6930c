// Package httpapi serves the use cases of package app as REST below /api/v1: routes, problems (RFC 9457), event
// streams and rate limits. The OpenAPI document is made from the same routes; api/openapi.json is a copy of it.
//
// A request passes these on its way, outermost first:
//
//	request id ─► access log ─► panics ─► cross-origin check ─► route ─► log-in ─► rate limit ─► body ─► validation ─► use case
package httpapi

//go:generate go run ./openapi ../../api/openapi.json
