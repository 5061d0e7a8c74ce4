package rest

import (
	"net/http"

	"kycd/rest/reference"
)

// newReference makes the documentation from the contract and the codes.
func (s *server) newReference() (*reference.Reference, error) {
	problems := make([]reference.Problem, 0, len(s.titles))
	for code, title := range s.titles {
		problems = append(problems, reference.Problem{Code: string(code), Title: title, Status: statusOf(code)})
	}
	return reference.New(reference.Source{
		Document: s.contract.doc, JSON: s.contract.json, YAML: contractYAML, Problems: problems, Version: s.version, Origin: s.reachedAt,
	})
}

// reachedAt is how callers reach the service: as it was set, or as the request names it.
func (s *server) reachedAt(r *http.Request) string {
	switch {
	case s.publicURL != "":
		return s.publicURL
	case exchangeOf(r.Context()).peer.HTTPS:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
