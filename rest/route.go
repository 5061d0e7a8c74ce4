package rest

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// routes is the router that the generated code registers its handlers with. Each gets the guards of its own
// operation, so that no request has to look up what it is for.
type routes struct {
	chi.Router
	contract *contract
	guards   func(op *operation) chi.Middlewares
}

// Group is called by the generated code for every route.
func (r routes) Group(fn func(chi.Router)) chi.Router {
	fn(r)
	return r
}

// Get registers a handler.
func (r routes) Get(path string, h http.HandlerFunc) { r.add(http.MethodGet, path, h) }

// Post registers a handler.
func (r routes) Post(path string, h http.HandlerFunc) { r.add(http.MethodPost, path, h) }

// Put registers a handler.
func (r routes) Put(path string, h http.HandlerFunc) { r.add(http.MethodPut, path, h) }

// Patch registers a handler.
func (r routes) Patch(path string, h http.HandlerFunc) { r.add(http.MethodPatch, path, h) }

// Delete registers a handler.
func (r routes) Delete(path string, h http.HandlerFunc) { r.add(http.MethodDelete, path, h) }

func (r routes) add(method, path string, h http.HandlerFunc) {
	op := r.contract.operations[route{method, path}]
	if op == nil { // the generated code is older or newer than the contract
		panic(fmt.Sprintf("rest: the contract has no operation %s %s", method, path))
	}
	r.With(r.guards(op)...).Method(method, path, h)
}
