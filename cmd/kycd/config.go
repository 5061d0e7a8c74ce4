package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/azureface"
	"kycd/kyc/webhook"
	"kycd/rest"
	"kycd/rest/peer"
)

// config is what the flags say. Every flag has an environment variable: KYCD_ and its name in capitals.
type config struct {
	addr, data, database, redis, blobs string
	masterKey, models, sidecar         string
	deskAddr, deskToken                string
	issuer, environment, logLevel      string
	allowDegraded                      bool
	livenessProvider                   string
	azureEndpoint, azureKeyFile        string
	azureVerify                        bool
	external                           auth.ExternalConfig
	limits                             rest.Limits
	trustedProxies                     string
	trusted                            []netip.Prefix // what trustedProxies says
	drain                              time.Duration
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
	f.StringVar(&c.livenessProvider, "liveness-provider", kyc.ProviderLocal, "who measures liveness where a session's settings say nothing: local or azure")
	f.StringVar(&c.azureEndpoint, "azure-face-endpoint", "", "https://NAME.cognitiveservices.azure.com; with it sessions may choose the liveness provider azure")
	f.StringVar(&c.azureKeyFile, "azure-face-key-file", "", "file with the resource's key (default: the variable "+azureFaceKeyVariable+")")
	f.BoolVar(&c.azureVerify, "azure-face-verify", false, "send the front of the document to Azure too, to be compared with the live face")
	f.StringVar(&c.external.Issuer, "oidc-issuer", "", "URL of another issuer of access tokens, found by OpenID Connect discovery (default: tokens come from here)")
	f.StringVar(&c.external.Audience, "oidc-audience", "", "what that issuer's tokens for this service have as audience")
	f.StringVar(&c.external.ClientClaim, "oidc-client-claim", "", "claim that names the client (default: client_id, or azp)")
	f.StringVar(&c.external.ScopeClaim, "oidc-scope-claim", "", "claim that names the scopes (default: scope, or scp)")
	f.BoolVar(&c.external.AlsoBuiltin, "oidc-also-builtin", false, "clients get tokens here as well")
	limits := rest.DefaultLimits()
	f.Float64Var(&c.limits.Client, "rate-client", limits.Client, "requests a second that one client may make, unless it has a limit of its own; 0 does not limit")
	f.Float64Var(&c.limits.Session, "rate-session", limits.Session, "requests a second that the device of one session may make; 0 does not limit")
	f.Float64Var(&c.limits.Address, "rate-address", limits.Address, "requests a second that one address may make without a token; 0 does not limit")
	f.StringVar(&c.trustedProxies, "trusted-proxies", "", "networks of the reverse proxies in front, CIDR,…: what they say of a caller's address and of TLS counts (default: nobody's word counts)")
	f.DurationVar(&c.drain, "drain", unset, "how long a server that is asked to end goes on, with /ready at 503 (default: 5s in production, else 0s)")
	f.Lookup("drain").DefValue = "0" // pflag would show the stand-in
	c.dataFlags(cmd)
}

// unset stands for a duration that depends on the environment.
const unset time.Duration = -1

// drainInProduction is what a balancer needs that asks /ready every second or two, and believes the third answer.
const drainInProduction = 5 * time.Second

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
	for flag, perSecond := range map[string]float64{"client": c.limits.Client, "session": c.limits.Session, "address": c.limits.Address} {
		if !(perSecond >= 0) || math.IsInf(perSecond, 0) {
			return fmt.Errorf("--rate-%s is %v, and must be 0 or more", flag, perSecond)
		}
	}
	var err error
	if c.trusted, err = peer.ParseNets(c.trustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: %w", err)
	}
	switch {
	case c.drain >= 0:
	case c.drain != unset:
		return fmt.Errorf("--drain is %v, and must be 0 or more", c.drain)
	case c.environment == production:
		c.drain = drainInProduction
	default:
		c.drain = 0
	}
	if c.external != (auth.ExternalConfig{}) {
		if err := c.external.Validate(); err != nil {
			return fmt.Errorf("--oidc-issuer, --oidc-audience: %w", err)
		}
	}
	if c.livenessProvider == "" { // of commands without the flag
		c.livenessProvider = kyc.ProviderLocal
	}
	if c.livenessProvider != kyc.ProviderLocal && c.livenessProvider != kyc.ProviderAzure {
		return fmt.Errorf("--liveness-provider is %q, and must be %s or %s", c.livenessProvider, kyc.ProviderLocal, kyc.ProviderAzure)
	}
	if c.livenessProvider == kyc.ProviderAzure && c.azureEndpoint == "" {
		return fmt.Errorf("--liveness-provider %s needs --azure-face-endpoint", kyc.ProviderAzure)
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
	rules.LivenessProvider, rules.AzureVerify = c.livenessProvider, c.azureVerify
	if c.external.Issuer != "" {
		rules.External = &c.external
	}
	if c.environment == development {
		rules.Webhooks = webhook.Policy{AllowHTTP: true, AllowNets: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
		}}
	}
	return rules
}

// azureFace is the client of the liveness provider outside; nil where none is configured.
func (c *config) azureFace() (kyc.AzureFace, error) {
	if c.azureEndpoint == "" {
		return nil, nil
	}
	key := os.Getenv(azureFaceKeyVariable)
	if c.azureKeyFile != "" {
		content, err := os.ReadFile(c.azureKeyFile)
		if err != nil {
			return nil, fmt.Errorf("--azure-face-key-file: %w", err)
		}
		key = strings.TrimSpace(string(content))
	}
	client, err := azureface.New(azureface.Config{Endpoint: c.azureEndpoint, Key: key, Now: time.Now})
	if err != nil {
		return nil, fmt.Errorf("--azure-face-endpoint, %s: %w", azureFaceKeyVariable, err)
	}
	return client, nil
}

func (c *config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level is %q", c.logLevel)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), nil
}
