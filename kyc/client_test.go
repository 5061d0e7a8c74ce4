package kyc_test

import (
	"context"
	"math"
	"reflect"
	"testing"
	"time"

	"kycd/ent/database/databasetest"
	"kycd/kyc"
	"kycd/kyc/auth"
)

// TestRevokeClient: a revoked client opens nothing, in any process, within five seconds.
func TestRevokeClient(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url, dir string) {
		ctx, h := context.Background(), open(t, url, dir)
		other := h.beside(url, nil)
		c, err := h.CreateClient(ctx, "Borduria Bank")
		must(t, err)
		stays, err := h.CreateClient(ctx, "Borduria Bank")
		must(t, err)
		session := h.fresh(auth.Principal{UserID: c.UserID, ClientID: c.ClientID})
		var bearers []string
		for _, scopes := range [][]string{nil, {"sdk"}} {
			id := ""
			if scopes != nil {
				id = session
			}
			token, err := h.IssueToken(ctx, c.ClientID, c.ClientSecret, scopes, id)
			must(t, err)
			bearers = append(bearers, token.AccessToken)
		}
		token, err := h.IssueToken(ctx, stays.ClientID, stays.ClientSecret, nil, "")
		must(t, err)
		services := map[string]*kyc.Service{"this process": h.Service, "the other": other}
		for _, s := range services {
			for _, bearer := range append(bearers, token.AccessToken) {
				_, err := s.Authenticate(ctx, bearer)
				must(t, err)
			}
		}
		must(t, h.RevokeClient(ctx, c.ClientID))
		for _, bearer := range bearers { // here at once
			_, err := h.Authenticate(ctx, bearer)
			want(t, err, kyc.CodeUnauthorized)
		}
		h.pass(5 * time.Second)
		for _, s := range services {
			for _, bearer := range bearers {
				_, err := s.Authenticate(ctx, bearer)
				want(t, err, kyc.CodeUnauthorized)
			}
			_, err = s.Authenticate(ctx, token.AccessToken)
			must(t, err)
			_, err = s.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
			want(t, err, kyc.CodeUnauthorized)
		}
		must(t, h.RevokeClient(ctx, c.ClientID)) // once more is harmless
		want(t, h.RevokeClient(ctx, "nobody"), kyc.CodeNotFound)
		_, err = h.UpdateClient(ctx, c.ClientID, kyc.ClientUpdate{RotateSecret: true})
		want(t, err, kyc.CodeConflict)
	})
}

// TestNewClient: a client that another process made a moment ago is known.
func TestNewClient(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	other := h.beside("", nil)
	h.client("Borduria Bank")
	first, err := h.CreateClient(ctx, "Syldavia Bank")
	must(t, err)
	for _, c := range []kyc.Credentials{first} {
		token, err := other.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
		must(t, err)
		_, err = other.Authenticate(ctx, token.AccessToken)
		must(t, err)
	}
	second, err := h.CreateClient(ctx, "Syldavia Bank")
	must(t, err)
	token, err := h.IssueToken(ctx, second.ClientID, second.ClientSecret, nil, "")
	must(t, err)
	_, err = other.Authenticate(ctx, token.AccessToken)
	must(t, err)
}

func TestUpdateClient(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url, dir string) {
		ctx, h := context.Background(), open(t, url, dir)
		c, err := h.CreateClient(ctx, "Borduria Bank")
		must(t, err)
		other, err := h.CreateClient(ctx, "Syldavia Bank")
		must(t, err)
		token, err := h.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
		must(t, err)

		scopes, origins, rate, external := []string{"webhook", "idv"}, []string{"https://App.Example:443", "http://localhost:3000"}, 12.5, "bank-backend"
		update := kyc.ClientUpdate{Scopes: &scopes, Origins: &origins, RequestsPerSecond: &rate, ExternalID: &external}
		changed, err := h.UpdateClient(ctx, c.ClientID, update)
		must(t, err)
		if changed != (kyc.Credentials{ClientID: c.ClientID, UserID: c.UserID, Name: "Borduria Bank"}) {
			t.Errorf("credentials %+v, want none", changed)
		}
		list, err := h.ListClients(ctx)
		must(t, err)
		want1 := kyc.Client{
			ID: c.ClientID, UserID: c.UserID, Name: "Borduria Bank", Scopes: []string{"idv", "webhook"},
			Origins: []string{"https://app.example", "http://localhost:3000"}, RequestsPerSecond: 12.5, ExternalID: "bank-backend",
		}
		if len(list) != 2 {
			t.Fatalf("%d clients", len(list))
		}
		want1.CreatedAt = list[0].CreatedAt
		if !reflect.DeepEqual(list[0], want1) || list[1].ID != other.ClientID || list[0].CreatedAt.IsZero() {
			t.Errorf("clients %+v", list)
		}
		settings, err := h.ClientSettings(ctx, c.ClientID)
		must(t, err)
		if settings.RequestsPerSecond != 12.5 || !reflect.DeepEqual(settings.Origins, want1.Origins) {
			t.Errorf("settings %+v", settings)
		}
		// A token that was given before opens no more than the client may now.
		p, err := h.Authenticate(ctx, token.AccessToken)
		must(t, err)
		if got := auth.JoinScopes(p.Scopes); got != "idv webhook" {
			t.Errorf("an older token opens %q", got)
		}
		// What is nil stays; what is empty goes.
		_, err = h.UpdateClient(ctx, c.ClientID, kyc.ClientUpdate{})
		must(t, err)
		if again, err := h.ListClients(ctx); err != nil || !reflect.DeepEqual(again[0], list[0]) {
			t.Errorf("%+v, %v", again, err)
		}
		none, zero, empty := []string{}, 0.0, ""
		_, err = h.UpdateClient(ctx, c.ClientID, kyc.ClientUpdate{Scopes: &none, Origins: &none, RequestsPerSecond: &zero, ExternalID: &empty})
		must(t, err)
		list, err = h.ListClients(ctx)
		must(t, err)
		if got := list[0]; len(got.Scopes) != 0 || len(got.Origins) != 0 || got.RequestsPerSecond != 0 || got.ExternalID != "" {
			t.Errorf("client %+v, want nothing set", got)
		}
		// Two clients without an external id do not disturb each other; two with the same do.
		_, err = h.UpdateClient(ctx, other.ClientID, kyc.ClientUpdate{ExternalID: &empty})
		must(t, err)
		_, err = h.UpdateClient(ctx, other.ClientID, kyc.ClientUpdate{ExternalID: &external})
		must(t, err)
		_, err = h.UpdateClient(ctx, c.ClientID, kyc.ClientUpdate{ExternalID: &external})
		want(t, err, kyc.CodeConflict)
		_, err = h.CreateClient(ctx, "Ruritania Bank", kyc.ClientUpdate{ExternalID: &external})
		want(t, err, kyc.CodeConflict)
		// A new secret ends the one before.
		changed, err = h.UpdateClient(ctx, c.ClientID, kyc.ClientUpdate{RotateSecret: true})
		must(t, err)
		_, err = h.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
		want(t, err, kyc.CodeUnauthorized)
		_, err = h.IssueToken(ctx, c.ClientID, changed.ClientSecret, nil, "")
		must(t, err)
		_, err = h.UpdateClient(ctx, "nobody", kyc.ClientUpdate{})
		want(t, err, kyc.CodeNotFound)
	})
}

func TestClientUpdateRefused(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	c, err := h.CreateClient(ctx, "Borduria Bank")
	must(t, err)
	texts := func(list ...string) *[]string { return &list }
	number := func(n float64) *float64 { return &n }
	long := string(make([]byte, 201))
	for name, tc := range map[string]struct {
		update  kyc.ClientUpdate
		pointer string
	}{
		"unknown scope":  {kyc.ClientUpdate{Scopes: texts("idv", "admin")}, "/scopes/1"},
		"two in one":     {kyc.ClientUpdate{Scopes: texts("idv ida")}, "/scopes/0"},
		"a path":         {kyc.ClientUpdate{Origins: texts("https://app.example", "https://app.example/app")}, "/origins/1"},
		"negative rate":  {kyc.ClientUpdate{RequestsPerSecond: number(-1)}, "/requests_per_second"},
		"no number":      {kyc.ClientUpdate{RequestsPerSecond: number(math.NaN())}, "/requests_per_second"},
		"without bounds": {kyc.ClientUpdate{RequestsPerSecond: number(math.Inf(1))}, "/requests_per_second"},
		"long name":      {kyc.ClientUpdate{ExternalID: &long}, "/external_id"},
	} {
		_, err := h.UpdateClient(ctx, c.ClientID, tc.update)
		if e := kyc.AsError(err); e == nil || e.Code != kyc.CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Pointer != tc.pointer {
			t.Errorf("%s: %+v", name, e)
		}
		_, err = h.CreateClient(ctx, "Syldavia Bank", tc.update)
		want(t, err, kyc.CodeInvalid)
	}
	if n, err := h.ClientCount(ctx); err != nil || n != 1 {
		t.Errorf("%d clients, %v", n, err)
	}
}

func TestAllowedOrigin(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	create := func(name string, origins ...string) string {
		t.Helper()
		c, err := h.CreateClient(ctx, name, kyc.ClientUpdate{Origins: &origins})
		must(t, err)
		return c.ClientID
	}
	// How an origin may be written, and how browsers write it.
	for _, tc := range []struct{ given, want string }{
		{"https://app.example", "https://app.example"},
		{"HTTPS://App.Example", "https://app.example"},
		{"https://app.example:443", "https://app.example"},
		{"https://app.example:8443", "https://app.example:8443"},
		{"http://app.example:80", "http://app.example"},
		{"http://app.example:443", "http://app.example:443"},
		{"http://localhost:3000", "http://localhost:3000"},
		{"http://127.0.0.1:3000", "http://127.0.0.1:3000"},
		{"http://[::1]:3000", "http://[::1]:3000"},
		{"https://bücher.example", "https://xn--bcher-kva.example"},
		{"", ""}, {"null", ""}, {"*", ""}, {"https://*.example", ""}, {"app.example", ""}, {"//app.example", ""},
		{"https://", ""}, {"https://app.example/", ""}, {"https://app.example/app", ""}, {"https://app.example?x", ""},
		{"https://app.example?", ""}, {"https://app.example#", ""}, {"https://app.example#x", ""}, {"https://user@app.example", ""},
		{"https://app.example:", ""}, {"https://app.example:0", ""}, {"https://app.example:70000", ""}, {"https://app.example:0443", ""},
		{"ftp://app.example", ""}, {"capacitor://localhost", ""}, {"https://app example", ""}, {"https:app.example", ""},
	} {
		c, err := h.CreateClient(ctx, "Borduria Bank", kyc.ClientUpdate{Origins: &[]string{tc.given}})
		if tc.want == "" {
			if e := kyc.AsError(err); e == nil || e.Code != kyc.CodeInvalid || e.Fields[0].Pointer != "/origins/0" {
				t.Errorf("%q: %v", tc.given, err)
			}
			continue
		}
		if err != nil || !h.AllowedOrigin(ctx, c.ClientID, tc.want) {
			t.Errorf("%q does not allow %q: %v", tc.given, tc.want, err)
		}
	}

	web, other, native := create("a", "https://a.example"), create("b", "https://b.example", "https://shared.example"), create("c")
	gone := create("d", "https://gone.example", "https://shared.example")
	must(t, h.RevokeClient(ctx, gone))
	for _, tc := range []struct {
		client, origin string
		want           bool
	}{
		{web, "https://a.example", true},
		{web, "https://b.example", false},
		{web, "https://a.example:8443", false},
		{web, "http://a.example", false},
		{web, "null", false},
		{web, "", false},
		{native, "https://a.example", false},
		{other, "https://shared.example", true},
		{gone, "https://gone.example", false},
		{"nobody", "https://a.example", false},
		{"", "https://a.example", true},
		{"", "https://shared.example", true},
		{"", "https://gone.example", false},
		{"", "https://evil.example", false},
		{"", "", false},
	} {
		if got := h.AllowedOrigin(ctx, tc.client, tc.origin); got != tc.want {
			t.Errorf("%s from %q: %v", tc.client, tc.origin, got)
		}
	}
	_, err := h.ClientSettings(ctx, "nobody")
	want(t, err, kyc.CodeNotFound)

	// Where it cannot be told, the answer is no, and tokens are neither good nor bad.
	token, err := h.IssueToken(ctx, native, "wrong", nil, "")
	if err == nil {
		t.Fatalf("a token for a wrong secret: %v", token)
	}
	p := h.client("e")
	must(t, h.db.Close())
	h.pass(5 * time.Second)
	if h.AllowedOrigin(ctx, web, "https://a.example") || h.AllowedOrigin(ctx, "", "https://a.example") {
		t.Error("an origin is allowed without the database")
	}
	_, err = h.ClientSettings(ctx, p.ClientID)
	want(t, err, kyc.CodeUnavailable)
}
