package app

import (
	"encoding/hex"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// remembered is how many answers of each kind are kept.
const remembered = 10000

// memo remembers answers for a while.
type memo[V any] struct {
	ttl  time.Duration
	kept *lru.Cache[string, kept[V]]
}

type kept[V any] struct {
	v     V
	until time.Time
}

func newMemo[V any](ttl time.Duration) memo[V] {
	c, err := lru.New[string, kept[V]](remembered)
	if err != nil { // only for a size below 1
		panic(err)
	}
	return memo[V]{ttl, c}
}

func (m memo[V]) get(key string, now time.Time) (v V, ok bool) {
	k, ok := m.kept.Get(key)
	if !ok || !now.Before(k.until) {
		return v, false
	}
	return k.v, true
}

func (m memo[V]) add(key string, v V, now time.Time) { m.kept.Add(key, kept[V]{v, now.Add(m.ttl)}) }

func (m memo[V]) drop(which func(V) bool) {
	for _, key := range m.kept.Keys() {
		if k, ok := m.kept.Peek(key); ok && which(k.v) {
			m.kept.Remove(key)
		}
	}
}

// authCache remembers for a moment who holds a secret and who is what in which tenant, and forgets it when it changes.
type authCache struct {
	actors    memo[authz.Actor] // by the hash of the secret
	standings memo[standing]    // by user and tenant, as "usr_… ten_…" or "usr_… slug", of operators with a word before
	changes   atomic.Int64
}

func newAuthCache(ttl time.Duration) *authCache {
	return &authCache{actors: newMemo[authz.Actor](ttl), standings: newMemo[standing](ttl)}
}

// reading begins a read whose outcome is to be remembered; nothing is remembered when something changed meanwhile.
func (c *authCache) reading() (remember func(add func())) {
	before := c.changes.Load()
	return func(add func()) {
		if c.changes.Load() == before {
			add()
		}
	}
}

// change forgets what a change makes wrong.
func (c *authCache) change(ch baas.Change) {
	switch ch.Kind {
	case "tenant", "member", "support":
		c.changes.Add(1)
		c.standings.drop(func(s standing) bool {
			return s.tenant.ID == ch.TenantID && (ch.Kind != "member" || ch.ID == "" || s.user == ch.ID)
		})
	case "token":
		c.forget(func(a authz.Actor) bool { return a.TokenID == ch.ID || ch.ID == "" && a.TenantID == ch.TenantID })
	case baas.ChangeResync:
		c.changes.Add(1)
		c.standings.kept.Purge()
		c.actors.kept.Purge()
	}
}

// forget drops authenticated actors.
func (c *authCache) forget(which func(authz.Actor) bool) {
	c.changes.Add(1)
	c.actors.drop(which)
}

func cacheKey(hash []byte) string { return hex.EncodeToString(hash) }
