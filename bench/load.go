package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// conn is one keep-alive connection to a server. It sends bytes that were made before and reads answers with the
// standard parser: on a machine that also runs what is measured, a lighter client than net/http's takes less of it.
type conn struct {
	c net.Conn
	r *bufio.Reader
}

func dial(ctx context.Context, addr string) (*conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 16<<10)}, nil
}

// do sends a request and reads the whole answer.
func (c *conn) do(raw []byte) (status int, body []byte, err error) {
	if err := c.c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, nil, err
	}
	if _, err := c.c.Write(raw); err != nil {
		return 0, nil, fmt.Errorf("sending a request: %w", err)
	}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("reading an answer: %w", err)
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// rawRequest writes a request down. header holds names and values in turn.
func rawRequest(method, rawURL, body string, header ...string) (addr string, raw []byte, err error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, u.RequestURI(), u.Host)
	for i := 0; i+1 < len(header); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", header[i], header[i+1])
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return u.Host, b.Bytes(), nil
}

// loadResult is what a load generator saw.
type loadResult struct {
	took   times
	rate   float64 // answers a second
	errors int
	first  error // the first of the errors
}

// load is requests over some connections.
type load struct {
	addr  string
	conns int
	// request gives the i-th request. It is called from many goroutines.
	request func(i int64) []byte
	want    int // the status that is a success
	answer  func(body []byte)
}

// call sends the i-th request on c.
func (l load) call(c *conn, i int64) error {
	status, body, err := c.do(l.request(i))
	if err == nil && status != l.want {
		err = fmt.Errorf("status %d: %.200s", status, body)
	}
	if err == nil && l.answer != nil {
		l.answer(body)
	}
	return err
}

// each runs work on every connection at once and adds up what they saw.
func (l load) each(ctx context.Context, work func(c *conn, saw func(time.Duration, error)) error) (loadResult, error) {
	var res loadResult
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed error
	began := time.Now()
	for range l.conns {
		c, err := dial(ctx, l.addr)
		if err != nil {
			return res, fmt.Errorf("connecting to %s: %w", l.addr, err)
		}
		wg.Go(func() {
			defer c.c.Close()
			var mine times
			var errs int
			var first error
			err := work(c, func(d time.Duration, err error) {
				mine = append(mine, d)
				if err != nil {
					if errs++; first == nil {
						first = err
					}
				}
			})
			mu.Lock()
			defer mu.Unlock()
			res.took = append(res.took, mine...)
			res.errors += errs
			if res.first == nil {
				res.first = first
			}
			if failed == nil {
				failed = err
			}
		})
	}
	wg.Wait()
	res.rate = float64(len(res.took)-res.errors) / time.Since(began).Seconds()
	return res, failed
}

// closed sends the next request of each connection when the last was answered, for d.
func (l load) closed(ctx context.Context, d time.Duration) (loadResult, error) {
	until := time.Now().Add(d)
	var next atomic.Int64
	return l.each(ctx, func(c *conn, saw func(time.Duration, error)) error {
		for ctx.Err() == nil {
			start := time.Now()
			if start.After(until) {
				return nil
			}
			err := l.call(c, next.Add(1))
			saw(time.Since(start), err)
			if err != nil {
				return nil // the connection may be broken
			}
		}
		return ctx.Err()
	})
}

// open sends rate requests a second whether or not earlier ones were answered, for d. Each is timed from the moment
// it was due, so that a stall counts against every request that it delayed.
func (l load) open(ctx context.Context, rate int, d time.Duration) (loadResult, error) {
	total := int(d.Seconds() * float64(rate))
	due := make(chan time.Time, total)
	go func() {
		defer close(due)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		// The kernel may wake a sleeper this many nanoseconds late; its default of 50 µs would show in the numbers.
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
		defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }()
		start := time.Now().Add(50 * time.Millisecond) // once all are connected
		for i := range total {
			at := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
			for wait := time.Until(at); wait > 0; wait = time.Until(at) {
				ts := unix.NsecToTimespec(wait.Nanoseconds())
				_ = unix.Nanosleep(&ts, nil) // a signal: the loop looks again
			}
			due <- at
		}
	}()
	var next atomic.Int64
	return l.each(ctx, func(c *conn, saw func(time.Duration, error)) error {
		for at := range due {
			err := l.call(c, next.Add(1))
			saw(time.Since(at), err)
			if err != nil || ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	})
}
