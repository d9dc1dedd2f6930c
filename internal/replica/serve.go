package replica

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	handshakeWait = 5 * time.Second
	writeWait     = 30 * time.Second // for a replica that doesn't read its announcements
	// A copy begins with a small buffer, because most streams wait nearly all of the time, and takes a larger one when
	// there is more to carry.
	bufferMin = 2 << 10
	bufferMax = 64 << 10
)

// accept takes the connections of other replicas until ctx ends.
func (m *Mesh) accept(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { m.cfg.Listener.Close() })
	defer stop()
	for {
		c, err := m.cfg.Listener.Accept()
		switch {
		case err == nil:
			m.running.Go(func() { m.serve(ctx, c) })
		case ctx.Err() != nil:
			return
		case errors.Is(err, net.ErrClosed):
			m.cfg.Log.Error("taking other replicas' connections", "err", err)
			return
		default: // too many open files and the like pass
			m.cfg.Log.Warn("taking another replica's connection", "err", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(retryMin):
			}
		}
	}
}

// serve answers the streams of one connection until it or ctx ends.
func (m *Mesh) serve(ctx context.Context, raw net.Conn) {
	defer raw.Close()
	c := tls.Server(raw, m.tls)
	handshake, cancel := context.WithTimeout(ctx, handshakeWait)
	err := c.HandshakeContext(handshake)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			m.cfg.Log.Warn("a connection of another replica is refused", "remote", raw.RemoteAddr(), "err", err)
		}
		return
	}
	session, err := yamux.Server(c, muxConfig())
	if err != nil {
		m.cfg.Log.Warn("starting another replica's session", "err", err)
		return
	}
	defer session.Close()
	defer context.AfterFunc(ctx, func() { session.Close() })()
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return
		}
		m.running.Go(func() {
			defer stream.Close()
			if err := m.answer(session, stream); err != nil && ctx.Err() == nil {
				m.cfg.Log.Debug("a stream of another replica", "remote", raw.RemoteAddr(), "err", err)
			}
		})
	}
}

// answer does what the stream's first line asks for.
func (m *Mesh) answer(session *yamux.Session, stream net.Conn) error {
	if err := stream.SetDeadline(time.Now().Add(replyWait)); err != nil {
		return err
	}
	line, err := readLine(stream)
	if err != nil {
		return err
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 3 && words[0] == askAgents:
		if _, err := fmt.Fprintln(stream, agreed, m.cfg.ID); err != nil {
			return err
		}
		m.meet(words[1], words[2])
		return m.tell(session, stream)
	case len(words) == 2 && words[0] == askWorker:
		agent, err := m.cfg.Agents.Dial(words[1])
		if err != nil {
			_, _ = fmt.Fprintln(stream, refused, "it isn't connected here")
			return err
		}
		defer agent.Close()
		if _, err := fmt.Fprintln(stream, agreed); err != nil {
			return err
		}
		if err := stream.SetDeadline(time.Time{}); err != nil {
			return err
		}
		pipe(stream, agent)
		return nil
	}
	_, err = fmt.Fprintln(stream, refused, "unknown request")
	return err
}

// pipe carries bytes both ways until one side ends.
func pipe(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		carry(a, b)
		a.Close()
		b.Close()
	}()
	carry(b, a)
	a.Close()
	b.Close()
	<-done
}

// carry copies until src ends or dst fails; which of them is no news, since both are closed then.
func carry(dst io.Writer, src io.Reader) {
	buf := make([]byte, bufferMin)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
		if n == len(buf) && n < bufferMax {
			buf = make([]byte, 4*n)
		}
	}
}

// watcher is a replica that is told of the agents of this one. What it has not been told yet is kept by Worker, so that
// a slow one costs no more than that.
type watcher struct {
	pending map[string]announcement
	wake    chan struct{} // holds one
}

// announce tells the watchers. The caller holds the lock.
func (m *Mesh) announce(a announcement) {
	for w := range m.watchers {
		w.pending[a.Worker] = a
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// tell writes announcements until the session ends.
func (m *Mesh) tell(session *yamux.Session, stream net.Conn) error {
	w := &watcher{pending: map[string]announcement{}, wake: make(chan struct{}, 1)}
	m.mu.Lock()
	for id, hs := range m.agents {
		for _, h := range hs {
			if h.via == nil {
				w.pending[id] = announcement{Worker: id, Version: h.version, Order: h.order}
			}
		}
	}
	m.watchers[w] = struct{}{}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.watchers, w)
		m.mu.Unlock()
	}()
	out := bufio.NewWriter(stream)
	lines := json.NewEncoder(out)
	first := true
	for {
		m.mu.Lock()
		batch := maps.Clone(w.pending)
		clear(w.pending)
		m.mu.Unlock()
		if err := stream.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
			return err
		}
		for _, a := range batch {
			if err := lines.Encode(a); err != nil {
				return err
			}
		}
		if first {
			if err := lines.Encode(announcement{Synced: true}); err != nil {
				return err
			}
			first = false
		}
		if err := out.Flush(); err != nil {
			return err
		}
		select {
		case <-w.wake:
		case <-session.CloseChan():
			return nil
		}
	}
}
