package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

const eventStream = "text/event-stream"

// writeTimeout ends a stream whose client doesn't read.
const writeTimeout = 30 * time.Second

// streamed is an answer that is written bit by bit.
type streamed struct {
	Body func(huma.Context)
}

// stream writes an answer in pieces, each of which reaches the client at once.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func begin(hc huma.Context, contentType string) *stream {
	_, w := humago.Unwrap(hc)
	st := &stream{w: w, rc: http.NewResponseController(w)}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	_ = st.rc.Flush()
	return st
}

func (st *stream) write(b []byte) error {
	_ = st.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // not every server can; then a slow client ends with the request
	if _, err := st.w.Write(b); err != nil {
		return err
	}
	return st.rc.Flush()
}

// Write is write for an io.Writer's users.
func (st *stream) Write(b []byte) (int, error) {
	if err := st.write(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (st *stream) event(name string, v any) error {
	return st.write(fmt.Appendf(nil, "event: %s\ndata: %s\n", name, jsonLine(v)))
}

// logLines streams lines as JSON documents. An error after the first line breaks the connection, so that a client
// can't take a part for the whole.
func (s *server) logLines(lines iter.Seq2[agentapi.LogLine, error]) *streamed {
	return &streamed{func(hc huma.Context) {
		st := begin(hc, "application/x-ndjson")
		for l, err := range lines {
			if err != nil {
				if hc.Context().Err() == nil {
					s.Log.WarnContext(hc.Context(), "streaming logs", "request", requestID(hc.Context()), "err", err)
					panic(http.ErrAbortHandler)
				}
				return
			}
			if st.write(jsonLine(l)) != nil {
				return
			}
		}
	}}
}

// logEvents streams lines as server-sent events.
func (s *server) logEvents(lines iter.Seq2[agentapi.LogLine, error]) *streamed {
	return &streamed{func(hc huma.Context) {
		ctx, cancel := context.WithCancel(hc.Context())
		defer cancel()
		st := begin(hc, eventStream)
		type item struct {
			line agentapi.LogLine
			err  error
		}
		items := make(chan item)
		go func() {
			defer close(items)
			for l, err := range lines {
				select {
				case items <- item{l, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		beat := time.NewTicker(s.Heartbeat)
		defer beat.Stop()
		for {
			var err error
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
				err = st.write([]byte(": still here\n\n"))
			case i, more := <-items:
				switch {
				case !more:
					_ = st.event("end", struct{}{})
					return
				case i.err != nil:
					_ = st.event("error", problemOf(i.err, requestID(ctx)))
					return
				default:
					err = st.event("line", i.line)
				}
			}
			if err != nil {
				return
			}
		}
	}}
}

// changeEvents streams changes; the first one asks to read everything.
func (s *server) changeEvents(tenantID string, changes <-chan baas.Change) *streamed {
	return &streamed{func(hc huma.Context) {
		st := begin(hc, eventStream)
		err := st.write([]byte("retry: 2000\n"))
		if err == nil {
			err = st.event(baas.ChangeResync, baas.Change{TenantID: tenantID, Kind: baas.ChangeResync})
		}
		beat := time.NewTicker(s.Heartbeat)
		defer beat.Stop()
		for err == nil {
			select {
			case <-hc.Context().Done():
				return
			case <-beat.C:
				err = st.write([]byte(": still here\n\n"))
			case c, more := <-changes:
				if !more {
					return
				}
				err = st.event(c.Kind, c)
			}
		}
	}}
}

// archive streams a program's files and closes them. What fails breaks the connection short of the announced length.
func (s *server) archive(b baas.Bot, body io.ReadCloser) *streamed {
	return &streamed{func(hc huma.Context) {
		defer body.Close()
		_, w := humago.Unwrap(hc)
		kind := "application/gzip"
		if b.Files.Format == baas.FormatZip {
			kind = "application/zip"
		}
		h := w.Header()
		h.Set("Content-Length", strconv.FormatInt(b.Files.Size, 10))
		h.Set("ETag", strconv.Quote(b.Files.Digest))
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", cmp.Or(baas.Slug(b.Name), b.ID)+"."+string(b.Files.Format)))
		if _, err := io.Copy(begin(hc, kind), body); err != nil && hc.Context().Err() == nil {
			s.Log.WarnContext(hc.Context(), "sending a program's files", "request", requestID(hc.Context()), "bot", b.ID, "err", err)
			panic(http.ErrAbortHandler)
		}
	}}
}

// download streams a file.
func download(name, contentType string, write func(io.Writer) error) *streamed {
	return &streamed{func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
		st := begin(hc, contentType)
		_ = write(st.w) // the client is gone
	}}
}
