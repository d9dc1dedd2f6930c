package server

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/sealing"
	"github.com/baas-platform/baas/internal/store"
)

// AddMasterKey puts a new master key first into the key file: the first step of a rotation. Control planes use it once
// they are started again.
func AddMasterKey(cfg Config) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	if cfg.MasterKey != "" {
		return baas.Errorf(baas.CodeInvalid, "BAAS_MASTER_KEY holds the keys: put a new one in front of it there, separated by a comma")
	}
	if err := sealing.AddKey(cfg.MasterKeyFile); err != nil {
		return fmt.Errorf("adding a master key: %w", err)
	}
	return nil
}

// RotateKeys seals every secret anew with the first master key and gives the number of those that were sealed with
// another. May be interrupted and repeated, and run beside control planes that know the key.
func RotateKeys(ctx context.Context, cfg Config, log *slog.Logger) (int, error) {
	if err := cfg.complete(); err != nil {
		return 0, err
	}
	keys, err := sealing.Load(ctx, sealing.Config{File: cfg.MasterKeyFile, Value: cfg.MasterKey})
	if err != nil {
		return 0, fmt.Errorf("reading the master keys: %w", err)
	}
	st, err := store.Open(ctx, store.Config{URL: cfg.Database, Log: log})
	if err != nil {
		return 0, err
	}
	defer st.Close()
	return sealing.Rotate(ctx, st, keys)
}
