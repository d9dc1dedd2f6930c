package replica

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// protocol is what replicas of this build speak; others don't get past the handshake.
const protocol = "baas-replica/1"

var errStranger = errors.New("it has another master key, so it is not of this installation")

// identity is the TLS of both ends: who has the key is one of us, and nobody else is.
func identity(seed []byte) (*tls.Config, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the replicas' key has %d bytes; must be %d", len(seed), ed25519.SeedSize)
	}
	key := ed25519.NewKeyFromSeed(seed)
	public := key.Public().(ed25519.PublicKey)
	// The certificate carries the public key and says nothing else: its dates aren't looked at.
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, public, key)
	if err != nil {
		return nil, fmt.Errorf("making the replicas' certificate: %w", err)
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{protocol},
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		SessionTicketsDisabled: true,
		// No authority vouches for the key: it is compared with our own.
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if len(cs.PeerCertificates) != 1 || !public.Equal(cs.PeerCertificates[0].PublicKey) {
				return errStranger
			}
			return nil
		},
	}, nil
}
