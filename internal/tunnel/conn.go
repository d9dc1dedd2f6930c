package tunnel

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"
)

// closeReplaced is the WebSocket close code for a connection that another one of the same Worker replaced.
const closeReplaced = websocket.StatusCode(4001)

const (
	keepAlive    = 28 * time.Second // below the usual idle limits of load balancers
	writeTimeout = 15 * time.Second
	silence      = keepAlive + writeTimeout
	// turns are the parts of a keepAlive in which some of the agents are asked: together, so that an idle process is woken
	// seldom, and not all at once.
	turns = 16
	// backlog bounds the streams that wait for the agent to accept them; it must pass the connections of one Transport.
	backlog = 256
)

// muxConfig is the same on both sides. Neither asks by itself whether the other is there: the hub asks all its agents.
func muxConfig(log *slog.Logger) *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = backlog
	c.EnableKeepAlive = false
	c.ConnectionWriteTimeout = writeTimeout
	c.StreamOpenTimeout = 30 * time.Second
	c.StreamCloseTimeout = time.Minute
	c.MaxStreamWindowSize = 512 << 10
	c.LogOutput = nil
	c.Logger = muxLogger{log}
	return c
}

// muxLogger brings yamux's remarks into the log at debug level: each is either harmless (a frame for a stream that was
// just closed) or ends the session, whose error is logged once by its owner.
type muxLogger struct{ log *slog.Logger }

func (l muxLogger) Print(v ...any) {
	l.log.Debug("yamux", "remark", strings.TrimSpace(fmt.Sprint(v...)))
}
func (l muxLogger) Println(v ...any) { l.Print(v...) }
func (l muxLogger) Printf(format string, v ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.Print(fmt.Sprintf(format, v...))
	}
}

// yamux frames: version, type, flags (2), stream (4), length (4).
const (
	frameHeader = 12
	frameData   = 0
	coalesceMax = 8 << 10
)

// framePool holds buffers for joined frames, shared by all connections because only few write at the same moment.
type framePool struct{ sync.Pool }

func newFramePool() *framePool {
	return &framePool{sync.Pool{New: func() any { return new(bytes.Buffer) }}}
}

// frameConn joins the header and the body of a small frame, which yamux writes one after the other, into one WebSocket
// message and so into one system call. Only yamux's send loop writes, so there is no lock.
type frameConn struct {
	net.Conn
	pool *framePool
	held [frameHeader]byte
	hold bool
}

func newFrameConn(ctx context.Context, ws *websocket.Conn, pool *framePool) *frameConn {
	return &frameConn{Conn: websocket.NetConn(ctx, ws, websocket.MessageBinary), pool: pool}
}

func (c *frameConn) Write(p []byte) (int, error) {
	if c.hold {
		c.hold = false
		b := c.pool.Get().(*bytes.Buffer)
		defer c.pool.Put(b)
		b.Reset()
		b.Write(c.held[:])
		b.Write(p)
		if _, err := c.Conn.Write(b.Bytes()); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	if len(p) == frameHeader && p[1] == frameData {
		if n := binary.BigEndian.Uint32(p[8:]); n > 0 && n <= coalesceMax {
			copy(c.held[:], p)
			c.hold = true
			return len(p), nil
		}
	}
	return c.Conn.Write(p)
}

var _ io.ReadWriteCloser = (*frameConn)(nil)
