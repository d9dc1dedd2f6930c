package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/plan"
)

// Unsealer opens secrets at rest.
type Unsealer interface {
	Open(ctx context.Context, id string, sealed []byte) ([]byte, error)
}

// desired is what the Worker's agent should run, without its revision, and the digest of that.
func desired(ctx context.Context, tx baas.TenantTx, keys Unsealer, s snapshot) (agentapi.Desired, string, error) {
	d := agentapi.Desired{WorkerID: s.worker.ID, Size: s.worker.Size, Bots: []agentapi.DesiredBot{}}
	mayRun := plan.BotsMayRun(s.tenant, s.worker)
	for _, b := range s.bots {
		leaving := slices.ContainsFunc(s.moves, func(m baas.Move) bool { return m.BotID == b.ID && m.From == s.worker.ID && held(m.Step) })
		db, err := desiredBot(ctx, tx, keys, b)
		if err != nil {
			return d, "", fmt.Errorf("describing bot %s: %w", b.ID, err)
		}
		db.Held = leaving
		db.Run = mayRun && b.Desired == baas.DesiredRunning && !leaving
		d.Bots = append(d.Bots, db)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return d, "", err
	}
	sum := sha256.Sum256(raw)
	return d, hex.EncodeToString(sum[:]), nil
}

// held reports whether a move keeps the bot stopped at its source. Rolling back doesn't: the bot is the source's again.
func held(s baas.MoveStep) bool {
	return s == baas.MoveStopping || s == baas.MoveCarrying
}

func desiredBot(ctx context.Context, tx baas.TenantTx, keys Unsealer, b baas.Bot) (agentapi.DesiredBot, error) {
	d := agentapi.DesiredBot{ID: b.ID, Name: b.Name, Restarts: b.Restarts, Files: b.Files}
	secret := func(name string) (string, error) {
		for _, scope := range []string{b.WorkerID, ""} {
			s, err := tx.Secrets().ByName(ctx, scope, name)
			if errors.Is(err, baas.ErrNotFound) {
				continue
			}
			if err != nil {
				return "", fmt.Errorf("reading secret %s: %w", name, err)
			}
			value, err := keys.Open(ctx, s.ID, s.Sealed)
			if err != nil {
				return "", fmt.Errorf("opening secret %s: %w", name, err)
			}
			return string(value), nil
		}
		return "", nil // refused when the bot was written; if it was deleted since, the bot tells what it misses
	}
	switch {
	case b.Assistant != nil:
		conf := &agentapi.AssistantConfig{BotID: b.ID, Name: b.Name, Assistant: *b.Assistant}
		d.Restart = baas.RestartAlways
		d.Health = &baas.HealthCheck{HTTP: "/healthz"}
		d.Builtin = conf
		for _, ref := range conf.SecretRefs() {
			value, err := secret(ref.Name)
			if err != nil {
				return d, err
			}
			*ref.Value = value
		}
	case b.Program != nil:
		g := b.Program
		d.Command, d.Port, d.Health, d.Restart, d.StopSecs = g.Command, g.Port, g.Health, g.Restart, g.StopSeconds
		d.Env = map[string]string{}
		for _, e := range g.Env {
			d.Env[e.Name] = e.Value
			if e.Secret != "" {
				value, err := secret(e.Secret)
				if err != nil {
					return d, err
				}
				d.Env[e.Name] = value
			}
		}
	}
	return d, nil
}

func or(s, fallback string) string {
	if s != "" {
		return s
	}
	return fallback
}
