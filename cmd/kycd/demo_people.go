package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"kycd/kyc/specimen"
	"kycd/models"
)

// demoCast is who takes part.
type demoCast struct {
	sex      specimen.Sex
	portrait image.Image // of the holder, printed on the licence
	holder   []byte      // the holder's selfie, JPEG or PNG
	later    []byte      // another one of the holder
	other    []byte      // somebody else's
	nobody   []byte      // a picture without a face
}

// The demo pictures lie in an npm package whose version and content are pinned, so the places of the faces in them can
// be constants. The portrait is cut from the photograph that the selfie is cut from, and the later selfie is drawn from it:
// other pictures of one upright face the package does not have. docs/accuracy.md says how often two pictures of a person
// that were truly taken years apart are told to be one.
const demoPictures = "@vladmandic/face-api"

func holderFace() (file string, face image.Rectangle) {
	return "demo/sample3.jpg", image.Rect(1082, 220, 1310, 512)
}

func holderSelfie() (file string, cut image.Rectangle) {
	return "demo/sample3.jpg", image.Rect(846, 0, 1546, 880)
}

func otherSelfie() (file string, cut image.Rectangle) {
	return "demo/sample4.jpg", image.Rect(504, 0, 1000, 564)
}

// cast brings the people together, from the files of the flags or from the npm package.
func (o *demoOptions) cast(ctx context.Context, progress io.Writer) (demoCast, error) {
	pictures := func(file string) (image.Image, error) {
		content, err := models.NPMFile(ctx, models.Options{
			Dir: o.models, Cache: os.Getenv("KYCD_MODELS_CACHE"), Progress: progress,
		}, demoPictures, file)
		if err != nil {
			return nil, err
		}
		picture, err := jpeg.Decode(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", demoPictures, file, err)
		}
		return picture, nil
	}
	var c demoCast
	var err error
	if c.nobody, err = landscape(demoSeed); err != nil {
		return c, err
	}
	if o.portrait != "" {
		err = c.ownHolder(o.portrait, o.selfie)
	} else {
		err = c.pictureHolder(pictures)
	}
	if err != nil {
		return c, err
	}
	if o.other != "" {
		c.other, err = readSelfie(o.other)
	} else {
		file, at := otherSelfie()
		c.other, err = cutSelfie(pictures, file, at)
	}
	return c, err
}

// ownHolder takes the holder from files.
func (c *demoCast) ownHolder(portrait, selfie string) error {
	picture, err := specimenOptions{portrait: portrait}.readPortrait()
	if err != nil {
		return err
	}
	c.sex, c.portrait = specimen.Unspecified, picture
	later, err := specimen.Selfie(picture, specimen.AtArmsLength(demoSeed+1))
	if err != nil {
		return err
	}
	c.later = later.JPEG
	if selfie != "" {
		c.holder, err = readSelfie(selfie)
		return err
	}
	photo, err := specimen.Selfie(picture, specimen.AtArmsLength(demoSeed))
	c.holder = photo.JPEG
	return err
}

// pictureHolder takes the holder from the demo pictures.
func (c *demoCast) pictureHolder(pictures func(file string) (image.Image, error)) error {
	file, face := holderFace()
	picture, err := pictures(file)
	if err != nil {
		return err
	}
	portrait, err := specimen.HeadAndShoulders(picture, face)
	if err != nil {
		return err
	}
	c.sex, c.portrait = specimen.Female, portrait
	file, cut := holderSelfie()
	if c.holder, err = cutSelfie(pictures, file, cut); err != nil {
		return err
	}
	later, err := specimen.Selfie(portrait, specimen.AtArmsLength(demoSeed+1))
	c.later = later.JPEG
	return err
}

// cutSelfie cuts a selfie out of a demo picture as it is: what the camera recorded is what liveness looks at.
func cutSelfie(pictures func(file string) (image.Image, error), file string, cut image.Rectangle) ([]byte, error) {
	picture, err := pictures(file)
	if err != nil {
		return nil, err
	}
	if !cut.In(picture.Bounds()) {
		return nil, fmt.Errorf("%s: %s is not the picture that was pinned", demoPictures, file)
	}
	selfie := image.NewRGBA(image.Rect(0, 0, cut.Dx(), cut.Dy()))
	draw.Draw(selfie, selfie.Rect, picture, cut.Min, draw.Src)
	return encodeSelfie(selfie)
}

func encodeSelfie(selfie image.Image) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, selfie, &jpeg.Options{Quality: 92}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// mostSelfieBytes is what the API takes at most.
const mostSelfieBytes = 15 << 20

func readSelfie(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > mostSelfieBytes {
		return nil, fmt.Errorf("%s is no file of at most 15 MiB", path)
	}
	return os.ReadFile(path)
}

// demoLicences invents the holder's licence, the same with another name printed, and the same run out.
func demoLicences(sex specimen.Sex, now time.Time) (good, otherName, expired specimen.Document, err error) {
	rng := rand.New(rand.NewPCG(demoSeed, 0))
	person := specimen.RandomPersonOf(rng, sex, now)
	// In her late twenties, as the person in the pictures looks.
	person.BirthDate = now.UTC().AddDate(-28, -3, -12).Format(time.DateOnly)
	good = specimen.RandomDocument(rng, specimen.DriverLicense, person, now)
	good.Number = "K482905173" // without signs that readers confuse: the demo is about the rules, not about hard cases of OCR
	otherName = specimen.WithOtherName(good, rng)
	expired, err = specimen.Expired(good, now)
	return good, otherName, expired, errors.Join(err, good.Validate(), otherName.Validate())
}

// demoStudio prints the licences and takes pictures of them.
type demoStudio struct {
	press    *specimen.Press
	portrait image.Image // of the licences' holder
}

func (s demoStudio) photograph(licence specimen.Document, seed uint64) (front, back []byte, err error) {
	frontPrint, err := s.press.Front(licence, s.portrait)
	if err != nil {
		return nil, nil, err
	}
	backPrint, err := s.press.Back(licence)
	if err != nil {
		return nil, nil, err
	}
	frontPhoto, err := specimen.Photograph(frontPrint, specimen.Clean(2*seed))
	if err != nil {
		return nil, nil, err
	}
	backPhoto, err := specimen.Photograph(backPrint, specimen.Clean(2*seed+1))
	return frontPhoto.JPEG, backPhoto.JPEG, err
}

// landscape draws hills under an evening sky: a photograph of everything but a face.
func landscape(seed uint64) ([]byte, error) {
	const width, height = 720, 960
	rng := rand.New(rand.NewPCG(seed, 0x1a2d))
	phase := [4]float64{}
	for i := range phase {
		phase[i] = rng.Float64() * 2 * math.Pi
	}
	// ridge is the height, from above, of the n-th row of hills.
	ridge := func(n int, x float64) float64 {
		t := x/width*2*math.Pi + phase[n]
		return height * (0.46 + 0.13*float64(n) + 0.05*math.Sin(t) + 0.02*math.Sin(2.7*t) + 0.006*math.Sin(9*t))
	}
	hills := [4][3]float64{{120, 128, 160}, {92, 112, 120}, {66, 92, 74}, {44, 70, 38}}
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			down := float64(y) / height
			colour := [3]float64{90 + 150*down, 120 + 70*down, 190 - 60*down}
			for n := range hills {
				if float64(y) > ridge(n, float64(x)) {
					colour = hills[n]
				}
			}
			grain := rng.NormFloat64() * 6
			picture.SetRGBA(x, y, color.RGBA{demoTone(colour[0] + grain), demoTone(colour[1] + grain), demoTone(colour[2] + grain), 255})
		}
	}
	return encodeSelfie(picture)
}

func demoTone(v float64) uint8 { return uint8(min(max(v, 0), 255)) }
