package sealing

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// keySize is the size of a master key, in bytes.
const keySize = 32

// ErrOpen is returned for a sealed value that no key of the ring opens: it was changed, belongs to another id, or was
// sealed by a master key that isn't there any more.
var ErrOpen = errors.New("the sealed value can't be opened with these master keys")

// Keys is a ring of master keys. Its methods may be called at once from many goroutines.
type Keys struct {
	all    tink.AEAD // opens with every key, seals with the first
	first  tink.AEAD // the first alone
	oldest []byte
}

// Parse makes a ring of keys that are separated by commas or white space. Lines that begin with # are left out.
func Parse(text string) (*Keys, error) {
	var raw [][]byte
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' }) {
			key, err := base64.StdEncoding.DecodeString(word)
			if err != nil || len(key) != keySize {
				// The word itself may be a key with a slip, so it is not quoted.
				return nil, fmt.Errorf("master key %d is not the base64 form of %d bytes, such as `openssl rand -base64 %[2]d` prints", len(raw)+1, keySize)
			}
			raw = append(raw, key)
		}
	}
	if len(raw) == 0 {
		return nil, fmt.Errorf("there is no master key; one is the base64 form of %d random bytes, such as `openssl rand -base64 %[1]d` prints", keySize)
	}
	all, err := envelope(raw)
	if err != nil {
		return nil, err
	}
	first, err := envelope(raw[:1])
	if err != nil {
		return nil, err
	}
	return &Keys{all: all, first: first, oldest: raw[len(raw)-1]}, nil
}

// envelope makes the AEAD whose key-encryption keys come from the master keys; the first of them encrypts.
func envelope(raw [][]byte) (tink.AEAD, error) {
	params, err := aesgcm.NewParameters(aesgcm.ParametersOpts{KeySizeInBytes: keySize, IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantTink})
	if err != nil {
		return nil, fmt.Errorf("choosing the cipher: %w", err)
	}
	m := keyset.NewManager()
	for i, master := range raw {
		kek := derive(master, "seal")
		// The number finds the key that a value was sealed by; it only has to be the same every time.
		sum := sha256.Sum256(kek)
		key, err := aesgcm.NewKey(secretdata.NewBytesFromData(kek, insecuresecretdataaccess.Token{}), binary.BigEndian.Uint32(sum[:]), params)
		if err != nil {
			return nil, fmt.Errorf("making master key %d: %w", i+1, err)
		}
		id, err := m.AddKey(key)
		if err != nil {
			return nil, fmt.Errorf("adding master key %d (is it there twice?): %w", i+1, err)
		}
		if i == 0 {
			if err := m.SetPrimary(id); err != nil {
				return nil, fmt.Errorf("choosing the first master key: %w", err)
			}
		}
	}
	h, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("making the key ring: %w", err)
	}
	kek, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("making the cipher: %w", err)
	}
	return aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), kek), nil
}

// Seal encrypts a secret and binds it to its id.
func (k *Keys) Seal(_ context.Context, id string, plaintext []byte) ([]byte, error) {
	sealed, err := k.all.Encrypt(plaintext, []byte(id))
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", id, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same id; ErrOpen.
func (k *Keys) Open(_ context.Context, id string, sealed []byte) ([]byte, error) {
	plaintext, err := k.all.Decrypt(sealed, []byte(id))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", id, ErrOpen)
	}
	return plaintext, nil
}

// current reports whether the first key sealed the value.
func (k *Keys) current(id string, sealed []byte) bool {
	_, err := k.first.Decrypt(sealed, []byte(id))
	return err == nil
}

// Derive gives a key of 32 bytes for another purpose, such as signing addresses: always the same for the same purpose,
// as long as the oldest master key of the ring is. Purposes tell nothing about each other or the master key.
func (k *Keys) Derive(purpose string) []byte { return derive(k.oldest, "derive/"+purpose) }

func derive(master []byte, info string) []byte {
	key, err := hkdf.Key(sha256.New, master, nil, "baas/"+info, keySize)
	if err != nil {
		panic("sealing: deriving a key: " + err.Error()) // only for lengths that HKDF can't give
	}
	return key
}

// generate makes a master key as it is written down.
func generate() string {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	return base64.StdEncoding.EncodeToString(key)
}
