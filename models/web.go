package models

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
)

// web downloads public files. A host that could not be reached is not asked again by the same value, so
// that a machine without internet waits once, not once per file.
type web struct {
	client      *http.Client
	unreachable map[string]error
}

// open starts a download. Only https addresses are followed.
func (w *web) open(ctx context.Context, address string) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return nil, &Error{Code: CodeSource, Subject: address, Detail: "not an https address"}
	}
	if err, ok := w.unreachable[u.Host]; ok {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Error{Code: CodeSource, Subject: address, Err: err}
	}
	response, err := w.client.Do(request)
	if ctx.Err() != nil {
		if err == nil {
			response.Body.Close()
		}
		return nil, ctx.Err()
	}
	if err != nil {
		failed := &Error{Code: CodeSource, Subject: u.Host, Detail: "not reachable", Err: networkCause(err)}
		w.unreachable[u.Host] = failed
		return nil, failed
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, &Error{Code: CodeSource, Subject: u.Host, Detail: response.Status}
	}
	return response.Body, nil
}

// networkCause leaves of a network error what a person needs: neither the address, which is known, nor
// the machine's name servers.
func networkCause(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return errors.New(lookup.Err)
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err
	}
	return err
}
