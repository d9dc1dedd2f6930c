package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/authz"
)

// find reads a bot for an action on it.
func (a *App) find(ctx context.Context, actor authz.Actor, tenant, id string, action authz.Action) (seat, baas.Bot, error) {
	s, err := a.enter(ctx, actor, tenant, action)
	if err != nil {
		return s, baas.Bot{}, err
	}
	b, err := view(ctx, a, s, func(tx baas.TenantTx) (baas.Bot, error) { return s.bot(ctx, tx, id) })
	return s, b, err
}

// PutFiles replaces a program's files by an archive, a tar.gz or zip of at most baas.MaxArtifact bytes. The body is
// kept in a temporary file until it is whole.
func (a *App) PutFiles(ctx context.Context, actor authz.Actor, tenant, id string, body io.Reader) (baas.Bot, error) {
	s, b, err := a.find(ctx, actor, tenant, id, authz.BotUpdate)
	if err != nil {
		return baas.Bot{}, err
	}
	if b.Kind != baas.BotProgram {
		return baas.Bot{}, baas.Errorf(baas.CodeUnsupported, "the bot %s is an assistant; only programs have files", b.Name)
	}
	f, art, err := spool(body)
	if err != nil {
		return baas.Bot{}, err
	}
	defer discard(f)
	art.UploadedAt = a.now()
	b, err = write(ctx, a, s, authz.BotUpdate, func(tx baas.TenantTx) (baas.Bot, error) {
		b, err := s.bot(ctx, tx, id)
		if err != nil {
			return b, err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return b, fmt.Errorf("reading the upload again: %w", err)
		}
		if err := tx.Artifacts().Put(ctx, b.ID, art, f); err != nil {
			return b, err
		}
		b.Files, b.UpdatedAt = &art, art.UploadedAt
		if b, err = tx.Bots().Update(ctx, b); err != nil {
			return b, err
		}
		return b, tx.Events().Add(ctx, ofBot(a.event(s, "bot.files_uploaded", "new files of the bot "+b.Name+" were uploaded",
			map[string]any{"name": b.Name, "digest": art.Digest, "size": art.Size, "format": art.Format}), b))
	})
	return a.addressed(b), err
}

// Files reads the archive of a program's files as it was uploaded. baas.ErrNotFound without one. Reading fails when it
// is replaced meanwhile. The caller closes it.
func (a *App) Files(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Bot, io.ReadCloser, error) {
	s, b, err := a.find(ctx, actor, tenant, id, authz.BotFiles)
	if err != nil {
		return b, nil, err
	}
	if b.Files == nil {
		return b, nil, baas.Errorf(baas.CodeNotFound, "the bot %s has no uploaded files", b.Name)
	}
	body, err := view(ctx, a, s, func(tx baas.TenantTx) (io.ReadCloser, error) { return tx.Artifacts().Open(ctx, b.ID, b.Files.Digest) })
	return b, body, err
}

// spool keeps the body in a file that the caller closes and removes.
func spool(body io.Reader) (_ *os.File, art baas.Artifact, err error) {
	f, err := os.CreateTemp("", "baas-upload-*")
	if err != nil {
		return nil, art, fmt.Errorf("keeping an upload: %w", err)
	}
	defer func() {
		if err != nil {
			discard(f)
		}
	}()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), &uploaded{io.LimitReader(body, baas.MaxArtifact+1)})
	if err != nil {
		return nil, art, fmt.Errorf("keeping an upload: %w", err)
	}
	if n > baas.MaxArtifact {
		return nil, art, baas.Errorf(baas.CodeTooLarge, "the archive is larger than %d bytes", int64(baas.MaxArtifact))
	}
	var head [4]byte
	if _, err := f.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, art, fmt.Errorf("reading an upload: %w", err)
	}
	switch {
	case bytes.HasPrefix(head[:], []byte{0x1f, 0x8b}):
		art.Format = baas.FormatTarGz
	case bytes.Equal(head[:], []byte("PK\x03\x04")):
		art.Format = baas.FormatZip
	default:
		return nil, art, baas.Errorf(baas.CodeInvalid, "the body is neither a tar.gz nor a zip archive with files")
	}
	art.Digest, art.Size = "sha256:"+hex.EncodeToString(sum.Sum(nil)), n
	return f, art, nil
}

// discard closes and removes a temporary file; nothing depends on whether that works.
func discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// uploaded gives errors of the client's connection their meaning.
type uploaded struct{ r io.Reader }

func (u *uploaded) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	var large *http.MaxBytesError
	switch {
	case err == nil || errors.Is(err, io.EOF):
	case errors.As(err, &large):
		err = baas.Errorf(baas.CodeTooLarge, "the archive is larger than %d bytes", int64(baas.MaxArtifact))
	default:
		err = &baas.Error{Code: baas.CodeInvalid, Message: "the upload broke off; send it again", Err: err}
	}
	return n, err
}

// agent is the client of the agent that runs the bot.
func (a *App) agent(b baas.Bot) (*agentapi.Client, error) {
	rt, err := a.Agents.RoundTripper(b.WorkerID)
	if err != nil {
		return nil, &baas.Error{Code: baas.CodeUnavailable, Message: "the bot's Worker isn't connected; see its state", RetryAfter: 5, Err: err}
	}
	return agentapi.NewClient(rt), nil
}

// Logs yields lines of what the bot wrote, as the agent's client does. What follows is over, with baas.ErrUnavailable,
// when the actor's membership or token changes, when the bot goes to another Worker, and after maxWatch; who may, comes back.
func (a *App) Logs(ctx context.Context, actor authz.Actor, tenant, id string, q agentapi.LogQuery) (iter.Seq2[agentapi.LogLine, error], error) {
	watched, cancel := context.WithTimeout(ctx, maxWatch)
	var changes <-chan baas.Change
	if q.Follow {
		changes = a.Store.Subscribe(watched) // before the decision, so that no change after it is missed
	}
	s, b, err := a.find(ctx, actor, tenant, id, authz.LogRead)
	if err != nil {
		cancel()
		return nil, err
	}
	agent, err := a.agent(b)
	if err != nil || !q.Follow {
		cancel()
		if err != nil {
			return nil, err
		}
		return agent.Logs(ctx, b.ID, q), nil
	}
	over := time.AfterFunc(a.left(s, maxWatch), cancel)
	go func() {
		defer over.Stop()
		defer cancel()
		for c := range changes {
			if s.touches(c) || c.Kind == baas.ChangeResync || c.Kind == "bot" && c.ID == b.ID && c.WorkerID != b.WorkerID {
				return
			}
		}
	}()
	return func(yield func(agentapi.LogLine, error) bool) {
		defer cancel()
		for l, err := range agent.Logs(watched, b.ID, q) {
			if err != nil && watched.Err() != nil && ctx.Err() == nil {
				err = &baas.Error{Code: baas.CodeUnavailable, Message: "the stream is over; ask for it again", RetryAfter: 1, Err: err}
			}
			if !yield(l, err) {
				return
			}
		}
	}, nil
}

// messageTimeout bounds the wait for a bot's answer; language models take long.
const messageTimeout = 2 * time.Minute

// SendMessage sends a test message to the bot's POST /chat and gives its answer.
func (a *App) SendMessage(ctx context.Context, actor authz.Actor, tenant, id string, m baas.BotMessage) (r baas.BotReply, err error) {
	_, b, err := a.find(ctx, actor, tenant, id, authz.BotTalk)
	if err != nil {
		return r, err
	}
	agent, err := a.agent(b)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, messageTimeout)
	defer cancel()
	body, err := json.Marshal(m)
	if err != nil {
		return r, fmt.Errorf("encoding a message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://bot/chat", bytes.NewReader(body))
	if err != nil {
		return r, fmt.Errorf("sending a message: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, err := agent.BotTransport(b.ID).RoundTrip(req)
	if err != nil {
		return r, &baas.Error{Code: baas.CodeUnavailable, Message: "the bot didn't answer", RetryAfter: 5, Err: err}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return r, &baas.Error{Code: baas.CodeUnavailable, Message: "the bot's answer broke off", RetryAfter: 5, Err: err}
	}
	switch {
	case res.Header.Get(agentapi.HeaderError) != "":
		return r, &baas.Error{Code: baas.CodeUnavailable, Message: "the bot can't be reached now; see its state", RetryAfter: 5}
	case res.StatusCode == http.StatusOK && json.Unmarshal(raw, &r) == nil:
		return r, nil
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed:
		return r, baas.Errorf(baas.CodeUnsupported, "the bot %s has no POST /chat to send a test message to", b.Name)
	}
	var refusal agentapi.Error
	if json.Unmarshal(raw, &refusal) == nil && refusal.Message != "" {
		return r, baas.Errorf(baas.CodeConflict, "the bot answered: %s", refusal.Message)
	}
	return r, baas.Errorf(baas.CodeConflict, "the bot answered with status %d", res.StatusCode)
}

// Preview gives an address that lets the actor's browser reach the bot for a while, whatever its access.
func (a *App) Preview(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Preview, error) {
	s, b, err := a.find(ctx, actor, tenant, id, authz.BotTalk)
	if err != nil {
		return baas.Preview{}, err
	}
	until := a.now().Add(a.left(s, a.PreviewTTL)).Truncate(time.Second)
	return baas.Preview{URL: a.addressed(b).URL + "?" + a.SignPreview(b.ID, until), ExpiresAt: until}, nil
}

// botTokenPrefix begins a bot's access token. It differs from TokenPrefix, which the gateway keeps from bots.
const botTokenPrefix = "bot_"

// NewAccessToken makes a bot's access token anew; the one before stops working.
func (a *App) NewAccessToken(ctx context.Context, actor authz.Actor, tenant, id string) (baas.NewAccessToken, error) {
	s, err := a.enter(ctx, actor, tenant, authz.BotAccess)
	if err != nil {
		return baas.NewAccessToken{}, err
	}
	return write(ctx, a, s, authz.BotAccess, func(tx baas.TenantTx) (baas.NewAccessToken, error) {
		b, err := s.bot(ctx, tx, id)
		if err != nil {
			return baas.NewAccessToken{}, err
		}
		secret := botTokenPrefix + newSecret()
		if err := tx.Bots().SetAccessToken(ctx, b.ID, hashSecret(secret)); err != nil {
			return baas.NewAccessToken{}, err
		}
		return baas.NewAccessToken{Token: secret}, tx.Events().Add(ctx,
			ofBot(a.event(s, "bot.access_token_changed", "the bot "+b.Name+" has a new access token", map[string]any{"name": b.Name}), b))
	})
}
