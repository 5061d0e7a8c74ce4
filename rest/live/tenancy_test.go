package live_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"kycd/kyc"
	"kycd/kyc/kyctest/house"
	"kycd/kyc/scoring"
)

// idFields are the names under which operations take ids. X-Client-Id is the token's own client and nothing else; see
// TestScopes.
func idFields() []string {
	return []string{"session_id", "identity_id", "identity_ids", "id", "client_id", "user_id"}
}

// withoutIDs are the operations that need a token and take no id, each with the reason.
func withoutIDs() map[string]string {
	return map[string]string{
		"idvSessionCreate": "begins something new, of the caller's own client",
	}
}

// places are the fields of an operation in which an id can stand.
func places(op *operation) []place {
	var all []place
	for _, p := range op.parameters() {
		if p.In != openapi3.ParameterInHeader && slices.Contains(idFields(), p.Name) {
			all = append(all, place{p.In, p.Name})
		}
	}
	for name := range op.properties() {
		if slices.Contains(idFields(), name) {
			all = append(all, place{inBody, name})
		}
	}
	return all
}

// searches are the fields of an operation by which things are found without their id.
func searches(op *operation) []place {
	var all []place
	for _, name := range []string{"search_term", "metadata"} {
		if op.properties()[name] != nil && (op.lists() || op.id == "identityRead") {
			all = append(all, place{inBody, name})
		}
	}
	return all
}

// variant is one form of an id in a place. A mixed one names an id of the caller's own too, which makes another's no better.
type variant struct {
	value any
	mixed bool
}

// variants are the forms that an id takes in a place; own is empty if there is none of the caller's own.
func variants(op *operation, p place, id, own string) []variant {
	if p.in != inBody {
		return []variant{{value: id}}
	}
	if p.name == "metadata" {
		return []variant{{value: map[string]any{"owner": id}}}
	}
	schema := op.properties()[p.name].Value
	var all []variant
	if !schema.Type.Is("array") {
		all = append(all, variant{value: id})
	}
	if len(schema.OneOf) > 0 || schema.Type.Is("array") {
		all = append(all, variant{value: []any{id}})
		if own != "" {
			all = append(all, variant{[]any{own, id}, true})
		}
	}
	return all
}

// thing is what has an id.
type thing struct{ kind, name, id string }

// The kinds of things.
const (
	kindVerification   = "verification"
	kindAuthentication = "authentication"
	kindIdentity       = "identity"
	kindDocument       = "document"
	kindWebhook        = "webhook"
	kindClient         = "client"
	kindUser           = "user"
	kindWeights        = "weights"
	kindMetadata       = "metadata" // what was written there; found, not named
)

// furnish gives a tenant something of every kind, in every state that takes something.
func (s *server) furnish(t testing.TB, of tenant) []thing {
	t.Helper()
	return append(s.begin(t, of), s.meet(t, of)...)
}

// input is what a tenant's sessions begin with.
func (s *server) input(of tenant) kyc.SessionInput {
	return kyc.SessionInput{Metadata: map[string]any{"owner": of.caller.ClientID}, WebhookURL: s.hooks}
}

// begin gives a tenant what it can have before it verified anybody.
func (s *server) begin(t testing.TB, of tenant) []thing {
	t.Helper()
	ctx, p := context.Background(), of.caller
	all := []thing{{kindMetadata, "", p.ClientID}, {kindClient, "", p.ClientID}, {kindUser, "", p.UserID}}
	add := func(kind, name, id string) string {
		all = append(all, thing{kind, name, id})
		return id
	}
	mine, err := s.UpdateWeights(ctx, p, p.ClientID, "", scoring.Defaults())
	must(t, err)
	add(kindWeights, "of the client", mine.ID)
	ours, err := s.UpdateWeights(ctx, p, "", p.UserID, scoring.Defaults())
	must(t, err)
	add(kindWeights, "of the user", ours.ID)
	must(t, s.UpdateRequirements(ctx, p, kyc.Requirement{Type: "passport", DataSource: "mrz", Fields: map[string]bool{"height": true}}))
	hook, err := s.CreateWebhook(ctx, p, "", "backend", s.hooks)
	must(t, err)
	add(kindWebhook, "", hook.ID)
	for name, to := range map[string]progress{"begun": begun, "consented": consented, "typed": typed, "challenged": challenged, "given": given} {
		add(kindVerification, name, s.verification(t, of, s.input(of), to))
	}
	deleted := add(kindVerification, "deleted", s.verification(t, of, s.input(of), pictured))
	must(t, s.DeleteSession(ctx, p, kyc.IDV, deleted))
	return all
}

// meet lets a tenant verify and authenticate a person, whom it forgot once.
func (s *server) meet(t testing.TB, of tenant) []thing {
	t.Helper()
	ctx, p := context.Background(), of.caller
	erased, gone := s.identity(t, of, s.input(of))
	must(t, s.AnonymizeIdentity(ctx, p, gone))
	session, identity := s.identity(t, of, s.input(of))
	document, err := s.ReadDocument(ctx, p, session)
	must(t, err)
	all := []thing{
		{kindVerification, "decided", session}, {kindVerification, "anonymized", erased},
		{kindIdentity, "", identity}, {kindIdentity, "anonymized", gone}, {kindDocument, "", document.ID},
	}
	for name, to := range map[string]progress{"begun": begun, "challenged": challenged, "given": given, "decided": decided} {
		all = append(all, thing{kindAuthentication, name, s.authentication(t, of, identity, s.input(of), to)})
	}
	return all
}

// one gives a thing of a kind.
func one(t testing.TB, things []thing, kind, name string) string {
	t.Helper()
	i := slices.IndexFunc(things, func(of thing) bool { return of.kind == kind && of.name == name })
	if i < 0 {
		t.Fatalf("there is no %s %s", name, kind)
	}
	return things[i].id
}

// kindsFor are the kinds of things whose ids belong in a place.
func kindsFor(p place) []string {
	switch p.name {
	case "session_id":
		return []string{kindVerification, kindAuthentication}
	case "identity_id", "identity_ids":
		return []string{kindIdentity}
	case "client_id":
		return []string{kindClient}
	case "user_id":
		return []string{kindUser}
	case "id":
		return []string{kindWebhook, kindWeights}
	}
	return []string{kindMetadata, kindVerification, kindAuthentication, kindIdentity, kindWebhook}
}

// TestTenancy: for every operation that needs a token, every id of somebody else in every place where an id can stand is as
// if it had never existed, and nothing changes. Strangers, other clients of the same organisation, and devices of other
// sessions are all somebody else.
func TestTenancy(t *testing.T) {
	all, s := operations(t), serve(t, house.Options{})
	first, stranger := s.tenant(t, "Borduria Bank"), s.tenant(t, "Syldavia Bank")
	sibling := s.tenant(t, "Borduria Bank")
	if sibling.caller.UserID != first.caller.UserID || sibling.caller.ClientID == first.caller.ClientID {
		t.Fatal("the sibling is no other client of the same organisation")
	}
	// The sibling has not met the person: whom two clients of an organisation verified, both know.
	things, strangers, siblings := s.furnish(t, first), s.furnish(t, stranger), s.begin(t, sibling)
	s.Wait()
	store := openStore(t, "", s.Data)

	named := map[string]bool{}
	for _, op := range all {
		if len(op.scopes) == 0 {
			continue
		}
		reason, exempt := withoutIDs()[op.id]
		if found := len(places(op)) > 0; found == exempt {
			t.Errorf("%s takes an id: %v; among those that take none: %q", op.id, found, reason)
		}
		named[op.id] = true
	}
	for id := range withoutIDs() {
		if !named[id] {
			t.Errorf("openapi.yaml has no operation %s that needs a token", id)
		}
	}

	// Of what is the whole organisation's, the sibling may know.
	foreign := slices.DeleteFunc(slices.Clone(things), func(of thing) bool {
		return of.kind == kindUser || of.kind == kindWeights && of.name == "of the user"
	})
	for _, c := range []struct {
		name   string
		of     tenant
		own    []thing
		things []thing
	}{{"stranger", stranger, strangers, things}, {"sibling", sibling, siblings, foreign}} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			for _, op := range all {
				if len(op.scopes) == 0 {
					continue
				}
				t.Run(op.id, func(t *testing.T) {
					before := store.dump(t)
					for _, p := range append(places(op), searches(op)...) {
						asked += s.seesNothing(t, op, p, c.of, c.own, c.things)
					}
					store.dump(t).sameAs(t, before)
				})
			}
			t.Logf("%d questions", asked)
		})
	}
	t.Run("token", func(t *testing.T) { s.givesNoTokenFor(t, store, stranger, sibling, things) })
	t.Run("device", func(t *testing.T) { s.keepsDevicesApart(t, all, store, first, things) })
	t.Run("empty-handed", func(t *testing.T) { s.showsNothingTo(t, all, s.tenant(t, "Sao Rico Bank"), first) })

	// The same questions find what is the caller's own: else the others would prove nothing.
	t.Run("own", func(t *testing.T) {
		for _, id := range scenario() {
			op := find(t, all, id)
			if len(op.scopes) == 0 {
				continue
			}
			t.Run(op.id, func(t *testing.T) {
				for _, p := range places(op) {
					s.findsOwn(t, op, p, stranger, strangers)
				}
			})
		}
	})
}

// seesNothing asks for each thing in one place, and wants the answer to a question for what never existed. It returns how
// many questions it asked.
func (s *server) seesNothing(t *testing.T, op *operation, p place, of tenant, own, things []thing) int {
	t.Helper()
	base := op.example(t, append(idFields(), "search_term", "metadata", "start_date", "end_date", "status", "verified")...).as(of)
	mine := ""
	if i := slices.IndexFunc(own, func(o thing) bool { return slices.Contains(kindsFor(p), o.kind) }); i >= 0 {
		mine = own[i].id
	}
	never := uuid.Must(uuid.NewV7()).String()
	var nothing []answer
	for _, v := range variants(op, p, never, mine) {
		a := s.ask(t, base.with(p, v.value))
		nothing = append(nothing, a)
		switch {
		case op.lists() && p.name != "session_id", p.name == "metadata": // it narrows
			if a.status != http.StatusOK || !v.mixed && !isEmptyPage(t, a) {
				t.Errorf("%s of what never existed: %s", p, a)
			}
		case a.status != http.StatusNotFound || a.code() != "not_found":
			t.Errorf("%s of what never existed: %s", p, a)
		}
	}
	asked := len(nothing)
	for _, foreign := range things {
		for i, v := range variants(op, p, foreign.id, mine) {
			a := s.ask(t, base.with(p, v.value))
			asked++
			if !alike(t, a, nothing[i]) {
				t.Errorf("%s of another's %s %s: %s, for what never existed: %s", p, foreign.name, foreign.kind, a, nothing[i])
			}
		}
	}
	return asked
}

// givesNoTokenFor: nobody gets a device's token for another's session.
func (s *server) givesNoTokenFor(t *testing.T, store *store, stranger, sibling tenant, things []thing) {
	t.Helper()
	before := store.dump(t)
	never := uuid.Must(uuid.NewV7()).String()
	for _, of := range []tenant{stranger, sibling} {
		nothing := s.askForToken(t, of.credentials, "sdk", never)
		if nothing.status != http.StatusBadRequest {
			t.Errorf("a token for no session: %s", nothing)
		}
		for _, foreign := range things {
			if a := s.askForToken(t, of.credentials, "sdk", foreign.id); !alike(t, a, nothing) {
				t.Errorf("a token for the %s %s of another: %s, for what never existed: %s", foreign.name, foreign.kind, a, nothing)
			}
		}
	}
	store.dump(t).sameAs(t, before)
}

// keepsDevicesApart: a device that has one session's token knows no other session of the same client, nor a person whom
// its own is not about.
func (s *server) keepsDevicesApart(t *testing.T, all []*operation, store *store, of tenant, things []thing) {
	t.Helper()
	asked := 0
	for _, session := range []thing{
		{kindVerification, "challenged", one(t, things, kindVerification, "challenged")},
		{kindAuthentication, "challenged", one(t, things, kindAuthentication, "challenged")},
	} {
		device := of
		device.token = s.grant(t, of.credentials, "sdk", session.id)
		foreign := slices.DeleteFunc(slices.Clone(things), func(o thing) bool {
			return o.id == session.id || session.kind == kindAuthentication && o.kind == kindIdentity && o.name == ""
		})
		for _, op := range all {
			if !slices.Contains(op.scopes, "sdk") {
				continue
			}
			t.Run(session.kind+"/"+op.id, func(t *testing.T) {
				before := store.dump(t)
				for _, p := range places(op) {
					asked += s.seesNothing(t, op, p, device, nil, foreign)
				}
				store.dump(t).sameAs(t, before)
			})
		}
	}
	t.Logf("%d questions", asked)
}

// showsNothingTo: a tenant that has nothing finds nothing, by whatever the one who has it finds it.
func (s *server) showsNothingTo(t *testing.T, all []*operation, nobody, owner tenant) {
	t.Helper()
	for _, op := range all {
		if !op.lists() || op.properties()["session_id"] != nil {
			continue
		}
		base := op.example(t, append(idFields(), "search_term", "metadata", "start_date", "end_date", "status", "verified")...)
		words := []string{"PEPPERCORNE", "thaddeus ezekiel", "s 987060974"}
		if op.id == "webhookList" {
			words = []string{"backend", "BACK"}
		}
		questions := []question{base}
		for _, word := range words {
			questions = append(questions, base.with(place{inBody, "search_term"}, word))
		}
		for _, q := range questions {
			if a := s.ask(t, q.as(nobody)); a.status != http.StatusOK || !isEmptyPage(t, a) {
				t.Errorf("%s %v: %s", op.id, q.body, a)
			}
			if a := s.ask(t, q.as(owner)); a.status != http.StatusOK || isEmptyPage(t, a) {
				t.Errorf("%s %v: the owner does not find it: %s", op.id, q.body, a)
			}
		}
	}
}

// findsOwn wants that one of the caller's own things in a place is found, whatever else may be wrong with the question.
func (s *server) findsOwn(t *testing.T, op *operation, p place, of tenant, own []thing) {
	t.Helper()
	base := op.example(t, append(idFields(), "search_term", "metadata", "start_date", "end_date", "status", "verified")...).as(of)
	var refusals []string
	for _, mine := range own {
		if !slices.Contains(kindsFor(p), mine.kind) {
			continue
		}
		a := s.ask(t, base.with(p, variants(op, p, mine.id, "")[0].value))
		switch {
		case op.lists() && op.properties()["session_id"] == nil && a.status == http.StatusOK && isEmptyPage(t, a):
			refusals = append(refusals, mine.name+": an empty page")
		case a.status == http.StatusOK || a.status == http.StatusConflict:
			return
		default:
			refusals = append(refusals, mine.name+": "+a.String())
		}
	}
	t.Errorf("%s: nothing of the caller's own is found: %s", p, strings.Join(refusals, "; "))
}

// isEmptyPage tells a page that shows and counts nothing.
func isEmptyPage(t testing.TB, a answer) bool {
	t.Helper()
	arrays := 0
	for name, value := range a.object(t) {
		switch value := value.(type) {
		case []any:
			arrays++
			if len(value) > 0 {
				return false
			}
		case map[string]any: // the counts
			for _, n := range value {
				if n != 0.0 {
					return false
				}
			}
		case nil: // what a single one would have
		default:
			t.Fatalf("a page with %s: %v", name, value)
		}
	}
	return arrays == 1
}

// alike tells answers between which a caller cannot tell: all but the request's id and the time is the same.
func alike(t testing.TB, a, b answer) bool {
	t.Helper()
	return a.status == b.status && maps.EqualFunc(lasting(a.header), lasting(b.header), slices.Equal) && withoutRequestID(t, a) == withoutRequestID(t, b)
}

func lasting(h http.Header) http.Header {
	h = h.Clone()
	h.Del("Date")
	h.Del("X-Request-Id")
	return h
}

func withoutRequestID(t testing.TB, a answer) string {
	t.Helper()
	if a.isPicture() {
		return string(a.body)
	}
	object := a.object(t)
	delete(object, "request_id")
	data, err := json.Marshal(object)
	must(t, err)
	return string(data)
}
