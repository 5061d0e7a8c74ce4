package dlib

import "io"

// WriteEmptyFaceDetector writes a detector of the type that go-face loads as mmod_human_face_detector.dat,
// without weights: seven convolutions that were never set up, and no detector window. It loads; it finds
// nothing and must not be run.
func WriteEmptyFaceDetector(out io.Writer) error {
	w := newWriter(out)
	emptyFaceDetector().write(w)
	return w.flush()
}

func emptyFaceDetector() network {
	layers := []layer{convolution{filters: 1, size: 9, stride: 1}.layer()}
	for _, c := range []convolution{
		{filters: 45, size: 5, stride: 1}, {filters: 45, size: 5, stride: 1}, {filters: 45, size: 5, stride: 1},
		{filters: 32, size: 5, stride: 2}, {filters: 32, size: 5, stride: 2}, {filters: 16, size: 5, stride: 2},
	} {
		layers = append(layers, relu(), affine(nil, nil), c.layer())
	}
	return network{
		layers: layers,
		loss: func(w *writer) {
			w.text("loss_mmod_")
			w.integer(4) // version of the options
			w.integer(0) // detector windows
			w.double(1)  // loss per false alarm
			w.double(1)  // loss per missed face
			w.double(0.5)
			w.double(0.4) // overlaps: suppression, then what to ignore; threshold and share covered
			w.double(1)
			w.double(0.5)
			w.double(1)
			w.bytes(1)       // the input is a pyramid
			w.boolean(false) // no regression of boxes
			w.double(100)
		},
		input: func(w *writer) {
			w.text("input_rgb_image_pyramid2")
			meanColour(w)
			w.integer(10) // padding inside the pyramid, pixels
			w.integer(11) // and around it
		},
	}
}
