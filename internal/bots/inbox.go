package bots

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
)

// Bounds of an inbox.
const (
	inboxSeen    = 10000   // ids that are known as duplicates
	inboxPending = 5000    // updates that wait
	inboxFile    = 8 << 20 // bytes until the file is written anew
	inboxWorkers = 16      // chats that are worked on at once
)

// errInboxFull refuses updates until some are worked off; the platform sends them again.
var errInboxFull = errors.New("too many updates wait")

// item is one accepted update.
type item struct {
	ID   string          `json:"id"`
	Chat string          `json:"chat"` // items of one chat are handled in order, one at a time
	Body json.RawMessage `json:"body"`
	Sent int             `json:"-"` // parts of the answer that were sent already
}

// record is a line of the inbox's file.
type record struct {
	In   *item    `json:"in,omitempty"`   // accepted
	Sent int      `json:"sent,omitempty"` // so many parts of ID are sent
	Done bool     `json:"done,omitempty"` // ID is handled
	ID   string   `json:"id,omitempty"`
	Seen []string `json:"seen,omitempty"` // ids from before the file was written anew
}

// handler works an item off. Its error means that it was cut short and the item stays; what can't be done at all is
// the handler's to log.
type handler func(ctx context.Context, it item) error

// inbox keeps updates in a file from the moment they are accepted until they are handled. After a kill it goes on
// with what isn't handled.
type inbox struct {
	path   string
	log    *slog.Logger
	handle handler
	slots  chan struct{}
	work   sync.WaitGroup

	mu      sync.Mutex
	file    *os.File
	size    int64
	seen    map[string]bool
	order   []string           // of seen, oldest first
	pending map[string]*item   // by id
	queues  map[string][]*item // by chat; the first is being handled while running
	ctx     context.Context    // of run; nil before
}

func openInbox(path string, log *slog.Logger, h handler) (*inbox, error) {
	b := &inbox{
		path: path, log: log, handle: h, slots: make(chan struct{}, inboxWorkers),
		seen: map[string]bool{}, pending: map[string]*item{}, queues: map[string][]*item{},
	}
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the inbox: %w", err)
	}
	var ids []string
	for _, r := range parseLines[record](raw) {
		switch {
		case r.In != nil && !b.seen[r.In.ID]:
			b.see(r.In.ID)
			b.pending[r.In.ID] = r.In
			ids = append(ids, r.In.ID)
		case r.Done:
			delete(b.pending, r.ID)
		case r.Sent > 0 && b.pending[r.ID] != nil:
			b.pending[r.ID].Sent = r.Sent
		}
		for _, id := range r.Seen {
			b.see(id)
		}
	}
	for _, id := range ids {
		if it := b.pending[id]; it != nil {
			b.queues[it.Chat] = append(b.queues[it.Chat], it)
		}
	}
	return b, b.rewrite()
}

// see remembers an id as known; mu is held.
func (b *inbox) see(id string) {
	if b.seen[id] {
		return
	}
	b.seen[id] = true
	if b.order = append(b.order, id); len(b.order) > inboxSeen {
		delete(b.seen, b.order[0])
		b.order = b.order[1:]
	}
}

// accept keeps the items that are new. When it returns nil they survive a kill of process and machine.
func (b *inbox) accept(items ...item) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var records []record
	batch := map[string]bool{}
	for _, it := range items {
		if !b.seen[it.ID] && !batch[it.ID] {
			batch[it.ID] = true
			records = append(records, record{In: &it})
		}
	}
	if len(records) == 0 {
		return nil
	}
	if len(b.pending)+len(records) > inboxPending {
		return errInboxFull
	}
	if err := b.write(true, records...); err != nil {
		return err
	}
	for _, r := range records {
		b.see(r.In.ID)
		b.pending[r.In.ID] = r.In
		b.enqueue(r.In)
	}
	return nil
}

// enqueue puts an item behind those of its chat; mu is held.
func (b *inbox) enqueue(it *item) {
	q := append(b.queues[it.Chat], it)
	b.queues[it.Chat] = q
	if len(q) == 1 && b.ctx != nil && b.ctx.Err() == nil {
		b.startChat(it.Chat)
	}
}

func (b *inbox) startChat(chat string) {
	ctx := b.ctx
	b.work.Go(func() { b.drain(ctx, chat) })
}

// run handles items until ctx ends, and returns when the last handler has.
func (b *inbox) run(ctx context.Context) {
	b.mu.Lock()
	b.ctx = ctx
	for chat := range b.queues {
		b.startChat(chat)
	}
	b.mu.Unlock()
	<-ctx.Done()
	// Whoever still holds mu may start a chat; behind it nobody does.
	b.mu.Lock()
	b.mu.Unlock() //nolint:staticcheck // an empty section is the point
	b.work.Wait()
}

// drain handles a chat's items until there are none.
func (b *inbox) drain(ctx context.Context, chat string) {
	for {
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		b.mu.Lock()
		it := *b.queues[chat][0]
		b.mu.Unlock()
		err := b.handle(ctx, it)
		<-b.slots
		if err != nil {
			// Only the end of ctx cuts a handler short.
			b.log.Info("an update waits for the next start", "reason", err)
			return
		}
		if !b.done(chat, it.ID) {
			return
		}
	}
}

// done forgets the first item of a chat and reports whether another waits.
func (b *inbox) done(chat, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pending, id)
	rest := b.queues[chat][1:]
	if len(rest) == 0 {
		delete(b.queues, chat)
	} else {
		b.queues[chat] = slices.Clone(rest)
	}
	// Without this line the item would be handled again after a restart, where its turn is known.
	if err := b.write(false, record{Done: true, ID: id}); err != nil {
		b.log.Error("an update may be answered twice", "error", err)
	}
	return len(rest) > 0
}

// sent remembers how many parts of an item's answer were sent.
func (b *inbox) sent(id string, parts int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if it := b.pending[id]; it != nil {
		it.Sent = parts
	}
	if err := b.write(false, record{Sent: parts, ID: id}); err != nil {
		b.log.Error("a part of an answer may be sent twice", "error", err)
	}
}

// write appends records, all or none; mu is held.
func (b *inbox) write(durable bool, rs ...record) error {
	if b.file == nil {
		return errors.New("the inbox is closed")
	}
	if b.size > inboxFile {
		if err := b.rewrite(); err != nil {
			return err
		}
	}
	raw, err := encodeLines(rs)
	if err != nil {
		return err
	}
	if _, err = b.file.Write(raw); err == nil && durable {
		err = b.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing the inbox: %w", err), b.file.Truncate(b.size))
	}
	b.size += int64(len(raw))
	return nil
}

func encodeLines(rs []record) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	for _, r := range rs {
		if err := enc.Encode(r); err != nil {
			return nil, fmt.Errorf("writing the inbox: %w", err)
		}
	}
	return buf.Bytes(), nil
}

// rewrite writes the file anew with what still matters; mu is held.
func (b *inbox) rewrite() error {
	var rs []record
	var seen []string
	for _, id := range b.order {
		if b.pending[id] == nil {
			seen = append(seen, id)
		}
	}
	if len(seen) > 0 {
		rs = append(rs, record{Seen: seen})
	}
	// Within a chat the order counts; queues hold it.
	for _, q := range b.queues {
		for _, it := range q {
			rs = append(rs, record{In: it})
			if it.Sent > 0 {
				rs = append(rs, record{Sent: it.Sent, ID: it.ID})
			}
		}
	}
	raw, err := encodeLines(rs)
	if err != nil {
		return err
	}
	if err := replaceFile(b.path, raw); err != nil {
		return err
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the inbox: %w", err)
	}
	if b.file != nil {
		b.file.Close()
	}
	b.file, b.size = f, int64(len(raw))
	return nil
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file != nil {
		b.file.Close()
		b.file = nil
	}
}
