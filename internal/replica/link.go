package replica

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/baas-platform/baas"
)

const (
	dialWait  = 5 * time.Second  // for a connection to another replica
	replyWait = 10 * time.Second // for its answer to the first line of a stream
	retryMin  = 100 * time.Millisecond
	retryMax  = 2 * time.Second
)

// The first line of a stream, and the answer to it. A refusal is refused and a reason.
const (
	askAgents = "agents" // and the id and address of who asks: announcements follow
	askWorker = "worker" // and a Worker's id: the agent's stream follows
	agreed    = "ok"     // and, for agents, the id of who answers
	refused   = "no"
	maxLine   = 512
)

// announcement is one line of what a replica says about the agents that it holds.
type announcement struct {
	Worker  string `json:"worker,omitempty"`
	Version string `json:"version,omitempty"`
	Order   int64  `json:"order,omitempty"`
	Gone    bool   `json:"gone,omitempty"`
	Synced  bool   `json:"synced,omitempty"` // all agents of the moment of asking have been told
}

// link is a connection to another replica, on which this one opens the streams.
type link struct{ session *yamux.Session }

// muxConfig is the same on both sides. A replica that is silent for half a minute counts as gone.
func muxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = 4096
	c.KeepAliveInterval = 5 * time.Second
	c.ConnectionWriteTimeout = 10 * time.Second
	c.StreamOpenTimeout = 15 * time.Second
	c.StreamCloseTimeout = time.Minute
	c.MaxStreamWindowSize = 1 << 20
	c.LogOutput = io.Discard // each remark ends the session, whose error is logged, or is about a stream that was just closed
	return c
}

// open gives a stream to a Worker's agent that the other replica holds.
func (l *link) open(ctx context.Context, workerID string) (net.Conn, error) {
	stream, _, err := l.ask(ctx, askWorker, workerID)
	return stream, err
}

// ask opens a stream, says its first line and gives what follows the answer's first word.
func (l *link) ask(ctx context.Context, words ...string) (_ net.Conn, answer string, err error) {
	stream, err := l.session.OpenStream()
	if err != nil {
		return nil, "", fmt.Errorf("opening a stream to another replica: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			stream.Close()
		}
	}()
	if err := stream.SetDeadline(time.Now().Add(replyWait)); err != nil {
		return nil, "", fmt.Errorf("asking another replica: %w", err)
	}
	if _, err := io.WriteString(stream, strings.Join(words, " ")+"\n"); err != nil {
		return nil, "", fmt.Errorf("asking another replica: %w", err)
	}
	line, err := readLine(stream)
	if err != nil {
		return nil, "", fmt.Errorf("asking another replica: %w", err)
	}
	word, rest, _ := strings.Cut(line, " ")
	if word != agreed {
		return nil, "", &baas.Error{Code: baas.CodeUnavailable, Message: "the Worker is not connected", Err: fmt.Errorf("another replica refuses: %s", rest)}
	}
	return stream, rest, stream.SetDeadline(time.Time{})
}

// readLine reads a short line and nothing behind it.
func readLine(r io.Reader) (string, error) {
	var line []byte
	var b [1]byte
	for len(line) < maxLine {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[0])
	}
	return "", errors.New("the line is too long")
}

// follow keeps a link to another replica until ctx ends.
func (m *Mesh) follow(ctx context.Context, id string, o *member) {
	wait := retryMin
	for {
		began := time.Now()
		err := m.once(ctx, id, o)
		m.mu.Lock()
		was := o.synced
		o.synced, o.tried = false, true
		m.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > retryMax {
			wait = retryMin
		}
		if was || wait == retryMin {
			m.cfg.Log.Warn("another replica can't be reached", "replica", id, "address", o.address, "err", err)
		}
		pause := time.NewTimer(wait + rand.N(wait))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		wait = min(2*wait, retryMax)
	}
}

// once connects to another replica and takes its announcements until the connection ends.
func (m *Mesh) once(ctx context.Context, id string, o *member) error {
	dial, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	c, err := (&tls.Dialer{Config: m.tls}).DialContext(dial, "tcp", o.address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	session, err := yamux.Client(c, muxConfig())
	if err != nil {
		c.Close()
		return fmt.Errorf("starting the session: %w", err)
	}
	defer session.Close()
	defer context.AfterFunc(ctx, func() { session.Close() })()
	l := &link{session}
	stream, answer, err := l.ask(ctx, askAgents, m.cfg.ID, m.cfg.Address)
	if err != nil {
		return err
	}
	if answer != id {
		return fmt.Errorf("there is the replica %q now", answer)
	}
	defer m.dropAll(l)
	lines := json.NewDecoder(bufio.NewReader(stream))
	for {
		var a announcement
		if err := lines.Decode(&a); err != nil {
			return fmt.Errorf("the connection is lost: %w", err)
		}
		m.mu.Lock()
		switch {
		case a.Synced:
			o.synced = true
			m.cfg.Log.Info("joined another replica", "replica", id, "address", o.address)
		case a.Gone:
			m.drop(a.Worker, l)
		default:
			m.put(a.Worker, &holding{order: a.Order, version: a.Version, via: l})
		}
		m.mu.Unlock()
	}
}

// greet says that this replica is there, and follows those that are.
func (m *Mesh) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTTL/2)
	defer cancel()
	now, err := m.cfg.Registry.Clock(ctx)
	if err != nil {
		return err
	}
	if _, err := m.cfg.Registry.Lease(ctx, leasePrefix+m.cfg.ID, m.cfg.Address, now, leaseTTL); err != nil {
		return err
	}
	leases, err := m.cfg.Registry.Leases(ctx, leasePrefix, now)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for name, address := range leases {
		id := strings.TrimPrefix(name, leasePrefix)
		there[id] = true
		m.meet(id, address)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, o := range m.members {
		if !there[id] && !o.synced { // one that we hear of is there, whatever the database says
			o.stop()
			delete(m.members, id)
		}
	}
	return nil
}

// meet begins to follow a replica that isn't known yet.
func (m *Mesh) meet(id, address string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id == m.cfg.ID || m.members[id] != nil || m.ctx == nil || m.ctx.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(m.ctx)
	o := &member{address: address, stop: stop}
	m.members[id] = o
	m.running.Go(func() { m.follow(ctx, id, o) })
}

// leave says that this replica isn't there any more.
func (m *Mesh) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	now, err := m.cfg.Registry.Clock(ctx)
	if err == nil {
		_, err = m.cfg.Registry.Lease(ctx, leasePrefix+m.cfg.ID, m.cfg.Address, now, 0)
	}
	if err != nil {
		m.cfg.Log.Warn("leaving the other replicas", "err", err)
	}
}

// awaitFirst waits until every replica's agents are known, or it can't be reached, or startWait is over.
func (m *Mesh) awaitFirst(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		m.mu.Lock()
		waiting := false
		for _, o := range m.members {
			waiting = waiting || !o.synced && !o.tried
		}
		m.mu.Unlock()
		if !waiting {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
