package face

import (
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"

	goface "github.com/Kagami/go-face"
	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/imaging"
)

// ErrNotEncoded is returned for a face that the encoder's own detector does not see again in any crop.
// Such a face is turned too far, too blurred or too small to be compared.
var ErrNotEncoded = errors.New("face cannot be encoded")

// Encoder turns faces into encodings of 128 values with dlib's ResNet, through go-face. It holds about
// 130 MB. One Encoder serves one goroutine at a time: the library serialises calls anyway.
type Encoder struct {
	recognizer *goface.Recognizer
	attempts   []attempt
}

// Encoding is what the encoder says about one face.
type Encoding struct {
	Values    []float32      // 128 values
	Landmarks []vision.Point // five points in the order of vision.Face.Landmarks, in pixels of the picture; nil with a predictor of other than 68 points
}

// NewEncoder loads the weights from a folder with dlib_face_recognition_resnet_model_v1.dat,
// shape_predictor_5_face_landmarks.dat (which may hold the predictor of 68 points) and
// mmod_human_face_detector.dat. It takes a second or two.
func NewEncoder(modelsDir string) (*Encoder, error) {
	recognizer, err := goface.NewRecognizer(modelsDir)
	if err != nil {
		return nil, fmt.Errorf("load face encoder: %w", err)
	}
	ways := attempts()
	// go-face does not start without the CNN detector's file, so where it cannot be obtained an empty network stands
	// in. To search with that one would end the process.
	if info, err := os.Stat(filepath.Join(modelsDir, cnnFile)); err != nil || info.Size() < cnnLeast {
		ways = slices.DeleteFunc(ways, func(a attempt) bool { return a.cnn })
	}
	return &Encoder{recognizer: recognizer, attempts: ways}, nil
}

const (
	cnnFile  = "mmod_human_face_detector.dat"
	cnnLeast = 500_000 // bytes; the true one has 729,940
)

// Close frees the weights.
func (e *Encoder) Close() { e.recognizer.Close() }

// attempt is one way of showing a face to go-face, which takes no box: it searches the crop by itself.
type attempt struct {
	faceSide int     // px of the face's longer side in the crop
	margin   float64 // side of the crop, in longer sides of the face
	cnn      bool    // search with dlib's CNN detector: slow, but it sees turned faces
}

// The attempts in order of cost. dlib's HOG detector needs 80 px and some surroundings.
func attempts() []attempt {
	return []attempt{
		{faceSide: 140, margin: 2},
		{faceSide: 240, margin: 2.4},
		{faceSide: 120, margin: 3},
		{faceSide: 160, margin: 2, cnn: true},
	}
}

// Encode encodes a face found in pic. It returns ErrNotEncoded if go-face does not find it again.
//
// The encoding is the mean of the face's and its mirror image's, which leaves less to lighting and pose: on
// the development pairs the false non-matches at 5 % false matches fall from 9.7 % to 7.4 %.
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
		values := append([]float32(nil), seen.Descriptor[:]...)
		mirrored, ok, err := e.recognize(chip.picture.Mirrored(), a)
		if err != nil {
			return Encoding{}, err
		}
		if ok {
			for i, v := range mirrored.Descriptor {
				values[i] = (values[i] + v) / 2
			}
		}
		return Encoding{Values: values, Landmarks: chip.fivePoints(seen.Shapes)}, nil
	}
	return Encoding{}, ErrNotEncoded
}

// recognize hands a square crop to go-face and picks the face that it was cut around.
func (e *Encoder) recognize(crop *imaging.Picture, a attempt) (goface.Face, bool, error) {
	jpeg, err := crop.EncodeJPEG(95) // the one format that go-face takes
	if err != nil {
		return goface.Face{}, false, err
	}
	search := e.recognizer.Recognize
	if a.cnn {
		search = e.recognizer.RecognizeCNN
	}
	faces, err := search(jpeg)
	if err != nil {
		return goface.Face{}, false, fmt.Errorf("encode face: %w", err)
	}
	face, ok := central(faces, crop.Width, a.faceSide)
	return face, ok, nil
}

// central picks the face whose middle is nearest that of a square crop of the given side; it must lie within
// half a face of it, or it is someone else's.
func central(faces []goface.Face, side, faceSide int) (goface.Face, bool) {
	best, nearest := -1, float64(faceSide)/2
	for i, f := range faces {
		middle := f.Rectangle.Min.Add(f.Rectangle.Max)
		away := math.Hypot(float64(middle.X-side)/2, float64(middle.Y-side)/2)
		if away <= nearest {
			best, nearest = i, away
		}
	}
	if best < 0 {
		return goface.Face{}, false
	}
	return faces[best], true
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
	square := pic.CropReflected(vision.Box{
		X:      int(math.Round(c.centre.X - float64(source)/2)),
		Y:      int(math.Round(c.centre.Y - float64(source)/2)),
		Width:  source,
		Height: source,
	})
	scaled, err := square.Resize(wide, wide)
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

// fivePoints condenses the 68 points of the 300-W mark-up to YuNet's five, in pixels of the source picture.
func (c chip) fivePoints(shape []image.Point) []vision.Point {
	if len(shape) != 68 {
		return nil
	}
	mean := func(from, to int) vision.Point {
		var p vision.Point
		for _, q := range shape[from:to] {
			p.X += float64(q.X) / float64(to-from)
			p.Y += float64(q.Y) / float64(to-from)
		}
		return p
	}
	points := []vision.Point{mean(36, 42), mean(42, 48), mean(30, 31), mean(48, 49), mean(54, 55)}
	sin, cos := math.Sincos(c.roll)
	for i, p := range points {
		dx, dy := p.X-float64(c.picture.Width)/2, p.Y-float64(c.picture.Height)/2
		points[i] = vision.Point{
			X: c.centre.X + c.scale*(dx*cos-dy*sin),
			Y: c.centre.Y + c.scale*(dx*sin+dy*cos),
		}
	}
	return points
}
