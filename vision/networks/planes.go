package networks

import (
	"kycd/models"
	"kycd/vision/imaging"
)

// Planes gives a picture's pixels as a network takes them: one plane per colour, values 0 to 255.
func Planes(pic *imaging.Picture, order models.Order) []float32 {
	n := pic.Width * pic.Height
	if order == models.OrderGrey {
		planes := make([]float32, n)
		for i := range planes {
			b, g, r := pic.Pix[3*i], pic.Pix[3*i+1], pic.Pix[3*i+2]
			planes[i] = 0.2989*float32(r) + 0.5870*float32(g) + 0.1140*float32(b)
		}
		return planes
	}
	planes := make([]float32, 3*n)
	for c := range 3 {
		from := c
		if order == models.OrderRGB {
			from = 2 - c
		}
		for i := range n {
			planes[c*n+i] = float32(pic.Pix[3*i+from])
		}
	}
	return planes
}
