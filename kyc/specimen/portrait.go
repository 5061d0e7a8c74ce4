package specimen

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
)

// minPortrait is the least width and height, in pixels, of a portrait that is worth printing.
const minPortrait = 48

// HeadAndShoulders cuts a portrait in the proportion of a document photograph (4:5) around a face of the picture.
// Where the picture ends before the cut does, its edge pixels are repeated.
func HeadAndShoulders(img image.Image, face image.Rectangle) (*image.RGBA, error) {
	if img == nil || face.Empty() || !face.Overlaps(img.Bounds()) {
		return nil, refuse(CodePortraitMissing, "no face in the picture")
	}
	height := int(math.Round(float64(face.Dy()) * 1.9))
	width := height * 4 / 5
	left := (face.Min.X+face.Max.X)/2 - width/2
	top := (face.Min.Y+face.Max.Y)/2 - height*47/100
	cut := image.NewRGBA(image.Rect(0, 0, width, height))
	bounds := img.Bounds()
	for y := range height {
		for x := range width {
			cut.Set(x, y, img.At(
				min(max(left+x, bounds.Min.X), bounds.Max.X-1),
				min(max(top+y, bounds.Min.Y), bounds.Max.Y-1)))
		}
	}
	return cut, nil
}

// Silhouette draws a stand-in portrait for whoever has no photograph: a cartoon of head and shoulders. No face
// detector has to find a face in it.
func Silhouette() *image.RGBA {
	const width, height = 24.0, 30.0
	c := newCanvas(width, height)
	skin, hair, coat := rgb(0xD9B08C), rgb(0x4A3527), rgb(0x40566E)
	c.rectangle(box{0, 0, width, height}, rgb(0xCBD8E0))
	c.fill([][]Point{ellipse(Point{12, 31}, 11, 9)}, coat)
	c.fill([][]Point{ellipse(Point{12, 12}, 6.4, 7.6)}, hair)
	c.rectangle(box{10, 18, 4, 5}, skin)
	c.fill([][]Point{ellipse(Point{12, 14}, 5.2, 6.6)}, skin)
	for _, x := range []float64{9.8, 14.2} {
		c.fill([][]Point{ellipse(Point{x, 13.4}, 0.9, 0.6)}, rgb(0xFFFFFF))
		c.fill([][]Point{ellipse(Point{x, 13.4}, 0.42, 0.5)}, hair)
		c.stroke([]Point{{x - 1.1, 12.2}, {x + 1.1, 12.1}}, 0.35, hair)
	}
	c.stroke([]Point{{12, 13.8}, {11.5, 16}, {12.4, 16.2}}, 0.25, rgb(0xA87F5E))
	c.stroke([]Point{{10.3, 18}, {12, 18.5}, {13.7, 18}}, 0.4, rgb(0x9C4A44))
	return c.img
}

// printPortrait prints a photograph into place as a card printer does: at 300 dpi, cut to the place's proportion, with
// less colour and less range than the original.
func (c *canvas) printPortrait(portrait image.Image, place box) error {
	photo, err := fitted(portrait, pixels(place.w)*300/450, pixels(place.h)*300/450)
	if err != nil {
		return err
	}
	develop(photo, 0.62, 26, 236, rgb(0xFFF9EE))
	draw.BiLinear.Scale(c.img, place.pixels(), photo, photo.Bounds(), draw.Src, nil)
	return nil
}

// printGhost prints the small pale second portrait that many documents carry.
func (c *canvas) printGhost(portrait image.Image, place box) error {
	target := place.pixels()
	photo, err := fitted(portrait, target.Dx(), target.Dy())
	if err != nil {
		return err
	}
	develop(photo, 0, 60, 250, rgb(0xEEF2F6))
	centreX, centreY := float64(target.Dx())/2, float64(target.Dy())/2
	mask := image.NewAlpha(photo.Bounds())
	for y := range target.Dy() {
		for x := range target.Dx() {
			dx, dy := (float64(x)-centreX)/centreX, (float64(y)-centreY)/centreY
			fade := math.Min(1, math.Max(0, (1-math.Max(dx*dx, dy*dy))*2.5))
			mask.SetAlpha(x, y, color.Alpha{uint8(105 * fade)})
		}
	}
	draw.DrawMask(c.img, target, photo, image.Point{}, mask, image.Point{}, draw.Over)
	return nil
}

// fitted scales the picture to cover width × height, cut around the middle.
func fitted(img image.Image, width, height int) (*image.RGBA, error) {
	if img == nil {
		return nil, refuse(CodePortraitMissing, "portrait")
	}
	from := img.Bounds()
	if from.Dx() < minPortrait || from.Dy() < minPortrait {
		return nil, refuse(CodePortraitTooSmall, "portrait")
	}
	if wide := from.Dy() * width / height; wide < from.Dx() {
		from.Min.X += (from.Dx() - wide) / 2
		from.Max.X = from.Min.X + wide
	} else if high := from.Dx() * height / width; high < from.Dy() {
		from.Min.Y += (from.Dy() - high) * 2 / 5 // heads stand above the middle
		from.Max.Y = from.Min.Y + high
	}
	photo := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(photo, photo.Bounds(), img, from, draw.Src, nil)
	return photo, nil
}

// develop keeps a share of the colour, squeezes the range of tones into low..high, and lays a tint over it.
func develop(photo *image.RGBA, colour, low, high float64, tint color.NRGBA) {
	shade := [3]float64{float64(tint.R) / 255, float64(tint.G) / 255, float64(tint.B) / 255}
	for i := 0; i+3 < len(photo.Pix); i += 4 {
		luma := 0.299*float64(photo.Pix[i]) + 0.587*float64(photo.Pix[i+1]) + 0.114*float64(photo.Pix[i+2])
		for k := range 3 {
			tone := luma + (float64(photo.Pix[i+k])-luma)*colour
			photo.Pix[i+k] = clampByte((low + tone*(high-low)/255) * shade[k])
		}
		photo.Pix[i+3] = 255
	}
}

func clampByte(tone float64) uint8 {
	switch {
	case tone <= 0:
		return 0
	case tone >= 255:
		return 255
	}
	return uint8(tone + 0.5)
}
