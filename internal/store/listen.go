package store

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/baas-platform/baas"
)

const (
	// changesChannel is the PostgreSQL channel that changes are announced on.
	changesChannel = "baas_changes"
	// maxNotification is below PostgreSQL's limit of 8000 bytes.
	maxNotification = 7000
	// aliveEvery is how often a silent connection is asked whether it still is one.
	aliveEvery = 30 * time.Second
)

// notify announces changes with the commit of the transaction.
func notify(ctx context.Context, c conn, changes []baas.Change) error {
	for len(changes) > 0 {
		n := len(changes)
		payload, err := json.Marshal(changes)
		for err == nil && len(payload) > maxNotification && n > 1 {
			n /= 2
			payload, err = json.Marshal(changes[:n])
		}
		if err == nil {
			_, err = c.exec(ctx, "SELECT pg_notify('"+changesChannel+"', ?)", string(payload))
		}
		if err != nil {
			return doing("announcing changes", err)
		}
		changes = changes[n:]
	}
	return nil
}

// listener hands the changes that any process commits to the hub.
type listener struct {
	stop context.CancelFunc
	done chan struct{}
}

// listen returns once changes arrive.
func listen(ctx context.Context, cfg *pgx.ConnConfig, log *slog.Logger, h *hub) (*listener, error) {
	c, err := connectListener(ctx, cfg)
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	l := &listener{stop: stop, done: make(chan struct{})}
	go l.run(run, c, cfg, log, h)
	return l, nil
}

func connectListener(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, cfg.Copy())
	if err != nil {
		return nil, fmt.Errorf("connecting for changes: %w", err)
	}
	if _, err := c.Exec(ctx, "LISTEN "+changesChannel); err != nil {
		c.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("listening for changes: %w", err)
	}
	return c, nil
}

func (l *listener) run(ctx context.Context, c *pgx.Conn, cfg *pgx.ConnConfig, log *slog.Logger, h *hub) {
	defer close(l.done)
	for {
		err := receive(ctx, c, h)
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		c.Close(closing)
		cancel()
		if ctx.Err() != nil {
			return
		}
		log.WarnContext(ctx, "the connection for changes was lost; connecting again", "error", err)
		for repeats := 0; ; repeats++ {
			if c, err = connectListener(ctx, cfg); err == nil {
				break
			}
			if pause(ctx, repeats) != nil {
				return
			}
		}
		h.publish(baas.Change{Kind: baas.ChangeResync}) // what was announced in between is lost
	}
}

// receive publishes notifications until the connection fails or ctx ends.
func receive(ctx context.Context, c *pgx.Conn, h *hub) error {
	for {
		wait, cancel := context.WithTimeout(ctx, aliveEvery)
		n, err := c.WaitForNotification(wait)
		silent := wait.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			var changes []baas.Change
			if json.Unmarshal([]byte(n.Payload), &changes) != nil {
				changes = []baas.Change{{Kind: baas.ChangeResync}} // another build's format
			}
			h.publish(changes...)
		case silent && !c.IsClosed():
			ping, cancel := context.WithTimeout(ctx, aliveEvery)
			err := c.Ping(ping)
			cancel()
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func (l *listener) close() {
	l.stop()
	<-l.done
}
