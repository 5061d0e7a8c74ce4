package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"mime"
	"net/http"
	"strconv"

	"kycd/kyc"
)

const (
	headerIdempotencyKey      = "Idempotency-Key"
	headerIdempotencyReplayed = "Idempotency-Replayed"
)

// maxKeptAnswer bounds an answer to a question that is kept for a repeated request; a page of a list is far below. A
// larger one is sent and not kept, and neither is a picture, in whichever form: asking again has no effect anyway.
const maxKeptAnswer = 1 << 20

// repeat lets a POST with an Idempotency-Key happen once. What has an effect is the rules' to keep, in the transaction of
// the effect: the handler of a repeated request gets the first one's result and encodes it again, to the same bytes. The
// answer to a question is kept here. A request that failed had no effect and is not kept: it may be tried again.
func (s *server) repeat(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		keys := r.Header[headerIdempotencyKey]
		if len(keys) == 0 || r.Method != http.MethodPost || len(x.operation.scopes) == 0 || x.operation.pictures {
			next.ServeHTTP(w, r)
			return
		}
		x.claim = &kyc.Claim{Route: x.operation.id, Key: keys[0], Body: x.bodyDigest}
		if x.bodyDigest != "" { // of an upload it is known when its parts were read
			kept, err := s.service.Recall(r.Context(), x.principal, x.claim)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			if kept != nil {
				sendKept(w, x.claim, kept)
				return
			}
		}
		a := &answer{ResponseWriter: w, claim: x.claim}
		next.ServeHTTP(a, r.WithContext(kyc.WithClaim(r.Context(), x.claim)))
		if a.passed || a.status == 0 {
			return
		}
		if x.claim.Effect {
			sendKept(w, x.claim, a.body.Bytes())
			return
		}
		// Who is gone still asked: the answer is kept for when they ask again.
		kept, err := s.service.Remember(context.WithoutCancel(r.Context()), x.principal, x.claim, bytes.TrimSpace(a.body.Bytes()))
		if err != nil {
			w.Header().Del("Content-Length")
			s.fail(w, r, err)
			return
		}
		sendKept(w, x.claim, kept)
	})
}

func sendKept(w http.ResponseWriter, claim *kyc.Claim, body []byte) {
	body = append(bytes.TrimSpace(body), '\n')
	w.Header().Set(headerIdempotencyReplayed, strconv.FormatBool(claim.Replayed))
	w.Header().Set("Content-Type", mediaJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	w.Write(body) //nolint:errcheck // the caller may have gone
}

// digest is what stands for a body in a claim.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return string(sum[:])
}

// digest is what stands for an upload: its parts, whatever the transport put between them.
func (u upload) digest() string {
	fields := strconv.Quote(u.sessionID) + strconv.FormatFloat(u.latitude, 'g', -1, 64) + "," + strconv.FormatFloat(u.longitude, 'g', -1, 64)
	return digest([]byte(fields + digest(u.image)))
}

// answer holds a good JSON answer back until it is known which one is to be sent, and lets every other one pass.
type answer struct {
	http.ResponseWriter
	claim  *kyc.Claim
	status int
	passed bool
	body   bytes.Buffer
}

// WriteHeader decides by status and media type.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	mediaType, _, err := mime.ParseMediaType(a.Header().Get("Content-Type"))
	if err == nil && status == http.StatusOK && mediaType == mediaJSON {
		return
	}
	a.pass()
}

// pass sends what was held back.
func (a *answer) pass() {
	a.passed = true
	if a.claim.Effect && a.status == http.StatusOK {
		a.Header().Set(headerIdempotencyReplayed, strconv.FormatBool(a.claim.Replayed))
	}
	a.ResponseWriter.WriteHeader(a.status)
	a.ResponseWriter.Write(a.body.Bytes()) //nolint:errcheck // the caller may have gone
	a.body.Reset()
}

// Write is as long held back as the answer may be kept.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !a.passed && a.body.Len()+len(b) > maxKeptAnswer {
		a.pass()
	}
	if a.passed {
		return a.ResponseWriter.Write(b)
	}
	return a.body.Write(b)
}

// Unwrap lets http.ResponseController find what the server's own writer can do.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
