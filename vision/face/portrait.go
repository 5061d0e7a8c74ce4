package face

import (
	"math"
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
	// portraitHeight is the height of a face, in the same measure, above which it is none of the document's: true ones
	// end at 0.57.
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
// where the document was seen, in pixels of pic; nil if it was not, and one that was assumed counts as none. As with FindTurned, the faces are in the pixels of
// pic.Turned(turned).
//
// With an outline only the faces of the document are returned, and ghost portraits follow the portrait: where only they
// show, or only the face of whoever holds the document, there is no portrait and none is returned.
func (f *Finder) FindPortrait(pic *imaging.Picture, outline *vision.Document) (found []Detection, turned int, err error) {
	if outline != nil && outline.Confidence < document.FoundConfidence {
		outline = nil
	}
	region, side := vision.Box{Width: pic.Width, Height: pic.Height}, 0.0
	if outline != nil {
		region, side = around(outline.Corners), shorterSide(outline.Corners)
	}
	part, ok := pic.Crop(region)
	if !ok {
		return nil, 0, nil
	}
	left, top := float64(max(region.X, 0)), float64(max(region.Y, 0))
	var seen []Detection
	if outline == nil { // nothing vouches for a weak face
		seen, err = f.search(part)
	}
	if err == nil && len(seen) == 0 {
		seen, err = f.searchPart(part, ghostHeight*side)
		if err == nil && outline == nil && bestScore(seen) < minScore {
			seen, err = f.confirmed(part, seen)
		}
	}
	if err != nil {
		return nil, 0, err
	}
	if seen, turned, err = f.righted(part, seen); err != nil {
		return nil, 0, err
	}
	for _, d := range seen {
		found = append(found, d.scaled(1, left, top))
	}
	if outline != nil {
		found = withoutStrangers(found, region, side)
	}
	sortPortraits(pic, found)
	if len(found) == 0 {
		return nil, 0, nil
	}
	for i, d := range found {
		found[i] = d.turned(turned, pic.Width, pic.Height)
	}
	return found, turned, nil
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

// withoutStrangers leaves the faces on a document whose shorter side is given, px: the middle of each lies in the region,
// and none is nearly as high as the document. Where all of them are as small as ghost portraits are, none is left.
func withoutStrangers(found []Detection, region vision.Box, side float64) []Detection {
	var inside []Detection
	portrait := false
	for _, d := range found {
		x, y := d.X+d.Width/2-float64(region.X), d.Y+d.Height/2-float64(region.Y)
		if x < 0 || y < 0 || x > float64(region.Width) || y > float64(region.Height) || d.longer() > portraitHeight*side {
			continue
		}
		inside = append(inside, d)
		portrait = portrait || d.longer() >= ghostHeight*side
	}
	if !portrait {
		return nil
	}
	return inside
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
