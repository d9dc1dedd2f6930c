package agent

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/baas-platform/baas"
)

// bounds are what an archive may unpack to.
type bounds struct {
	bytes int64
	files int
}

// unpacker writes entries of an archive below one directory. os.Root refuses whatever would leave it, links included;
// what is refused here in addition gets a clear message.
type unpacker struct {
	root *os.Root
	left bounds
	max  bounds
	keep bool // modes as they are, for a bot's own directory; otherwise only whether a file is executable
	// links are made at the end, so that no entry can be written through one.
	links []link
}

type link struct{ name, target string }

func newUnpacker(dir string, b bounds, keep bool) (*unpacker, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &unpacker{root: root, left: b, max: b, keep: keep}, nil
}

func refused(format string, args ...any) error {
	return baas.Errorf(baas.CodeInvalid, "the archive can't be unpacked: "+format, args...)
}

// name checks an entry's name and gives it in its plain form, "" for the directory itself.
func (u *unpacker) name(raw string) (string, error) {
	if len(raw) > 4096 || !utf8.ValidString(raw) || strings.ContainsAny(raw, "\x00\\") {
		return "", refused("the name %.100q is not valid; use UTF-8 with / between directories", raw)
	}
	clean := path.Clean(raw)
	if path.IsAbs(raw) || clean == ".." || strings.HasPrefix(clean, "../") {
		return "", refused("%.100q leads out of it; names must be relative and below the directory", raw)
	}
	if clean == "." {
		return "", nil
	}
	if u.left.files--; u.left.files < 0 {
		return "", baas.Errorf(baas.CodeTooLarge, "the archive has more than %d files", u.max.files)
	}
	return clean, nil
}

func (u *unpacker) dir(name string) error {
	if err := u.root.MkdirAll(name, 0o755); err != nil {
		return u.failed(name, err)
	}
	return nil
}

func (u *unpacker) file(name string, mode fs.FileMode, r io.Reader) error {
	if err := u.dir(path.Dir(name)); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if u.keep {
		perm = mode.Perm()&^0o022 | 0o600
	} else if mode&0o111 != 0 {
		perm = 0o755
	}
	// An entry that comes twice replaces the first, as with tar; never writes through it.
	if err := u.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return u.failed(name, err)
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return u.failed(name, err)
	}
	n, err := io.Copy(f, io.LimitReader(r, u.left.bytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return u.failed(name, err)
	}
	if u.left.bytes -= n; u.left.bytes < 0 {
		return baas.Errorf(baas.CodeTooLarge, "the archive unpacks to more than %d MiB", u.max.bytes>>20)
	}
	return nil
}

// failed tells a broken archive, which its sender can mend, from a file system that fails.
func (u *unpacker) failed(name string, err error) error {
	switch {
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, zip.ErrChecksum),
		errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, tar.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF):
		return refused("it is damaged (%.100q)", name)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) && pathIsAtFault(pe.Err) {
		return refused("%.100q conflicts with another entry or is not a possible name", name)
	}
	return fmt.Errorf("unpacking %.100q: %w", name, err)
}

// symlink notes a link for the end. In a bot's own directory it may point anywhere, as the bot itself could make it.
func (u *unpacker) symlink(name, target string) error {
	if u.keep && target != "" {
		u.links = append(u.links, link{name, target})
		return nil
	}
	if target == "" || len(target) > 4096 || path.IsAbs(target) || !utf8.ValidString(target) || strings.ContainsRune(target, 0) {
		return refused("the link %.100q must have a relative target", name)
	}
	to := path.Join(path.Dir(name), target)
	if to == ".." || strings.HasPrefix(to, "../") {
		return refused("the link %.100q leads out of it", name)
	}
	u.links = append(u.links, link{name, target})
	return nil
}

// hardlink copies: a file of its own can't be changed through another name.
func (u *unpacker) hardlink(name, target string) error {
	to, err := u.name(target)
	if err != nil {
		return err
	}
	src, err := u.root.Open(to)
	if err != nil {
		return refused("the link %.100q names a file that doesn't come before it", name)
	}
	defer src.Close()
	st, err := src.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return refused("the link %.100q names no file", name)
	}
	if name == to {
		return nil
	}
	return u.file(name, st.Mode(), src)
}

// finish makes the links and closes the directory. A link whose way leads out, over other links too, is refused.
func (u *unpacker) finish() error {
	for _, l := range u.links {
		if err := u.dir(path.Dir(l.name)); err != nil {
			return err
		}
		if err := u.root.Remove(l.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return u.failed(l.name, err)
		}
		if err := u.root.Symlink(l.target, l.name); err != nil {
			return u.failed(l.name, err)
		}
	}
	for _, l := range u.links {
		if u.keep {
			break
		}
		// Following it inside of the root fails if any step leaves; that it leads nowhere (yet) is allowed.
		if _, err := u.root.Stat(l.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return refused("the link %.100q leads out of it or in a circle", l.name)
		}
	}
	return nil
}

func (u *unpacker) close() { u.root.Close() }

// tar unpacks a tar stream to its end.
func (u *unpacker) tar(r io.Reader) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return u.finish()
		}
		if err != nil {
			if errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || isCorrupt(err) {
				return refused("it is damaged or not a tar archive")
			}
			return fmt.Errorf("reading the archive: %w", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name, err := u.name(h.Name)
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = u.dir(name)
		case tar.TypeReg:
			if h.Size > u.left.bytes {
				return baas.Errorf(baas.CodeTooLarge, "the archive unpacks to more than %d MiB", u.max.bytes>>20)
			}
			err = u.file(name, fs.FileMode(h.Mode), tr)
		case tar.TypeSymlink:
			err = u.symlink(name, h.Linkname)
		case tar.TypeLink:
			err = u.hardlink(name, h.Linkname)
		default:
			err = refused("%.100q is neither a file, a directory nor a link", h.Name)
		}
		if err != nil {
			return err
		}
	}
}

// zip unpacks a zip file.
func (u *unpacker) zip(f io.ReaderAt, size int64) error {
	zr, err := zip.NewReader(f, size)
	if err != nil {
		return refused("it is damaged or not a zip archive")
	}
	if len(zr.File) > u.max.files {
		return baas.Errorf(baas.CodeTooLarge, "the archive has more than %d files", u.max.files)
	}
	for _, e := range zr.File {
		name, err := u.name(e.Name)
		if err != nil {
			return err
		}
		mode := e.Mode()
		switch {
		case name == "":
		case mode.IsDir() || strings.HasSuffix(e.Name, "/"):
			err = u.dir(name)
		case mode.IsRegular():
			err = u.zipFile(name, mode, e)
		case mode&fs.ModeSymlink != 0:
			err = u.zipLink(name, e)
		default:
			err = refused("%.100q is neither a file, a directory nor a link", e.Name)
		}
		if err != nil {
			return err
		}
	}
	return u.finish()
}

func (u *unpacker) zipFile(name string, mode fs.FileMode, e *zip.File) error {
	r, err := e.Open()
	if err != nil {
		return refused("%.100q can't be read: %s", e.Name, err)
	}
	defer r.Close()
	return u.file(name, mode, r)
}

func (u *unpacker) zipLink(name string, e *zip.File) error {
	r, err := e.Open()
	if err != nil {
		return refused("%.100q can't be read: %s", e.Name, err)
	}
	defer r.Close()
	target, err := io.ReadAll(io.LimitReader(r, 4097))
	if err != nil {
		return refused("%.100q can't be read", e.Name)
	}
	return u.symlink(name, string(target))
}
