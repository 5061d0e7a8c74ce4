package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// demoReport is how all of it came out; --json prints it.
type demoReport struct {
	OK       bool          `json:"ok"`
	URL      string        `json:"url"`
	Outcomes []demoOutcome `json:"outcomes"`
	Latency  *demoLatency  `json:"latency"` // of the successful verification; nil if it did not succeed
}

// demoExpectation is how a verification must come out.
type demoExpectation struct {
	Verified bool   `json:"verified"`
	Reason   string `json:"reason,omitempty"` // the first of the decision
}

// demoOutcome is how one verification came out.
type demoOutcome struct {
	Name      string          `json:"name"`
	Title     string          `json:"title"`
	OK        bool            `json:"ok"`
	Problem   string          `json:"problem,omitempty"` // in what it is not as it must be
	Expected  demoExpectation `json:"expected"`
	SessionID string          `json:"session_id"`
	// IdentityID is whom the session made, or was about; empty if it verified nobody.
	IdentityID string `json:"identity_id,omitempty"`
	ofIdentity bool   // a re-authentication
	Verified   bool   `json:"verified"`
	Status     string `json:"status_e"`
	demoDecision
	Webhook *demoEvent `json:"webhook"` // its signature was right
	Steps   []demoStep `json:"steps"`
	// From the moment at which the last picture is sent to the moment at which the decision is known.
	LastUploadToDecision float64 `json:"last_upload_to_decision_ms"`
}

// demoDecision is the decision as session test read explains it.
type demoDecision struct {
	Verdict string      `json:"verdict"`
	Score   *float64    `json:"score"`
	Reasons []string    `json:"reasons"`
	Pieces  []demoPiece `json:"pieces"`
}

// demoPiece is one check of a decision.
type demoPiece struct {
	Name         string   `json:"name"`
	State        string   `json:"state"`
	Value        *float64 `json:"value"`
	Tolerance    *float64 `json:"tolerance"`
	Weight       float64  `json:"weight"`
	Contribution float64  `json:"contribution"`
	Gate         bool     `json:"gate"`
	Required     bool     `json:"required"`
	Reason       *string  `json:"reason"`
}

// demoLatency is the time from the last upload to the decision over all runs, in milliseconds.
type demoLatency struct {
	Runs int       `json:"runs"`
	P50  float64   `json:"p50_ms"`
	P95  float64   `json:"p95_ms"`
	Max  float64   `json:"max_ms"`
	All  []float64 `json:"all_ms"` // in the order of the runs
}

func newDemoLatency(all []float64) *demoLatency {
	return &demoLatency{Runs: len(all), P50: demoPercentile(all, 50), P95: demoPercentile(all, 95), Max: slices.Max(all), All: all}
}

// demoPercentile is the smallest value that is not below p percent of all (nearest rank).
func demoPercentile(all []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func (r demoReport) err() error {
	wrong := 0
	for _, o := range r.Outcomes {
		if !o.OK {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d verifications did not come out as they must", wrong, len(r.Outcomes))
	}
	return nil
}

// writeDecision shows the decision check by check. Of a refusal it shows what spoke against, of a success all.
func (o demoOutcome) writeDecision(out io.Writer) error {
	if o.Problem != "" {
		fmt.Fprintf(out, "    NOT AS IT MUST BE: %s\n", o.Problem)
	}
	if len(o.Pieces) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "\n    CHECK\tVALUE\tTOLERANCE\tWEIGHT\tCONTRIBUTION\tVERDICT\tREASON\n")
	for _, p := range o.Pieces {
		quiet := p.State == "pass" || (p.State == "not_run" && !p.Required)
		if quiet && !o.Verified {
			continue
		}
		name := p.Name
		if p.Gate {
			name += " (gate)"
		}
		reason := ""
		if p.Reason != nil {
			reason = *p.Reason
		}
		fmt.Fprintf(table, "    %s\t%s\t%s\t%.2f\t%.3f\t%s\t%s\n", name, demoNumber(p.Value), demoNumber(p.Tolerance), p.Weight, p.Contribution, p.State, reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n    %s, score %s", cmp.Or(o.Verdict, "undecided"), demoNumber(o.Score))
	if len(o.Reasons) > 0 {
		fmt.Fprintf(out, ", because of %s", strings.Join(o.Reasons, ", "))
	}
	if o.Webhook != nil {
		fmt.Fprintf(out, "\n    webhook %s %s, signature verified", o.Webhook.Type, o.Webhook.ID)
	}
	_, err := fmt.Fprintln(out)
	return err
}

// demoNumber shows a measured number, or that there is none.
func demoNumber(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *v)
}

// writeTable sums up.
func (r demoReport) writeTable(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "\nVERIFICATION\tMUST BE\tIS\tSCORE\tWEBHOOK\tLAST UPLOAD → DECISION\t\n")
	for _, o := range r.Outcomes {
		must, is, hook, mark := "verified", "verified", "–", "ok"
		if o.Expected.Reason != "" {
			must = o.Expected.Reason
		}
		if !o.Verified {
			is = cmp.Or(strings.Join(o.Reasons, " "), o.Status, "not decided")
		}
		if o.Webhook != nil {
			hook = "signed"
		}
		if !o.OK {
			mark = "WRONG: " + o.Problem
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.0f ms\t%s\n", o.Name, must, is, demoNumber(o.Score), hook, o.LastUploadToDecision, mark)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if l := r.Latency; l != nil && l.Runs > 1 {
		fmt.Fprintf(out, "\nLast upload → decision over %d runs: p50 %.0f ms, p95 %.0f ms, most %.0f ms\n", l.Runs, l.P50, l.P95, l.Max)
	}
	return nil
}
