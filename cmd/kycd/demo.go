package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kycd/kyc/specimen"
)

// demoOptions are the flags of kycd demo.
type demoOptions struct {
	url, clientID, clientSecret string
	models                      string
	portrait, selfie, other     string
	pictures                    string
	runs                        int
	pause, timeout              time.Duration
	asJSON                      bool
}

// demoCommand verifies an invented person from session to signed webhook, through the public REST API only.
func demoCommand() *cobra.Command {
	var options demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Verify an invented person from session to signed webhook, recognise them again, and refuse who must be",
		Long: `Does through the public REST API what a backend and a phone would do: token, webhook, session, consent, document
type, both sides of a freshly drawn licence, a liveness frame, finalize. It prints the decision and checks the signature
of the webhook. One verification must succeed; the same person must be recognised by face alone afterwards, and somebody
else not; four verifications must be refused, each for its own reason. It exits with 0 only if all came out as they must.

Without --url it starts a server of its own on a free port with a temporary data folder, and ends it afterwards.
The people are in the demo pictures of the npm package @vladmandic/face-api, cut out when the demo runs.

Every flag has an environment variable: KYCD_DEMO_ and its name in capitals.`,
		Example: `  kycd demo
  KYCD_DEMO_CLIENT_SECRET=… kycd demo --url http://127.0.0.1:8080 --client-id …
  kycd demo --runs 50 --pause 2s --json
  kycd demo --pictures ./pictures`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			return environmentOf(cmd, "KYCD_DEMO_")
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.complete(); err != nil {
				return err
			}
			if options.pictures != "" {
				return options.writePictures(cmd.Context(), cmd.OutOrStdout())
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), options.timeout)
			defer cancel()
			progress := cmd.OutOrStdout()
			if options.asJSON {
				progress = cmd.ErrOrStderr()
			}
			report, err := options.run(ctx, progress)
			if err != nil {
				return err
			}
			if options.asJSON {
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(report); err != nil {
					return err
				}
			} else if err := report.writeTable(cmd.OutOrStdout()); err != nil {
				return err
			}
			return report.err()
		},
	}
	f := cmd.Flags()
	f.StringVar(&options.url, "url", "", "URL of a running server (default: one of its own)")
	f.StringVar(&options.clientID, "client-id", "", "with --url: the client to be")
	f.StringVar(&options.clientSecret, "client-secret", "", "with --url: its secret; better given as KYCD_DEMO_CLIENT_SECRET, which other users do not see")
	f.StringVar(&options.models, "models", "", "weights of a server of its own (default: KYCD_MODELS, else data/models)")
	f.StringVar(&options.portrait, "portrait", "", "JPEG or PNG of the licence's holder, head and shoulders")
	f.StringVar(&options.selfie, "selfie", "", "with --portrait: JPEG or PNG of the holder's selfie (default: made of the portrait)")
	f.StringVar(&options.other, "other", "", "JPEG or PNG of somebody else's selfie")
	f.StringVar(&options.pictures, "pictures", "", "only write the pictures of the demo's person to this folder, to try the API by hand")
	f.IntVar(&options.runs, "runs", 1, "how often the successful verification is repeated, to measure its latency")
	f.DurationVar(&options.pause, "pause", 0, "pause before each picture, as a person needs it")
	f.DurationVar(&options.timeout, "timeout", 15*time.Minute, "the most that all of it may take")
	f.BoolVar(&options.asJSON, "json", false, "print one JSON object; the progress goes to the standard error")
	return cmd
}

// environmentOf fills the flags that the command line leaves open.
func environmentOf(cmd *cobra.Command, prefix string) error {
	var bad error
	visit(cmd, func(name string, changed bool) {
		variable := prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if value := os.Getenv(variable); value != "" && !changed && bad == nil {
			if cmd.Flags().Set(name, value) != nil {
				bad = fmt.Errorf("%s: not a valid value for --%s", variable, name)
			}
		}
	})
	return bad
}

// complete checks the flags and fills in what they leave open.
func (o *demoOptions) complete() error {
	if o.url != "" {
		base, err := url.Parse(o.url)
		if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.User != nil {
			return errors.New("--url must be http://HOST:PORT or https://HOST")
		}
		o.url = strings.TrimRight(o.url, "/")
	}
	switch {
	case o.url != "" && (o.clientID == "" || o.clientSecret == ""):
		return errors.New("--url needs --client-id and --client-secret")
	case o.url == "" && (o.clientID != "" || o.clientSecret != ""):
		return errors.New("--client-id and --client-secret belong to a --url")
	case o.selfie != "" && o.portrait == "":
		return errors.New("--selfie needs the --portrait that it belongs to")
	case o.runs < 1 || o.runs > 10_000:
		return errors.New("--runs must be between 1 and 10000")
	case o.pause < 0 || o.timeout <= 0:
		return errors.New("--pause and --timeout must not be negative")
	}
	if o.models == "" {
		o.models = os.Getenv("KYCD_MODELS")
	}
	if o.models == "" {
		o.models = filepath.Join("data", "models")
	}
	return nil
}

// run does all verifications. Its error means that they could not be done; how they came out is in the report.
func (o *demoOptions) run(ctx context.Context, progress io.Writer) (_ demoReport, err error) {
	clock := stopwatch{out: progress}
	var cast demoCast
	if err := clock.step("photographs of people", func() (err error) { cast, err = o.cast(ctx, progress); return err }); err != nil {
		return demoReport{}, err
	}
	cases, err := demoCases(cast, time.Now())
	if err != nil {
		return demoReport{}, err
	}
	press, err := specimen.NewPress()
	if err != nil {
		return demoReport{}, err
	}
	if o.url == "" {
		var own *demoServer
		if err := clock.step("server of its own", func() (err error) { own, err = startDemoServer(ctx, o.models, progress); return err }); err != nil {
			return demoReport{}, err
		}
		defer func() {
			err = errors.Join(err, clock.step("server ended", own.stop))
		}()
		o.url, o.clientID, o.clientSecret = own.url, own.clientID, own.clientSecret
	}
	receiver, err := openDemoReceiver()
	if err != nil {
		return demoReport{}, err
	}
	defer receiver.close()
	api := newDemoAPI(o.url, o.clientID, o.clientSecret)
	if err := clock.step("webhook registered", func() error { return receiver.register(ctx, api) }); err != nil {
		return demoReport{}, err
	}
	defer func() {
		err = errors.Join(err, clock.step("webhook removed", func() error { return receiver.unregister(api) }))
	}()

	report := demoReport{URL: o.url}
	studio := demoStudio{press: press, portrait: cast.portrait}
	v := demoVerifier{api: api, receiver: receiver, photograph: studio.photograph, pause: o.pause, progress: progress}
	for i, c := range cases {
		fmt.Fprintf(progress, "\n%d/%d  %s\n", i+1, len(cases), c.title)
		var outcome demoOutcome
		if c.again {
			outcome = v.authenticate(ctx, c, report.Outcomes[0].IdentityID)
		} else {
			outcome = v.verify(ctx, c, demoSeed+uint64(i))
		}
		if err := ctx.Err(); err != nil {
			return demoReport{}, fmt.Errorf("the demo was ended early: %w", err)
		}
		if err := outcome.writeDecision(progress); err != nil {
			return demoReport{}, err
		}
		if i == 1 && report.Outcomes[0].OK {
			if err := v.forget(ctx, report.Outcomes[0], outcome); err != nil {
				return demoReport{}, fmt.Errorf("erase what the demo left: %w", err)
			}
			if report.Latency, err = o.repeat(ctx, v, cases[0], &report.Outcomes[0]); err != nil {
				return demoReport{}, err
			}
		}
		report.Outcomes = append(report.Outcomes, outcome)
		if i > 1 { // the first picture is to be known when it comes again
			if err := v.forget(ctx, outcome); err != nil {
				return demoReport{}, fmt.Errorf("erase what the demo left: %w", err)
			}
		}
	}
	if err := v.forgetPerson(ctx, report.Outcomes[0].IdentityID); err != nil {
		return demoReport{}, fmt.Errorf("erase what the demo left: %w", err)
	}
	report.OK = report.err() == nil
	return report, nil
}

// repeat verifies the holder again, with new photographs of the same licence, and measures. The first verification counts
// as one of the runs; a run that comes out otherwise makes its outcome wrong.
func (o *demoOptions) repeat(ctx context.Context, v demoVerifier, c demoCase, first *demoOutcome) (*demoLatency, error) {
	measured := []float64{first.LastUploadToDecision}
	out := v.progress
	v.progress = io.Discard
	for i := 2; i <= o.runs; i++ {
		outcome := v.verify(ctx, c, demoSeed+uint64(i)*demoSeedStep)
		if err := v.forget(ctx, outcome); err != nil {
			return nil, fmt.Errorf("erase what the demo left: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("the demo was ended early: %w", err)
		}
		if !outcome.OK {
			first.OK, first.Problem = false, fmt.Sprintf("run %d: %s", i, outcome.Problem)
			fmt.Fprintf(out, "    NOT AS IT MUST BE: %s\n", first.Problem)
			break
		}
		measured = append(measured, outcome.LastUploadToDecision)
		fmt.Fprintf(out, "    run %d of %d: last upload → decision %.0f ms\n", i, o.runs, outcome.LastUploadToDecision)
	}
	return newDemoLatency(measured), nil
}

// The demo is the same whenever it runs: these seeds draw licence and photographs.
const (
	demoSeed     = 11
	demoSeedStep = 100 // between the seeds of two runs: no photograph is taken twice
)

// demoCase is one verification and how it must come out.
type demoCase struct {
	name    string // stable, for the JSON
	title   string
	reason  string // the first reason of the refusal; empty: it must be verified
	licence specimen.Document
	selfie  []byte // JPEG or PNG
	again   bool   // the person of the first case comes again, with a face alone
}

func demoCases(cast demoCast, now time.Time) ([]demoCase, error) {
	good, otherName, expired, err := demoLicences(cast.sex, now)
	return []demoCase{
		{name: "verified", title: "a person with their own licence is verified", licence: good, selfie: cast.holder},
		{name: "replayed", title: "the same picture a second time is refused", reason: "liveness_frame_replayed", licence: good, selfie: cast.holder},
		{name: "recognised", title: "the same person is recognised by another selfie alone", selfie: cast.later, again: true},
		{name: "not_recognised", title: "somebody else is not recognised as that person", reason: "face_mismatch", selfie: cast.other, again: true},
		{name: "other_person", title: "somebody else's selfie is refused", reason: "face_mismatch", licence: good, selfie: cast.other},
		{name: "no_face", title: "a selfie without a face is refused", reason: "selfie_face_not_found", licence: good, selfie: cast.nobody},
		{name: "other_name", title: "a licence that prints another name than its barcode holds is refused",
			reason: "name_crosscheck_failed", licence: otherName, selfie: cast.holder},
		{name: "expired", title: "a licence that ran out is refused", reason: "document_expired", licence: expired, selfie: cast.holder},
	}, err
}

// problem says in what the outcome is not what it must be; empty if it is.
func (c demoCase) problem(o demoOutcome) string {
	switch {
	case o.Status != "complete":
		return fmt.Sprintf("the session is %s (%s)", o.Status, strings.Join(o.Reasons, ", "))
	case c.reason == "" && !o.Verified:
		return "refused for " + strings.Join(o.Reasons, ", ")
	case c.reason != "" && o.Verified:
		return "verified"
	case c.reason != "" && (len(o.Reasons) == 0 || o.Reasons[0] != c.reason):
		return fmt.Sprintf("refused for %s, not first for %s", strings.Join(o.Reasons, ", "), c.reason)
	case o.Webhook == nil:
		return "no webhook"
	case o.Webhook.Verified == nil || *o.Webhook.Verified != o.Verified:
		return "the webhook says otherwise"
	case c.again: // only a verification shows its verdict
	case o.Verdict != "verified" && o.Verified, o.Verdict != "not_verified" && !o.Verified:
		return fmt.Sprintf("the verdict reads %q", o.Verdict)
	}
	return ""
}
