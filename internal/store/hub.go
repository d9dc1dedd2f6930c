package store

import (
	"context"
	"sync"

	"github.com/baas-platform/baas"
)

// subscriberBuffer is how many changes a subscriber may fall behind before it is sent a resync instead.
const subscriberBuffer = 256

// hub hands changes to the subscribers of this process.
type hub struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{}
	closed bool
}

// subscriber is one channel with room for subscriberBuffer changes and a resync.
type subscriber struct {
	ch   chan baas.Change
	lost bool // a resync is in the channel and stands for everything since
}

func newHub() *hub { return &hub{subs: map[*subscriber]struct{}{}} }

func (h *hub) subscribe(ctx context.Context) <-chan baas.Change {
	s := &subscriber{ch: make(chan baas.Change, subscriberBuffer+1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(s.ch)
		return s.ch
	}
	h.subs[s] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, ok := h.subs[s]; ok {
			delete(h.subs, s)
			close(s.ch)
		}
	})
	return s.ch
}

func (h *hub) publish(changes ...baas.Change) {
	if len(changes) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		for _, c := range changes {
			s.send(c)
		}
	}
}

// send never blocks; the caller holds the hub's lock, so it is the only sender.
func (s *subscriber) send(c baas.Change) {
	if s.lost {
		// Changes from before the resync is read are covered by it. An empty channel means that it was.
		if len(s.ch) > 0 {
			return
		}
		s.lost = false
	}
	if len(s.ch) == subscriberBuffer {
		s.lost = true
		c = baas.Change{Kind: baas.ChangeResync}
	}
	s.ch <- c
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		delete(h.subs, s)
		close(s.ch)
	}
}
