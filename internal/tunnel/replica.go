package tunnel

import "net"

// Dial opens a stream to the Worker's agent, on which it serves HTTP: what another control plane that holds no
// connection of the agent is given. baas.ErrUnavailable when it is not connected here.
func (h *Hub) Dial(workerID string) (net.Conn, error) {
	l, err := h.link(workerID)
	if err != nil {
		return nil, err
	}
	c, err := openStream(l.session)
	if err != nil {
		return nil, broke(err)
	}
	return c, nil
}

// Displace ends the Worker's connection if it came before the one of that order, which another control plane holds.
func (h *Hub) Displace(workerID string, order int64) {
	h.mu.Lock()
	l := h.conns[workerID]
	if l == nil || l.peer.Order >= order {
		h.mu.Unlock()
		return
	}
	if l.why == nil {
		l.why = errReplaced
	}
	h.mu.Unlock()
	l.close(errReplaced)
}
