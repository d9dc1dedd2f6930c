package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// volume is the Worker's directory. Its methods name paths and do what must be atomic.
type volume struct{ root string }

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// validID reports whether id can name a bot's directory.
func validID(id string) bool { return idPattern.MatchString(id) }

func (v volume) agent(parts ...string) string {
	return filepath.Join(append([]string{v.root, "agent"}, parts...)...)
}
func (v volume) bots() string            { return filepath.Join(v.root, "bots") }
func (v volume) bot(id string) string    { return filepath.Join(v.root, "bots", id) }
func (v volume) data(id string) string   { return filepath.Join(v.bot(id), "data") }
func (v volume) logs(id string) string   { return filepath.Join(v.bot(id), "logs") }
func (v volume) apps(id string) string   { return filepath.Join(v.bot(id), "app") }
func (v volume) lock(id string) string   { return v.agent("bots", id+".lock") }
func (v volume) memory(id string) string { return v.agent("bots", id+".json") }
func (v volume) conf(id string) string   { return v.agent("bots", id+".conf") }
func (v volume) tmp() string             { return v.agent("tmp") }

// open makes the directories, waits until no other agent uses the volume, and clears what was left half-done. The
// file that it returns holds the lock until it is closed.
func (v volume) open(ctx context.Context) (*os.File, error) {
	for _, d := range []string{v.agent("bots"), v.agent("usage"), v.tmp(), v.bots()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("preparing the volume: %w", err)
		}
	}
	lock, err := os.OpenFile(v.agent("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("preparing the volume: %w", err)
	}
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			lock.Close()
			return nil, fmt.Errorf("locking the volume: %w", err)
		}
		select {
		case <-ctx.Done():
			lock.Close()
			return nil, fmt.Errorf("another agent uses the volume %s: %w", v.root, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	if err := errors.Join(v.recover(), removeAll(v.tmp()), os.Mkdir(v.tmp(), 0o700)); err != nil {
		lock.Close()
		return nil, fmt.Errorf("clearing the volume: %w", err)
	}
	return lock, nil
}

// stored lists the ids of bots that have a directory.
func (v volume) stored() []string {
	entries, err := os.ReadDir(v.bots())
	if err != nil {
		return []string{}
	}
	ids := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.IsDir() && validID(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	slices.Sort(ids)
	return ids
}

// oldPrefix marks what is being replaced, between two renames.
const oldPrefix = ".old-"

// replace puts the directory dir in the place of target, which may exist, and makes that durable. A crash leaves
// either the one or the other there, once recover has run.
func (v volume) replace(dir, target string) error {
	old := filepath.Join(filepath.Dir(target), oldPrefix+filepath.Base(target))
	if err := removeAll(old); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, target, unix.RENAME_EXCHANGE)
	switch {
	case err == nil: // dir now holds the old one
		old = dir
	case errors.Is(err, unix.ENOENT):
		if err := os.Rename(dir, target); err != nil {
			return err
		}
		old = ""
	default: // a file system without exchange
		if err := os.Rename(target, old); err != nil {
			return err
		}
		if err := os.Rename(dir, target); err != nil {
			return errors.Join(err, os.Rename(old, target))
		}
	}
	if err := syncDir(filepath.Dir(target)); err != nil {
		return err
	}
	if old != "" {
		return removeAll(old)
	}
	return nil
}

// recover puts back the directories of bots whose replacement was interrupted.
func (v volume) recover() error {
	entries, err := os.ReadDir(v.bots())
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, ok := strings.CutPrefix(e.Name(), oldPrefix)
		if !ok {
			continue
		}
		old := filepath.Join(v.bots(), e.Name())
		if _, err := os.Lstat(v.bot(id)); errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(old, v.bot(id))
			if err != nil {
				return err
			}
			continue
		}
		if err := removeAll(old); err != nil {
			return err
		}
	}
	return nil
}

// discard takes a directory out of sight at once and then deletes it. No error when it is absent.
func (v volume) discard(target string) error {
	dir, err := os.MkdirTemp(v.tmp(), "gone-")
	if err != nil {
		return err
	}
	if err := os.Rename(target, filepath.Join(dir, "x")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, os.Remove(dir))
	}
	if err := syncDir(filepath.Dir(target)); err != nil {
		return err
	}
	return removeAll(dir)
}

// removeAll is os.RemoveAll that also empties directories that a bot made unwritable.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// writeFile replaces a file in one step. With durable it also survives a loss of power.
func writeFile(path string, durable bool, write func(w io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if durable {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if durable {
		return syncDir(filepath.Dir(path))
	}
	return nil
}

func writeJSON(path string, durable bool, v any) error {
	return writeFile(path, durable, func(w io.Writer) error { return json.NewEncoder(w).Encode(v) })
}

// readJSON reads what writeJSON wrote; fs.ErrNotExist when there is nothing.
func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
