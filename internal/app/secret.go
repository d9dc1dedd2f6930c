package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// Secrets lists the names of secrets; a limited member sees those that bots on its Workers may use.
func (a *App) Secrets(ctx context.Context, actor authz.Actor, tenant string, p baas.Page) (baas.List[baas.Secret], error) {
	s, err := a.enter(ctx, actor, tenant, authz.SecretRead)
	if err != nil {
		return baas.List[baas.Secret]{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Secret], error) {
		sees := func(x baas.Secret) bool { return x.WorkerID == "" || s.Sees(x.WorkerID) }
		return listOf(filtered(p, sees, func(p baas.Page) ([]baas.Secret, string, error) { return tx.Secrets().List(ctx, p) }))
	})
}

// secretAction is what changing a secret of this scope takes.
func secretAction(workerID string) authz.Action {
	if workerID == "" {
		return authz.SecretShared
	}
	return authz.SecretWrite
}

// PutSecret sets a secret, of one Worker or of all.
func (a *App) PutSecret(ctx context.Context, actor authz.Actor, tenant, name string, in baas.SecretPut) (baas.Secret, error) {
	action := secretAction(in.WorkerID)
	s, err := a.enter(ctx, actor, tenant, action)
	if err != nil {
		return baas.Secret{}, err
	}
	if err := in.Validate(name); err != nil {
		return baas.Secret{}, err
	}
	return write(ctx, a, s, action, func(tx baas.TenantTx) (baas.Secret, error) {
		var of baas.Worker
		if in.WorkerID != "" {
			var err error
			if of, err = s.workerField(ctx, tx, in.WorkerID); err != nil {
				return baas.Secret{}, err
			}
		}
		now := a.now()
		x, err := tx.Secrets().ByName(ctx, in.WorkerID, name)
		switch {
		case errors.Is(err, baas.ErrNotFound):
			x = baas.Secret{ID: baas.NewID(baas.PrefixSecret), TenantID: s.tenant.ID, WorkerID: in.WorkerID, Name: name, CreatedAt: now}
		case err != nil:
			return x, err
		}
		x.UpdatedAt = now
		if x.Sealed, err = a.Sealer.Seal(ctx, x.ID, []byte(in.Value)); err != nil {
			return x, err
		}
		if err := tx.Secrets().Put(ctx, x); err != nil {
			return x, err
		}
		return x, tx.Events().Add(ctx, ofWorker(a.event(s, "secret.set", "the secret "+name+" was set", map[string]any{"name": name}), of))
	})
}

// DeleteSecret deletes a secret that no bot needs.
func (a *App) DeleteSecret(ctx context.Context, actor authz.Actor, tenant, name, workerID string) error {
	action := secretAction(workerID)
	s, err := a.enter(ctx, actor, tenant, action)
	if err != nil {
		return err
	}
	_, err = write(ctx, a, s, action, func(tx baas.TenantTx) (struct{}, error) {
		var none struct{}
		if workerID != "" {
			if _, err := s.worker(ctx, tx, workerID); err != nil {
				return none, err
			}
		}
		x, err := tx.Secrets().ByName(ctx, workerID, name)
		if err != nil {
			return none, err
		}
		users, err := a.needing(ctx, tx, x)
		if err != nil {
			return none, err
		}
		if len(users) > 0 {
			return none, baas.Errorf(baas.CodeConflict, "bots need this secret: %s; change or delete them first", strings.Join(users, ", "))
		}
		if err := tx.Secrets().Delete(ctx, x.ID); err != nil {
			return none, err
		}
		return none, tx.Events().Add(ctx, ofWorker(a.event(s, "secret.deleted", "the secret "+name+" was deleted", map[string]any{"name": name}), baas.Worker{ID: workerID}))
	})
	return err
}

// needing names the bots that would miss the secret, ten at most.
func (a *App) needing(ctx context.Context, tx baas.TenantTx, x baas.Secret) (names []string, err error) {
	f := baas.BotFilter{}
	if x.WorkerID != "" {
		f.WorkerIDs = []string{x.WorkerID}
	}
	bots, err := all(func(p baas.Page) ([]baas.Bot, string, error) { f.Page = p; return tx.Bots().List(ctx, f) })
	if err != nil {
		return nil, err
	}
	for _, b := range bots {
		if required, _ := b.Secrets(); !slices.Contains(required, x.Name) {
			continue
		}
		other := "" // the scope that the bot would find it in instead
		if x.WorkerID == "" {
			other = b.WorkerID
		}
		_, err := tx.Secrets().ByName(ctx, other, x.Name)
		switch {
		case errors.Is(err, baas.ErrNotFound):
			if names = append(names, b.Name); len(names) == 10 {
				return names, nil
			}
		case err != nil:
			return nil, err
		}
	}
	return names, nil
}

// checkSecrets checks that the bot finds the secrets that it needs on the Worker.
func checkSecrets(ctx context.Context, tx baas.TenantTx, b baas.Bot, workerID string) error {
	var p baas.Problems
	required, _ := b.Secrets()
	slices.Sort(required)
	for _, name := range slices.Compact(required) {
		found := false
		for _, scope := range []string{workerID, ""} {
			_, err := tx.Secrets().ByName(ctx, scope, name)
			if err != nil && !errors.Is(err, baas.ErrNotFound) {
				return err
			}
			found = found || err == nil
		}
		if !found {
			p.Add(secretField(b, name), "there is no secret %s that bots of this Worker may use; set it first", name)
		}
	}
	return p.Err()
}

// secretField is the field of a bot's settings that names the secret.
func secretField(b baas.Bot, name string) string {
	if b.Program != nil {
		return "program.env.secret"
	}
	if a := b.Assistant; a != nil {
		fields := map[string]string{"assistant.base_url_secret": a.BaseURLSecret, "assistant.api_key_secret": a.APIKeySecret}
		if t := a.Telegram; t != nil {
			fields["assistant.telegram.token_secret"], fields["assistant.telegram.webhook_secret_secret"] = t.TokenSecret, t.WebhookSecretSecret
		}
		if w := a.WhatsApp; w != nil {
			fields["assistant.whatsapp.access_token_secret"], fields["assistant.whatsapp.app_secret_secret"],
				fields["assistant.whatsapp.verify_token_secret"] = w.AccessTokenSecret, w.AppSecretSecret, w.VerifyTokenSecret
		}
		var names []string
		for field, n := range fields {
			if n == name {
				names = append(names, field)
			}
		}
		if len(names) > 0 {
			return slices.Min(names)
		}
	}
	return "secret"
}
