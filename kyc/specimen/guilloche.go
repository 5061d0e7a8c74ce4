package specimen

import (
	"image/color"
	"math"
)

// palette is the colouring of one kind of document.
type palette struct {
	paperTop, paperBottom color.NRGBA // background, from upper to lower edge
	line, rosette         color.NRGBA // guilloche
	ink                   color.NRGBA // headings
	band                  color.NRGBA // bar under the heading
}

func paletteOf(t Type) palette {
	switch t {
	case DriverLicense:
		return palette{rgb(0xEAF3F6), rgb(0xF7EFE2), rgb(0x7FB0BD), rgb(0xD8A36A), rgb(0x14405A), rgb(0x2A6F86)}
	case IdentificationCard:
		return palette{rgb(0xF1ECF7), rgb(0xE9F4EC), rgb(0xA893C4), rgb(0x86B594), rgb(0x43275F), rgb(0x6B4A91)}
	case PassportCard:
		return palette{rgb(0xE8F1EA), rgb(0xF6F0E0), rgb(0x7FB08C), rgb(0xC79B6B), rgb(0x1D4A2E), rgb(0x2F7A4B)}
	}
	return palette{rgb(0xF7EEE8), rgb(0xEAF0F6), rgb(0xC59AA0), rgb(0x8CA6C4), rgb(0x5A1526), rgb(0x8A2D42)}
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// background fills the sheet with paper, two sets of waves and a rosette around centre. The lines stay faint, so that
// text over them keeps its contrast.
func (c *canvas) background(p palette, centre Point, radius float64) {
	bounds := c.img.Bounds()
	wave := make([][2]float64, bounds.Dx()) // the waves' height depends on the column alone
	for x := range wave {
		mm := float64(x) / pixelsPerMM
		wave[x] = [2]float64{
			1.9*math.Sin(mm*0.31) + 0.7*math.Sin(mm*0.83+1),
			1.6*math.Sin(mm*0.27+2.1) - 0.9*math.Sin(mm*0.71),
		}
	}
	for y := range bounds.Dy() {
		mm := float64(y) / pixelsPerMM
		paper := mix(p.paperTop, p.paperBottom, float64(y)/float64(bounds.Dy()))
		row := c.img.Pix[y*c.img.Stride:]
		for x := range bounds.Dx() {
			tone := paper
			tone = mix(tone, p.line, 0.28*ripple((mm+wave[x][0])/1.15))
			tone = mix(tone, p.rosette, 0.22*ripple((mm+wave[x][1])/1.45))
			dx, dy := float64(x)/pixelsPerMM-centre.X, mm-centre.Y
			if square := dx*dx + dy*dy; square < radius*radius {
				distance := math.Sqrt(square)
				fade := 1 - square/(radius*radius)
				petals := 0.9 * math.Sin(12*math.Atan2(dy, dx))
				tone = mix(tone, p.rosette, 0.45*fade*ripple((distance+petals)/1.3))
			}
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = tone.R, tone.G, tone.B, 255
		}
	}
}

// ripple is the ink of a line pattern at a phase: 1 on a line, 0 between lines, one line per unit.
func ripple(phase float64) float64 {
	distance := math.Abs(phase - math.Round(phase))
	if distance > 0.18 {
		return 0
	}
	return 1 - distance/0.18
}

// mix blends from a to b by share 0..1.
func mix(a, b color.NRGBA, share float64) color.NRGBA {
	blend := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*share + 0.5) }
	return color.NRGBA{blend(a.R, b.R), blend(a.G, b.G), blend(a.B, b.B), 255}
}
