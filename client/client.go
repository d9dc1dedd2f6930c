package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/baas-platform/baas"
)

const (
	prefix     = "/api/v1"
	cookieName = "baas_session"
	maxAnswer  = 64 << 20 // bytes of an answer that is read whole
	attempts   = 4
)

// Client calls one platform on behalf of one person or API token. It is safe for use by many goroutines.
type Client struct {
	base   string
	secret string
	http   *http.Client
	wait   func(ctx context.Context, d time.Duration) error
}

// Option changes how a Client works.
type Option func(*Client)

// WithHTTPClient sends requests by h. It must not have a timeout, which would end streams.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// New makes a client of the platform at baseURL, such as https://baas.example.com. secret is that of an API token or
// of a log-in; "" is enough for LogIn and AcceptInvitation.
func New(baseURL, secret string, opts ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an address such as https://baas.example.com", baseURL)
	}
	c := &Client{base: strings.TrimSuffix(u.String(), "/") + prefix, secret: secret, http: &http.Client{}, wait: wait}
	for _, o := range opts {
		o(c)
	}
	return c, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request is one call of the API.
type request struct {
	method, path string
	query        url.Values
	body         any    // encoded as JSON unless nil
	version      int64  // If-Match, unless 0
	key          string // Idempotency-Key
	accept       string
	once         bool // not sent again
}

// problem is an error as the API answers it.
type problem struct {
	Code      baas.Code         `json:"code"`
	Detail    string            `json:"detail"`
	Errors    []baas.FieldError `json:"errors"`
	RequestID string            `json:"request_id"`
}

// send sends the request, again where that is safe, and gives a response with status 2xx. The caller closes its body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
	}
	if r.key == "" && r.method != http.MethodGet && !r.once {
		r.key = strings.ToLower(rand.Text())
	}
	for attempt := 1; ; attempt++ {
		res, err := c.try(ctx, r, body)
		if err == nil || r.once || attempt == attempts || ctx.Err() != nil || !temporary(err) {
			return res, err
		}
		pause := time.Duration(attempt*attempt) * 200 * time.Millisecond
		var e *baas.Error
		if errors.As(err, &e) && e.RetryAfter > 0 {
			if e.RetryAfter > 30 {
				return nil, err
			}
			pause = time.Duration(e.RetryAfter) * time.Second
		}
		if c.wait(ctx, pause) != nil {
			return nil, err
		}
	}
}

// temporary reports whether the same request may fare better later.
func temporary(err error) bool {
	code := baas.CodeOf(err)
	return code == baas.CodeUnavailable || code == baas.CodeRateLimited
}

func (c *Client) try(ctx context.Context, r request, body []byte) (*http.Response, error) {
	u := c.base + r.path
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	var rd io.Reader
	if body != nil {
		rd = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u, rd)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	if r.version != 0 {
		req.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(r.version, 10)))
	}
	return c.do(req)
}

// do sends a request with the client's secret and makes an error of what is refused.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	if c.secret != "" {
		req.Header.Set("Authorization", "Bearer "+c.secret)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx := req.Context(); ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &baas.Error{Code: baas.CodeUnavailable, Message: "the platform at " + req.URL.Host + " can't be reached", Err: err}
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, refusal(res)
}

func refusal(res *http.Response) error {
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20)) // what can't be read is no problem document
	var p problem
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "application/problem+json" || json.Unmarshal(raw, &p) != nil || p.Code == "" {
		code := baas.CodeInternal
		if res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusGatewayTimeout {
			code = baas.CodeUnavailable
		}
		return &baas.Error{Code: code, Message: "the server answered " + res.Status + " and not as BaaS does; is this its address?"}
	}
	retry, _ := strconv.Atoi(res.Header.Get("Retry-After")) // 0 without one
	if p.Code == baas.CodeInternal && p.RequestID != "" {
		p.Detail += " (request " + p.RequestID + ")"
	}
	return &baas.Error{Code: p.Code, Message: p.Detail, Fields: p.Errors, RetryAfter: retry}
}

// call sends the request and reads its answer.
func call[T any](ctx context.Context, c *Client, r request) (out T, err error) {
	res, err := c.send(ctx, r)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&out); err != nil {
		return out, fmt.Errorf("reading the answer: %w", err)
	}
	return out, nil
}

// exec sends a request without an answer.
func exec(ctx context.Context, c *Client, r request) error {
	res, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// pages walks a list page by page. An error is the last thing it yields.
func pages[T any](ctx context.Context, c *Client, path string, q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := url.Values{}
		for k, v := range q {
			query[k] = v
		}
		for {
			l, err := call[baas.List[T]](ctx, c, request{method: http.MethodGet, path: path, query: query})
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range l.Items {
				if !yield(item, nil) {
					return
				}
			}
			if l.Next == "" {
				return
			}
			query.Set("cursor", l.Next)
		}
	}
}

// Collect gathers a list. It stops at the first error.
func Collect[T any](items iter.Seq2[T, error]) ([]T, error) {
	out := []T{}
	for item, err := range items {
		if err != nil {
			return out, err
		}
		out = append(out, item)
	}
	return out, nil
}

// query makes parameters of pairs, without those that are empty.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

func join[S ~string](words []S) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ",")
}
