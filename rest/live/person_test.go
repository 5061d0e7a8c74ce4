package live_test

import (
	"context"
	"testing"

	"kycd/kyc"
	"kycd/kyc/kyctest/house"
)

// How far a session has come.
type progress int

const (
	begun      progress = iota
	consented           // IDV
	typed               // IDV: the document type is set
	pictured            // IDV: both sides are given
	challenged          // a liveness challenge is open
	given               // only finalize is missing
	decided
)

// verification brings a verification so far.
func (s *server) verification(t testing.TB, of tenant, in kyc.SessionInput, to progress) string {
	t.Helper()
	ctx, p := context.Background(), of.caller
	id, err := s.CreateSession(ctx, p, in)
	must(t, err)
	place := kyc.Place{Latitude: 48.8577, Longitude: 2.295, IP: "192.0.2.7"}
	steps := []struct {
		to progress
		do func() error
	}{
		{consented, func() error { return s.AddConsent(ctx, p, id, true) }},
		{typed, func() error { return s.UpdateDocumentType(ctx, p, id, "driver_license") }},
		{pictured, func() error { return house.Only(s.AddDocument(ctx, p, id, "front", place, house.Picture())) }},
		{pictured, func() error { return house.Only(s.AddDocument(ctx, p, id, "back", place, house.Picture())) }},
		{challenged, func() error { _, err := s.GenerateLiveness(ctx, p, kyc.IDV, id, place); return err }},
		{given, func() error {
			_, err := s.ProcessLiveness(ctx, p, kyc.IDV, id, place, kyc.LivenessInput{Images: [][]byte{house.Picture()}})
			return err
		}},
	}
	for _, step := range steps {
		if step.to <= to {
			must(t, step.do())
		}
	}
	if to == decided {
		out, err := s.Finalize(ctx, p, id, nil)
		must(t, err)
		if !out.Verified {
			t.Fatalf("not verified: %+v", out)
		}
	}
	return id
}

// authentication brings an authentication so far.
func (s *server) authentication(t testing.TB, of tenant, identity string, in kyc.SessionInput, to progress) string {
	t.Helper()
	ctx, p := context.Background(), of.caller
	id, err := s.CreateAuthentication(ctx, p, identity, in)
	must(t, err)
	place := kyc.Place{Latitude: 48.8577, Longitude: 2.295, IP: "192.0.2.7"}
	if to >= challenged {
		_, err := s.GenerateLiveness(ctx, p, kyc.IDA, id, place)
		must(t, err)
	}
	if to >= given {
		_, err := s.ProcessLiveness(ctx, p, kyc.IDA, id, place, kyc.LivenessInput{Images: [][]byte{house.Picture()}})
		must(t, err)
	}
	if to == decided {
		out, err := s.FinalizeAuthentication(ctx, p, id)
		must(t, err)
		if !out.Verified {
			t.Fatalf("not authenticated: %+v", out)
		}
	}
	return id
}

// identity verifies a person, and gives the session and the identity that it led to.
func (s *server) identity(t testing.TB, of tenant, in kyc.SessionInput) (session, identity string) {
	t.Helper()
	session = s.verification(t, of, in, decided)
	read, err := s.ReadSession(context.Background(), of.caller, kyc.IDV, session)
	must(t, err)
	return session, *read.IdentityID
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
