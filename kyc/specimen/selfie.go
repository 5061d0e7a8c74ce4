package specimen

import (
	"image"
	"math"
	"math/rand/v2"

	"golang.org/x/image/draw"
)

// Selfie renders a front-camera photograph of a person from a picture of head and shoulders: another cut, a slight turn
// of the camera, other light, sensor noise and JPEG, so that it is not the picture that was printed on the document. Of
// the scene it uses Seed, Width, Height, Rotation, Blur, Motion, Shadow, Noise, Brightness and Quality. The error is an
// *Error.
func Selfie(portrait image.Image, s Scene) (Photo, error) {
	if portrait == nil || portrait.Bounds().Empty() {
		return Photo{}, refuse(CodePortraitMissing, "portrait")
	}
	if portrait.Bounds().Dx() < minPortrait || portrait.Bounds().Dy() < minPortrait {
		return Photo{}, refuse(CodePortraitTooSmall, "portrait")
	}
	if err := s.validate(portrait); err != nil {
		return Photo{}, err
	}
	rng := rand.New(rand.NewPCG(s.Seed, 0x5e1f1e))
	source := portrait.Bounds()
	width, height := float64(s.Width), float64(s.Height)
	zoom := math.Max(width/float64(source.Dx()), height/float64(source.Dy())) * (1.04 + 0.10*rng.Float64())
	enlarged := image.NewRGBA(image.Rect(0, 0, int(float64(source.Dx())*zoom), int(float64(source.Dy())*zoom)))
	draw.CatmullRom.Scale(enlarged, enlarged.Rect, portrait, source, draw.Src, nil)

	middle := Point{
		float64(enlarged.Rect.Dx())/2 + spread(rng, 0.02*width),
		float64(enlarged.Rect.Dy())/2 - 0.3*math.Max(0, float64(enlarged.Rect.Dy())-height)/2 + spread(rng, 0.02*height),
	}
	sin, cos := math.Sincos(s.Rotation * math.Pi / 180)
	light := s.light(projection{}, rng)
	light.lamps = nil // skin and hair do not mirror lamps
	gamma := 0.92 + 0.16*rng.Float64()
	tones := make([]float32, 256)
	for i := range tones {
		tones[i] = float32(255 * math.Pow(float64(i)/255, gamma))
	}
	picture := newRaster(s.Width, s.Height)
	eachRow(s.Height, func(y int) {
		row := picture.row(y)
		for x := range s.Width {
			dx, dy := float64(x)-width/2, float64(y)-height/2
			sample := bilinear(enlarged, middle.X+cos*dx+sin*dy, middle.Y-sin*dx+cos*dy)
			colour := row[3*x : 3*x+3]
			for k := range colour {
				colour[k] = tones[clampByte(float64(sample[k]))]
			}
			light.shine(float64(x), float64(y), 0, colour)
		}
	})
	if s.Motion > 0 {
		picture = picture.smeared(s.Motion, rng.Float64()*math.Pi)
	}
	if s.Blur > 0 {
		picture = picture.blurred(s.Blur)
	}
	encoded, err := picture.encode(s.Seed, s.Noise, s.Quality)
	return Photo{JPEG: encoded, Width: s.Width, Height: s.Height}, err
}

// AtArmsLength is the everyday scene of a selfie.
func AtArmsLength(seed uint64) Scene {
	rng := sceneRandom(seed)
	return Scene{
		Seed: seed, Width: 960, Height: 1280, Fill: 0.9, Rotation: spread(rng, 4),
		Blur: 0.6, Shadow: 0.15, Noise: 3, Brightness: 0.95 + spread(rng, 0.08), Background: Stone, Quality: 88,
	}
}
