package bots

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Bounds of what is remembered.
const (
	keepMessages      = 400     // of a conversation; twice as many as a model may be shown
	compactAt         = 1 << 20 // bytes of a conversation's file
	keepConversations = 20000
	keepFor           = 180 * 24 * time.Hour // without a message
)

// key names a conversation.
type key struct{ channel, chat string }

// file is the conversation's file name, safe whatever a platform uses as chat id.
func (k key) file() string {
	sum := sha256.Sum256([]byte(k.channel + "\x00" + k.chat))
	return hex.EncodeToString(sum[:]) + ".jsonl"
}

// role says who spoke.
type role string

const (
	roleSystem    role = "system"
	roleUser      role = "user"
	roleAssistant role = "assistant"
	roleReset     role = "reset" // the conversation begins anew here
)

// message is one line of a conversation.
type message struct {
	At      time.Time `json:"at"`
	Role    role      `json:"role"`
	Text    string    `json:"text,omitempty"`
	Ref     string    `json:"ref,omitempty"` // update of a platform
	Handoff bool      `json:"handoff,omitempty"`
}

// memory keeps conversations in a directory, one file of JSON lines each. Calls for one key must not overlap; keyLocks
// sees to it.
type memory struct {
	dir string
	now func() time.Time

	mu  sync.Mutex
	new int // conversations since the last pruning
}

func openMemory(dir string, now func() time.Time) (*memory, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory for conversations: %w", err)
	}
	m := &memory{dir: dir, now: now}
	return m, m.prune()
}

// read gives the conversation's messages, oldest first; none when there is no such conversation. A line that a kill
// cut short is left out.
func (m *memory) read(k key) ([]message, error) {
	raw, err := os.ReadFile(filepath.Join(m.dir, k.file()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a conversation: %w", err)
	}
	return parseLines[message](raw), nil
}

func parseLines[T any](raw []byte) []T {
	var all []T
	for line := range bytes.Lines(raw) {
		var v T
		if json.Unmarshal(line, &v) == nil {
			all = append(all, v)
		}
	}
	return all
}

// append adds messages, all or (after a kill) the first of them.
func (m *memory) append(k key, ms ...message) error {
	path := filepath.Join(m.dir, k.file())
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening a conversation: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening a conversation: %w", err)
	}
	size := info.Size()
	var buf bytes.Buffer
	if size > 0 && !endsLine(f, size) {
		buf.WriteByte('\n')
	}
	enc := json.NewEncoder(&buf)
	for _, msg := range ms {
		if err := enc.Encode(msg); err != nil {
			return fmt.Errorf("writing a conversation: %w", err)
		}
	}
	if _, err := f.Write(buf.Bytes()); err != nil {
		// A part of a line would be skipped when read, but a part of the messages must not stay.
		return errors.Join(fmt.Errorf("writing a conversation: %w", err), f.Truncate(size))
	}
	if size == 0 {
		return m.created()
	}
	if size+int64(buf.Len()) > compactAt {
		return m.compact(k)
	}
	return nil
}

// endsLine reports whether a file's last byte ends a line.
func endsLine(f *os.File, size int64) bool {
	var last [1]byte
	_, err := f.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}

// compact forgets all but the last messages.
func (m *memory) compact(k key) error {
	ms, err := m.read(k)
	if err != nil {
		return err
	}
	ms = ms[max(0, len(ms)-keepMessages):]
	// Long messages may pass the size with fewer; half of it is left, so that not every message compacts.
	var lines [][]byte
	total := 0
	for _, msg := range slices.Backward(ms) {
		line, err := json.Marshal(msg)
		if err != nil {
			return fmt.Errorf("compacting a conversation: %w", err)
		}
		if total += len(line) + 1; total > compactAt/2 {
			break
		}
		lines = append(lines, append(line, '\n'))
	}
	slices.Reverse(lines)
	return replaceFile(filepath.Join(m.dir, k.file()), bytes.Join(lines, nil))
}

// created counts a new conversation and prunes from time to time.
func (m *memory) created() error {
	m.mu.Lock()
	m.new++
	due := m.new >= keepConversations/20
	if due {
		m.new = 0
	}
	m.mu.Unlock()
	if due {
		return m.prune()
	}
	return nil
}

// prune deletes conversations that rested long, and the longest-resting beyond the number that is kept.
func (m *memory) prune() error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return fmt.Errorf("listing conversations: %w", err)
	}
	type file struct {
		name string
		at   time.Time
	}
	files := make([]file, 0, len(entries))
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			files = append(files, file{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(x, y file) int { return y.at.Compare(x.at) })
	for i, f := range files {
		if i >= keepConversations || m.now().Sub(f.at) > keepFor {
			if err := os.Remove(filepath.Join(m.dir, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("deleting an old conversation: %w", err)
			}
		}
	}
	return nil
}

// sinceReset is the part of a conversation after it last began anew.
func sinceReset(ms []message) []message {
	for i, m := range slices.Backward(ms) {
		if m.Role == roleReset {
			return ms[i+1:]
		}
	}
	return ms
}

// replaceFile writes a file so that after a kill it is the old one or the new one.
func replaceFile(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("replacing a file: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return fmt.Errorf("replacing a file: %w", err)
	}
	return nil
}

// keyLocks gives each conversation a lock of its own. The zero value is ready.
type keyLocks struct {
	mu    sync.Mutex
	locks map[key]*keyLock
}

type keyLock struct {
	ch    chan struct{} // holds one value while locked
	users int
}

// lock waits for the conversation until ctx ends.
func (l *keyLocks) lock(ctx context.Context, k key) (unlock func(), err error) {
	l.mu.Lock()
	if l.locks == nil {
		l.locks = map[key]*keyLock{}
	}
	e := l.locks[k]
	if e == nil {
		e = &keyLock{ch: make(chan struct{}, 1)}
		l.locks[k] = e
	}
	e.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		if e.users--; e.users == 0 {
			delete(l.locks, k)
		}
		l.mu.Unlock()
	}
	select {
	case e.ch <- struct{}{}:
		return func() { <-e.ch; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, fmt.Errorf("waiting for the message before: %w", ctx.Err())
	}
}
