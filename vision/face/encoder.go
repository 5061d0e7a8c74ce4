package face

import (
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/face/dlib"
	"kycd/vision/imaging"
)

// ErrNotEncoded is returned for a face that the encoder's own detector does not see again in any crop.
// Such a face is turned too far, too blurred or too small to be compared.
var ErrNotEncoded = errors.New("face cannot be encoded")

// Encoder turns faces into encodings of 128 values with dlib's ResNet, and into those of the second encoder where its weights
// are present. A face that dlib's detector does not see in any crop is given to go-face. It holds about 130 MB, 100 of them together with those it was made with. One Encoder serves one goroutine at a time.
type Encoder struct {
	hog       *dlib.HOG
	landmarks *dlib.Landmarks
	net       *dlib.ResNet
	turned    *turned // nil without its weights
	attempts  []attempt
	second    *mobileFace // nil without its weights
}

// Encoding is what the encoder says about one face.
type Encoding struct {
	Values    []float32        // 128 values, of vision.FaceEncoder
	Landmarks []vision.Point   // five points in the order of vision.Face.Landmarks, in pixels of the picture; nil with a predictor of other than 68 points
	Shape     []vision.Point   // the 68 points of the 300-W mark-up, in pixels of the picture; nil with another predictor
	Second    *vision.Encoding // of vision.SecondFaceEncoder; nil without its weights, or without Shape
}

// The files of the weights, named as go-face names them; that of the shape predictor whatever its number of points.
const (
	resNetFile    = "dlib_face_recognition_resnet_model_v1.dat"
	landmarksFile = "shape_predictor_5_face_landmarks.dat"
)

// NewEncoder loads the weights from a folder with dlib_face_recognition_resnet_model_v1.dat,
// shape_predictor_5_face_landmarks.dat (which may hold the predictor of 68 points) and, if turned faces are to be encoded too,
// mmod_human_face_detector.dat. It takes a second or so.
func NewEncoder(modelsDir string) (*Encoder, error) {
	all, err := NewEncoders(modelsDir, 1)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// NewEncoders makes n encoders that hold the weights of the shape predictor together.
func NewEncoders(modelsDir string, n int) (all []*Encoder, err error) {
	landmarks, err := dlib.OpenLandmarks(filepath.Join(modelsDir, landmarksFile))
	if err != nil {
		return nil, fmt.Errorf("load face encoder: %w", err)
	}
	defer landmarks.Close()
	for range n {
		e := &Encoder{attempts: attempts(), landmarks: landmarks.Shared()}
		all = append(all, e)
		if err := e.load(modelsDir); err != nil {
			for _, e := range all {
				e.Close()
			}
			return nil, fmt.Errorf("load face encoder: %w", err)
		}
		if e.turned == nil {
			e.attempts = slices.DeleteFunc(e.attempts, func(a attempt) bool { return a.cnn })
		}
	}
	return all, nil
}

func (e *Encoder) load(modelsDir string) (err error) {
	if e.net, err = dlib.OpenResNet(filepath.Join(modelsDir, resNetFile)); err != nil {
		return err
	}
	if e.hog, err = dlib.NewHOG(); err != nil {
		return err
	}
	e.turned = newTurned(modelsDir)
	e.second, err = newMobileFace(modelsDir)
	return err
}

// Model names the encoders in use.
func (e *Encoder) Model() string {
	if e.second == nil {
		return vision.FaceEncoder
	}
	return vision.FusedFaceEncoder
}

// Close frees the weights. A second call does nothing.
func (e *Encoder) Close() {
	if e.net != nil {
		e.net.Close()
	}
	if e.landmarks != nil {
		e.landmarks.Close()
	}
	if e.hog != nil {
		e.hog.Close()
	}
	if e.turned != nil {
		e.turned.close()
	}
	if e.second != nil {
		// Closing a network frees memory; it reports nothing that could be acted on.
		_ = e.second.close()
	}
	e.net, e.landmarks, e.hog, e.turned, e.second = nil, nil, nil, nil, nil
}

// attempt is one way of showing a face to dlib, whose shape predictor was trained on the boxes of its own detectors: a face is
// searched for again in a crop.
type attempt struct {
	faceSide int     // px of the face's longer side in the crop
	margin   float64 // side of the crop, in longer sides of the face
	cnn      bool    // search with dlib's CNN detector: slow, but it sees turned faces
}

// The attempts in order of cost. dlib's HOG detector needs 80 px and some surroundings.
func attempts() []attempt {
	return []attempt{
		{faceSide: 140, margin: 1.6},
		{faceSide: 240, margin: 2.4},
		{faceSide: 120, margin: 3},
		{faceSide: 160, margin: 2, cnn: true},
	}
}

// Encode encodes a face found in pic. It returns ErrNotEncoded if dlib does not find it again.
//
// Where there is no second encoder, the encoding is the mean of the face's and its mirror image's, which leaves less to
// lighting and pose; next to the second encoder, whose own mean that is, it gains nothing (docs/accuracy.md) and costs as
// much time again.
func (e *Encoder) Encode(pic *imaging.Picture, face Detection) (Encoding, error) {
	if !(face.Width >= 1 && face.Height >= 1) {
		return Encoding{}, ErrNotEncoded
	}
	for _, a := range e.attempts {
		chip, err := cutChip(pic, face, a)
		if err != nil {
			return Encoding{}, err
		}
		seen, ok, err := e.recognize(chip.picture, a)
		if err != nil {
			return Encoding{}, err
		}
		if !ok {
			continue
		}
		encoding := Encoding{Values: seen.values, Shape: chip.shape(seen.points)}
		if five, ok := fivePoints(encoding.Shape); ok {
			encoding.Landmarks = five[:]
			if e.second != nil {
				if encoding.Second, err = e.second.encode(pic, five); err != nil {
					return Encoding{}, err
				}
			}
		}
		if encoding.Second == nil {
			err = e.addMirrored(encoding.Values, chip, a)
		}
		return encoding, err
	}
	return Encoding{}, ErrNotEncoded
}

// addMirrored makes an encoding the mean of itself and the mirror image's, if the face is found there too.
func (e *Encoder) addMirrored(values []float32, c chip, a attempt) error {
	mirrored, ok, err := e.recognize(c.picture.Mirrored(), a)
	if err != nil || !ok {
		return err
	}
	for i, v := range mirrored.values {
		values[i] = (values[i] + v) / 2
	}
	return nil
}

// recognized is what dlib says about a face in a crop.
type recognized struct {
	values []float32
	points []image.Point // in pixels of the crop
}

// recognize searches a square crop for the face that it was cut around, and encodes it. It is false if the face is not seen.
func (e *Encoder) recognize(crop *imaging.Picture, a attempt) (recognized, bool, error) {
	if a.cnn {
		return e.turned.recognize(crop, a.faceSide)
	}
	faces, err := e.hog.Search(crop)
	if err != nil {
		return recognized{}, false, fmt.Errorf("encode face: %w", err)
	}
	i, ok := central(faces, crop.Width, a.faceSide)
	if !ok {
		return recognized{}, false, nil
	}
	points, upright, err := e.landmarks.Place(crop, faces[i])
	if err != nil {
		return recognized{}, false, fmt.Errorf("encode face: %w", err)
	}
	values, err := e.net.Encode(upright)
	if err != nil {
		return recognized{}, false, fmt.Errorf("encode face: %w", err)
	}
	return recognized{values: values, points: points}, true, nil
}

// central picks the face whose middle is nearest that of a square crop of the given side; it must lie within
// half a face of it, or it is someone else's.
func central(faces []image.Rectangle, side, faceSide int) (i int, ok bool) {
	best, nearest := -1, float64(faceSide)/2
	for i, f := range faces {
		middle := f.Min.Add(f.Max)
		away := math.Hypot(float64(middle.X-side)/2, float64(middle.Y-side)/2)
		if away <= nearest {
			best, nearest = i, away
		}
	}
	return best, best >= 0
}

// chip is a square crop around a face, scaled and turned upright.
type chip struct {
	picture *imaging.Picture
	// centre of the face in the source picture, its turn in radians, and source pixels per chip pixel
	centre vision.Point
	roll   float64
	scale  float64
}

// cutChip cuts the square out, scales it, and turns it so that the eyes stand level: HOG sees upright faces
// only. What lies beyond the picture is mirrored.
func cutChip(pic *imaging.Picture, face Detection, a attempt) (chip, error) {
	longer := math.Max(face.Width, face.Height)
	c := chip{
		centre: vision.Point{X: face.X + face.Width/2, Y: face.Y + face.Height/2},
		scale:  longer / float64(a.faceSide),
	}
	// Turning by a few degrees gains nothing and blurs.
	if roll := face.roll(); math.Abs(roll) > 8 {
		c.roll = roll * math.Pi / 180
	}
	side := int(math.Round(float64(a.faceSide) * a.margin))

	// Scale first, on a square large enough to be turned: shrinking by area keeps what a warp would alias.
	wide := side
	if c.roll != 0 {
		wide = int(math.Ceil(float64(side) * math.Sqrt2))
	}
	source := max(int(math.Round(float64(wide)*c.scale)), 1)
	box := vision.Box{
		X:      int(math.Round(c.centre.X - float64(source)/2)),
		Y:      int(math.Round(c.centre.Y - float64(source)/2)),
		Width:  source,
		Height: source,
	}
	var scaled *imaging.Picture
	var err error
	if box.X >= 0 && box.Y >= 0 && box.X+source <= pic.Width && box.Y+source <= pic.Height {
		scaled, _, err = pic.Cut(box, wide, wide)
	} else {
		scaled, err = pic.CropReflected(box).Resize(wide, wide) // which takes longer
	}
	if err != nil {
		return chip{}, err
	}
	if c.roll == 0 {
		c.picture = scaled
		return c, nil
	}
	c.picture, err = turn(scaled, c.roll*180/math.Pi, side)
	return c, err
}

// turn rotates a square picture anticlockwise by degrees about its middle and cuts the middle square out.
func turn(pic *imaging.Picture, degrees float64, side int) (*imaging.Picture, error) {
	src, err := gocv.NewMatFromBytes(pic.Height, pic.Width, gocv.MatTypeCV8UC3, pic.Pix)
	if err != nil {
		return nil, fmt.Errorf("wrap pixels: %w", err)
	}
	defer src.Close()
	rotation := gocv.GetRotationMatrix2D(image.Pt(pic.Width/2, pic.Height/2), degrees, 1)
	defer rotation.Close()
	turned := gocv.NewMat()
	defer turned.Close()
	gocv.WarpAffine(src, &turned, rotation, image.Pt(pic.Width, pic.Height))
	whole := imaging.New(turned.ToBytes(), pic.Width, pic.Height)
	margin := (pic.Width - side) / 2
	cut, ok := whole.Crop(vision.Box{X: margin, Y: margin, Width: side, Height: side})
	if !ok {
		return nil, errors.New("a turned crop is empty")
	}
	return cut, nil
}

// shape gives the 68 points of a shape in pixels of the source picture; nil if they are other points.
func (c chip) shape(found []image.Point) []vision.Point {
	if len(found) != 68 {
		return nil
	}
	sin, cos := math.Sincos(c.roll)
	points := make([]vision.Point, len(found))
	for i, p := range found {
		dx, dy := float64(p.X)-float64(c.picture.Width)/2, float64(p.Y)-float64(c.picture.Height)/2
		points[i] = vision.Point{
			X: c.centre.X + c.scale*(dx*cos-dy*sin),
			Y: c.centre.Y + c.scale*(dx*sin+dy*cos),
		}
	}
	return points
}

// fivePoints condenses the 68 points of the 300-W mark-up to the five of vision.Face.Landmarks; false if it is another shape.
func fivePoints(shape []vision.Point) (points [5]vision.Point, ok bool) {
	if len(shape) != 68 {
		return points, false
	}
	// Points of each eye, the nose tip, the corners of the mouth.
	for i, of := range [5][2]int{{36, 42}, {42, 48}, {30, 31}, {48, 49}, {54, 55}} {
		for _, p := range shape[of[0]:of[1]] {
			points[i].X += p.X / float64(of[1]-of[0])
			points[i].Y += p.Y / float64(of[1]-of[0])
		}
	}
	return points, true
}
