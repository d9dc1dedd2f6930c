package tunnel

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/baas-platform/baas"
)

// Transport is an http.RoundTripper to one agent. It makes connections of streams and keeps them for the next requests.
type Transport struct{ http *http.Transport }

// NewTransport gives HTTP over the streams that open makes.
func NewTransport(open func(ctx context.Context) (net.Conn, error)) *Transport {
	return &Transport{&http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return open(ctx) },
		MaxIdleConnsPerHost: 128,
		// Streams cost nothing to open and, with their goroutines and buffers on both sides, something to keep.
		IdleConnTimeout: 5 * time.Second,
		// Every connected agent has a stream that is watched; most headers fit, and bodies go past these.
		ReadBufferSize:     2 << 10,
		WriteBufferSize:    2 << 10,
		DisableCompression: true,
		// Who answers is beside strangers' bots: no more of its headers is read than of a client's.
		MaxResponseHeaderBytes: 256 << 10,
	}}
}

// RoundTrip implements http.RoundTripper. baas.ErrUnavailable when the connection breaks.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.http.RoundTrip(r)
	if err != nil && r.Context().Err() == nil {
		return nil, broke(err)
	}
	return res, err
}

// CloseIdleConnections ends the streams that no request uses.
func (t *Transport) CloseIdleConnections() { t.http.CloseIdleConnections() }

func broke(err error) error {
	return &baas.Error{Code: baas.CodeUnavailable, Message: "the connection to the Worker broke", Err: err}
}

func openStream(s *yamux.Session) (net.Conn, error) {
	c, err := s.OpenStream()
	if err != nil {
		return nil, fmt.Errorf("opening a stream to the agent: %w", err)
	}
	return c, nil
}
