package baas

import (
	"context"
	"io"
	"time"
)

// MaxArtifact is the largest uploaded archive, in bytes; MaxUnpacked bounds what it may unpack to.
const (
	MaxArtifact      = 64 << 20
	MaxUnpacked      = 512 << 20
	MaxUnpackedFiles = 20000
)

// ArchiveFormat is the format of an uploaded archive.
type ArchiveFormat string

// Archive formats.
const (
	FormatTarGz ArchiveFormat = "tar.gz"
	FormatZip   ArchiveFormat = "zip"
)

// Artifact is an uploaded archive of a program's files.
type Artifact struct {
	Digest     string        `json:"digest" doc:"sha256: and 64 hexadecimal digits"`
	Size       int64         `json:"size" doc:"Bytes"`
	Format     ArchiveFormat `json:"format" enum:"tar.gz,zip"`
	UploadedAt time.Time     `json:"uploaded_at"`
}

// ArtifactStore keeps the bytes of archives, per bot: one current archive each.
type ArtifactStore interface {
	// Put replaces the bot's archive. The bytes are read to the end; may be repeated.
	Put(ctx context.Context, botID string, a Artifact, body io.Reader) error
	// Open reads the bot's archive with the digest; ErrNotFound when it is another by now.
	Open(ctx context.Context, botID, digest string) (io.ReadCloser, error)
}
