package main

import (
	"strings"
	"testing"
	"time"

	"kycd/rest"
)

// flagsOf reads a command line of serve.
func flagsOf(t *testing.T, args ...string) (config, error) {
	t.Helper()
	var c config
	cmd := serveCommand()
	cmd.ResetFlags()
	c.serveFlags(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		return c, err
	}
	if err := cmd.PreRunE(cmd, nil); err != nil {
		return c, err
	}
	return c, c.validate()
}

func TestGuardFlags(t *testing.T) {
	for _, c := range []struct {
		name, args string
		limits     rest.Limits
		trusted    int // networks
		drain      time.Duration
		refused    string
	}{
		{"nothing", "", rest.DefaultLimits(), 0, 0, ""},
		{"production", "--environment production", rest.DefaultLimits(), 0, drainInProduction, ""},
		{"production without a pause", "--environment production --drain 0s", rest.DefaultLimits(), 0, 0, ""},
		{"all", "--rate-client 7 --rate-session 0.5 --rate-address 0 --trusted-proxies 10.0.0.0/8,192.0.2.7 --drain 3s",
			rest.Limits{Client: 7, Session: 0.5}, 2, 3 * time.Second, ""},
		{"negative", "--rate-client -1", rest.Limits{}, 0, 0, "--rate-client"},
		{"no number", "--rate-session NaN", rest.Limits{}, 0, 0, "--rate-session"},
		{"infinite", "--rate-address Inf", rest.Limits{}, 0, 0, "--rate-address"},
		{"everybody trusted", "--trusted-proxies 0.0.0.0/0", rest.Limits{}, 0, 0, "--trusted-proxies"},
		{"no network", "--trusted-proxies proxy.internal", rest.Limits{}, 0, 0, "--trusted-proxies"},
		{"drain in the past", "--drain -3s", rest.Limits{}, 0, 0, "--drain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := flagsOf(t, strings.Fields(c.args)...)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("got %v, want an error of %s", err, c.refused)
				}
				return
			}
			if err != nil || got.limits != c.limits || len(got.trusted) != c.trusted || got.drain != c.drain {
				t.Errorf("got %+v, %d networks, drain %v, %v, want %+v", got.limits, len(got.trusted), got.drain, err, c)
			}
		})
	}
	t.Setenv("KYCD_RATE_CLIENT", "12.5")
	t.Setenv("KYCD_TRUSTED_PROXIES", "10.0.0.0/8")
	t.Setenv("KYCD_DRAIN", "2s")
	if got, err := flagsOf(t); err != nil || got.limits.Client != 12.5 || len(got.trusted) != 1 || got.drain != 2*time.Second {
		t.Errorf("from the environment: got %+v, %v", got, err)
	}
}
