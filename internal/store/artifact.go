package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/baas-platform/baas"
)

// chunkSize is how an archive is cut, so that no row and no buffer is larger.
const chunkSize = 1 << 20

// artifacts implements baas.ArtifactStore.
type artifacts struct{ tenantTx }

// Put checks the bytes against a's digest and size. On SQLite all other writers wait while body is read, so body
// should be at hand: a file, not somebody's connection.
func (t artifacts) Put(ctx context.Context, botID string, a baas.Artifact, body io.Reader) error {
	if _, err := t.exec(ctx, `DELETE FROM artifacts WHERE tenant_id = ? AND bot_id = ?`, t.tenant, botID); err != nil {
		return doing("replacing the archive", err)
	}
	_, err := t.exec(ctx, `INSERT INTO artifacts (tenant_id, bot_id, digest, size, format, uploaded_at) VALUES (?, ?, ?, ?, ?, ?)`,
		t.tenant, botID, a.Digest, a.Size, a.Format, micros(a.UploadedAt))
	if t.dangling(err) {
		return baas.Errorf(baas.CodeNotFound, "there is no such bot")
	}
	if err != nil {
		return doing("writing the archive", err)
	}
	size, digest, err := t.putChunks(ctx, botID, body)
	if err != nil {
		return doing("writing the archive", err)
	}
	var p baas.Problems
	if size != a.Size {
		p.Add("size", "%d bytes were announced and %d arrived", a.Size, size)
	}
	if digest != a.Digest {
		p.Add("digest", "the bytes that arrived have the digest %s", digest)
	}
	return p.Err()
}

func (t artifacts) putChunks(ctx context.Context, botID string, body io.Reader) (size int64, digest string, err error) {
	sum := sha256.New()
	chunk := make([]byte, chunkSize)
	for seq := 0; ; seq++ {
		n, err := io.ReadFull(body, chunk)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, "", fmt.Errorf("reading the bytes: %w", err)
		}
		if n == 0 {
			return size, "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
		}
		size += int64(n)
		if size > baas.MaxArtifact {
			return 0, "", baas.Errorf(baas.CodeTooLarge, "the archive is larger than %d bytes", int64(baas.MaxArtifact))
		}
		sum.Write(chunk[:n])
		if _, err := t.exec(ctx, `INSERT INTO artifact_chunks (tenant_id, bot_id, seq, data) VALUES (?, ?, ?, ?)`,
			t.tenant, botID, seq, chunk[:n]); err != nil {
			return 0, "", err
		}
	}
}

// Open reads what was committed; the reader may be used after the transaction, until ctx ends. It reads chunk by chunk
// in transactions of its own and holds nothing between them, so it fails with ErrNotFound when the archive is replaced.
func (t artifacts) Open(ctx context.Context, botID, digest string) (io.ReadCloser, error) {
	a, err := get(ctx, t, "archive", func(a *baas.Artifact) []any { return []any{&a.Digest, &a.Size} },
		`SELECT digest, size FROM artifacts WHERE tenant_id = ? AND bot_id = ? AND digest = ?`, t.tenant, botID, digest)
	if err != nil {
		return nil, err
	}
	return &archiveReader{ctx: ctx, s: t.s, tenant: t.tenant, botID: botID, digest: digest, left: a.Size}, nil
}

type archiveReader struct {
	ctx                   context.Context
	s                     *Store
	tenant, botID, digest string
	seq, left             int64
	chunk                 bytes.Reader
	closed                bool
}

func (r *archiveReader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, errors.New("reading a closed archive")
	}
	if r.chunk.Len() == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	return r.chunk.Read(p)
}

func (r *archiveReader) next() error {
	var data []byte
	err := r.s.db.view(r.ctx, scope{tenant: r.tenant}, func(c conn) error {
		return row(r.ctx, c, []any{&data}, `SELECT c.data FROM artifact_chunks c
			JOIN artifacts a ON a.tenant_id = c.tenant_id AND a.bot_id = c.bot_id
			WHERE c.tenant_id = ? AND c.bot_id = ? AND c.seq = ? AND a.digest = ?`, r.tenant, r.botID, r.seq, r.digest)
	})
	if err != nil {
		return doing("reading the archive", notFound(err, "archive any more"))
	}
	r.seq++
	r.left -= int64(len(data))
	r.chunk.Reset(data)
	return nil
}

func (r *archiveReader) Close() error {
	r.closed = true
	return nil
}
