package agent

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// termSilence is how long nothing of a term must have been heard before a lower one counts again, as after the clock of
// the control planes' database was set back. One that is in charge watches its agents all the time.
const termSilence = 30 * time.Second

// terms lets requests of one control plane at a time work. One that lost its lease without noticing, because its machine
// stood still, finds its requests ended and new ones refused as soon as its successor has said a word.
type terms struct {
	now func() time.Time

	mu      sync.Mutex
	current *term
}

// term is one control plane's time of being in charge.
type term struct {
	number   int64
	heard    time.Time
	requests map[int]context.CancelFunc
	count    int
	over     bool
	ended    chan struct{}   // closed when it is over and the last of its requests has ended
	before   <-chan struct{} // ended of the term before
}

func newTerms(now func() time.Time) *terms {
	past := make(chan struct{})
	close(past)
	t := &terms{now: now}
	t.current = &term{requests: map[int]context.CancelFunc{}, ended: make(chan struct{}), before: past}
	return t
}

// enter admits a request that names its term, once those of lower terms have ended. The request goes on with the returned
// context, until leave; end is called should its term be over before.
func (t *terms) enter(ctx context.Context, number int64, end func()) (_ context.Context, leave func(), err error) {
	t.mu.Lock()
	now, k := t.now(), t.current
	if number < k.number && (len(k.requests) > 0 || now.Sub(k.heard) < termSilence) {
		t.mu.Unlock()
		return nil, nil, baas.Errorf(baas.CodeUnavailable, "another control plane is in charge of this Worker now")
	}
	if number != k.number {
		k.over = true
		for _, cancel := range k.requests {
			cancel()
		}
		if len(k.requests) == 0 {
			close(k.ended)
		}
		k = &term{number: number, requests: map[int]context.CancelFunc{}, ended: make(chan struct{}), before: k.ended}
		t.current = k
	}
	k.heard = now
	ctx, cancel := context.WithCancel(ctx)
	id := k.count
	k.count++
	k.requests[id] = func() { cancel(); end() }
	t.mu.Unlock()
	leave = func() {
		cancel()
		t.mu.Lock()
		defer t.mu.Unlock()
		k.heard = t.now()
		if delete(k.requests, id); k.over && len(k.requests) == 0 {
			close(k.ended)
		}
	}
	select {
	case <-k.before:
		return ctx, leave, nil
	case <-ctx.Done():
		leave()
		return nil, nil, &baas.Error{Code: baas.CodeUnavailable, Message: "the control plane before this one has not ended its work", Err: ctx.Err()}
	}
}

// guard passes on what is of no term, and what is of the present one.
func (t *terms) guard(h http.Handler, refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := r.Header.Get(agentapi.HeaderTerm)
		if text == "" {
			h.ServeHTTP(w, r)
			return
		}
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			refuse(w, r, baas.Errorf(baas.CodeInvalid, "header %s must be a number", agentapi.HeaderTerm))
			return
		}
		// A handler that waits for a body doesn't look at its context.
		end := func() { _ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) }
		ctx, leave, err := t.enter(r.Context(), number, end)
		if err != nil {
			refuse(w, r, err)
			return
		}
		defer leave()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}
