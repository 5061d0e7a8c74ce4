package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	_ "golang.org/x/image/webp"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// customaryTolerance is the distance that users of dlib's encoder commonly take for one person.
const customaryTolerance = 0.6

// detectorFile is the detector's weights, which only come from outside the package registries.
const detectorFile = "face_detection_yunet_2023mar.onnx"

const (
	// cardsPerPerson is how many pictures of a person are printed on a licence.
	cardsPerPerson = 3
	// leastFace is the height in pixels of a face that is worth printing.
	leastFace = 70
)

// facePair is two pictures of one person or of two.
type facePair struct {
	a, b     photo
	same     bool
	listed   bool    // in pairs.csv, a third of whose strangers are look-alikes
	distance float64 // +Inf if it could not be measured, which is no match
}

// facesResult is what was measured on faces.
type facesResult struct {
	tolerance float64 // the default
	photos    []photo
	people    int
	encoder   string
	found     rate // pictures of one person in which a face was found and encoded
	portraits rate // photographed licences on which the portrait was found and encoded
	counted   rate // pictures whose number of faces was told right
	phantoms  rate // pictures without a face in which one was seen
	pairs     []facePair
	cards     []facePair         // a is printed on a licence that is photographed, b is another picture as it is
	groups    map[string][]group // of each person, by what was estimated; empty if nothing was
	first     []facePair         // as pairs, with the first encoder alone
	baseline  []facePair         // as pairs, with go-face and its own detector on the whole picture; nil if it was not measured
	degraded  *facesResult
}

// measureFaces finds the faces, compares every picture with every other, and compares portraits printed on licences
// with other pictures.
func measureFaces(ctx context.Context, e *evaluation, tolerance float64) (facesResult, error) {
	r := facesResult{tolerance: tolerance}
	photos, err := e.data.photos()
	if err != nil {
		return r, err
	}
	r.photos = limited(photos, e.limit)
	var seen []vision.Analysis
	err = e.step("faces: finding, encoding and comparing them", func() (err error) {
		if seen, err = r.find(ctx, e, e.full, "faces,attributes"); err != nil {
			return err
		}
		r.groups = groupsOf(r.photos, seen)
		r.pairs, err = r.pairUp(e, seen)
		return err
	})
	if err != nil {
		return r, err
	}
	err = e.step("faces: portraits printed on licences", func() error { return r.compareCards(ctx, e, seen) })
	if err != nil {
		return r, err
	}
	err = e.step("faces: the first encoder alone", func() error {
		alone, err := e.without("no-second-encoder", e.full.models, secondEncoderFiles()...)
		if err != nil {
			return err
		}
		seen, err := alone.analyze(ctx, "faces", files(r.photos))
		if err != nil {
			return err
		}
		r.first, err = r.pairUp(e, seen)
		return err
	})
	if err != nil {
		return r, err
	}
	if e.baseline != "" {
		err = e.step("faces: go-face and its own detector", func() error {
			seen, err := readAnalyses(e.baseline, files(r.photos))
			if err != nil {
				return err
			}
			r.baseline, err = r.pairUp(e, seen)
			return err
		})
		if err != nil {
			return r, err
		}
	}
	return r, e.step("faces: the fall-back detector", func() error {
		weak := facesResult{tolerance: tolerance, photos: r.photos}
		// What the fall-back stands in for must be missing, also if the registries were not all that was reached.
		noDetector, err := e.without("no-detector", e.registries, detectorFile)
		if err != nil {
			return err
		}
		seen, err := weak.find(ctx, e, noDetector, "faces")
		if err != nil {
			return err
		}
		r.degraded = &weak
		weak.pairs, err = weak.pairUp(e, seen)
		return err
	})
}

// secondEncoderFiles are the second encoder's weights.
func secondEncoderFiles() []string { return []string{"mobileface.json", "mobileface.bin"} }

func files(photos []photo) []string {
	names := make([]string, len(photos))
	for i, p := range photos {
		names[i] = p.file
	}
	return names
}

// find looks for the faces in all pictures, and returns what was found in those of one person.
func (r *facesResult) find(ctx context.Context, e *evaluation, measuring sidecar, parts string) ([]vision.Analysis, error) {
	crowds, err := e.data.crowds()
	if err != nil {
		return nil, err
	}
	all := files(r.photos)
	for _, c := range crowds {
		all = append(all, c.file)
	}
	analyses, err := measuring.analyze(ctx, parts, all)
	if err != nil {
		return nil, err
	}
	for _, a := range analyses[:len(r.photos)] {
		r.found.add(len(templateOf(a)) > 0)
		r.encoder = cmp.Or(r.encoder, a.Models[vision.PartEncoding])
	}
	for i, c := range crowds {
		faces := len(analyses[len(r.photos)+i].Faces)
		r.counted.add(faces >= c.min && faces <= c.max)
		if c.max == 0 {
			r.phantoms.add(faces > 0)
		}
	}
	return analyses[:len(r.photos)], nil
}

// card is a photographed licence with a person's picture on it.
type card struct {
	photo photo
	file  string
}

// print puts a few pictures of everybody who has another one on licences.
func (r *facesResult) print(ctx context.Context, s *studio, found []vision.Analysis) ([]card, error) {
	pictures := map[string]int{}
	for _, p := range r.photos {
		pictures[p.person]++
	}
	printed := map[string]int{}
	var orders []order
	var cards []card
	for i, p := range r.photos {
		if pictures[p.person] < 2 || printed[p.person] == cardsPerPerson {
			continue
		}
		portrait, ok, err := headOf(p.file, found[i])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		printed[p.person]++
		cards = append(cards, card{photo: p})
		orders = append(orders, order{
			kind: specimen.DriverLicense, scene: scene{"handheld", specimen.Handheld}, seed: firstSeed + uint64(i), portrait: portrait,
		})
	}
	sheets, err := s.shoot(ctx, orders)
	if err != nil {
		return nil, err
	}
	for i := range cards {
		cards[i].file = sheets[i].file
	}
	return cards, nil
}

// headOf cuts head and shoulders out of a picture of one person. Left out are pictures of several people or with a face too small to
// print, and those that are stored turned: the box is of the upright one.
func headOf(file string, found vision.Analysis) (image.Image, bool, error) {
	if len(found.Faces) != 1 || found.Faces[0].Box.Height < leastFace {
		return nil, false, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, false, err
	}
	if c, err := vision.Inspect(data); err != nil || c.Orientation > 1 {
		return nil, false, err
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, false, err
	}
	box := found.Faces[0].Box
	head, err := specimen.HeadAndShoulders(picture, image.Rect(box.X, box.Y, box.X+box.Width, box.Y+box.Height))
	return head, err == nil, err
}

// templateOf is what the main face is recognised by.
func templateOf(a vision.Analysis) vision.Template {
	if len(a.Faces) == 0 {
		return nil
	}
	return a.Faces[0].Template()
}

// apart is how far the main faces of two pictures are from each other, as the server compares them: +Inf if it cannot.
func apart(a, b vision.Analysis) float64 {
	match, err := vision.Compare(templateOf(a), templateOf(b))
	if err != nil {
		return math.Inf(1)
	}
	return match.Distance
}

// pairUp compares every picture with every other.
func (r *facesResult) pairUp(e *evaluation, seen []vision.Analysis) ([]facePair, error) {
	listed, err := e.data.listedPairs()
	if err != nil {
		return nil, err
	}
	var pairs []facePair
	people := map[string]bool{}
	for i, a := range r.photos {
		people[a.person] = true
		for j, b := range r.photos[i+1:] {
			_, forth := listed[pair{a.file, b.file}]
			_, back := listed[pair{b.file, a.file}]
			pairs = append(pairs, facePair{a: a, b: b, same: a.person == b.person, listed: forth || back, distance: apart(seen[i], seen[i+1+j])})
		}
	}
	r.people = len(people)
	return pairs, nil
}

// compareCards prints portraits on licences, and compares each with all pictures but the printed one.
func (r *facesResult) compareCards(ctx context.Context, e *evaluation, seen []vision.Analysis) error {
	cards, err := r.print(ctx, e.studio, seen)
	if err != nil {
		return err
	}
	names := make([]string, len(cards))
	for i, c := range cards {
		names[i] = c.file
	}
	portraits, err := e.full.analyze(ctx, "portrait", names)
	if err != nil {
		return err
	}
	for i, c := range cards {
		r.portraits.add(len(templateOf(portraits[i])) > 0)
		for j, b := range r.photos {
			if b != c.photo {
				r.cards = append(r.cards, facePair{a: c.photo, b: b, same: c.photo.person == b.person, distance: apart(portraits[i], seen[j])})
			}
		}
	}
	return nil
}

// group is one that people are put into by their appearance.
type group struct{ by, name string }

// groupsOf puts each person into groups by what was estimated of all their pictures together: apparent gender, and band of
// apparent age.
func groupsOf(photos []photo, seen []vision.Analysis) map[string][]group {
	type sum struct{ male, age, pictures float64 }
	people := map[string]sum{}
	for i, p := range photos {
		if len(seen[i].Faces) == 0 || seen[i].Faces[0].Attributes == nil {
			continue
		}
		a, s := seen[i].Faces[0].Attributes, people[p.person]
		male := a.GenderProbability
		if a.Gender == "female" {
			male = 1 - male
		}
		people[p.person] = sum{s.male + male, s.age + a.Age, s.pictures + 1}
	}
	groups := map[string][]group{}
	for person, s := range people {
		gender, band := "women", "60 and older"
		if s.male/s.pictures > 0.5 {
			gender = "men"
		}
		switch age := s.age / s.pictures; {
		case age < 25:
			band = "under 25"
		case age < 40:
			band = "25 to 39"
		case age < 60:
			band = "40 to 59"
		}
		groups[person] = []group{{"apparent gender", gender}, {"apparent age", band}}
	}
	return groups
}

// inGroup tells whether both people of a pair are in a group.
func (r facesResult) inGroup(g group) func(facePair) bool {
	return func(p facePair) bool {
		return slices.Contains(r.groups[p.a.person], g) && slices.Contains(r.groups[p.b.person], g)
	}
}

// faceCurve is the curve of some pairs.
func faceCurve(pairs []facePair, of func(facePair) bool) curve {
	var genuine, impostor []float64
	for _, p := range pairs {
		switch {
		case !of(p):
		case p.same:
			genuine = append(genuine, p.distance)
		default:
			impostor = append(impostor, p.distance)
		}
	}
	return newCurve(genuine, impostor)
}

func anyPair(facePair) bool      { return true }
func listedPair(p facePair) bool { return p.listed }

func within(set string) func(facePair) bool {
	return func(p facePair) bool { return p.a.set == set && p.b.set == set }
}

// half puts a person into half 0 or 1. Pairs across the halves are in neither.
func half(person string) int {
	sum := sha256.Sum256([]byte(person))
	return int(sum[0] & 1)
}

func inHalf(which int) func(facePair) bool {
	return func(p facePair) bool { return half(p.a.person) == which && half(p.b.person) == which }
}

// sets names the collections, each with the number of people in it, the largest first.
func (r facesResult) sets() (names []string, people map[string]int) {
	seen := map[string]bool{}
	people = map[string]int{}
	for _, p := range r.photos {
		if !seen[p.person] {
			seen[p.person] = true
			people[p.set]++
		}
	}
	for name := range people {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(people[b]-people[a], cmp.Compare(a, b)) })
	return names, people
}

// strangersMatched is the share of pairs of people of whom any two pictures match.
func strangersMatched(pairs []facePair, tolerance float64) rate {
	matched := map[pair]bool{}
	for _, p := range pairs {
		if !p.same {
			two := pair{min(p.a.person, p.b.person), max(p.a.person, p.b.person)}
			matched[two] = matched[two] || p.distance <= tolerance
		}
	}
	var r rate
	for _, m := range matched {
		r.add(m)
	}
	return r
}

// byPeople draws as many people with replacement, again and again, and gives the rates of an error among the pairs of
// those drawn, ascending. Their spread knows, unlike exact bounds, that all pairs of one person share that person's face.
func byPeople(pairs []facePair, same bool, wrong func(distance float64) bool) []float64 {
	const draws = 2000
	index := map[string]int{}
	for _, p := range pairs {
		for _, person := range []string{p.a.person, p.b.person} {
			if _, ok := index[person]; !ok {
				index[person] = len(index)
			}
		}
	}
	type counted struct {
		a, b  int
		wrong bool
	}
	var of []counted
	for _, p := range pairs {
		if p.same == same {
			of = append(of, counted{index[p.a.person], index[p.b.person], wrong(p.distance)})
		}
	}
	rng := rand.New(rand.NewPCG(firstSeed, 0))
	rates := make([]float64, 0, draws)
	for range draws {
		times := make([]int, len(index))
		for range index {
			times[rng.IntN(len(index))]++
		}
		errors, all := 0, 0
		for _, p := range of {
			weight := times[p.a]
			if !same {
				weight *= times[p.b]
			}
			all += weight
			if p.wrong {
				errors += weight
			}
		}
		if all > 0 {
			rates = append(rates, float64(errors)/float64(all))
		}
	}
	slices.Sort(rates)
	return rates
}

// between are the two-sided 95 % bounds of rates that byPeople gave.
func between(rates []float64) (low, high float64) {
	if len(rates) == 0 {
		return math.NaN(), math.NaN()
	}
	return rates[len(rates)*25/1000], rates[len(rates)*975/1000]
}

// widest is the one-sided 95 % bound of the false matches: the exact one, or that by people where it is wider. Either alone
// may be too narrow: the exact one takes pairs for independent, the other knows nothing where no error was seen.
func widest(pairs []facePair, tolerance float64) float64 {
	bound := faceCurve(pairs, anyPair).falseAccept(tolerance).upper()
	if rates := byPeople(pairs, false, func(d float64) bool { return d <= tolerance }); len(rates) > 0 {
		bound = max(bound, rates[len(rates)*950/1000])
	}
	return bound
}

// enrolled is how many pictures of a person an account holds in accountCurve.
const enrolled = 3

// accountCurve compares as authentication does: an account holds the first pictures of a person, and every other picture,
// the person's own or a stranger's, is as far from it as from the nearest of them.
func accountCurve(pairs []facePair) curve {
	type attempt struct {
		person string // whose account
		probe  photo
	}
	accounts := map[string][]photo{}
	enrol := func(p photo) {
		if has := accounts[p.person]; len(has) < enrolled && !slices.Contains(has, p) {
			accounts[p.person] = append(has, p)
		}
	}
	for _, p := range pairs {
		enrol(p.a)
		enrol(p.b)
	}
	nearest := map[attempt]float64{}
	try := func(of, probe photo, distance float64) {
		account := accounts[of.person]
		if len(account) < enrolled || !slices.Contains(account, of) || slices.Contains(account, probe) {
			return
		}
		key := attempt{of.person, probe}
		if have, ok := nearest[key]; !ok || distance < have {
			nearest[key] = distance
		}
	}
	for _, p := range pairs {
		try(p.a, p.b, p.distance)
		try(p.b, p.a, p.distance)
	}
	var genuine, impostor []float64
	for key, distance := range nearest {
		if key.person == key.probe.person {
			genuine = append(genuine, distance)
		} else {
			impostor = append(impostor, distance)
		}
	}
	return newCurve(genuine, impostor)
}

// hundredths are the tolerances among which a default is chosen.
func hundredths() []float64 {
	var all []float64
	for i := 25; i <= 65; i++ {
		all = append(all, float64(i)/100)
	}
	return all
}

// supported is the largest hundredth of a tolerance up to which a bound of the errors is no more than target; false if it is
// for none.
func supported(target float64, bound func(tolerance float64) float64) (float64, bool) {
	best, ok := 0.0, false
	for _, t := range hundredths() {
		if bound(t) > target {
			break
		}
		best, ok = t, true
	}
	return best, ok
}
