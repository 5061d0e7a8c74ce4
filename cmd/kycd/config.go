package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kycd/kyc"
	"kycd/kyc/webhook"
)

// config is what the flags say. Every flag has an environment variable: KYCD_ and its name in capitals.
type config struct {
	addr, data, database, redis, blobs string
	masterKey, models, sidecar         string
	deskAddr, deskToken                string
	issuer, environment, logLevel      string
	allowDegraded                      bool
}

const (
	development = "development"
	production  = "production"
)

// dataFlags are shared by every command that opens the store.
func (c *config) dataFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.data, "data", "data", "folder of the embedded default: database, images, master key, weights")
	f.StringVar(&c.database, "database", "", "database URL, postgres://… or sqlite:PATH (default: a SQLite file in --data)")
	f.StringVar(&c.masterKey, "master-key", "", "source of the master key: env:NAME or a KMS URL (default: a file in --data, made on the first start)")
	f.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error")
	fromEnvironment(cmd)
}

func (c *config) serveFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.addr, "addr", "127.0.0.1:8080", "HOST:PORT to listen on")
	f.StringVar(&c.redis, "redis", "", "Redis URL of the queue (default: a queue inside this process)")
	f.StringVar(&c.blobs, "blobs", "", "where sealed images lie: file:///PATH or s3://BUCKET?… (default: a folder in --data)")
	f.StringVar(&c.models, "models", "", "folder of the weights (default: models in --data)")
	f.StringVar(&c.sidecar, "sidecar", "", "the kycd-vision program, or none (default: beside this program)")
	f.StringVar(&c.deskAddr, "desk-addr", "", "HOST:PORT where kycd-vision processes elsewhere fetch their images (default: a free loopback port)")
	f.StringVar(&c.deskToken, "desk-token", "", "secret that those processes share with this one (default: random)")
	f.StringVar(&c.issuer, "issuer", "", "the service's public URL, as access tokens name it (default: http://ADDR)")
	f.StringVar(&c.environment, "environment", development, "development or production; production refuses weaker fall-back models and private webhook addresses")
	f.BoolVar(&c.allowDegraded, "allow-degraded", false, "accept measurements of weaker fall-back models in production")
	c.dataFlags(cmd)
}

// fromEnvironment fills the flags that the command line leaves open.
func fromEnvironment(cmd *cobra.Command) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		var bad error
		visit(cmd, func(name string, changed bool) {
			variable := "KYCD_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			value, set := os.LookupEnv(variable)
			if changed || !set || value == "" {
				return
			}
			if err := cmd.Flags().Set(name, value); err != nil && bad == nil {
				bad = fmt.Errorf("%s: not a valid value for --%s", variable, name)
			}
		})
		return bad
	}
}

func (c *config) validate() error {
	if c.environment != development && c.environment != production {
		return fmt.Errorf("--environment is %q, and must be %s or %s", c.environment, development, production)
	}
	if c.models == "" {
		c.models = filepath.Join(c.data, "models")
	}
	if c.issuer == "" {
		c.issuer = "http://" + c.addr
	}
	if c.sidecar == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		c.sidecar = filepath.Join(filepath.Dir(self), "kycd-vision")
	}
	return nil
}

// rules is what the rules are told of the installation.
func (c *config) rules() kyc.Config {
	rules := kyc.DefaultConfig()
	if c.issuer != "" { // commands that issue no tokens are not told one
		rules.Issuer = c.issuer
	}
	rules.AllowDegraded = c.allowDegraded || c.environment == development
	if c.environment == development {
		rules.Webhooks = webhook.Policy{AllowHTTP: true, AllowNets: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
		}}
	}
	return rules
}

func (c *config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level is %q", c.logLevel)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), nil
}
