package engine

import (
	"context"
	"sync"
)

// Notifier hands the ids of changed machines to watchers, for engines to implement Watch with. The zero value is
// ready. Notify never blocks: for a watcher that lags behind, ids merge into one "", which stands for all.
type Notifier struct {
	mu       sync.Mutex
	watchers map[chan string]struct{}
}

// notifyBuffer is how many ids a watcher may lag behind before they merge.
const notifyBuffer = 256

// Watch subscribes until ctx ends; the channel is closed then.
func (n *Notifier) Watch(ctx context.Context) <-chan string {
	c := make(chan string, notifyBuffer)
	n.mu.Lock()
	if n.watchers == nil {
		n.watchers = map[chan string]struct{}{}
	}
	n.watchers[c] = struct{}{}
	n.mu.Unlock()
	context.AfterFunc(ctx, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.watchers, c)
		close(c)
	})
	return c
}

// Notify tells every watcher that the machine may have changed; "" says that any may have.
func (n *Notifier) Notify(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.watchers {
		select {
		case c <- id:
			continue
		default:
		}
		// The buffer is full. Its contents mean no more than "", so they make room for it. Only this function sends,
		// and under the lock, so the send below finds room.
		for len(c) > 0 {
			select {
			case <-c:
			default:
			}
		}
		c <- ""
	}
}
