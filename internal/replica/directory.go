package replica

import "github.com/baas-platform/baas/internal/tunnel"

// holding is one connection of an agent.
type holding struct {
	order   int64
	version string // of the agent
	via     *link  // to the replica that has it; nil is this one
	// transport reaches the agent through via. It is made when it is needed first.
	transport *tunnel.Transport
}

// directory is the connections of each Worker's agent, at most one of each replica.
type directory map[string][]*holding

// current is the connection that counts, nil when there is none.
func (d directory) current(worker string) (latest *holding) {
	for _, h := range d[worker] {
		if latest == nil || h.order > latest.order {
			latest = h
		}
	}
	return latest
}

// take removes the connection that a replica has.
func (d directory) take(worker string, via *link) {
	hs := d[worker]
	for i, h := range hs {
		if h.via == via {
			hs = append(hs[:i:i], hs[i+1:]...)
			break
		}
	}
	if d[worker] = hs; len(hs) == 0 {
		delete(d, worker)
	}
}

// put enters a connection in the place of the one that the same replica had. The caller holds the lock.
func (m *Mesh) put(worker string, h *holding) {
	m.change(worker, func() {
		m.agents.take(worker, h.via)
		m.agents[worker] = append(m.agents[worker], h)
	})
}

// drop removes the connection that a replica had. The caller holds the lock.
func (m *Mesh) drop(worker string, via *link) {
	m.change(worker, func() { m.agents.take(worker, via) })
}

// dropAll removes all connections that a replica had.
func (m *Mesh) dropAll(via *link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for worker, hs := range m.agents {
		for _, h := range hs {
			if h.via == via {
				m.drop(worker, via)
				break
			}
		}
	}
}

// change changes the directory and does what follows from it.
func (m *Mesh) change(worker string, change func()) {
	before := m.agents.current(worker)
	change()
	after := m.agents.current(worker)
	if before == after {
		if after != nil {
			m.displace(worker, after)
		}
		return
	}
	if before != nil && before.transport != nil {
		go before.transport.CloseIdleConnections() // may wait for a connection that is stuck
	}
	if after == nil {
		m.cfg.OnDisconnect(worker)
		return
	}
	m.displace(worker, after)
	m.cfg.OnConnect(worker, after.version)
}

// displace ends the connection of this replica that doesn't count any more.
func (m *Mesh) displace(worker string, current *holding) {
	for _, h := range m.agents[worker] {
		if h.via == nil && h != current {
			go m.cfg.Agents.Displace(worker, current.order)
		}
	}
}
