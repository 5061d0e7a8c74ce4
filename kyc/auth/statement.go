package auth

import (
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// SignStatement signs claims that are no access token, such as a liveness challenge, with the current key.
// kind becomes the header's typ and keeps one sort of statement from being taken for another.
func (i *Issuer) SignStatement(kind string, claims any) (string, error) {
	if kind == "" || kind == tokenType {
		return "", fmt.Errorf("%w: a statement needs a type of its own", ErrInvalidGrant)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: i.ring.Load().signing},
		(&jose.SignerOptions{}).WithType(jose.ContentType(kind)),
	)
	if err != nil {
		return "", fmt.Errorf("%w: it cannot sign", ErrInvalidKey)
	}
	statement, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("%w: signing failed", ErrInvalidKey)
	}
	return statement, nil
}
