package rest

import (
	"context"
	"net/http"
	"net/url"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/rest/peer"
)

// exchange is one request and its answer, as the middleware fills it in on the way to the handler. It is
// used by the request's own goroutine alone.
type exchange struct {
	http.ResponseWriter
	status    int // 0 until the header is written
	requestID string
	peer      peer.Peer
	request   *http.Request
	operation *operation // nil where the contract knows no such operation
	principal auth.Principal
	form      url.Values // of a form body, as it was validated

	bodyDigest string     // of a JSON body, if an idempotency key came with it
	claim      *kyc.Claim // nil without an idempotency key
}

type exchangeKey struct{}

// exchangeOf gives the exchange of a request. Every request has one: observe puts it there first.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// WriteHeader remembers the status for log and metrics.
func (e *exchange) WriteHeader(status int) {
	if e.status == 0 {
		e.status = status
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write is WriteHeader's companion: a body without a status means 200.
func (e *exchange) Write(b []byte) (int, error) {
	if e.status == 0 {
		e.status = http.StatusOK
	}
	return e.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what the server's own writer can do.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// place is where the caller says it is, and the address that it called from.
func (e *exchange) place(latitude, longitude float64) kyc.Place {
	place := kyc.Place{Latitude: latitude, Longitude: longitude}
	if e.peer.Addr.IsValid() {
		place.IP = e.peer.Addr.String()
	}
	return place
}
