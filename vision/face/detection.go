// Package face finds faces in pictures and turns them into encodings, with OpenCV and dlib.
package face

import (
	"math"
	"sort"

	"kycd/vision"
	"kycd/vision/imaging"
)

// Detection is one face found, in pixels of the picture it was found in.
type Detection struct {
	X, Y, Width, Height float64
	Score               float64        // the detector's, 0..1
	Landmarks           []vision.Point // five points in the order of vision.Face.Landmarks; nil if the detector has none
	Detector            string         // vision.Face.Detector
	Confirmed           bool           // a weak face that the other detector saw too
}

// Names of the detectors, as vision.Face.Detector gives them.
const (
	DetectorYuNet = "yunet"
	DetectorHOG   = "hog"
)

// Box rounds the detection to pixels of a picture whose pixels are scale times as large.
func (d Detection) Box(scale float64) vision.Box {
	x0, y0 := math.Round(d.X*scale), math.Round(d.Y*scale)
	x1, y1 := math.Round((d.X+d.Width)*scale), math.Round((d.Y+d.Height)*scale)
	return vision.Box{X: int(x0), Y: int(y0), Width: int(x1 - x0), Height: int(y1 - y0)}
}

// scaled gives the detection in a picture that is factor times as large, moved by dx, dy.
func (d Detection) scaled(factor, dx, dy float64) Detection {
	d.X, d.Y = d.X*factor+dx, d.Y*factor+dy
	d.Width, d.Height = d.Width*factor, d.Height*factor
	points := make([]vision.Point, len(d.Landmarks))
	for i, p := range d.Landmarks {
		points[i] = vision.Point{X: p.X*factor + dx, Y: p.Y*factor + dy}
	}
	if d.Landmarks != nil {
		d.Landmarks = points
	}
	return d
}

// turned gives the detection in a picture of width × height pixels that is turned clockwise by a multiple of 90
// degrees.
func (d Detection) turned(degrees, width, height int) Detection {
	if degrees%180 != 0 {
		width, height = height, width
	}
	return d.Unturned(-degrees, width, height)
}

// Unturned gives a detection of pic.Turned(degrees) in the pixels of pic, which is width × height of them.
func (d Detection) Unturned(degrees, width, height int) Detection {
	a := imaging.Unturned(vision.Point{X: d.X, Y: d.Y}, degrees, width, height)
	b := imaging.Unturned(vision.Point{X: d.X + d.Width, Y: d.Y + d.Height}, degrees, width, height)
	d.X, d.Y, d.Width, d.Height = math.Min(a.X, b.X), math.Min(a.Y, b.Y), math.Abs(b.X-a.X), math.Abs(b.Y-a.Y)
	if d.Landmarks != nil {
		points := make([]vision.Point, len(d.Landmarks))
		for i, p := range d.Landmarks {
			points[i] = imaging.Unturned(p, degrees, width, height)
		}
		d.Landmarks = points
	}
	return d
}

// longer is the longer side of the box, px.
func (d Detection) longer() float64 { return math.Max(d.Width, d.Height) }

// roll is how far the line through the eyes is turned, in degrees, clockwise as the viewer sees it; 0
// without landmarks.
func (d Detection) roll() float64 {
	if len(d.Landmarks) < 2 {
		return 0
	}
	right, left := d.Landmarks[0], d.Landmarks[1]
	return math.Atan2(left.Y-right.Y, left.X-right.X) * 180 / math.Pi
}

// overlap is the intersection over union of two detections, 0..1.
func overlap(a, b Detection) float64 {
	width := math.Min(a.X+a.Width, b.X+b.Width) - math.Max(a.X, b.X)
	height := math.Min(a.Y+a.Height, b.Y+b.Height) - math.Max(a.Y, b.Y)
	if width <= 0 || height <= 0 {
		return 0
	}
	shared := width * height
	return shared / (a.Width*a.Height + b.Width*b.Height - shared)
}

// maxOverlap is the intersection over union above which two detections are of one face.
const maxOverlap = 0.3

// suppress keeps the best of each group of overlapping detections, best score first.
func suppress(found []Detection, maxOverlap float64) []Detection {
	sort.SliceStable(found, func(i, j int) bool { return found[i].Score > found[j].Score })
	var kept []Detection
next:
	for _, d := range found {
		for _, k := range kept {
			if overlap(d, k) > maxOverlap {
				continue next
			}
		}
		kept = append(kept, d)
	}
	return kept
}

// sortByProminence puts the main face first: the one that is large and near the middle of a picture of the
// given size. A face at the very edge counts for half of one of the same area in the middle.
func sortByProminence(found []Detection, width, height int) {
	prominence := func(d Detection) float64 {
		dx := (d.X + d.Width/2 - float64(width)/2) / (float64(width) / 2)
		dy := (d.Y + d.Height/2 - float64(height)/2) / (float64(height) / 2)
		away := math.Min(math.Hypot(dx, dy), 1)
		return d.Width * d.Height * (1 - away/2)
	}
	sort.SliceStable(found, func(i, j int) bool { return prominence(found[i]) > prominence(found[j]) })
}
