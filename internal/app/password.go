package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id for new passwords: what OWASP recommends at the least memory, so that many log-ins at once
// fit. A stored hash carries its own.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// hashPassword gives the argon2id hash in PHC string format.
func (a *App) hashPassword(ctx context.Context, password string) (string, error) {
	if err := a.hashing.Acquire(ctx, 1); err != nil {
		return "", fmt.Errorf("waiting to hash a password: %w", err)
	}
	defer a.hashing.Release(1)
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(key)), nil
}

// nobody is a hash that no password has. Checking against it takes as long as checking against a real one.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// checkPassword reports whether the password has the hash; "" stands for a person who isn't there.
func (a *App) checkPassword(ctx context.Context, phc, password string) (bool, error) {
	if phc == "" {
		phc = nobody
	}
	h, err := parsePHC(phc)
	if err != nil {
		return false, err
	}
	if err := a.hashing.Acquire(ctx, 1); err != nil {
		return false, fmt.Errorf("waiting to check a password: %w", err)
	}
	defer a.hashing.Release(1)
	key := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1 && phc != nobody, nil
}

type argonHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func parsePHC(phc string) (h argonHash, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return h, fmt.Errorf("a stored password has an unknown format")
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return h, fmt.Errorf("a stored password has an unknown version of argon2")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return h, fmt.Errorf("reading the parameters of a stored password: %w", err)
	}
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return h, fmt.Errorf("reading the salt of a stored password: %w", err)
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.key) == 0 || h.time == 0 || h.threads == 0 {
		return h, fmt.Errorf("a stored password is damaged")
	}
	return h, nil
}
