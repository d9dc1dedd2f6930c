package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/baas-platform/baas"
)

// listenGrace is how long a bot with a port and no health check may take to listen before that is called unhealthy.
const listenGrace = 30 * time.Second

// probe keeps the bot's state true while p runs: starting until it first answers, then running or unhealthy. It sends
// a reason to unwell when the bot should be restarted.
func (b *bot) probe(ctx context.Context, p *process, port int, unwell chan<- string) {
	want, _ := b.snapshot()
	if want == nil {
		return
	}
	c := checkOf(want.Health)
	if want.Health == nil && port == 0 {
		b.set(baas.BotRunning, "runs")
		return
	}
	patience := time.Duration(c.failures) * c.every
	pause, slowest := 3*time.Millisecond, c.every
	if want.Health == nil {
		patience, slowest = listenGrace, time.Second
		c.TCP = true
	}
	if len(c.Command) > 0 {
		pause = min(time.Second, c.every) // a command costs more than a connection
	}
	began, up, failed := time.Now(), false, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.done:
			return
		case <-time.After(pause):
		}
		if want, _ := b.snapshot(); want != nil && want.Health != nil {
			c = checkOf(want.Health)
		}
		err := b.ask(ctx, c, port)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			up, failed = true, 0
			b.set(baas.BotRunning, "runs")
			if want.Health == nil {
				return
			}
			pause = c.every
			continue
		}
		if !up { // on its way up: ask often at first
			pause = min(pause*3/2, slowest, time.Second)
			if time.Since(began) < patience {
				continue
			}
			pause = slowest
		} else {
			pause = c.every
		}
		failed++
		if !up || failed >= c.failures {
			b.set(baas.BotUnhealthy, "%s", err)
		}
		if c.RestartAfter > 0 && failed >= c.RestartAfter {
			unwell <- fmt.Sprintf("its health check failed %d times in a row: %s", failed, err)
			return
		}
	}
}

// ask carries out one check. The error is for a person.
func (b *bot) ask(ctx context.Context, c check, port int) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	switch {
	case len(c.Command) > 0:
		return b.askCommand(ctx, c)
	case c.HTTP != "":
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+c.HTTP, nil)
		if err != nil {
			return fmt.Errorf("its health check's path %s is not valid", c.HTTP)
		}
		res, err := b.sup.probes.RoundTrip(req)
		if err != nil {
			return describe(err, port, c.limit, fmt.Sprintf("GET %s on port %d", c.HTTP, port))
		}
		res.Body.Close()
		if res.StatusCode < 200 || res.StatusCode > 299 {
			return fmt.Errorf("GET %s answered %s", c.HTTP, res.Status)
		}
		return nil
	default:
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return describe(err, port, c.limit, fmt.Sprintf("port %d", port))
		}
		conn.Close()
		return nil
	}
}

func describe(err error, port int, limit time.Duration, what string) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on port %d", port)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s did not answer within %s", what, limit)
	}
	return fmt.Errorf("%s did not answer properly", what)
}

// askCommand runs the check's command with the bot's files and environment.
func (b *bot) askCommand(ctx context.Context, c check) error {
	want, _ := b.snapshot()
	if want == nil {
		return nil
	}
	b.mu.Lock()
	l := b.launched
	b.mu.Unlock()
	l.args = c.Command
	p, err := b.spawn(context.WithoutCancel(ctx), l, nil)
	if err != nil {
		return fmt.Errorf("its health check %s can't be run: %w", c.Command[0], err)
	}
	b.sup.census.begin(p.pid, b.id)
	defer b.sup.census.end(p.pid)
	select {
	case <-p.done:
	case <-ctx.Done():
		b.sup.nursery.signal(p, syscall.SIGKILL)
		<-p.done
		b.meters.addCPU(p.cpu)
		return fmt.Errorf("its health check %s did not end within %s", c.Command[0], c.limit)
	}
	b.meters.addCPU(p.cpu)
	if code := p.exitCode(); code != 0 {
		return fmt.Errorf("its health check %s ended with code %d", c.Command[0], code)
	}
	return nil
}
