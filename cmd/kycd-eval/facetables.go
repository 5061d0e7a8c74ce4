package main

import (
	"context"
	_ "embed"
	"fmt"
	"math"

	"kycd/kyc/scoring"
)

//go:embed accuracy-faces.md.tmpl
var facesText string

// facesSection is the part of the page on finding and comparing faces.
type facesSection struct {
	Faces   facesResult
	Weights scoring.Weights
}

func (*facesSection) name() string     { return "faces" }
func (*facesSection) template() string { return facesText }

func (s *facesSection) measure(ctx context.Context, e *evaluation) (err error) {
	s.Weights = scoring.Defaults()
	s.Faces, err = measureFaces(ctx, e, s.Weights.OnboardingFaceEncodingTolerance)
	return err
}

func (s *facesSection) figures() map[string]string {
	return map[string]string{"accuracy-faces.svg": detFigure(s.Faces), "accuracy-faces-roc.svg": rocFacesFigure(s.Faces), "accuracy-sets.svg": setsFigure(s.Faces)}
}

func (s *facesSection) summary() []summaryRow {
	f := s.Faces
	all := faceCurve(f.pairs, anyPair)
	at := fmt.Sprintf("match at %.2f: ", f.tolerance)
	rows := []summaryRow{
		{"face found and encoded in a picture of one person", f.found.String()},
		{"portrait found and encoded on a photographed licence", f.portraits.String()},
		{at + "false matches, all pairs of strangers", all.falseAccept(f.tolerance).String()},
		{at + "false matches, listed pairs with look-alikes", faceCurve(f.pairs, listedPair).falseAccept(f.tolerance).String()},
		{at + "false non-matches", all.falseReject(f.tolerance).String()},
		{at + "false non-matches, licence against picture", faceCurve(f.cards, anyPair).falseReject(f.tolerance).String()},
	}
	if f.baseline != nil {
		rows = append(rows, summaryRow{"go-face by itself, where as many strangers match: false non-matches", f.baselineAtEqual().String()})
	}
	return rows
}

// baselineAtEqual is how often go-face by itself refuses a person where as many strangers match as here at the default.
func (f facesResult) baselineAtEqual() rate {
	base, all := faceCurve(f.baseline, anyPair), faceCurve(f.pairs, anyPair)
	return base.falseReject(base.toleranceFor(all.falseAccept(f.tolerance).value()))
}

// system is a way of comparing faces.
type system struct {
	name  string
	pairs []facePair
}

// systems are what is compared on all pairs of pictures.
func (f facesResult) systems() []system {
	all := []system{{"both encoders", f.pairs}, {"the first encoder alone", f.first}}
	if f.baseline != nil {
		all = append(all, system{"go-face by itself", f.baseline})
	}
	return all
}

// FaceErrors are the numbers behind the section's first table.
func (s *facesSection) FaceErrors() table {
	f := s.Faces
	t := table{head: []string{"compared by", "tolerance", "false matches, all pairs", "by people drawn anew", "false matches, listed pairs", "false non-matches", "by people drawn anew"}}
	row := func(of system, name string, tolerance float64) {
		all, listed := faceCurve(of.pairs, anyPair), faceCurve(of.pairs, listedPair)
		matches := func(d float64) bool { return d <= tolerance }
		t.row(of.name, name, all.falseAccept(tolerance).String(), interval(between(byPeople(of.pairs, false, matches))),
			listed.falseAccept(tolerance).String(),
			all.falseReject(tolerance).String(), interval(between(byPeople(of.pairs, true, func(d float64) bool { return !matches(d) }))))
	}
	for _, of := range f.systems()[:2] {
		row(of, fmt.Sprintf("**%.2f** (default)", f.tolerance), f.tolerance)
	}
	if f.baseline != nil {
		base := f.systems()[2]
		row(base, "0.6 (customary)", customaryTolerance)
		equal := faceCurve(f.baseline, anyPair).toleranceFor(faceCurve(f.pairs, anyPair).falseAccept(f.tolerance).value())
		row(base, fmt.Sprintf("%.3f (as many false matches as both encoders)", equal), equal)
	}
	return t
}

func interval(low, high float64) string {
	return fmt.Sprintf("[%s, %s] %%", percent(low), percent(high))
}

// FaceAtRates gives the false non-matches where the false matches are held at a share.
func (s *facesSection) FaceAtRates() table {
	t := table{head: []string{"pairs", "compared by", "false matches at most", "tolerance", "false non-matches"}}
	row := func(pairs, name string, c curve, shares ...float64) {
		for _, share := range shares {
			if float64(len(c.impostor))*share < 1 {
				t.row(pairs, name, percent(share)+" %", "–", fmt.Sprintf("cannot be told from %d pairs", len(c.impostor)))
				continue
			}
			tolerance := c.toleranceFor(share)
			t.row(pairs, name, percent(share)+" %", fmt.Sprintf("%.3f", tolerance), c.falseReject(tolerance).String())
		}
	}
	for _, of := range s.Faces.systems() {
		row("all pairs of pictures", of.name, faceCurve(of.pairs, anyPair), 0.01, 0.001)
	}
	for _, of := range s.Faces.systems() {
		row("listed pairs", of.name, faceCurve(of.pairs, listedPair), 0.05, 0.01)
	}
	row("licence against picture", "both encoders", faceCurve(s.Faces.cards, anyPair), 0.01, 0.001)
	return t
}

// FaceTolerances tells what each tolerance costs.
func (s *facesSection) FaceTolerances() table {
	f := s.Faces
	t := table{head: []string{"tolerance", "false matches, all pairs", "at most, 95 %", "at most by people", "strangers with any match", "false matches, worst collection", "false non-matches", "false non-matches, licence", "false matches, licence"}}
	all, cards := faceCurve(f.pairs, anyPair), faceCurve(f.cards, anyPair)
	worst := faceCurve(f.pairs, within(f.worstSet()))
	for hundredth := 30; hundredth <= 50; hundredth++ {
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

// worstSet is the collection with the most false matches where one in a hundred strangers matches.
func (f facesResult) worstSet() string {
	tolerance := faceCurve(f.pairs, anyPair).toleranceFor(0.01)
	names, _ := f.sets()
	worst, most := "", -1.0
	for _, name := range names {
		if r := faceCurve(f.pairs, within(name)).falseAccept(tolerance); r.N > 0 && r.value() > most {
			worst, most = name, r.value()
		}
	}
	return worst
}

// Worst says how the false matches hang together with the worst collection.
func (s *facesSection) Worst() string {
	f, name := s.Faces, s.Faces.worstSet()
	lax := faceCurve(f.pairs, anyPair).toleranceFor(0.01)
	at := func(tolerance float64) string {
		all, worst := faceCurve(f.pairs, anyPair).falseAccept(tolerance), faceCurve(f.pairs, within(name)).falseAccept(tolerance)
		return fmt.Sprintf("%d of all %d false matches are between people of the collection `%s`, %s %% of its pairs", worst.K, all.K, name, percent(worst.value()))
	}
	return fmt.Sprintf("At the default, %s; where 1 %% of all strangers match (%.3f), %s. It has %d of the %d pairs of strangers",
		at(f.tolerance), lax, at(lax), len(faceCurve(f.pairs, within(name)).impostor), len(faceCurve(f.pairs, anyPair).impostor))
}

// WorstSet names the collection.
func (s *facesSection) WorstSet() string { return s.Faces.worstSet() }

// promised is the rule for the default: what false matches among all pairs of strangers are held to, by the exact one-sided bound.
const promised = 1e-3

// Default says how the default stands to its rule.
func (s *facesSection) Default() string {
	f := s.Faces
	all, cards := faceCurve(f.pairs, anyPair), faceCurve(f.cards, anyPair)
	by, ok := supported(promised, func(t float64) float64 { return all.falseAccept(t).upper() })
	costs := func(t float64) string {
		return fmt.Sprintf("lets %s %% of strangers pass (at most %s %%; by people %s %%), and refuses %s %% of the pairs of one person, %s %% with the portrait on a licence",
			percent(all.falseAccept(t).value()), percent(all.falseAccept(t).upper()), percent(widest(f.pairs, t)), percent(all.falseReject(t).value()), percent(cards.falseReject(t).value()))
	}
	alone, okAlone := supported(promised, func(t float64) float64 { return faceCurve(f.first, anyPair).falseAccept(t).upper() })
	first := "no tolerance keeps it with the first encoder alone"
	if okAlone {
		first = fmt.Sprintf("with the first encoder alone it would be %.2f, which refuses %s %%", alone, percent(faceCurve(f.first, anyPair).falseReject(alone).value()))
	}
	switch {
	case !ok:
		return fmt.Sprintf("No tolerance keeps that promise here. The default %.2f %s; %s.", f.tolerance, costs(f.tolerance), first)
	case math.Abs(by-f.tolerance) < 1e-9:
		return fmt.Sprintf("That is **%.2f**, the default. It %s; %s.", by, costs(by), first)
	default:
		return fmt.Sprintf("That would be **%.2f**, which %s; the default is %.2f, which %s; %s.", by, costs(by), f.tolerance, costs(f.tolerance), first)
	}
}

// FewPeople says what so few people could show at best.
func (s *facesSection) FewPeople() string {
	pairs := strangersMatched(s.Faces.pairs, 0)
	return fmt.Sprintf("%d pairs of people without a single error could show no less than %s %%", pairs.N, percent(rate{0, pairs.N}.upper()))
}

// Accounts judges the tolerance of authentication.
func (s *facesSection) Accounts() table {
	t := table{head: []string{"tolerance", "false matches", "false non-matches"}}
	c := accountCurve(s.Faces.pairs)
	for hundredth := 32; hundredth <= 44; hundredth += 2 {
		t.row(fmt.Sprintf("%.2f", float64(hundredth)/100), c.falseAccept(float64(hundredth)/100).String(), c.falseReject(float64(hundredth)/100).String())
	}
	own := s.Weights.VerifiedAccountFaceEncodingTolerance
	t.row(fmt.Sprintf("**%.2f** (default)", own), c.falseAccept(own).String(), c.falseReject(own).String())
	return t
}

// Enrolled is how many pictures of a person that takes.
func (s *facesSection) Enrolled() int { return enrolled }

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
func (s *facesSection) FacePromises() table {
	f := s.Faces
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
func (s *facesSection) FaceHalves() table {
	f := s.Faces
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
func (s *facesSection) FaceSets() table {
	names, people := s.Faces.sets()
	t := s.groupTable("collection")
	for _, name := range names {
		s.groupRow(&t, name, people[name], within(name))
	}
	s.groupRow(&t, "across collections", 0, func(p facePair) bool { return p.a.set != p.b.set })
	return t
}

// FaceGroups gives both errors of each group by appearance. Both people of a pair are in the group.
func (s *facesSection) FaceGroups() table {
	people := map[group]int{}
	for _, groups := range s.Faces.groups {
		for _, g := range groups {
			people[g]++
		}
	}
	t := s.groupTable("both people are apparently")
	for _, g := range []group{
		{"apparent gender", "women"}, {"apparent gender", "men"},
		{"apparent age", "under 25"}, {"apparent age", "25 to 39"}, {"apparent age", "40 to 59"}, {"apparent age", "60 and older"},
	} {
		if len(people) == 0 {
			t.row(g.name, "not measured by this build", "–", "–", "–", "–")
			continue
		}
		s.groupRow(&t, g.name, people[g], s.Faces.inGroup(g))
	}
	return t
}

func (s *facesSection) groupTable(by string) table {
	at := fmt.Sprintf("at %.2f", s.Faces.tolerance)
	return table{head: []string{by, "people", "false matches " + at, "go-face by itself, 0.6", "false non-matches " + at, "go-face by itself, 0.6"}}
}

func (s *facesSection) groupRow(t *table, name string, people int, of func(facePair) bool) {
	f := s.Faces
	c, base, count := faceCurve(f.pairs, of), faceCurve(f.baseline, of), ""
	if people > 0 {
		count = fmt.Sprint(people)
	}
	t.row(name, count, c.falseAccept(f.tolerance).String(), base.falseAccept(customaryTolerance).String(),
		c.falseReject(f.tolerance).String(), base.falseReject(customaryTolerance).String())
}

// FaceDetectors compares the detector with its fall-back.
func (s *facesSection) FaceDetectors() table {
	t := table{head: []string{"detector", "found and encoded", "number of faces told right", "face seen where none is", "false matches, all pairs", "false non-matches"}}
	for _, of := range []struct {
		name  string
		faces *facesResult
	}{{"YuNet", &s.Faces}, {"dlib HOG (fall-back)", s.Faces.degraded}} {
		if of.faces == nil {
			continue
		}
		all := faceCurve(of.faces.pairs, anyPair)
		t.row(of.name, of.faces.found.String(), of.faces.counted.String(), of.faces.phantoms.String(),
			all.falseAccept(s.Faces.tolerance).String(), all.falseReject(s.Faces.tolerance).String())
	}
	return t
}

// Sizes of what was measured, for the page.
func (s *facesSection) Photos() int     { return len(s.Faces.photos) }
func (s *facesSection) People() int     { return s.Faces.people }
func (s *facesSection) Encoder() string { return s.Faces.encoder }

// Portraits is how often the portrait on a photographed licence was found and encoded; Strangers counts pairs of pictures.
func (s *facesSection) Portraits() string { return s.Faces.portraits.String() }
func (s *facesSection) Strangers() int    { return len(faceCurve(s.Faces.pairs, anyPair).impostor) }

// Pairs counts the pairs of one person and of two, and those of strangers that are listed.
func (s *facesSection) Pairs() string {
	all, listed := faceCurve(s.Faces.pairs, anyPair), faceCurve(s.Faces.pairs, listedPair)
	return fmt.Sprintf("%d pairs of one person and %d of strangers, of which %d are", len(all.genuine), len(all.impostor), len(listed.impostor))
}

// Cards counts the licences with a portrait and their pairs.
func (s *facesSection) Cards() string {
	cards := faceCurve(s.Faces.cards, anyPair)
	printed := map[string]bool{}
	for _, p := range s.Faces.cards {
		printed[p.a.file] = true
	}
	return fmt.Sprintf("%d licences: %d pairs of one person and %d of strangers", len(printed), len(cards.genuine), len(cards.impostor))
}
