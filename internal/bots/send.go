package bots

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"
)

// refusal is what a platform's API answered instead of doing it.
type refusal struct {
	status int
	detail string
	after  time.Duration // to wait before the next try; 0 when it didn't say
	again  bool          // whether another try may succeed
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.detail) }

// call posts JSON and reads a bounded answer. refuse reads an answer that isn't 2xx.
func call(ctx context.Context, client *http.Client, url, bearer string, body any, refuse func(status int, raw []byte) *refusal) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return &refusal{detail: "the address of the API is not usable: " + err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err = io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 == 2 {
		return nil // the message is out, whatever became of the rest of the answer
	}
	if err != nil {
		raw = nil
	}
	return refuse(resp.StatusCode, raw)
}

// repeat calls send until it succeeds, is refused for good, or has been tried for cfg.SendFor; between tries it waits
// as the platform asks, or doubling from cfg.RetryDelay to a minute. It returns an error that wraps ctx's when ctx
// ended, and otherwise the last refusal.
func (a *assistant) repeat(ctx context.Context, send func(context.Context) error) error {
	deadline := time.NewTimer(a.cfg.SendFor)
	defer deadline.Stop()
	delay := a.cfg.RetryDelay
	for {
		err := send(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		wait := delay
		var r *refusal
		if errors.As(err, &r) {
			if !r.again {
				return err
			}
			wait = max(wait, r.after)
		}
		a.log.Warn("sending is repeated", "after", wait.String(), "error", a.errText(err))
		delay = min(2*delay, time.Minute)
		select {
		case <-time.After(wait):
		case <-deadline.C:
			return fmt.Errorf("giving up after %s: %w", a.cfg.SendFor, err)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// deliver sends what is left of an answer's parts. Its error means that ctx ended; an answer that can't be delivered
// is logged.
func (a *assistant) deliver(ctx context.Context, box *inbox, channel string, it item, parts []func(context.Context) error) error {
	for i := it.Sent; i < len(parts); i++ {
		err := a.repeat(ctx, parts[i])
		if ctx.Err() != nil && err != nil {
			return fmt.Errorf("sending an answer: %w", ctx.Err())
		}
		if err != nil {
			a.log.Error("an answer could not be delivered", "channel", channel, "conversation", it.Chat, "error", a.errText(err))
			return nil
		}
		box.sent(it.ID, i+1)
	}
	return nil
}

// split cuts a text into pieces of at most limit UTF-16 units, the measure of chat platforms, at the end of a line or
// word where one is near.
func split(s string, limit int) []string {
	var parts []string
	for s != "" {
		end := cut(s, limit)
		parts = append(parts, s[:end])
		s = s[end:]
	}
	return parts
}

// cut is where the first piece of s ends.
func cut(s string, limit int) int {
	units, line, word := 0, 0, 0
	for i, r := range s {
		n := 1
		if r > 0xFFFF {
			n = 2
		}
		if units+n > limit {
			switch {
			case line > i/2:
				return line
			case word > i/2:
				return word
			}
			return i
		}
		units += n
		switch r {
		case '\n':
			line = i + 1
		case ' ':
			word = i + 1
		}
	}
	return len(s)
}

// clip shortens a text to at most n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
