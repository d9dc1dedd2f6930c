package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// maxDesired bounds a desired state, in bytes. Its parts are bounded where people write them.
const maxDesired = 32 << 20

// routes serves the protocol of package agentapi.
func (a *agent) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, fn func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := fn(w, r); err != nil {
				a.refuse(w, r, err)
			}
		})
	}
	handle("GET /v1/status", a.getStatus)
	handle("GET /v1/watch", a.watch)
	handle("PUT /v1/desired", a.putDesired)
	handle("PUT /v1/bots/{id}/files", a.putFiles)
	handle("GET /v1/bots/{id}/export", a.export)
	handle("PUT /v1/bots/{id}/import", a.imports)
	handle("DELETE /v1/bots/{id}", a.deleteBot)
	handle("GET /v1/bots/{id}/logs", a.logs)
	handle("POST /v1/channels", a.channels)
	handle("POST /v1/usage", a.usage)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, baas.Errorf(baas.CodeNotFound, "the agent has no %s %s", r.Method, r.URL.Path))
	})
	guarded := newTerms(time.Now).guard(mux, a.refuse)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Before the mux, which would clean the path: that is the bot's business.
		if id, rest, ok := botRequest(r.URL.Path); ok {
			a.proxy.serve(w, r, id, rest)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// statusOf is the HTTP status of a code.
func statusOf(c baas.Code) int {
	switch c {
	case baas.CodeInvalid, baas.CodeUnsupported:
		return http.StatusUnprocessableEntity
	case baas.CodeNotFound:
		return http.StatusNotFound
	case baas.CodeConflict:
		return http.StatusConflict
	case baas.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case baas.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func (a *agent) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is there any more
	}
	var e *baas.Error
	if !errors.As(err, &e) {
		e = &baas.Error{Code: baas.CodeInternal, Message: "the Worker's agent failed"}
		if errors.Is(err, errNoSpace) {
			e = &baas.Error{Code: baas.CodeConflict, Message: "the Worker's disk is full"}
		}
		a.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	message := e.Message
	for _, f := range e.Fields {
		message += fmt.Sprintf("; %s %s", f.Field, f.Message)
	}
	writeAnswer(w, statusOf(e.Code), agentapi.Error{Code: e.Code, Message: message})
}

func writeAnswer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func botID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !validID(id) {
		return "", baas.Errorf(baas.CodeInvalid, "%.80q is no id of a bot", id)
	}
	return id, nil
}

func (a *agent) status() agentapi.Status {
	a.looking.Lock() // one after the other, so that what is numbered later was seen later
	defer a.looking.Unlock()
	a.sequence++
	revision, bots := a.sup.report()
	return agentapi.Status{
		WorkerID: a.cfg.WorkerID, Version: a.cfg.Version, Protocol: agentapi.Protocol, Boot: a.boot, StartedAt: a.startedAt, Sequence: a.sequence,
		Revision: revision, Bots: bots, Stored: a.vol.stored(), Usage: a.sampler.present(),
	}
}

func (a *agent) getStatus(w http.ResponseWriter, _ *http.Request) error {
	writeAnswer(w, http.StatusOK, a.status())
	return nil
}

// watchUsage is how often a watcher is told of the present use when nothing else changes.
const watchUsage = time.Minute

func (a *agent) watch(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/x-ndjson")
	rc := http.NewResponseController(w)
	enc := json.NewEncoder(w)
	tick := time.NewTicker(watchUsage)
	defer tick.Stop()
	for {
		changed := a.sup.watchers.wait() // before looking
		if err := enc.Encode(a.status()); err != nil {
			return nil
		}
		if err := rc.Flush(); err != nil {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

func (a *agent) putDesired(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDesired))
	if err != nil {
		return baas.Errorf(baas.CodeTooLarge, "the desired state could not be read, or is larger than %d MiB", maxDesired>>20)
	}
	d, err := parseDesired(body)
	if err != nil {
		return err
	}
	if d.WorkerID != a.cfg.WorkerID {
		return baas.Errorf(baas.CodeInvalid, "this is what Worker %s should run, and this is Worker %s", d.WorkerID, a.cfg.WorkerID)
	}
	if err := a.sup.put(d); err != nil {
		return err
	}
	return a.getStatus(w, r)
}

// parseDesired reads a desired state; fields that this build doesn't know are a newer control plane's.
func parseDesired(body []byte) (agentapi.Desired, error) {
	var d agentapi.Desired
	if err := json.Unmarshal(body, &d); err != nil {
		return d, baas.Errorf(baas.CodeInvalid, "the desired state is no valid JSON document: %s", err)
	}
	return d, checkDesired(d)
}

func (a *agent) putFiles(w http.ResponseWriter, r *http.Request) error {
	id, err := botID(r)
	if err != nil {
		return err
	}
	art := baas.Artifact{Digest: r.Header.Get(agentapi.HeaderDigest), Format: baas.ArchiveFormat(r.Header.Get(agentapi.HeaderFormat))}
	if r.ContentLength > baas.MaxArtifact {
		return baas.Errorf(baas.CodeTooLarge, "the archive is larger than %d MiB", baas.MaxArtifact>>20)
	}
	unlock := a.changing(id)
	defer unlock()
	if err := a.vol.unpack(r.Context(), id, art, r.Body); err != nil {
		return err
	}
	if b := a.sup.bot(id); b != nil {
		b.poke()
	}
	a.sup.changed()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *agent) export(w http.ResponseWriter, r *http.Request) error {
	id, err := botID(r)
	if err != nil {
		return err
	}
	b := a.sup.bot(id)
	if b == nil || !b.report().Held || !b.tryTake() {
		return baas.Errorf(baas.CodeConflict, "the bot must be held and stopped before its directory can be exported")
	}
	defer b.give()
	if want, _ := b.snapshot(); want == nil || !want.Held { // changed before the directory was ours
		return baas.Errorf(baas.CodeConflict, "the bot is not held any more")
	}
	if _, err := os.Stat(a.vol.bot(id)); err != nil {
		if err := os.MkdirAll(a.vol.data(id), 0o700); err != nil { // it never ran here: an empty directory is what there is
			return fmt.Errorf("exporting: %w", err)
		}
	}
	b.log.release()
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set(agentapi.HeaderFileBytes, strconv.FormatInt(treeBytes(a.vol.bot(id)), 10))
	if err := a.vol.export(r.Context(), id, w); err != nil {
		a.log.Error("export failed", "bot", id, "error", err)
		panic(http.ErrAbortHandler) // the stream must not look whole
	}
	return nil
}

func (a *agent) imports(w http.ResponseWriter, r *http.Request) error {
	id, err := botID(r)
	if err != nil {
		return err
	}
	unlock := a.changing(id)
	defer unlock()
	runs := baas.Errorf(baas.CodeConflict, "the bot runs in this Worker, or should; its directory can't be replaced")
	b := a.sup.bot(id)
	if b != nil {
		if want, _ := b.snapshot(); want != nil && want.Run && !want.Held || !b.tryTake() {
			return runs
		}
		defer b.give()
		b.log.release()
	}
	limit := a.sup.diskLimit()
	if used, _, _ := a.disk.state(); limit > 0 {
		if limit -= used; limit <= 0 {
			return baas.Errorf(baas.CodeConflict, "the Worker's disk is full")
		}
	} else {
		limit = 1 << 62
	}
	ready := func() error {
		if b == nil && a.sup.bot(id) != nil {
			return runs // it was given to this Worker while the upload was on its way
		}
		return nil
	}
	if err := a.vol.imports(r.Context(), id, limit, r.Body, ready); err != nil {
		return err
	}
	a.sup.changed()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *agent) deleteBot(w http.ResponseWriter, r *http.Request) error {
	id, err := botID(r)
	if err != nil {
		return err
	}
	unlock := a.changing(id)
	defer unlock()
	a.sampler.sample() // before what it used is forgotten
	if err := a.sup.remove(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *agent) logs(w http.ResponseWriter, r *http.Request) error {
	id, err := botID(r)
	if err != nil {
		return err
	}
	q, err := parseLogQuery(r)
	if err != nil {
		return err
	}
	book := newLogBook(a.vol.logs(id), time.Now)
	if b := a.sup.bot(id); b != nil {
		book = b.log
	} else if _, err := os.Stat(a.vol.bot(id)); err != nil {
		return baas.Errorf(baas.CodeNotFound, "there is no such bot in this Worker")
	} else {
		q.follow = false
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	rc := http.NewResponseController(w)
	err = book.read(r.Context(), q, func(line []byte) error {
		if line == nil {
			return rc.Flush()
		}
		_, err := w.Write(line)
		return err
	})
	if err != nil && r.Context().Err() == nil {
		a.log.Info("log stream ended", "bot", id, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func parseLogQuery(r *http.Request) (logQuery, error) {
	q := logQuery{tail: -1}
	v := r.URL.Query()
	var p baas.Problems
	if s := v.Get("tail"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			p.Add("tail", "must be a number of lines, 0 or more")
		}
		q.tail = n
	}
	if s := v.Get("since"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			p.Add("since", "must be a time such as 2026-01-31T12:00:00Z")
		}
		q.since = t
	}
	if s := v.Get("follow"); s != "" {
		f, err := strconv.ParseBool(s)
		if err != nil {
			p.Add("follow", "must be true or false")
		}
		q.follow = f
	}
	return q, p.Err()
}

func (a *agent) usage(w http.ResponseWriter, r *http.Request) error {
	var q agentapi.UsageQuery
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxDesired)).Decode(&q); err != nil {
		return baas.Errorf(baas.CodeInvalid, "the question for usage is no valid JSON document")
	}
	if q.Limit < 1 || q.Limit > 100000 {
		return baas.Errorf(baas.CodeInvalid, "limit must be a number from 1 to 100000")
	}
	if err := a.meter.ack(q.Stored); err != nil {
		return err
	}
	report, err := a.meter.closed(q.Limit)
	if err != nil {
		return err
	}
	writeAnswer(w, http.StatusOK, report)
	return nil
}

// changing lets one request at a time change a bot's directory.
func (a *agent) changing(id string) (unlock func()) {
	for {
		a.mu.Lock()
		busy, ok := a.busy[id]
		if !ok {
			done := make(chan struct{})
			a.busy[id] = done
			a.mu.Unlock()
			return func() {
				a.mu.Lock()
				delete(a.busy, id)
				a.mu.Unlock()
				close(done)
			}
		}
		a.mu.Unlock()
		<-busy
	}
}

// botRequest takes "/v1/bots/ID/http/REST" apart.
func botRequest(path string) (id, rest string, ok bool) {
	tail, ok := strings.CutPrefix(path, "/v1/bots/")
	if !ok {
		return "", "", false
	}
	id, tail, ok = strings.Cut(tail, "/")
	if !ok || !strings.HasPrefix(tail, "http/") && tail != "http" {
		return "", "", false
	}
	return id, "/" + strings.TrimPrefix(strings.TrimPrefix(tail, "http"), "/"), true
}
