package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"kycd/vision/printed"
)

//go:embed accuracy.md.tmpl
var accuracyText string

// write writes accuracy.md and its figures, and says where.
func (r accuracyReport) write(docs string, out io.Writer) error {
	page, err := template.New("accuracy.md").Parse(accuracyText)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := page.Execute(&text, r); err != nil {
		return err
	}
	var errs []error
	for name, content := range map[string]string{
		"accuracy.md":           text.String(),
		"accuracy-faces.svg":    detFigure(r.Faces),
		"accuracy-sets.svg":     setsFigure(r.Faces),
		"accuracy-liveness.svg": rocFigure(r.Liveness, r.Degraded),
	} {
		errs = append(errs, os.WriteFile(filepath.Join(docs, name), []byte(content), 0o644))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n\nwritten to %s and its figures\n", r.Summary(), filepath.Join(docs, "accuracy.md"))
	return nil
}

// Summary is the whole on a few lines.
func (r accuracyReport) Summary() table {
	t := table{head: []string{"what", "rate with 95 % bounds"}}
	f := r.Faces
	all := faceCurve(f.pairs, anyPair)
	t.row("face found and encoded in a picture of one person", f.found.String())
	t.row(fmt.Sprintf("face match at %.2f: false matches, all pairs of strangers", f.tolerance), all.falseAccept(f.tolerance).String())
	t.row(fmt.Sprintf("face match at %.2f: false matches, listed pairs with look-alikes", f.tolerance), faceCurve(f.pairs, listedPair).falseAccept(f.tolerance).String())
	t.row(fmt.Sprintf("face match at %.2f: false non-matches", f.tolerance), all.falseReject(f.tolerance).String())
	t.row(fmt.Sprintf("face match at %.2f: false non-matches, licence against picture", f.tolerance), faceCurve(f.cards, anyPair).falseReject(f.tolerance).String())
	for _, l := range []livenessResult{r.Liveness, r.Degraded} {
		t.row(fmt.Sprintf("liveness, %s at %.2f: attacks that pass", l.model, l.tolerance), l.apcer().String())
		t.row(fmt.Sprintf("liveness, %s at %.2f: people refused", l.model, l.tolerance), l.bpcer().String())
	}
	t.row("PDF417 read to the letter, sample pictures", r.Papers.symbols.total().String())
	t.row("PDF417 read to the letter, drawn backs", r.Papers.backs.total().String())
	t.row("machine-readable zone right, sample pictures", r.Papers.zones.total().String())
	t.row("machine-readable zone right, drawn documents", r.Papers.drawnZones.total().String())
	t.row("all key fields of a drawn front right", r.Papers.whole.total().String())
	return t
}

// total is how often all of them together were read right.
func (r readings) total() rate {
	var sum rate
	for _, one := range r {
		sum = sum.plus(one.right)
	}
	return sum
}

// FaceErrors are the numbers behind the face section's first table.
func (r accuracyReport) FaceErrors() table {
	f := r.Faces
	t := table{head: []string{"tolerance", "false matches, all pairs", "by people drawn anew", "false matches, listed pairs", "false non-matches", "by people drawn anew"}}
	all, listed := faceCurve(f.pairs, anyPair), faceCurve(f.pairs, listedPair)
	for _, tolerance := range []float64{f.tolerance, customaryTolerance} {
		name := fmt.Sprintf("**%.2f** (default)", tolerance)
		if tolerance == customaryTolerance {
			name = "0.6 (customary)"
		}
		matches := func(d float64) bool { return d <= tolerance }
		t.row(name,
			all.falseAccept(tolerance).String(), interval(between(byPeople(f.pairs, false, matches))),
			listed.falseAccept(tolerance).String(),
			all.falseReject(tolerance).String(), interval(between(byPeople(f.pairs, true, func(d float64) bool { return !matches(d) }))))
	}
	return t
}

func interval(low, high float64) string {
	return fmt.Sprintf("[%s, %s] %%", percent(low), percent(high))
}

// FaceAtRates gives the false non-matches where the false matches are held at a share.
func (r accuracyReport) FaceAtRates() table {
	t := table{head: []string{"pairs", "false matches at most", "tolerance", "false non-matches"}}
	for _, of := range []struct {
		name   string
		curve  curve
		shares []float64
	}{
		{"all pairs of pictures", faceCurve(r.Faces.pairs, anyPair), []float64{0.01, 0.001}},
		{"listed pairs", faceCurve(r.Faces.pairs, listedPair), []float64{0.01, 0.001}},
		{"licence against picture", faceCurve(r.Faces.cards, anyPair), []float64{0.01, 0.001}},
	} {
		for _, share := range of.shares {
			if float64(len(of.curve.impostor))*share < 1 {
				t.row(of.name, percent(share)+" %", "–", fmt.Sprintf("cannot be told from %d pairs", len(of.curve.impostor)))
				continue
			}
			tolerance := of.curve.toleranceFor(share)
			t.row(of.name, percent(share)+" %", fmt.Sprintf("%.3f", tolerance), of.curve.falseReject(tolerance).String())
		}
	}
	return t
}

// FaceTolerances tells what each tolerance costs.
func (r accuracyReport) FaceTolerances() table {
	f := r.Faces
	t := table{head: []string{"tolerance", "false matches, all pairs", "at most, 95 %", "at most by people", "strangers with any match", "false matches, worst collection", "false non-matches", "false non-matches, licence", "false matches, licence"}}
	all, cards := faceCurve(f.pairs, anyPair), faceCurve(f.cards, anyPair)
	worst := faceCurve(f.pairs, within(f.worstSet()))
	for hundredth := 34; hundredth <= 60; hundredth += 2 {
		tolerance := float64(hundredth) / 100
		name := fmt.Sprintf("%.2f", tolerance)
		if math.Abs(tolerance-f.tolerance) < 1e-9 {
			name = "**" + name + "**"
		}
		short := func(r rate) string { return fmt.Sprintf("%s %% (%d/%d)", percent(r.value()), r.K, r.N) }
		accepted := all.falseAccept(tolerance)
		t.row(name, short(accepted), percent(accepted.upper())+" %", percent(widest(f.pairs, tolerance))+" %", short(strangersMatched(f.pairs, tolerance)),
			short(worst.falseAccept(tolerance)), short(all.falseReject(tolerance)),
			short(cards.falseReject(tolerance)), short(cards.falseAccept(tolerance)))
	}
	return t
}

// worstSet is the collection with the most false matches at the customary tolerance.
func (f facesResult) worstSet() string {
	names, _ := f.sets()
	worst, most := "", -1.0
	for _, name := range names {
		if r := faceCurve(f.pairs, within(name)).falseAccept(customaryTolerance); r.N > 0 && r.value() > most {
			worst, most = name, r.value()
		}
	}
	return worst
}

// Worst says how the false matches hang together with the worst collection.
func (r accuracyReport) Worst() string {
	f, name := r.Faces, r.Faces.worstSet()
	all, worst := faceCurve(f.pairs, anyPair), faceCurve(f.pairs, within(name))
	in := rate{worst.falseAccept(f.tolerance).K, all.falseAccept(f.tolerance).K}
	return fmt.Sprintf("At the default, %d of all %d false matches are between people of the collection `%s`, which has %d of the %d pairs of strangers. "+
		"Of its pairs %s %% pass at %.2f, and %s %% at 0.6",
		in.K, in.N, name, len(worst.impostor), len(all.impostor),
		percent(worst.falseAccept(f.tolerance).value()), f.tolerance, percent(worst.falseAccept(customaryTolerance).value()))
}

// WorstSet names the collection.
func (r accuracyReport) WorstSet() string { return r.Faces.worstSet() }

// promised is the rule for the default: what false matches among all pairs are held to, by the wider bound.
const promised = 0.01

// Default says how the default stands to its rule.
func (r accuracyReport) Default() string {
	f := r.Faces
	by, ok := supported(promised, func(t float64) float64 { return widest(f.pairs, t) })
	all, cards := faceCurve(f.pairs, anyPair), faceCurve(f.cards, anyPair)
	costs := func(t float64) string {
		return fmt.Sprintf("lets %s %% of strangers pass (at most %s %%), and refuses %s %% of the pairs of one person, %s %% with the portrait on a licence",
			percent(all.falseAccept(t).value()), percent(widest(f.pairs, t)), percent(all.falseReject(t).value()), percent(cards.falseReject(t).value()))
	}
	switch {
	case !ok:
		return fmt.Sprintf("No tolerance keeps that promise here. The default %.2f %s.", f.tolerance, costs(f.tolerance))
	case math.Abs(by-f.tolerance) < 1e-9:
		return fmt.Sprintf("That is **%.2f**, the default. It %s. 0.6 %s.", by, costs(by), costs(customaryTolerance))
	default:
		return fmt.Sprintf("That would be **%.2f**, which %s; the default is %.2f, which %s. 0.6 %s.", by, costs(by), f.tolerance, costs(f.tolerance), costs(customaryTolerance))
	}
}

// FewPeople says what so few people could show at best.
func (r accuracyReport) FewPeople() string {
	pairs := strangersMatched(r.Faces.pairs, 0)
	return fmt.Sprintf("%d pairs of people without a single error could show no less than %s %%", pairs.N, percent(rate{0, pairs.N}.upper()))
}

// Accounts judges the tolerance of authentication.
func (r accuracyReport) Accounts() table {
	t := table{head: []string{"tolerance", "false matches", "false non-matches"}}
	c := accountCurve(r.Faces.pairs)
	for hundredth := 36; hundredth <= 50; hundredth += 2 {
		t.row(fmt.Sprintf("%.2f", float64(hundredth)/100), c.falseAccept(float64(hundredth)/100).String(), c.falseReject(float64(hundredth)/100).String())
	}
	own := r.Weights.VerifiedAccountFaceEncodingTolerance
	t.row(fmt.Sprintf("**%.2f** (default)", own), c.falseAccept(own).String(), c.falseReject(own).String())
	return t
}

// Enrolled is how many pictures of a person that takes.
func (r accuracyReport) Enrolled() int { return enrolled }

// promise is what false matches are held to, among what.
type promise struct {
	among  string
	trials int
	bound  func(tolerance float64) float64 // one-sided, 95 %
}

func (f facesResult) promises() []promise {
	all, listed := faceCurve(f.pairs, anyPair), faceCurve(f.pairs, listedPair)
	worst := faceCurve(f.pairs, within(f.worstSet()))
	upper := func(errors func(float64) rate) func(float64) float64 {
		return func(t float64) float64 { return errors(t).upper() }
	}
	strangers := func(t float64) rate { return strangersMatched(f.pairs, t) }
	return []promise{
		{"all pairs of pictures", len(all.impostor), upper(all.falseAccept)},
		{"all pairs, by people", len(all.impostor), func(t float64) float64 { return widest(f.pairs, t) }},
		{"listed pairs", len(listed.impostor), upper(listed.falseAccept)},
		{"pairs of people, any two of their pictures", strangers(0).N, upper(strangers)},
		{"collection " + f.worstSet(), len(worst.impostor), upper(worst.falseAccept)},
	}
}

// FacePromises tells which tolerance which promise allows.
func (r accuracyReport) FacePromises() table {
	f := r.Faces
	all, cards := faceCurve(f.pairs, anyPair), faceCurve(f.cards, anyPair)
	t := table{head: []string{"false matches at most (95 %)", "among", "trials", "largest tolerance", "false non-matches there", "on a licence"}}
	for _, target := range []float64{1e-2, 1e-3} {
		for _, p := range f.promises() {
			tolerance, ok := supported(target, p.bound)
			if !ok {
				t.row(percent(target)+" %", p.among, fmt.Sprint(p.trials), "none: "+whyNone(target, p.trials), "–", "–")
				continue
			}
			t.row(percent(target)+" %", p.among, fmt.Sprint(p.trials), fmt.Sprintf("%.2f", tolerance),
				percent(all.falseReject(tolerance).value())+" %", percent(cards.falseReject(tolerance).value())+" %")
		}
	}
	return t
}

// whyNone says whether so few trials could support a promise even without an error.
func whyNone(target float64, trials int) string {
	if least := (rate{0, trials}).upper(); least > target {
		return fmt.Sprintf("no error in %d would only show ≤ %s %%", trials, percent(least))
	}
	return fmt.Sprintf("too many errors from %.2f on", hundredths()[0])
}

// FaceHalves judges the tolerance chosen on one half of the people on the other half.
func (r accuracyReport) FaceHalves() table {
	f := r.Faces
	t := table{head: []string{"rule", "chosen on half", "tolerance", "false matches in the other half", "false non-matches in the other half"}}
	for _, target := range []float64{1e-2, 1e-3} {
		for which := range 2 {
			chosen, judged := faceCurve(f.pairs, inHalf(which)), faceCurve(f.pairs, inHalf(1-which))
			rule := fmt.Sprintf("false matches ≤ %s %%", percent(target))
			if len(chosen.impostor) == 0 || len(judged.impostor) == 0 {
				t.row(rule, fmt.Sprint(which+1), "–", "–", "–")
				continue
			}
			tolerance := math.Floor(100*chosen.toleranceFor(target)) / 100
			t.row(rule, fmt.Sprint(which+1), fmt.Sprintf("%.2f", tolerance), judged.falseAccept(tolerance).String(), judged.falseReject(tolerance).String())
		}
	}
	return t
}

// FaceSets gives both errors of each collection.
func (r accuracyReport) FaceSets() table {
	f := r.Faces
	t := table{head: []string{"collection", "people", fmt.Sprintf("false matches at %.2f", f.tolerance), "at 0.6", fmt.Sprintf("false non-matches at %.2f", f.tolerance), "at 0.6"}}
	names, people := f.sets()
	row := func(name, count string, of func(facePair) bool) {
		c := faceCurve(f.pairs, of)
		t.row(name, count, c.falseAccept(f.tolerance).String(), c.falseAccept(customaryTolerance).String(),
			c.falseReject(f.tolerance).String(), c.falseReject(customaryTolerance).String())
	}
	for _, name := range names {
		row(name, fmt.Sprint(people[name]), within(name))
	}
	row("across collections", "", func(p facePair) bool { return p.a.set != p.b.set })
	return t
}

// FaceDetectors compares the detector with its fall-back.
func (r accuracyReport) FaceDetectors() table {
	t := table{head: []string{"detector", "found and encoded", "number of faces told right", "face seen where none is", "false matches, all pairs", "false non-matches"}}
	for _, of := range []struct {
		name  string
		faces *facesResult
	}{{"YuNet", &r.Faces}, {"dlib HOG (fall-back)", r.Faces.degraded}} {
		if of.faces == nil {
			continue
		}
		all := faceCurve(of.faces.pairs, anyPair)
		t.row(of.name, of.faces.found.String(), of.faces.counted.String(), of.faces.phantoms.String(),
			all.falseAccept(r.Faces.tolerance).String(), all.falseReject(r.Faces.tolerance).String())
	}
	return t
}

// Sizes of what was measured, for the page.
func (r accuracyReport) Photos() int     { return len(r.Faces.photos) }
func (r accuracyReport) People() int     { return r.Faces.people }
func (r accuracyReport) Encoder() string { return r.Faces.encoder }

// Pairs counts the pairs of one person and of two, and those of strangers that are listed.
func (r accuracyReport) Pairs() string {
	all, listed := faceCurve(r.Faces.pairs, anyPair), faceCurve(r.Faces.pairs, listedPair)
	return fmt.Sprintf("%d pairs of one person and %d of strangers, of which %d are", len(all.genuine), len(all.impostor), len(listed.impostor))
}

// Cards counts the licences with a portrait and their pairs.
func (r accuracyReport) Cards() string {
	cards := faceCurve(r.Faces.cards, anyPair)
	printed := map[string]bool{}
	for _, p := range r.Faces.cards {
		printed[p.a.file] = true
	}
	return fmt.Sprintf("%d licences: %d pairs of one person and %d of strangers", len(printed), len(cards.genuine), len(cards.impostor))
}

// LivenessErrors compares the two models.
func (r accuracyReport) LivenessErrors() table {
	t := table{head: []string{"model", "AUC", "APCER, all kinds", "BPCER", "BPCER on ordinary photographs", "no score", "APCER, subjects left out", "BPCER, subjects left out"}}
	for _, l := range []livenessResult{r.Liveness, r.Degraded} {
		apcer, bpcer := l.leftOut()
		t.row(l.model, fmt.Sprintf("%.3f", l.curve().auc()), l.apcer().String(), l.bpcer().String(), l.everydayRefused().String(),
			fmt.Sprintf("%d of %d", l.unmeasured().K, l.unmeasured().N), apcer.String(), bpcer.String())
	}
	return t
}

// LivenessKinds gives the attacks that pass by their kind.
func (r accuracyReport) LivenessKinds() table {
	t := table{head: []string{"kind of attack", "APCER, " + r.Liveness.model, "APCER, " + r.Degraded.model}}
	degraded := r.Degraded.kinds()
	for _, kind := range r.Liveness.kinds() {
		t.row(kind.name, kind.right.String(), degraded.of(kind.name).right.String())
	}
	return t
}

// LivenessFraming compares full pictures with tight crops.
func (r accuracyReport) LivenessFraming() table {
	t := table{head: []string{"framing", "model", "AUC", "APCER", "BPCER"}}
	for _, framing := range []string{"full", "tight"} {
		for _, l := range []livenessResult{r.Liveness, r.Degraded} {
			c := curveOf(l.framed(framing))
			t.row(framing, l.model, fmt.Sprintf("%.3f", c.auc()), c.falseAccept(-l.tolerance).String(), c.falseReject(-l.tolerance).String())
		}
	}
	return t
}

// LivenessTolerances tells what each tolerance of the network costs.
func (r accuracyReport) LivenessTolerances() table {
	t := table{head: []string{"tolerance", "APCER", "BPCER", "BPCER on ordinary photographs"}}
	c, everyday := r.Liveness.curve(), curveOf(r.Liveness.everyday)
	for _, tolerance := range []float64{0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99} {
		name := fmt.Sprintf("%.2f", tolerance)
		if math.Abs(tolerance-r.Liveness.tolerance) < 1e-9 {
			name = "**" + name + "**"
		}
		t.row(name, c.falseAccept(-tolerance).String(), c.falseReject(-tolerance).String(), everyday.falseReject(-tolerance).String())
	}
	return t
}

// LivenessSizes counts the captures.
func (r accuracyReport) LivenessSizes() string {
	c := r.Liveness.curve()
	subject, captures := r.Liveness.frequent()
	rest, _ := without(r.Liveness.attempts, subject)
	return fmt.Sprintf("%d genuine captures and %d attacks; one subject alone is in %d of them, and without that subject the network's AUC over the remaining %d is %.3f",
		len(c.genuine), len(c.impostor), captures, len(rest), curveOf(rest).auc())
}

// Symbols is the table of barcodes.
func (r accuracyReport) Symbols() table {
	return readingTable("PDF417", append(append(readings{}, r.Papers.symbols...), r.Papers.backs...))
}

// Zones is the table of machine-readable zones.
func (r accuracyReport) Zones() table {
	return readingTable("machine-readable zone", append(append(readings{}, r.Papers.zones...), r.Papers.drawnZones...))
}

// Falsely is how often a zone whose check digits are right is not to the letter what stands there, Deceived how often that
// is so in what the check digits cover.
func (r accuracyReport) Falsely() string  { return r.Papers.falsely.String() }
func (r accuracyReport) Deceived() string { return r.Papers.deceived.String() }

// Fronts is the table of whole fronts.
func (r accuracyReport) Fronts() table {
	t := table{head: []string{"front", "all key fields right"}}
	for _, one := range r.Papers.whole {
		t.row(one.name, one.right.String())
	}
	return t
}

// Fields is the table of printed fields.
func (r accuracyReport) Fields() table {
	t := table{head: []string{"field"}}
	for _, s := range scenes() {
		t.head = append(t.head, s.name+": exact", "wrong")
	}
	for _, name := range []string{
		printed.DocumentNumber, printed.LastName, printed.FirstName, printed.BirthDate, printed.ExpiresAt, printed.Street, printed.City, printed.PostalCode,
	} {
		of, cells := r.Papers.fields[name], []string{name}
		for _, s := range scenes() {
			one := of.of(s.name)
			cells = append(cells, one.right.String(), percent(one.wrong.value())+" %")
		}
		t.row(cells...)
	}
	return t
}

func readingTable(what string, of readings) table {
	t := table{head: []string{what, "right to the letter", "read, but wrong"}}
	for _, one := range of {
		t.row(one.name, one.right.String(), fmt.Sprintf("%d", one.wrong.K))
	}
	return t
}

// Each is the number of drawn documents of a kind and scene; FrontsEach that of fronts.
func (r accuracyReport) Each() int       { return r.Papers.each }
func (r accuracyReport) FrontsEach() int { return (r.Papers.each + 1) / 2 }
func (r accuracyReport) Seed() int       { return firstSeed }
