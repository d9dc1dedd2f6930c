package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/baas-platform/baas/internal/agentapi"
)

// What is kept of a bot's output: logFiles files of about logFileBytes. A line longer than maxLogLine is cut into several.
const (
	logFiles     = 4
	logFileBytes = 4 << 20
	maxLogLine   = 16 << 10
)

// logBook is a bot's log: JSON lines in files with growing numbers, the highest being written. A file is never
// renamed, so a reader goes from one to the next without losing a line.
type logBook struct {
	dir       string
	fileBytes int64
	now       func() time.Time

	mu      sync.Mutex
	f       *os.File
	number  int
	size    int64
	written chan struct{} // closed and replaced after lines were written, while somebody waits
	waiting bool
	closed  bool
}

func newLogBook(dir string, now func() time.Time) *logBook {
	return &logBook{dir: dir, fileBytes: logFileBytes, now: now, written: make(chan struct{})}
}

// say writes a line of the agent.
func (l *logBook) say(format string, args ...any) { l.write("agent", fmt.Sprintf(format, args...)) }

// write adds lines. It never fails: a bot must not stop because its log can't be written, as on a full disk.
func (l *logBook) write(stream string, lines ...string) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	at := l.now().UTC()
	for _, t := range lines {
		_ = enc.Encode(agentapi.LogLine{At: at, Stream: stream, Text: t})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.f == nil || l.size >= l.fileBytes {
		if err := l.rotate(); err != nil {
			return
		}
	}
	n, _ := l.f.Write(buf.Bytes())
	l.size += int64(n)
	if n < buf.Len() { // a torn line: the next one begins in a new file
		l.size = l.fileBytes
	}
	if l.waiting {
		l.waiting = false
		close(l.written)
		l.written = make(chan struct{})
	}
}

// rotate begins the next file. After a restart it goes on with the last one if that is whole.
func (l *logBook) rotate() error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	numbers := l.files()
	if l.f == nil && len(numbers) > 0 {
		l.number = numbers[len(numbers)-1]
		if f, size, ok := reopen(l.path(l.number)); ok && size < l.fileBytes {
			l.f, l.size = f, size
			return nil
		}
	}
	f, err := os.OpenFile(l.path(l.number+1), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if l.f != nil {
		l.f.Close()
	}
	l.f, l.size, l.number = f, 0, l.number+1
	for _, n := range numbers {
		if n <= l.number-logFiles {
			_ = os.Remove(l.path(n))
		}
	}
	return nil
}

// reopen opens a file for appending if its last line is whole.
func reopen(path string) (*os.File, int64, bool) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, 0, false
	}
	st, err := f.Stat()
	if err == nil && st.Size() > 0 {
		var last [1]byte
		if _, err = f.ReadAt(last[:], st.Size()-1); err == nil && last[0] != '\n' {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		f.Close()
		return nil, 0, false
	}
	return f, st.Size(), true
}

func (l *logBook) path(n int) string { return filepath.Join(l.dir, fmt.Sprintf("%08d.jsonl", n)) }

// files lists the numbers of the files, growing.
func (l *logBook) files() []int {
	entries, _ := os.ReadDir(l.dir)
	var ns []int
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".jsonl"); ok {
			if n, err := strconv.Atoi(name); err == nil && n > 0 {
				ns = append(ns, n)
			}
		}
	}
	slices.Sort(ns)
	return ns
}

// release closes the file, so that the directory can be carried away. Writing opens it again; readers go on.
func (l *logBook) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		l.f.Close()
	}
	l.f, l.size, l.number = nil, 0, 0
}

// close ends the log and everybody who follows it.
func (l *logBook) close() {
	l.release()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.written)
	}
}

// wait gives a channel that is closed once there is more; ok is false when there won't be.
func (l *logBook) wait() (more <-chan struct{}, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = true
	return l.written, !l.closed
}

// logQuery asks for lines: the last tail ones (all when negative), not older than since, and then new ones with follow.
type logQuery struct {
	tail   int
	since  time.Time
	follow bool
}

// read hands encoded lines, each with its line end, to fn, and an empty one whenever it begins to wait for more.
func (l *logBook) read(ctx context.Context, q logQuery, fn func(line []byte) error) error {
	number, offset := l.tail(q.tail)
	r := logReader{book: l, number: number, offset: offset}
	defer r.close()
	for {
		more, open := l.wait() // before reading: what is written meanwhile wakes us
		for {
			line, err := r.next()
			if err != nil {
				return err
			}
			if line == nil {
				break
			}
			if !q.since.IsZero() {
				var h struct{ At time.Time }
				if json.Unmarshal(line, &h) != nil || h.At.Before(q.since) {
					continue
				}
			}
			if err := fn(line); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if !q.follow || !open {
			return nil
		}
		if err := fn(nil); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		}
	}
}

// tail finds where the last n lines begin, reading backwards.
func (l *logBook) tail(n int) (number int, offset int64) {
	files := l.files()
	if len(files) == 0 {
		return 1, 0
	}
	if n < 0 {
		return files[0], 0
	}
	buf := make([]byte, 16<<10)
	need := n + 1 // the line end before the first wanted line
	for i := len(files) - 1; i >= 0; i-- {
		f, err := os.Open(l.path(files[i]))
		if err != nil {
			continue
		}
		end, err := f.Seek(0, io.SeekEnd)
		for err == nil && end > 0 {
			part := buf[:min(int64(len(buf)), end)]
			if _, err = f.ReadAt(part, end-int64(len(part))); err != nil {
				break
			}
			for j := len(part) - 1; j >= 0; j-- {
				if part[j] == '\n' {
					if need--; need == 0 {
						f.Close()
						return files[i], end - int64(len(part)) + int64(j) + 1
					}
				}
			}
			end -= int64(len(part))
		}
		f.Close()
		if need == 1 { // exactly n lines are from here on
			return files[i], 0
		}
	}
	return files[0], 0
}

// logReader reads whole lines across files.
type logReader struct {
	book   *logBook
	number int
	offset int64
	f      *os.File
	buf    []byte // read and not given out
	space  []byte
}

func (r *logReader) close() {
	if r.f != nil {
		r.f.Close()
	}
}

// next gives a line, valid until the next call, or nil when there is none yet.
func (r *logReader) next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(r.buf, '\n'); i >= 0 {
			line := r.buf[:i+1]
			r.buf = r.buf[i+1:]
			if json.Valid(line) {
				return line, nil
			}
			continue
		}
		if r.f == nil {
			f, err := os.Open(r.book.path(r.number))
			if err != nil {
				if !r.skip() {
					return nil, nil
				}
				continue
			}
			r.f = f
		}
		if r.space == nil {
			r.space = make([]byte, 32<<10)
		}
		if len(r.buf) == len(r.space) { // a line longer than any that is written: not one of ours
			r.buf = r.buf[:0]
		}
		n := copy(r.space, r.buf)
		m, err := r.f.ReadAt(r.space[n:], r.offset)
		r.offset += int64(m)
		r.buf = r.space[:n+m]
		if m > 0 {
			continue
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading the log: %w", err)
		}
		if !r.skip() {
			return nil, nil
		}
	}
}

// skip goes on to the next file if there is one, leaving a torn last line behind.
func (r *logReader) skip() bool {
	for _, n := range r.book.files() {
		if n > r.number {
			if r.f != nil { // what came to its end between our reading it and looking for the next one
				if st, err := r.f.Stat(); err == nil && st.Size() > r.offset {
					return true
				}
			}
			r.close()
			r.f, r.number, r.offset, r.buf = nil, n, 0, nil
			return true
		}
	}
	return false
}

// pour writes what comes from a pipe as lines until its end. Long lines come in parts; bytes that are no UTF-8 are
// replaced.
func (l *logBook) pour(stream string, r io.Reader) {
	buf := make([]byte, 0, 4<<10)
	flush := func(final bool) {
		var lines []string
		for {
			i := bytes.IndexByte(buf, '\n')
			skip := 1
			if i < 0 && len(buf) >= maxLogLine {
				i, skip = maxLogLine, 0
			}
			if i > maxLogLine {
				i, skip = maxLogLine, 0
			}
			if i < 0 {
				break
			}
			lines = append(lines, strings.TrimSuffix(strings.ToValidUTF8(string(buf[:i]), "\uFFFD"), "\r"))
			buf = buf[:copy(buf, buf[i+skip:])]
		}
		if final && len(buf) > 0 {
			lines = append(lines, strings.ToValidUTF8(string(buf), "\uFFFD"))
		}
		if len(lines) > 0 {
			l.write(stream, lines...)
		}
	}
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, cap(buf))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		flush(err != nil)
		if err != nil {
			return
		}
	}
}
