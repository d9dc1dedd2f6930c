package sealing

import (
	"context"
	"fmt"

	"github.com/baas-platform/baas"
)

// rotatePage is how many secrets are resealed in one transaction.
const rotatePage = 100

// Rotate seals every stored secret anew that the first master key didn't seal, and reports how many those were. It may
// be ended at any point and run again; once it reports 0 with every process on the new ring, the other keys may go.
func Rotate(ctx context.Context, s baas.Store, k *Keys) (resealed int, err error) {
	for cursor, more := "", true; more; {
		var n int
		var next string
		// Secrets are read and written in one transaction, so that a value that is replaced meanwhile isn't lost.
		err := s.System().Update(ctx, func(tx baas.SystemTx) error {
			n = 0
			var page []baas.Secret
			var err error
			if page, next, err = tx.Secrets(ctx, baas.Page{Cursor: cursor, Limit: rotatePage}); err != nil {
				return err
			}
			for _, secret := range page {
				if k.current(secret.ID, secret.Sealed) {
					continue
				}
				plaintext, err := k.Open(ctx, secret.ID, secret.Sealed)
				if err != nil {
					return err
				}
				sealed, err := k.Seal(ctx, secret.ID, plaintext)
				if err != nil {
					return err
				}
				if err := tx.Reseal(ctx, secret.ID, sealed); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return resealed, fmt.Errorf("resealing secrets: %w", err)
		}
		resealed += n
		cursor, more = next, next != ""
	}
	return resealed, nil
}
