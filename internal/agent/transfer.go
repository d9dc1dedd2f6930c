package agent

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/baas-platform/baas"
)

// maxImportFiles bounds the entries of an imported directory; its bytes are bounded by the Worker's disk.
const maxImportFiles = 2_000_000

// digestHex gives the hexadecimal part of "sha256:…".
func digestHex(digest string) (string, bool) {
	h, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(h) != 64 {
		return "", false
	}
	_, err := hex.DecodeString(h)
	return h, err == nil && h == strings.ToLower(h)
}

// unpack checks the archive in body against a and unpacks it for the bot, as a whole or not at all.
func (v volume) unpack(ctx context.Context, botID string, a baas.Artifact, body io.Reader) error {
	hexDigest, ok := digestHex(a.Digest)
	if !ok {
		return baas.Errorf(baas.CodeInvalid, "the archive's digest must be sha256: and 64 hexadecimal digits")
	}
	if a.Format != baas.FormatTarGz && a.Format != baas.FormatZip {
		return baas.Errorf(baas.CodeInvalid, "the archive's format must be %s or %s", baas.FormatTarGz, baas.FormatZip)
	}
	target := filepath.Join(v.apps(botID), hexDigest)
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	f, err := v.receive(ctx, hexDigest, body)
	if err != nil {
		return err
	}
	defer f.Close()
	dir, err := os.MkdirTemp(v.tmp(), "app-")
	if err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	defer func() { _ = removeAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	u, err := newUnpacker(dir, bounds{baas.MaxUnpacked, baas.MaxUnpackedFiles}, false)
	if err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	defer u.close()
	if a.Format == baas.FormatZip {
		st, err := f.Stat()
		if err != nil {
			return fmt.Errorf("unpacking: %w", err)
		}
		if err := u.zip(f, st.Size()); err != nil {
			return err
		}
	} else {
		gz, err := gzip.NewReader(f)
		if err != nil {
			return refused("it is not a gzip file")
		}
		if err := u.tar(gz); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(v.apps(botID), 0o700); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	if err := syncTree(dir); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	return v.replace(dir, target)
}

// receive writes the archive to a temporary file without a name and checks its size and digest.
func (v volume) receive(ctx context.Context, hexDigest string, body io.Reader) (_ *os.File, err error) {
	f, err := os.CreateTemp(v.tmp(), "upload-")
	if err != nil {
		return nil, fmt.Errorf("receiving the archive: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("receiving the archive: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(&ctxReader{ctx, body}, baas.MaxArtifact+1))
	if err != nil {
		return nil, fmt.Errorf("receiving the archive: %w", err)
	}
	if n > baas.MaxArtifact {
		return nil, baas.Errorf(baas.CodeTooLarge, "the archive is larger than %d MiB", baas.MaxArtifact>>20)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != hexDigest {
		return nil, baas.Errorf(baas.CodeInvalid, "the archive's bytes don't have the digest that was announced")
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// export writes the bot's directory as a tar stream. What is neither file, directory nor link, such as a
// socket, is left out. The bot must be stopped.
func (v volume) export(ctx context.Context, botID string, w io.Writer) error {
	dir := v.bot(botID)
	tw := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == "." {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		h := &tar.Header{Name: rel, Mode: int64(st.Mode().Perm()), ModTime: st.ModTime(), Format: tar.FormatPAX}
		switch {
		case st.IsDir():
			h.Typeflag, h.Name = tar.TypeDir, rel+"/"
			return tw.WriteHeader(h)
		case st.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			h.Typeflag, h.Linkname = tar.TypeSymlink, target
			return tw.WriteHeader(h)
		case st.Mode().IsRegular():
			h.Typeflag, h.Size = tar.TypeReg, st.Size()
			return exportFile(tw, h, path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("exporting the bot's directory: %w", err)
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("exporting the bot's directory: %w", err)
	}
	return nil
}

func exportFile(tw *tar.Writer, h *tar.Header, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.CopyN(tw, f, h.Size)
	return err
}

// imports replaces the bot's directory by the tar stream of an export, as a whole or not at all. The bot must be
// stopped and kept so; ready looks a last time before the directory is replaced.
func (v volume) imports(ctx context.Context, botID string, limit int64, r io.Reader, ready func() error) error {
	dir, err := os.MkdirTemp(v.tmp(), "import-")
	if err != nil {
		return fmt.Errorf("importing: %w", err)
	}
	defer func() { _ = removeAll(dir) }()
	u, err := newUnpacker(dir, bounds{limit, maxImportFiles}, true)
	if err != nil {
		return fmt.Errorf("importing: %w", err)
	}
	defer u.close()
	if err := u.tar(&ctxReader{ctx, r}); err != nil {
		return err
	}
	if err := syncTree(dir); err != nil {
		return fmt.Errorf("importing: %w", err)
	}
	if err := errors.Join(ctx.Err(), ready()); err != nil {
		return err
	}
	return v.replace(dir, v.bot(botID))
}

// syncTree makes a directory with all that is in it durable.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && !d.Type().IsRegular() {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			if errors.Is(err, fs.ErrPermission) { // a mode that its own owner can't read; nothing to be done
				return nil
			}
			return err
		}
		defer f.Close()
		return f.Sync()
	})
}

// treeBytes is the size of all files below dir, in bytes.
func treeBytes(dir string) int64 {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if st, err := d.Info(); err == nil {
				n += st.Size()
			}
		}
		return nil
	})
	return n
}
