package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema forward. The caller holds the lock that keeps other processes from doing the same.
func migrate(ctx context.Context, db *sql.DB, d goose.Dialect, dir string, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations/"+dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(d, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	// A schema from the future may mean things that this build doesn't know of.
	at, newest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if at > newest {
		return fmt.Errorf("the schema has version %d and this build knows versions up to %d; run the newer build", at, newest)
	}
	results, err := p.Up(ctx)
	for _, r := range results {
		log.InfoContext(ctx, "schema migrated", "version", r.Source.Version, "duration", r.Duration)
	}
	if err != nil {
		return fmt.Errorf("migrating the schema: %w", err)
	}
	return nil
}
