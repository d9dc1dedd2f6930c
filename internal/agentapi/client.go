package agentapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/baas-platform/baas"
)

// An agent runs beside strangers' bots, so nothing that it answers is read without a bound, and no answer is waited for
// without an end.
const (
	maxError  = 64 << 10 // bytes of a refusal
	maxAnswer = 4 << 20  // bytes of a status or usage report; a Worker with 2,000 bots stays below a quarter of it
	maxLine   = 256 << 10

	answerTimeout = 30 * time.Second
	checkTimeout  = 45 * time.Second // several questions to chat platforms
	deleteTimeout = 2 * time.Minute  // the bot's processes end first
	filesTimeout  = 10 * time.Minute // baas.MaxArtifact over a slow line
)

// Client calls one agent. It is safe for use by many goroutines and holds nothing but its round tripper.
//
// Every method answers a refusal of the agent as a *baas.Error with the agent's code, and a connection that is missing
// or breaks as one that is baas.ErrUnavailable. The end of ctx comes back as ctx.Err(), wrapped. An answer that is too
// large or is none of this protocol is baas.CodeInternal. Texts of the agent are cut and cleaned before they are given on.
type Client struct {
	http *http.Client
}

// NewClient makes a client on rt, such as the one that tunnel.Hub gives for a Worker.
func NewClient(rt http.RoundTripper) *Client {
	return &Client{http: &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Status asks what the agent sees now.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.call(ctx, "asking the agent's status", http.MethodGet, "/v1/status", nil, &s)
	s.tame()
	return s, err
}

// Watch calls fn with the status now and after every change, one call at a time, until ctx ends or the connection
// breaks. It never returns nil.
func (c *Client) Watch(ctx context.Context, fn func(Status)) error {
	const doing = "watching the agent"
	res, err := c.do(ctx, doing, http.MethodGet, "/v1/watch", nil, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := lines(res.Body, maxAnswer)
	for lines.Scan() {
		var s Status
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nonsense(doing, err)
		}
		s.tame()
		fn(s)
	}
	return ended(ctx, doing, lines)
}

// PutDesired tells the agent what to run and gives its status after it has taken that over; the bots start and stop
// behind it. baas.ErrConflict when the agent has a higher revision. May be repeated.
func (c *Client) PutDesired(ctx context.Context, d Desired) (Status, error) {
	var s Status
	err := c.call(ctx, "telling the agent what to run", http.MethodPut, "/v1/desired", d, &s)
	s.tame()
	return s, err
}

// PutFiles sends the archive of a program's files. It returns once they are checked, unpacked and durable; a running
// bot is restarted on them if its desired state names them. May be repeated.
func (c *Client) PutFiles(ctx context.Context, botID string, a baas.Artifact, body io.Reader) error {
	h := http.Header{}
	h.Set(HeaderDigest, a.Digest)
	h.Set(HeaderFormat, string(a.Format))
	ctx, cancel := context.WithTimeout(ctx, filesTimeout)
	defer cancel()
	return c.upload(ctx, "sending files to the agent", botPath(botID, "/files"), h, a.Size, body)
}

// Export reads the bot's directory as a tar stream. size is an estimate of its length in bytes, for progress. The
// stream is whole only if reading it ends with io.EOF. baas.ErrConflict unless the bot is held and stopped.
func (c *Client) Export(ctx context.Context, botID string) (body io.ReadCloser, size int64, err error) {
	const doing = "exporting a bot's directory"
	res, err := c.do(ctx, doing, http.MethodGet, botPath(botID, "/export"), nil, nil) //nolint:bodyclose // the caller closes it
	if err != nil {
		return nil, 0, err
	}
	size, _ = strconv.ParseInt(res.Header.Get(HeaderFileBytes), 10, 64)
	return &stream{ctx: ctx, doing: doing, ReadCloser: res.Body}, size, nil
}

// Import replaces the bot's directory by the tar stream of an export, as a whole or not at all. An error of body ends
// it without effect. baas.ErrConflict while the bot runs or should. May be repeated with a new stream.
func (c *Client) Import(ctx context.Context, botID string, body io.Reader) error {
	return c.upload(ctx, "importing a bot's directory", botPath(botID, "/import"), nil, -1, body)
}

// DeleteBot deletes the directory of a bot that should not run here any more, once its processes have ended. No error
// when there is none; baas.ErrConflict while it should run. May be repeated.
func (c *Client) DeleteBot(ctx context.Context, botID string) error {
	return c.callWithin(ctx, deleteTimeout, "deleting a bot's directory", http.MethodDelete, botPath(botID, ""), nil, nil)
}

// LogQuery says which lines of a bot's log to read.
type LogQuery struct {
	Tail   int       // the last lines only; 0: all that are kept, negative: none of them, only what follows
	Follow bool      // go on with new lines as they are written
	Since  time.Time // leave out older lines; zero: none
}

// Logs yields lines of the bot's log, oldest first. An error is the last thing it yields; a query that follows ends
// only with one (of ctx, or of the connection).
func (c *Client) Logs(ctx context.Context, botID string, q LogQuery) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		const doing = "reading a bot's log"
		v := url.Values{}
		if q.Tail != 0 {
			v.Set("tail", strconv.Itoa(max(q.Tail, 0)))
		}
		if q.Follow {
			v.Set("follow", "true")
		}
		if !q.Since.IsZero() {
			v.Set("since", q.Since.UTC().Format(time.RFC3339Nano))
		}
		res, err := c.do(ctx, doing, http.MethodGet, botPath(botID, "/logs")+"?"+v.Encode(), nil, nil)
		if err != nil {
			yield(LogLine{}, err)
			return
		}
		defer res.Body.Close()
		lines := lines(res.Body, maxLine)
		for lines.Scan() {
			var l LogLine
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				yield(LogLine{}, nonsense(doing, err))
				return
			}
			if !yield(l, nil) {
				return
			}
		}
		if q.Follow || lines.Err() != nil {
			yield(LogLine{}, ended(ctx, doing, lines))
		}
	}
}

// Usage lets the agent forget windows that are stored, and reads closed ones of the rest. May be repeated.
func (c *Client) Usage(ctx context.Context, q UsageQuery) (UsageReport, error) {
	var r UsageReport
	err := c.call(ctx, "reading usage", http.MethodPost, "/v1/usage", q, &r)
	if err == nil && len(r.Windows) > q.Limit {
		r.Windows, r.More = r.Windows[:q.Limit], true
	}
	return r, err
}

// CheckChannels lets the agent ask chat platforms whether an assistant's channels work. baas.ErrNotFound from an agent
// that is too old to know how.
func (c *Client) CheckChannels(ctx context.Context, q ChannelQuery) ([]baas.ChannelCheck, error) {
	var r ChannelReport
	err := c.callWithin(ctx, checkTimeout, "checking a bot's channels", http.MethodPost, "/v1/channels", q, &r)
	r.tame()
	return r.Checks, err
}

// BotTransport carries requests to the bot's own HTTP server: whatever host the request names, its path is asked of the
// bot. Responses stream, and an upgrade (WebSocket) works as with http.Transport, so httputil.ReverseProxy can use it.
// An answer that is the agent's and not the bot's has HeaderError.
func (c *Client) BotTransport(botID string) http.RoundTripper {
	return botTransport{rt: c.http.Transport, prefix: botPath(botID, "/http")}
}

type botTransport struct {
	rt     http.RoundTripper
	prefix string
}

func (t botTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	out := *r // not r.Clone: headers aren't changed here
	u := *r.URL
	u.Scheme, u.Host = "http", "agent"
	if u.RawPath != "" {
		u.RawPath = t.prefix + rooted(u.RawPath)
	}
	u.Path = t.prefix + rooted(u.Path)
	if out.Host == "" {
		out.Host = r.URL.Host
	}
	out.URL = &u
	return t.rt.RoundTrip(&out)
}

func rooted(p string) string {
	if p == "" || p[0] != '/' {
		return "/" + p
	}
	return p
}

func botPath(botID, rest string) string { return "/v1/bots/" + url.PathEscape(botID) + rest }

// call sends in as JSON, unless nil, and reads the answer into out, unless nil.
func (c *Client) call(ctx context.Context, doing, method, path string, in, out any) error {
	return c.callWithin(ctx, answerTimeout, doing, method, path, in, out)
}

func (c *Client) callWithin(ctx context.Context, limit time.Duration, doing, method, path string, in, out any) error {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := c.exchange(ctx, doing, method, path, in, out)
	if err != nil && ctx.Err() != nil && outer.Err() == nil {
		return fmt.Errorf("%s: %w", doing, &baas.Error{Code: baas.CodeUnavailable, Message: "the Worker's agent doesn't answer", Err: err})
	}
	return err
}

func (c *Client) exchange(ctx context.Context, doing, method, path string, in, out any) error {
	var body io.Reader
	h := http.Header{}
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s: encoding: %w", doing, err)
		}
		body = bytes.NewReader(b)
		h.Set("Content-Type", "application/json")
	}
	res, err := c.do(ctx, doing, method, path, h, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxError)) // lets the stream be used again
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return broken(ctx, doing, err)
	case len(raw) > maxAnswer:
		return nonsense(doing, fmt.Errorf("the answer is larger than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return nonsense(doing, err)
	}
	return nil
}

// lines reads a stream of JSON documents, one a line.
func lines(r io.Reader, largest int) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 512), largest) // holds an idle agent's status, and grows for others'
	s.Split(func(data []byte, atEOF bool) (advance int, line []byte, err error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i], nil
		}
		if atEOF && len(data) > 0 {
			return 0, nil, io.ErrUnexpectedEOF // the connection broke in the middle of a line
		}
		return 0, nil, nil
	})
	return s
}

// ended is why a stream of lines ended.
func ended(ctx context.Context, doing string, lines *bufio.Scanner) error {
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nonsense(doing, err)
	case err != nil:
		return broken(ctx, doing, err)
	}
	return broken(ctx, doing, io.EOF)
}

// nonsense is the error of an answer that no agent of ours gives.
func nonsense(doing string, err error) error {
	return fmt.Errorf("%s: %w", doing, &baas.Error{Code: baas.CodeInternal, Message: "the Worker's agent answers nonsense", Err: err})
}

// upload sends body as it is. An error in reading it is told apart from one of the connection.
func (c *Client) upload(ctx context.Context, doing, path string, h http.Header, size int64, body io.Reader) error {
	src := &source{r: body}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://agent"+path, src)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if h != nil {
		req.Header = h
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", "application/octet-stream")
	res, err := c.send(ctx, doing, req)
	if err != nil {
		if cause := src.err.Load(); cause != nil {
			return fmt.Errorf("%s: reading what to send: %w", doing, *cause)
		}
		return err
	}
	return res.Body.Close()
}

// source remembers why reading failed; the transport reads it from a goroutine of its own.
type source struct {
	r   io.Reader
	err atomic.Pointer[error]
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err.Store(&err)
	}
	return n, err
}

func (c *Client) do(ctx context.Context, doing, method, path string, h http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if h != nil {
		req.Header = h
	}
	return c.send(ctx, doing, req)
}

// send makes errors of refusals and broken connections. The caller closes the body of a response without error.
func (c *Client) send(ctx context.Context, doing string, req *http.Request) (*http.Response, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return nil, broken(ctx, doing, err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, fmt.Errorf("%s: %w", doing, refusal(res))
}

// refusals are the codes that an agent may refuse with. Others, such as unauthenticated, are the control plane's own.
var refusals = []baas.Code{baas.CodeInvalid, baas.CodeNotFound, baas.CodeConflict, baas.CodeTooLarge, baas.CodeUnavailable, baas.CodeUnsupported}

// refusal reads the error that an agent answered with.
func refusal(res *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, maxError))
	if err != nil {
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the connection to the Worker broke", Err: err}
	}
	var e Error
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "application/json" || json.Unmarshal(b, &e) != nil || e.Code == "" {
		return &baas.Error{Code: baas.CodeInternal, Err: fmt.Errorf("the agent answered with status %d", res.StatusCode)}
	}
	if !slices.Contains(refusals, e.Code) {
		e.Code = baas.CodeInternal
	}
	return &baas.Error{Code: e.Code, Message: clean(e.Message)}
}

// broken makes the error of a connection that failed.
func broken(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	var e *baas.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %w", doing, e)
	}
	return fmt.Errorf("%s: %w", doing, &baas.Error{Code: baas.CodeUnavailable, Message: "the connection to the Worker broke", Err: err})
}

// stream gives read errors of a response body the meaning that Client documents.
type stream struct {
	ctx   context.Context
	doing string
	io.ReadCloser
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = broken(s.ctx, s.doing, err)
	}
	return n, err
}
