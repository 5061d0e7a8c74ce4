package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // some photographs are
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "golang.org/x/image/webp" // and one is

	"kycd/kyc/scoring"
	"kycd/vision"
	"kycd/vision/liveness/fusion"
)

//go:embed accuracy-liveness.md.tmpl
var livenessText string

// singleNetwork is what the combinations are compared with: one network's probability for one crop, as it is.
const singleNetwork = "MiniFASNetV2-SE, one crop, as it is"

// called is a combination's name in tables.
func called(combination string) string {
	switch combination {
	case fusion.All:
		return "all networks"
	case fusion.SE:
		return "MiniFASNetV2-SE, fitted"
	case fusion.Elders:
		return "the older two"
	case fusion.Cues:
		return "cues alone"
	}
	return combination
}

// livenessSection is the part of the page on telling people from pictures of people.
type livenessSection struct {
	Single livenessResult   // it is the network that was used alone before, shown a crop that stays in the picture
	Models []livenessResult // the combinations of vision/liveness/fusion, best first
}

func (*livenessSection) name() string     { return "liveness" }
func (*livenessSection) template() string { return livenessText }

// measure measures every picture once, with all weights: what a combination weighs is among the cues, so each is fitted anew
// without the subjects that it judges. The numbers in the program are fitted on all of them and would flatter themselves.
func (s *livenessSection) measure(ctx context.Context, e *evaluation) error {
	captures, err := e.data.captures()
	if err != nil {
		return err
	}
	captures = limited(captures, e.limit)
	photos, err := e.data.photos()
	if err != nil {
		return err
	}
	photos = limited(photos, e.limit)
	all := slices.Clone(captures)
	for _, p := range photos {
		all = append(all, capture{file: p.file, genuine: true, subject: p.person})
	}
	files := make([]string, len(all))
	for i, c := range all {
		files[i] = c.file
	}
	var analyses []vision.Analysis
	err = e.step("liveness: every picture, with all networks", func() (err error) {
		analyses, err = e.full.analyze(ctx, "liveness", files)
		return err
	})
	if err != nil {
		return err
	}
	drawings, err := drawRecaptures(photos, filepath.Join(e.folder, "recaptures"))
	if err != nil {
		return err
	}
	files = files[:0]
	for _, d := range drawings {
		files = append(files, d.file)
	}
	var drawn []vision.Analysis
	err = e.step("liveness: drawn recaptures", func() (err error) {
		drawn, err = e.full.analyze(ctx, "liveness", files)
		return err
	})
	if err != nil {
		return err
	}
	all, analyses = append(all, drawings...), append(analyses, drawn...)
	return e.step("liveness: each combination, fitted without those whom it judges", func() error {
		return s.judge(all, len(captures), len(drawings), analyses, scoring.Defaults().MinimumLivenessTolerance)
	})
}

// judge scores everything by every combination; the first of all are captures, the last are drawn, those in between ordinary
// photographs. Nothing drawn is fitted on.
func (s *livenessSection) judge(all []capture, captures, drawn int, analyses []vision.Analysis, tolerance float64) error {
	var samples []fusion.Sample
	var of []int // sample → picture
	for i, a := range analyses {
		if a.Liveness == nil {
			continue
		}
		if a.Liveness.Model != fusion.All {
			return fmt.Errorf("weights are missing: liveness is measured by %s", a.Liveness.Model)
		}
		samples = append(samples, fusion.Sample{Live: all[i].genuine, Subject: fusion.Fold(all[i].subject), Cues: a.Liveness.Cues})
		of = append(of, i)
	}
	if len(samples) == 0 {
		return errors.New("no face was measured")
	}
	result := func(model string, scores []float64) livenessResult {
		byPicture := make([]float64, len(all))
		for i := range byPicture {
			byPicture[i] = math.Inf(-1)
		}
		for k, i := range of {
			byPicture[i] = scores[k]
		}
		r := livenessResult{model: model, tolerance: tolerance}
		for i, c := range all {
			c.subject = fusion.Fold(c.subject)
			switch {
			case i < captures:
				r.attempts = append(r.attempts, attempt{c, byPicture[i]})
			case i >= len(all)-drawn:
				r.drawn = append(r.drawn, attempt{c, byPicture[i]})
			default:
				r.everyday = append(r.everyday, attempt{c, byPicture[i]})
			}
		}
		return r
	}
	single := make([]float64, len(samples))
	for i, sample := range samples {
		single[i] = 1 / (1 + math.Exp(-sample.Cues[fusion.SENear]))
	}
	s.Single = result(singleNetwork, single)
	for _, c := range fusion.Combinations() {
		s.Models = append(s.Models, result(called(c.Name), fusion.LeaveOut(samples,
			func(others []fusion.Sample) fusion.Model {
				return fusion.Fit(others, fusion.Inputs(c.Name), fusion.Ridge)
			},
			func(i int) bool { return of[i] < len(all)-drawn && fusion.Trains(all[of[i]].attack) })))
	}
	return nil
}

func (s *livenessSection) figures() map[string]string {
	return map[string]string{"accuracy-liveness.svg": livenessFigure(s)}
}

// best is the combination of all networks, weakest that without any.
func (s *livenessSection) best() livenessResult    { return s.Models[0] }
func (s *livenessSection) weakest() livenessResult { return s.Models[len(s.Models)-1] }

func (s *livenessSection) summary() []summaryRow {
	var rows []summaryRow
	for _, l := range []livenessResult{s.best(), s.weakest()} {
		at := fmt.Sprintf("%s at %.2f: ", l.model, l.tolerance)
		low, high := l.aucBounds()
		rows = append(rows,
			summaryRow{l.model + ": AUC, bounds by subjects", fmt.Sprintf("%.3f [%.3f, %.3f]", l.curve().auc(), low, high)},
			summaryRow{at + "attacks that pass", l.apcer().String()},
			summaryRow{at + "people refused", l.bpcer().String()})
	}
	return rows
}

// attempt is one capture and what the liveness check said. Its score is −Inf where there is none.
type attempt struct {
	capture
	score float64
}

// livenessResult is how well one model tells people from pictures of people.
type livenessResult struct {
	model     string
	tolerance float64 // that the default lets in
	attempts  []attempt
	everyday  []attempt // ordinary photographs of people, which are no captures
	drawn     []attempt // the same photographs as a camera might see them on screens and sheets
}

// curveOf is the curve of some attempts; scores are turned so that lower is better.
func curveOf(attempts []attempt) curve {
	var genuine, impostor []float64
	for _, a := range attempts {
		if a.genuine {
			genuine = append(genuine, -a.score)
		} else {
			impostor = append(impostor, -a.score)
		}
	}
	return newCurve(genuine, impostor)
}

func (r livenessResult) curve() curve { return curveOf(r.attempts) }

// bpcer is how often a genuine capture is refused at the default.
func (r livenessResult) bpcer() rate { return r.curve().falseReject(-r.tolerance) }

// apcer is how often an attack of any kind passes at the default.
func (r livenessResult) apcer() rate { return r.curve().falseAccept(-r.tolerance) }

// everydayRefused is how often an ordinary photograph would be refused at the default.
func (r livenessResult) everydayRefused() rate { return curveOf(r.everyday).falseReject(-r.tolerance) }

// unmeasured counts captures without a score: no face, or one too small.
func (r livenessResult) unmeasured() rate {
	var u rate
	for _, a := range r.attempts {
		u.add(math.IsInf(a.score, -1))
	}
	return u
}

// kinds gives APCER by kind of attack, most frequent kind first.
func (r livenessResult) kinds() readings {
	var kinds readings
	for _, a := range r.attempts {
		if !a.genuine {
			kinds.of(a.attack).right.add(a.score >= r.tolerance)
		}
	}
	slices.SortStableFunc(kinds, func(a, b *reading) int { return b.right.N - a.right.N })
	return kinds
}

// framed are the attempts of one framing.
func (r livenessResult) framed(framing string) []attempt {
	var of []attempt
	for _, a := range r.attempts {
		if a.framing == framing {
			of = append(of, a)
		}
	}
	return of
}

// without leaves out one subject.
func without(attempts []attempt, subject string) (rest, left []attempt) {
	for _, a := range attempts {
		if a.subject == subject {
			left = append(left, a)
		} else {
			rest = append(rest, a)
		}
	}
	return rest, left
}

// frequent is the subject with the most captures.
func (r livenessResult) frequent() (subject string, captures int) {
	count := map[string]int{}
	for _, a := range r.attempts {
		count[a.subject]++
		if count[a.subject] > captures {
			subject, captures = a.subject, count[a.subject]
		}
	}
	return subject, captures
}

// resamples is how often the subjects are drawn anew for the bounds of an AUC.
const resamples = 2000

// aucBounds are 95 % bounds of the AUC: the subjects are drawn anew, with replacement. Pictures of one subject share a face,
// a room and a camera, and are not independent trials.
func (r livenessResult) aucBounds() (low, high float64) {
	bySubject := map[string][]attempt{}
	var subjects []string
	for _, a := range r.attempts {
		if bySubject[a.subject] == nil {
			subjects = append(subjects, a.subject)
		}
		bySubject[a.subject] = append(bySubject[a.subject], a)
	}
	rng := rand.New(rand.NewPCG(firstSeed, 1))
	var areas []float64
	for range resamples {
		var drawn []attempt
		for range subjects {
			drawn = append(drawn, bySubject[subjects[rng.IntN(len(subjects))]]...)
		}
		if c := curveOf(drawn); len(c.genuine) > 0 && len(c.impostor) > 0 {
			areas = append(areas, c.auc())
		}
	}
	if len(areas) == 0 {
		return 0, 1
	}
	slices.Sort(areas)
	return areas[len(areas)*25/1000], areas[len(areas)*975/1000]
}

// bin is a range of scores: what they say on average, and how often there really was a person.
type bin struct {
	said, was float64
	share     float64 // of all
	pictures  int
}

// calibration compares what scores say with what was. Every subject weighs the same within its class and both classes
// the same, as in the fit: the score claims to be the probability of a person where people and attacks are equally likely.
func (r livenessResult) calibration(bins int) (table []bin, brier, expected float64) {
	var samples []fusion.Sample
	var scores []float64
	for _, a := range slices.Concat(r.attempts, r.everyday) {
		if !math.IsInf(a.score, 0) && fusion.Trains(a.attack) {
			samples, scores = append(samples, fusion.Sample{Live: a.genuine, Subject: a.subject}), append(scores, a.score)
		}
	}
	table = make([]bin, bins)
	for i, share := range fusion.Shares(samples) {
		live := 0.0
		if samples[i].Live {
			live = 1
		}
		brier += share * (scores[i] - live) * (scores[i] - live)
		b := &table[min(int(scores[i]*float64(bins)), bins-1)]
		b.said, b.was, b.share, b.pictures = b.said+share*scores[i], b.was+share*live, b.share+share, b.pictures+1
	}
	for i := range table {
		b := &table[i]
		if b.share > 0 {
			b.said, b.was = b.said/b.share, b.was/b.share
			expected += b.share * math.Abs(b.said-b.was)
		}
	}
	return table, brier, expected
}

// drawRecaptures draws two photographs of each person on a screen and as a print, into a new folder. Photographs of
// less than 250 px show too little to be held before a camera.
func drawRecaptures(photos []photo, folder string) ([]capture, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	var drawings []capture
	of := map[string]int{}
	for i, p := range photos {
		if of[p.person] == 2 {
			continue
		}
		picture, err := decodeFile(p.file)
		if err != nil {
			return nil, err
		}
		if b := picture.Bounds(); min(b.Dx(), b.Dy()) < 250 {
			continue
		}
		of[p.person]++
		for k, kind := range []string{drawnScreen, drawnPrint} {
			file := filepath.Join(folder, fmt.Sprintf("%d-%d.jpg", i, k))
			var encoded bytes.Buffer
			drawing := recapture(picture, kind, rand.New(rand.NewPCG(firstSeed+uint64(i), uint64(k))))
			if err := jpeg.Encode(&encoded, drawing, &jpeg.Options{Quality: 90}); err != nil {
				return nil, err
			}
			if err := os.WriteFile(file, encoded.Bytes(), 0o600); err != nil {
				return nil, err
			}
			drawings = append(drawings, capture{file: file, attack: kind, subject: p.person})
		}
	}
	return drawings, nil
}

func decodeFile(name string) (image.Image, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	picture, _, err := image.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return picture, nil
}

// LivenessDrawn gives the drawn attacks that pass, with every combination.
func (s *livenessSection) LivenessDrawn() table {
	t := table{head: []string{"model", "AUC against the photographs", "APCER, " + drawnScreen, "APCER, " + drawnPrint, "no face found"}}
	for _, l := range s.models() {
		var screen, sheet, none rate
		for _, a := range l.drawn {
			none.add(math.IsInf(a.score, -1))
			passes := a.score >= l.tolerance
			if a.attack == drawnScreen {
				screen.add(passes)
			} else {
				sheet.add(passes)
			}
		}
		area := curveOf(slices.Concat(l.drawn, l.everyday)).auc()
		t.row(l.model, fmt.Sprintf("%.3f", area), screen.String(), sheet.String(), fmt.Sprintf("%d of %d", none.K, none.N))
	}
	return t
}

// models are all that is compared, the single network first.
func (s *livenessSection) models() []livenessResult {
	return append([]livenessResult{s.Single}, s.Models...)
}

// LivenessErrors compares the models.
func (s *livenessSection) LivenessErrors() table {
	t := table{head: []string{"model", "AUC, bounds by subjects", "APCER, all kinds", "BPCER", "BPCER on ordinary photographs", "Brier", "calibration error"}}
	for _, l := range s.models() {
		low, high := l.aucBounds()
		_, brier, expected := l.calibration(5)
		t.row(l.model, fmt.Sprintf("%.3f [%.3f, %.3f]", l.curve().auc(), low, high), l.apcer().String(), l.bpcer().String(), l.everydayRefused().String(),
			fmt.Sprintf("%.3f", brier), fmt.Sprintf("%.3f", expected))
	}
	return t
}

// LivenessKinds gives the attacks that pass by their kind.
func (s *livenessSection) LivenessKinds() table {
	t := table{head: []string{"kind of attack", "APCER, " + s.best().model, "at least stopped, 95 %", "APCER, " + s.weakest().model}}
	weakest := s.weakest().kinds()
	for _, kind := range s.best().kinds() {
		t.row(kind.name, kind.right.String(), percent(1-kind.right.upper())+" %", weakest.of(kind.name).right.String())
	}
	return t
}

// LivenessFraming compares full pictures with tight crops.
func (s *livenessSection) LivenessFraming() table {
	t := table{head: []string{"framing", "model", "AUC", "APCER", "BPCER"}}
	for _, framing := range []string{"full", "tight"} {
		for _, l := range s.models() {
			c := curveOf(l.framed(framing))
			t.row(framing, l.model, fmt.Sprintf("%.3f", c.auc()), c.falseAccept(-l.tolerance).String(), c.falseReject(-l.tolerance).String())
		}
	}
	return t
}

// LivenessTolerances tells what each tolerance costs, with all networks and without any.
func (s *livenessSection) LivenessTolerances() table {
	t := table{head: []string{"tolerance", "APCER", "BPCER", "BPCER on ordinary photographs", "APCER, cues alone", "BPCER, cues alone"}}
	c, everyday, weakest := s.best().curve(), curveOf(s.best().everyday), s.weakest().curve()
	tolerances := []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95}
	if !slices.Contains(tolerances, s.best().tolerance) {
		tolerances = append(tolerances, s.best().tolerance)
		slices.Sort(tolerances)
	}
	for _, tolerance := range tolerances {
		name := fmt.Sprintf("%.2f", tolerance)
		if tolerance == s.best().tolerance {
			name = "**" + name + "**"
		}
		t.row(name, c.falseAccept(-tolerance).String(), c.falseReject(-tolerance).String(), everyday.falseReject(-tolerance).String(),
			weakest.falseAccept(-tolerance).String(), weakest.falseReject(-tolerance).String())
	}
	return t
}

// LivenessFrames tells what several frames of one sitting are worth: the subject of whom there are enough, frames in their
// order, so many at a time.
func (s *livenessSection) LivenessFrames() table {
	t := table{head: []string{"frames", "APCER", "BPCER", "APCER, cues alone", "BPCER, cues alone"}}
	subject, _ := s.best().frequent()
	for _, frames := range []int{1, 3, 5} {
		cells := []string{fmt.Sprint(frames)}
		for _, l := range []livenessResult{s.best(), s.weakest()} {
			var apcer, bpcer rate
			for _, genuine := range []bool{true, false} {
				var scores []vision.Liveness
				for _, a := range l.attempts {
					if a.subject == subject && a.genuine == genuine && !math.IsInf(a.score, 0) {
						scores = append(scores, vision.Liveness{Score: a.score})
					}
				}
				for some := range slices.Chunk(scores, frames) {
					if len(some) < frames {
						continue
					}
					pass := vision.FuseLiveness(some).Score >= l.tolerance
					if genuine {
						bpcer.add(!pass)
					} else {
						apcer.add(pass)
					}
				}
			}
			cells = append(cells, apcer.String(), bpcer.String())
		}
		t.row(cells...)
	}
	return t
}

// LivenessCalibration tells how often there was a person where the score said so.
func (s *livenessSection) LivenessCalibration() table {
	t := table{head: []string{"score", "pictures", "mean score", "share of people"}}
	bins, _, _ := s.best().calibration(5)
	for i, b := range bins {
		said, was := "–", "–"
		if b.pictures > 0 {
			said, was = fmt.Sprintf("%.2f", b.said), fmt.Sprintf("%.2f", b.was)
		}
		t.row(fmt.Sprintf("%.1f–%.1f", float64(i)/5, float64(i+1)/5), fmt.Sprint(b.pictures), said, was)
	}
	return t
}

// LivenessFits counts the numbers that were fitted, and on how many.
func (s *livenessSection) LivenessFits() string {
	var counts []string
	for _, c := range fusion.Combinations() {
		counts = append(counts, fmt.Sprintf("%d for %s", len(c.Terms)+1, called(c.Name)))
	}
	live, attacked := map[string]bool{}, map[string]bool{}
	pictures := 0
	for _, a := range slices.Concat(s.best().attempts, s.best().everyday) {
		if !fusion.Trains(a.attack) || math.IsInf(a.score, 0) {
			continue
		}
		pictures++
		if a.genuine {
			live[a.subject] = true
		} else {
			attacked[a.subject] = true
		}
	}
	return fmt.Sprintf("%s. They rest on %d pictures of %d people who were there and attacks on %d", strings.Join(counts, ", "), pictures, len(live), len(attacked))
}

// LivenessNames says which weights make which combination.
func (s *livenessSection) LivenessNames() table {
	t := table{head: []string{"in these tables", "in `liveness.model`"}}
	for _, c := range fusion.Combinations() {
		t.row(called(c.Name), "`"+c.Name+"`")
	}
	return t
}

// LivenessSizes counts the captures.
func (s *livenessSection) LivenessSizes() string {
	c := s.best().curve()
	subject, captures := s.best().frequent()
	rest, _ := without(s.best().attempts, subject)
	return fmt.Sprintf("%d genuine captures and %d attacks, %d of them without a score; one subject alone is in %d of them, and without that subject the AUC over the remaining %d is %.3f",
		len(c.genuine), len(c.impostor), s.best().unmeasured().K, captures, len(rest), curveOf(rest).auc())
}

// livenessFigure shows people who pass against attacks that pass for every tolerance, both errors on finer axes, and what
// the scores say against what was.
func livenessFigure(s *livenessSection) string {
	f := newFigure(720, 830)
	percents := []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	fine := []float64{0.02, 0.05, 0.1, 0.2, 0.5, 1}
	roc := chart{
		f: f, x: 74, y: 24, width: 270, height: 270,
		across: axis{label: "attacks that pass (APCER)", max: 1, ticks: percents}, up: axis{label: "people who pass (1 − BPCER)", max: 1, ticks: percents},
	}
	det := chart{
		f: f, x: 428, y: 24, width: 270, height: 270,
		across: axis{label: "attacks that pass (APCER)", min: 0.02, max: 1, log: true, ticks: fine},
		up:     axis{label: "people refused (BPCER)", min: 0.02, max: 1, log: true, ticks: fine},
	}
	said := chart{
		f: f, x: 74, y: 374, width: 270, height: 270,
		across: axis{label: "score", max: 1, ticks: percents}, up: axis{label: "share of people", max: 1, ticks: percents},
	}
	for _, c := range []chart{roc, det, said} {
		c.frame()
	}
	for _, c := range []chart{roc, said} {
		x1, y1 := c.at(0, 0)
		x2, y2 := c.at(1, 1)
		f.line(x1, y1, x2, y2, "#999999", 1)
	}
	colours := []string{"#999999", blue, green, "#CC79A7", vermilion}
	dashes := []string{"", "", "2 3", "5 3 1 3", "7 4"}
	var keys []key
	for i, r := range s.models() {
		colour, dash := colours[i%len(colours)], dashes[i%len(dashes)]
		var up, down []point
		for _, p := range r.curve().points() {
			up, down = append(up, point{p.falseAccept, 1 - p.falseReject}), append(down, point{p.falseAccept, p.falseReject})
		}
		roc.stairs(up, colour, dash)
		det.stairs(down, colour, dash)
		roc.dot(point{r.apcer().value(), 1 - r.bpcer().value()}, colour, false)
		det.dot(point{r.apcer().value(), r.bpcer().value()}, colour, false)
		keys = append(keys, key{label: fmt.Sprintf("%s: AUC %.3f", r.model, r.curve().auc()), colour: colour, dash: dash})
	}
	for i, r := range []livenessResult{s.best(), s.weakest()} {
		bins, _, _ := r.calibration(5)
		for _, b := range bins {
			if b.pictures > 0 {
				said.dot(point{b.said, b.was}, []string{blue, vermilion}[i], i == 1)
			}
		}
	}
	f.text(428, 400, "start", 12, "Left: how often there was a person where the")
	f.text(428, 416, "start", 12, "score said so, in five ranges of the score;")
	f.text(428, 432, "start", 12, "filled with all networks, hollow with none.")
	f.text(428, 448, "start", 12, "A calibrated score lies on the grey line.")
	keys = append(keys, key{label: fmt.Sprintf("the default tolerance, %.2f", s.best().tolerance), colour: ink, mark: true})
	f.legend(74, 712, keys...)
	return f.svg("Liveness: people who pass against attacks that pass, both errors on logarithmic axes, and calibration")
}
