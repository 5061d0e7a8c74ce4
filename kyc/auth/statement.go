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

// ReadStatement checks a statement that SignStatement made, with any key that still verifies, and reads its claims. What
// they say of time is for the caller to judge. The error is ErrInvalidToken.
func (i *Issuer) ReadStatement(kind, statement string, claims any) error {
	token, err := jwt.ParseSigned(statement, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(token.Headers) != 1 {
		return fmt.Errorf("%w: it is no signed statement", ErrInvalidToken)
	}
	header := token.Headers[0]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != kind {
		return fmt.Errorf("%w: it is of another kind", ErrInvalidToken)
	}
	key, known := i.PublicKey(header.KeyID)
	if !known {
		return fmt.Errorf("%w: its key is not known", ErrInvalidToken)
	}
	if err := token.Claims(key, claims); err != nil {
		return fmt.Errorf("%w: its signature is wrong", ErrInvalidToken)
	}
	return nil
}
