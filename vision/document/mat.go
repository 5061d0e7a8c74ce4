package document

import (
	"image"

	"gocv.io/x/gocv"

	"kycd/vision/imaging"
)

// matOf copies bytes into a Mat of its own, so that OpenCV never holds Go's memory. The caller closes it.
func matOf(pix []byte, w, h int, kind gocv.MatType) (gocv.Mat, error) {
	m := gocv.NewMatWithSize(h, w, kind)
	data, err := m.DataPtrUint8()
	if err != nil {
		m.Close()
		return gocv.Mat{}, err
	}
	copy(data, pix)
	return m, nil
}

// scaled is a BGR picture brought to a smaller size. The caller closes it. Averaging over a broken number of pixels takes longer than
// everything after it: up to a half it is done between each four, and beyond in two steps of which the second halves.
func scaled(bgr []byte, w, h, toW, toH int) (gocv.Mat, error) {
	m, err := matOf(bgr, w, h, gocv.MatTypeCV8UC3)
	if err != nil || (w == toW && h == toH) {
		return m, err
	}
	defer m.Close()
	out := gocv.NewMat()
	if w <= 2*toW {
		gocv.Resize(m, &out, image.Pt(toW, toH), 0, 0, gocv.InterpolationLinear)
		return out, nil
	}
	twice := gocv.NewMat()
	defer twice.Close()
	gocv.Resize(m, &twice, image.Pt(2*toW, 2*toH), 0, 0, gocv.InterpolationLinear)
	gocv.Resize(twice, &out, image.Pt(toW, toH), 0, 0, gocv.InterpolationArea)
	return out, nil
}

// smallCopy is a BGR picture brought to a smaller size and smoothed a little, as bytes.
func smallCopy(bgr []byte, w, h, toW, toH int) ([]byte, error) {
	small, err := imaging.New(bgr, w, h).Resize(toW, toH)
	if err != nil {
		return nil, err
	}
	m, err := matOf(small.Pix, toW, toH, gocv.MatTypeCV8UC3)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	gocv.GaussianBlur(m, &m, image.Pt(5, 5), 1.1, 1.1, gocv.BorderReplicate)
	return m.ToBytes(), nil
}
