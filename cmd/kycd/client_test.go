package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// kycd runs a command on a data folder and gives what it printed.
func kycd(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(args, "--data", dir, "--log-level", "error"))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// ran is kycd for a command that must succeed, and prints JSON.
func ran[T any](t *testing.T, dir string, args ...string) (printed T) {
	t.Helper()
	out, err := kycd(t, dir, append(args, "--json")...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if err := json.Unmarshal([]byte(out), &printed); err != nil {
		t.Fatalf("%v printed %q: %v", args, out, err)
	}
	return printed
}

func TestClientCommands(t *testing.T) {
	dir := t.TempDir()
	plain := ran[kyc.Credentials](t, dir, "client", "create", "--name", "Borduria Bank")
	made := ran[kyc.Credentials](t, dir, "client", "create", "--name", "Syldavia Bank", "--scope", "idv,webhook", "--scope", "ida",
		"--origin", "https://app.example:443", "--requests-per-second", "2.5", "--external-id", "bank")
	list := ran[[]kyc.Client](t, dir, "client", "list")
	if len(list) != 2 || list[0].ID != plain.ClientID || len(list[0].Scopes)+len(list[0].Origins) != 0 || list[0].RequestsPerSecond != 0 {
		t.Fatalf("clients %+v", list)
	}
	if got := list[1]; got.ID != made.ClientID || !slices.Equal(got.Scopes, []string{"ida", "idv", "webhook"}) ||
		!slices.Equal(got.Origins, []string{"https://app.example"}) || got.RequestsPerSecond != 2.5 || got.ExternalID != "bank" || got.RevokedAt != nil {
		t.Errorf("client %+v", got)
	}

	// What is not named stays; what is named empty goes.
	changed := ran[kyc.Credentials](t, dir, "client", "update", "--client-id", made.ClientID, "--origin", "", "--scope", "webhook")
	if changed.ClientSecret != "" {
		t.Error("a new secret that nobody asked for")
	}
	got := ran[[]kyc.Client](t, dir, "client", "list")[1]
	if !slices.Equal(got.Scopes, []string{"webhook"}) || len(got.Origins) != 0 || got.RequestsPerSecond != 2.5 || got.ExternalID != "bank" {
		t.Errorf("client %+v", got)
	}
	if changed = ran[kyc.Credentials](t, dir, "client", "update", "--client-id", made.ClientID, "--rotate-secret"); changed.ClientSecret == "" || changed.ClientSecret == made.ClientSecret {
		t.Error("no new secret")
	}

	if _, err := kycd(t, dir, "client", "revoke", "--client-id", made.ClientID); err != nil {
		t.Fatal(err)
	}
	if got := ran[[]kyc.Client](t, dir, "client", "list"); got[1].RevokedAt == nil || got[0].RevokedAt != nil {
		t.Errorf("clients %+v", got)
	}
	out, err := kycd(t, dir, "client", "list")
	if err != nil || strings.Count(out, "\n") != 3 || !strings.Contains(out, plain.ClientID) || strings.Contains(out, "kycs_") {
		t.Errorf("printed %q, %v", out, err)
	}

	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"client", "create", "--name", "x", "--origin", "https://a.example/path"}, "/origins/0"},
		{[]string{"client", "create", "--name", "x", "--scope", "admin"}, "/scopes/0"},
		{[]string{"client", "update", "--client-id", plain.ClientID, "--requests-per-second", "-1"}, "/requests_per_second"},
		{[]string{"client", "update", "--client-id", plain.ClientID, "--external-id", "bank"}, "external id"},
		{[]string{"client", "update", "--client-id", made.ClientID}, "revoked"},
		{[]string{"client", "update"}, "client-id"},
		{[]string{"client", "revoke", "--client-id", "nobody"}, "not_found"},
		{[]string{"client", "revoke"}, "client-id"},
	} {
		if _, err := kycd(t, dir, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}

func TestKeysCommands(t *testing.T) {
	dir := t.TempDir()
	before := ran[[]kyc.SigningKey](t, dir, "keys", "list")
	if len(before) != 1 || before[0].RetiredAt != nil {
		t.Fatalf("keys %+v", before)
	}
	out, err := kycd(t, dir, "keys", "rotate")
	if err != nil {
		t.Fatal(err)
	}
	after := ran[[]kyc.SigningKey](t, dir, "keys", "list")
	if len(after) != 2 || after[0].RetiredAt != nil || after[1].ID != before[0].ID || after[1].EndsAt == nil || !strings.Contains(out, after[0].ID) {
		t.Errorf("keys %+v after %q", after, out)
	}
	if out, err := kycd(t, dir, "keys", "list"); err != nil || strings.Count(out, "\n") != 3 || strings.Contains(out, `"d"`) {
		t.Errorf("printed %q, %v", out, err)
	}
}

func TestExternalIssuerFlags(t *testing.T) {
	for _, c := range []struct {
		external auth.ExternalConfig
		good     bool
	}{
		{auth.ExternalConfig{}, true},
		{auth.ExternalConfig{Issuer: "https://login.example", Audience: "kyc"}, true},
		{auth.ExternalConfig{Issuer: "https://login.example"}, false},
		{auth.ExternalConfig{Audience: "kyc"}, false},
		{auth.ExternalConfig{AlsoBuiltin: true}, false},
		{auth.ExternalConfig{Issuer: "http://login.example", Audience: "kyc"}, false},
	} {
		config := config{environment: production, sidecar: "none", external: c.external}
		if err := config.validate(); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.external, err)
		}
		if got := config.rules().External; c.good && (got != nil) != (c.external.Issuer != "") {
			t.Errorf("%+v: the rules are told %+v", c.external, got)
		}
	}
}
