package fuzz_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/kyctest/house"
	"kycd/rest"
)

// estate is a server with organisations that have something of everything, so that requests can be about things that
// exist, that exist no more, and that are somebody else's.
type estate struct {
	*house.House
	addr  string
	watch *watch
	lines chan *line // kept connections

	main   *tenant // of nearly all requests
	clerk  *tenant // of the operations of webhooks: what decides sessions would be sent to every endpoint that is made here
	mortal *tenant // of the erasure of identities: the others need theirs
	other  *tenant // calls nobody; its ids are foreign to all
}

// tenant is an organisation with one client.
type tenant struct {
	kyc.Credentials
	auth.Principal
	token string

	sessions         map[stage][]string
	identity, hook   string
	weights, nothing string
}

// stage is how far a session got.
type stage string

// The stages of a verification, in the order in which they are reached, and what may become of it afterwards.
const (
	created    stage = "created"
	consented  stage = "consented"
	typed      stage = "typed"
	pictured   stage = "pictured"
	challenged stage = "challenged"
	given      stage = "given"
	decided    stage = "decided"
	refused    stage = "refused"
	anonymized stage = "anonymized"
	deleted    stage = "deleted"
	// Those of an authentication.
	askedAgain      stage = "authentication created"
	challengedAgain stage = "authentication challenged"
	givenAgain      stage = "authentication given"
	decidedAgain    stage = "authentication decided"
	deletedAgain    stage = "authentication deleted"
)

func stages() []stage {
	return []stage{
		created, consented, typed, pictured, challenged, given, decided, refused, anonymized, deleted,
		askedAgain, challengedAgain, givenAgain, decidedAgain, deletedAgain,
	}
}

// openEstate starts the server on a database and fills it; no URL is a SQLite file.
func openEstate(t *testing.T, database string) *estate {
	t.Helper()
	watch := &watch{why: map[string][]string{}}
	log := watch.logger()
	e := &estate{watch: watch, lines: make(chan *line, 16)}
	e.House = house.Open(t, house.Options{Database: database, Log: log})
	e.main, e.clerk, e.mortal, e.other = e.tenant(t, "Borduria Bank"), e.tenant(t, "Syldavia Bank"), e.tenant(t, "San Theodoros"), e.tenant(t, "Khemed")
	watch.folder(e.Data)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.addr = listener.Addr().String()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	web := rest.Serve(listener, rest.New(rest.Options{
		Service: e.Service, Probe: well{}, Log: log, Registry: registry, Version: "1.0.0", Environment: "production",
	}), log)
	t.Cleanup(func() {
		close(e.lines)
		for kept := range e.lines {
			kept.close()
		}
		if err := web.Stop(rest.Stopping{Finish: 10 * time.Second}); err != nil {
			t.Errorf("stop: %v", err)
		}
		e.Wait()
		for _, leak := range watch.seen() {
			t.Error(leak)
		}
	})
	return e
}

func (e *estate) tenant(t *testing.T, name string) *tenant {
	t.Helper()
	o := &tenant{sessions: map[stage][]string{}}
	o.Credentials, o.Principal = e.Client(name)
	o.token = e.Token(o.Credentials, "")
	_, o.identity = e.Verified(o.Principal, kyc.SessionInput{Metadata: map[string]any{"order": "A-17"}})
	ctx := context.Background()
	if name == "Syldavia Bank" || name == "Khemed" {
		hook, err := e.CreateWebhook(ctx, o.Principal, "", "decisions", "http://127.0.0.1:9/hook")
		if err != nil {
			t.Fatal(err)
		}
		o.hook = hook.ID
	}
	weights, err := e.Weights(ctx, o.Principal, "", "")
	if err != nil {
		t.Fatal(err)
	}
	o.weights, o.nothing = weights.ID, uuid.NewString()
	some := 1
	if name == "Borduria Bank" {
		some = 3
	}
	for _, at := range stages() {
		for range some {
			id, err := e.session(ctx, o, at)
			if err != nil {
				t.Fatalf("a session that is %s: %v", at, err)
			}
			o.sessions[at] = append(o.sessions[at], id)
		}
	}
	return o
}

// session makes one that got as far as a stage.
func (e *estate) session(ctx context.Context, o *tenant, at stage) (string, error) {
	p, id, kind := o.Principal, "", kyc.IDV
	here := kyc.Place{Latitude: 48.8577, Longitude: 2.295, IP: "192.0.2.7"}
	type step struct {
		reached stage
		do      func() error
	}
	challenge := func() error { _, err := e.GenerateLiveness(ctx, p, kind, id, here); return err }
	show := func() error {
		_, err := e.ProcessLiveness(ctx, p, kind, id, here, kyc.LivenessInput{Images: [][]byte{house.Picture()}})
		return err
	}
	way := []step{
		{created, func() (err error) {
			id, err = e.CreateSession(ctx, p, kyc.SessionInput{Metadata: map[string]any{"order": "A-17"}})
			return err
		}},
		{consented, func() error { return e.AddConsent(ctx, p, id, at != refused) }},
		{typed, func() error { return e.UpdateDocumentType(ctx, p, id, "driver_license") }},
		{"", func() error { return house.Only(e.AddDocument(ctx, p, id, "front", here, house.Picture())) }},
		{pictured, func() error { return house.Only(e.AddDocument(ctx, p, id, "back", here, house.Picture())) }},
		{challenged, challenge}, {given, show},
		{decided, func() error { _, err := e.Finalize(ctx, p, id, nil); return err }},
	}
	stop := at
	switch at {
	case refused:
		stop = consented
	case anonymized:
		stop = decided
	case deleted:
		stop = given
	case askedAgain, challengedAgain, givenAgain, decidedAgain, deletedAgain:
		kind = kyc.IDA
		way = []step{
			{askedAgain, func() (err error) {
				// Under random weights nobody may be recognised, and an identity is blocked after a few failures.
				if err := e.DB.Ent.Identity.UpdateOneID(o.identity).SetFailedAuthentications(0).ClearBlockedUntil().Exec(ctx); err != nil {
					return err
				}
				id, err = e.CreateAuthentication(ctx, p, o.identity, kyc.SessionInput{})
				return err
			}},
			{challengedAgain, challenge}, {givenAgain, show},
			{decidedAgain, func() error { _, err := e.FinalizeAuthentication(ctx, p, id); return err }},
		}
		if at == deletedAgain {
			stop = givenAgain
		}
	}
	for _, next := range way {
		if err := next.do(); err != nil {
			return id, err
		}
		if next.reached == stop {
			break
		}
	}
	switch at {
	case anonymized:
		return id, e.AnonymizeSession(ctx, p, id)
	case deleted, deletedAgain:
		return id, e.DeleteSession(ctx, p, kind, id)
	}
	return id, nil
}

// ref is an id that is found, or made, when the request is sent: what was drawn stays the same however often it is drawn.
type ref struct {
	what  string // session, identity, webhook, weights, client, user
	whose owner
	stage stage // of a session
	fresh bool  // made for this request
	n     int   // which of those that are there
}

// owner tells whose thing an id is.
type owner int

const (
	own owner = iota
	foreign
	nobody // a well-formed id of nothing
)

// String is for the report of a failure.
func (r ref) String() string {
	return fmt.Sprintf("<%s of %s %s fresh=%v>", r.what, [...]string{"own", "foreign", "nobody"}[r.whose], r.stage, r.fresh)
}

// find gives the id that a ref stands for.
func (e *estate) find(o *tenant, r ref) (string, error) {
	switch r.whose {
	case foreign:
		o = e.other
	case nobody:
		return o.nothing, nil
	}
	switch r.what {
	case "session":
		if r.fresh {
			return e.session(context.Background(), o, r.stage)
		}
		all := o.sessions[r.stage]
		return all[r.n%len(all)], nil
	case "identity":
		if r.fresh {
			return e.newIdentity(o)
		}
		return o.identity, nil
	case "webhook":
		if r.fresh {
			hook, err := e.CreateWebhook(context.Background(), o.Principal, "", "decisions", "http://127.0.0.1:9/hook")
			return hook.ID, err
		}
		return o.hook, nil
	case "weights":
		return o.weights, nil
	case "client":
		return o.Principal.ClientID, nil
	case "user":
		return o.Principal.UserID, nil
	}
	return "", fmt.Errorf("nothing is called %s", r.what)
}

// newIdentity verifies somebody. The person is always the same one, so this is an identity that was there before unless
// it was erased.
func (e *estate) newIdentity(o *tenant) (string, error) {
	ctx := context.Background()
	id, err := e.session(ctx, o, decided)
	if err != nil {
		return "", err
	}
	s, err := e.ReadSession(ctx, o.Principal, kyc.IDV, id)
	if err != nil {
		return "", err
	}
	if s.IdentityID == nil {
		return "", fmt.Errorf("session %s verified nobody: %v", id, s.Reasons)
	}
	return *s.IdentityID, nil
}

// scoped gives a token of one scope, for one session if it is a device's: the one named, if there is such
// a session, or any.
func (e *estate) scoped(o *tenant, scope auth.Scope, session string) string {
	token, err := e.IssueToken(context.Background(), o.Credentials.ClientID, o.ClientSecret, []string{string(scope)}, session)
	if err != nil && scope == auth.ScopeSDK {
		token, err = e.IssueToken(context.Background(), o.Credentials.ClientID, o.ClientSecret, []string{string(scope)}, o.sessions[created][0])
	}
	if err != nil {
		return "no token: " + err.Error()
	}
	return token.AccessToken
}

// well is an installation with which everything is as it should be.
type well struct{}

func (well) Live(context.Context) error { return nil }

func (well) Ready(context.Context) rest.Readiness {
	return rest.Readiness{Ready: true, Checks: map[string]string{"database": rest.HealthOK}}
}

func (well) Health(context.Context) rest.Health {
	return rest.Health{
		Status: rest.HealthOK, Database: rest.HealthOK, Cache: rest.HealthOK, Storage: rest.HealthOK,
		ExternalServices: map[string]string{"vision": rest.HealthOK},
	}
}
