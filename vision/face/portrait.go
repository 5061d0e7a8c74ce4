package face

import (
	"math"
	"slices"
	"sort"

	"kycd/vision"
	"kycd/vision/document"
	"kycd/vision/imaging"
)

const (
	// portraitScore is the lowest score of YuNet for a face on a document: pictures of documents without a portrait
	// give nothing above it.
	portraitScore = 0.5
	// plainScore is the score from which no other way of looking is tried.
	plainScore = 0.8
	// outlineRoom is what is searched around an outline, as a share of its size: outlines are not exact.
	outlineRoom = 0.06
	// ghostHeight is the height of a face, in shorter sides of its document, below which it is a ghost portrait's:
	// theirs reach 0.16 on ID-1 cards and passport pages, true portraits begin at 0.19.
	ghostHeight = 0.17
	// portraitHeight is the height of a face, in the same measure, above which it is none of the document's but that of
	// who holds it, or none at all: true ones end at 0.57.
	portraitHeight = 0.75
	// flatContrast is the contrast of a face below which it counts for less, as a pale second portrait does.
	flatContrast = 0.25
)

// look is one way of showing a document to YuNet: at a number of px of its longer side, and, unless patches is 0, evened
// over so many patches of that side.
type look struct{ side, patches int }

// The ways in which a document is searched until one shows a face plainly. At 640 px a portrait's face is 80 to 130 px
// wide. Guilloches printed over it melt away at the smaller sides; light evened helps where a shadow or a reflection
// lies on it; the largest side is for portraits that are small on what is no card.
var portraitLooks = []look{{side: 640}, {side: 400}, {side: 320}, {side: 240}, {520, 8}, {520, 16}, {side: 1000}}

// FindPortrait returns the faces of a picture of a document's portrait side, the portrait of the holder first. outline is
// where the document was seen, in pixels of pic; nil if it was not, and one that was assumed counts as none. As with
// FindTurned, the faces are in the pixels of pic.Turned(turned).
//
// With an outline, ghost portraits follow the portrait, and faces that are too large for the document are not its: where
// only such show, there is no portrait and nothing is returned. Faces beside the outline count only where none shows
// plainly within it, for outlines err: a page that fills the picture may have a frame printed on it.
func (f *Finder) FindPortrait(pic *imaging.Picture, outline *vision.Document) (found []Detection, turned int, err error) {
	if outline == nil || outline.Confidence < document.FoundConfidence {
		if found, turned, err = f.searchSheet(pic); err != nil {
			return nil, 0, err
		}
	} else {
		region, side := around(outline.Corners), shorterSide(outline.Corners)
		if found, turned, err = f.searchWithin(pic, region, side); err != nil {
			return nil, 0, err
		}
		if !hasPlain(pic, found) {
			aside, degrees, err := f.searchSheet(pic)
			if err != nil {
				return nil, 0, err
			}
			aside = fitting(atLeast(aside, minScore), side)
			if len(found) == 0 {
				turned = degrees
			}
			if degrees == turned {
				found = suppress(append(found, aside...), maxOverlap)
			}
		}
		if !hasPortrait(found, side) {
			return nil, 0, nil
		}
	}
	if len(found) == 0 {
		return nil, 0, nil
	}
	sortPortraits(pic, found)
	for i, d := range found {
		found[i] = d.turned(turned, pic.Width, pic.Height)
	}
	return found, turned, nil
}

// searchSheet looks for faces on a document whose outline is not known. Nothing vouches for a weak face there. The faces
// are in pixels of pic; turned is as with righted.
func (f *Finder) searchSheet(pic *imaging.Picture) (found []Detection, turned int, err error) {
	if found, err = f.search(pic); err != nil {
		return nil, 0, err
	}
	if len(found) == 0 {
		if found, err = f.searchPart(pic, 0); err != nil {
			return nil, 0, err
		}
		if bestScore(found) < minScore {
			if found, err = f.confirmed(pic, found); err != nil {
				return nil, 0, err
			}
		}
	}
	return f.righted(pic, found)
}

// searchWithin looks for the faces within the outline of a document whose shorter side is given, px. The faces are in
// pixels of pic; turned is as with righted.
func (f *Finder) searchWithin(pic *imaging.Picture, region vision.Box, side float64) (found []Detection, turned int, err error) {
	part, ok := pic.Crop(region)
	if !ok {
		return nil, 0, nil
	}
	seen, err := f.searchPart(part, ghostHeight*side)
	if err != nil {
		return nil, 0, err
	}
	if seen, turned, err = f.righted(part, seen); err != nil {
		return nil, 0, err
	}
	for i, d := range seen {
		seen[i] = d.scaled(1, float64(max(region.X, 0)), float64(max(region.Y, 0)))
	}
	sure := atLeast(seen, minScore)
	for _, d := range fitting(seen, side) {
		if d.Score < minScore {
			sure = append(sure, d)
		}
	}
	return sure, turned, nil
}

// searchPart looks at the part of a picture where the document lies, in one way after the other, until a face that is no
// smaller than least px shows plainly.
func (f *Finder) searchPart(part *imaging.Picture, least float64) ([]Detection, error) {
	if f.Degraded() {
		return f.searchHOG(part, hogSides)
	}
	var all []Detection
	for _, way := range portraitLooks {
		view := part
		if way.patches > 0 {
			small, err := part.Fit(way.side)
			if err != nil {
				return nil, err
			}
			if view, err = evened(small, way.patches); err != nil {
				return nil, err
			}
		}
		found, err := f.yunet.detect(view, way.side, portraitScore)
		if err != nil {
			return nil, err
		}
		plain := false
		back := float64(part.Width) / float64(view.Width)
		for _, d := range found {
			d = d.scaled(back, 0, 0)
			plain = plain || d.Score >= plainScore && d.longer() >= least
			all = append(all, d)
		}
		if plain {
			break
		}
	}
	return suppress(all, maxOverlap), nil
}

// around is the box around an outline, with some room.
func around(corners [4]vision.Point) vision.Box {
	x0, y0 := corners[0].X, corners[0].Y
	x1, y1 := x0, y0
	for _, p := range corners {
		x0, y0, x1, y1 = math.Min(x0, p.X), math.Min(y0, p.Y), math.Max(x1, p.X), math.Max(y1, p.Y)
	}
	dx, dy := outlineRoom*(x1-x0), outlineRoom*(y1-y0)
	return vision.Box{X: int(x0 - dx), Y: int(y0 - dy), Width: int(x1 - x0 + 2*dx + 1), Height: int(y1 - y0 + 2*dy + 1)}
}

// shorterSide is the length of the shorter side of an outline, the mean of the two that face each other.
func shorterSide(c [4]vision.Point) float64 {
	length := func(a, b vision.Point) float64 { return math.Hypot(b.X-a.X, b.Y-a.Y) }
	return math.Min(length(c[0], c[1])+length(c[2], c[3]), length(c[1], c[2])+length(c[3], c[0])) / 2
}

// fitting leaves the faces that are not too large for a document whose shorter side is given, px.
func fitting(found []Detection, side float64) []Detection {
	var kept []Detection
	for _, d := range found {
		if d.longer() <= portraitHeight*side {
			kept = append(kept, d)
		}
	}
	return kept
}

// hasPortrait tells whether any of the faces is larger than ghost portraits are on a document of that shorter side, px.
func hasPortrait(found []Detection, side float64) bool {
	return slices.ContainsFunc(found, func(d Detection) bool { return d.longer() >= ghostHeight*side })
}

// hasPlain tells whether any of the faces is a sure one that is not pale.
func hasPlain(pic *imaging.Picture, found []Detection) bool {
	return slices.ContainsFunc(found, func(d Detection) bool { return d.Score >= plainScore && contrast(pic, d) >= flatContrast })
}

// sortPortraits puts the holder's portrait first: the largest face, those that are pale counted for less. Where on a
// document a portrait stands says nothing: it is to the left or to the right.
func sortPortraits(pic *imaging.Picture, found []Detection) {
	weight := make(map[[2]float64]float64, len(found))
	for _, d := range found {
		pale := math.Min(contrast(pic, d)/flatContrast, 1)
		weight[[2]float64{d.X, d.Y}] = d.Width * d.Height * pale * d.Score
	}
	sort.SliceStable(found, func(i, j int) bool {
		return weight[[2]float64{found[i].X, found[i].Y}] > weight[[2]float64{found[j].X, found[j].Y}]
	})
}

// contrast is the standard deviation of a face's luma over its mean.
func contrast(pic *imaging.Picture, d Detection) float64 {
	crop, ok := pic.Crop(d.Box(1))
	if !ok {
		return 0
	}
	var n, sum, squares float64
	for _, v := range crop.Gray() {
		n, sum, squares = n+1, sum+float64(v), squares+float64(v)*float64(v)
	}
	if sum == 0 {
		return 0
	}
	mean := sum / n
	return math.Sqrt(math.Max(squares/n-mean*mean, 0)) / mean
}

// evened takes unevenness of the light away: each pixel becomes as bright as it is against the mean around it, which is
// that of one of so many patches of the longer side.
func evened(pic *imaging.Picture, patches int) (*imaging.Picture, error) {
	const (
		middle = 118 // the tone of what is as bright as its surroundings
		floor  = 6   // levels; keeps noise in black from being blown up
	)
	coarse, err := pic.Fit(patches)
	if err != nil {
		return nil, err
	}
	around, err := coarse.Resize(pic.Width, pic.Height)
	if err != nil {
		return nil, err
	}
	light := around.Gray()
	pix := make([]byte, len(pic.Pix))
	for i, v := range pic.Pix {
		pix[i] = byte(min(int(v)*middle/(int(light[i/3])+floor), 255))
	}
	return imaging.New(pix, pic.Width, pic.Height), nil
}
