// Package quality measures how well a picture was taken.
package quality

import (
	"fmt"
	"math"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/imaging"
)

// workingWidth is the width, px, at which sharpness is measured: the same picture sent large or small then
// gives about the same figure.
const workingWidth = 1000

// Measure measures a whole picture. It is scaled down to the working width, never up.
func Measure(pic *imaging.Picture) (vision.Quality, error) {
	work := pic
	if pic.Width > workingWidth {
		var err error
		height := int(math.Round(float64(pic.Height) * workingWidth / float64(pic.Width)))
		if work, err = pic.Resize(workingWidth, height); err != nil {
			return vision.Quality{}, err
		}
	}
	sharpness, err := laplacianVariance(work)
	if err != nil {
		return vision.Quality{}, err
	}
	sum := 0
	for _, v := range work.Gray() {
		sum += int(v)
	}
	glare, err := glareShare(work)
	if err != nil {
		return vision.Quality{}, err
	}
	return vision.Quality{
		Sharpness:  sharpness,
		Brightness: float64(sum) / float64(len(work.Gray())),
		Glare:      glare,
	}, nil
}

// laplacianVariance is the variance of the Laplacian of the luma (0..255): Pech-Pacheco et al., 2000.
func laplacianVariance(pic *imaging.Picture) (float64, error) {
	gray, err := gocv.NewMatFromBytes(pic.Height, pic.Width, gocv.MatTypeCV8UC1, pic.Gray())
	if err != nil {
		return 0, fmt.Errorf("wrap pixels: %w", err)
	}
	defer gray.Close()
	edges := gocv.NewMat()
	defer edges.Close()
	gocv.Laplacian(gray, &edges, gocv.MatTypeCV64F, 1, 1, 0, gocv.BorderDefault)
	mean, spread := gocv.NewMat(), gocv.NewMat()
	defer mean.Close()
	defer spread.Close()
	gocv.MeanStdDev(edges, &mean, &spread)
	s := spread.GetDoubleAt(0, 0)
	return s * s, nil
}

// glareShare is the share of pixels in blown-out blobs, as a lamp's reflection on a card or glass makes them.
// Print leaves small blobs, white paper and sky large ones that reach the border: a blob counts if it lies
// inside and covers a thousandth to a tenth of the picture.
func glareShare(pic *imaging.Picture) (float64, error) {
	white := make([]byte, pic.Width*pic.Height)
	for i := range white {
		px := pic.Pix[3*i : 3*i+3 : 3*i+3]
		if px[0] >= blown && px[1] >= blown && px[2] >= blown {
			white[i] = 255
		}
	}
	mat, err := gocv.NewMatFromBytes(pic.Height, pic.Width, gocv.MatTypeCV8UC1, white)
	if err != nil {
		return 0, fmt.Errorf("wrap pixels: %w", err)
	}
	defer mat.Close()
	labels, stats, centroids := gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	defer labels.Close()
	defer stats.Close()
	defer centroids.Close()
	n := gocv.ConnectedComponentsWithStats(mat, &labels, &stats, &centroids)
	total := pic.Width * pic.Height
	glare := 0
	for i := 1; i < n; i++ { // 0 is the background
		x, y := int(stats.GetIntAt(i, 0)), int(stats.GetIntAt(i, 1))
		w, h := int(stats.GetIntAt(i, 2)), int(stats.GetIntAt(i, 3))
		area := int(stats.GetIntAt(i, 4))
		inside := x > 0 && y > 0 && x+w < pic.Width && y+h < pic.Height
		if inside && area*1000 >= total && area*10 <= total {
			glare += area
		}
	}
	return float64(glare) / float64(total), nil
}

// blown is the level from which a channel counts as saturated.
const blown = 250
