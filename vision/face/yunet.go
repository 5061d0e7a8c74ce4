package face

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/imaging"
)

// yuNetModel names the weights in Analysis.Models.
const yuNetModel = "yunet-2023mar"

// yuNet runs the YuNet face detector (2023-03 ONNX export) in OpenCV's DNN module. OpenCV 4.6 ships a
// wrapper for the 2022 export only, whose outputs differ, so the anchors are decoded here. One yuNet serves
// one goroutine at a time.
type yuNet struct {
	net     gocv.Net
	outputs []string
}

// minStrip is the shorter side, px, below which a scaled picture shows no face.
const minStrip = 20

// The strides of YuNet's three feature maps, px of its input.
var yuNetStrides = [3]int{8, 16, 32}

func newYuNet(path string) (*yuNet, error) {
	net := gocv.ReadNetFromONNX(path)
	if net.Empty() {
		return nil, fmt.Errorf("read YuNet weights %s", path)
	}
	y := &yuNet{net: net}
	for _, kind := range []string{"cls", "obj", "bbox", "kps"} {
		for _, stride := range yuNetStrides {
			y.outputs = append(y.outputs, fmt.Sprintf("%s_%d", kind, stride))
		}
	}
	return y, nil
}

func (y *yuNet) close() error { return y.net.Close() }

// detect finds the faces in a picture scaled so that its longer side is side px; it is enlarged if it is
// smaller. Detections are in pixels of pic, best first, with scores of at least minScore.
func (y *yuNet) detect(pic *imaging.Picture, side int, minScore float64) ([]Detection, error) {
	scale := float64(side) / float64(max(pic.Width, pic.Height))
	if float64(min(pic.Width, pic.Height))*scale < minStrip {
		return nil, nil // a strip: what shows there are patterns
	}
	scaled, err := pic.Resize(int(float64(pic.Width)*scale+0.5), int(float64(pic.Height)*scale+0.5))
	if err != nil {
		return nil, err
	}
	src, err := gocv.NewMatFromBytes(scaled.Height, scaled.Width, gocv.MatTypeCV8UC3, scaled.Pix)
	if err != nil {
		return nil, fmt.Errorf("wrap pixels: %w", err)
	}
	defer src.Close()

	// The network halves its input five times.
	const multiple = 32
	width := (scaled.Width + multiple - 1) / multiple * multiple
	height := (scaled.Height + multiple - 1) / multiple * multiple
	padded := gocv.NewMat()
	defer padded.Close()
	gocv.CopyMakeBorder(src, &padded, 0, height-scaled.Height, 0, width-scaled.Width, gocv.BorderConstant, color.RGBA{})
	blob := gocv.BlobFromImage(padded, 1, image.Pt(width, height), gocv.NewScalar(0, 0, 0, 0), false, false)
	defer blob.Close()

	y.net.SetInput(blob, "input")
	maps := y.net.ForwardLayers(y.outputs)
	defer func() {
		for i := range maps {
			maps[i].Close()
		}
	}()
	if len(maps) != len(y.outputs) {
		return nil, fmt.Errorf("YuNet gave %d of %d outputs", len(maps), len(y.outputs))
	}
	values := make([][]float32, len(maps))
	for i := range maps {
		if values[i], err = maps[i].DataPtrFloat32(); err != nil {
			return nil, fmt.Errorf("read YuNet output %s: %w", y.outputs[i], err)
		}
	}

	var found []Detection
	for i, stride := range yuNetStrides {
		anchors, err := decodeYuNet(values[i], values[3+i], values[6+i], values[9+i], stride, width, height, minScore)
		if err != nil {
			return nil, err
		}
		found = append(found, anchors...)
	}
	found = suppress(found, maxOverlap)
	for i, d := range found {
		found[i] = d.scaled(1/scale, 0, 0)
	}
	return found, nil
}

// decodeYuNet turns one feature map into detections in pixels of the network's input. Per anchor: cls and
// obj one value each, box four (centre offset and log size, in strides), kps ten (five points, in strides).
func decodeYuNet(cls, obj, box, kps []float32, stride, width, height int, minScore float64) ([]Detection, error) {
	columns, rows := width/stride, height/stride
	n := columns * rows
	if len(cls) != n || len(obj) != n || len(box) != 4*n || len(kps) != 10*n {
		return nil, fmt.Errorf("YuNet output of stride %d has the wrong size", stride)
	}
	var found []Detection
	s := float64(stride)
	for i := range n {
		score := math.Sqrt(unit(cls[i]) * unit(obj[i]))
		if score < minScore || math.IsNaN(score) {
			continue
		}
		column, row := float64(i%columns), float64(i/columns)
		b := box[4*i : 4*i+4]
		w, h := math.Exp(float64(b[2]))*s, math.Exp(float64(b[3]))*s
		d := Detection{
			X:        (column+float64(b[0]))*s - w/2,
			Y:        (row+float64(b[1]))*s - h/2,
			Width:    w,
			Height:   h,
			Score:    score,
			Detector: DetectorYuNet,
		}
		for k := 10 * i; k < 10*i+10; k += 2 {
			d.Landmarks = append(d.Landmarks, vision.Point{X: (float64(kps[k]) + column) * s, Y: (float64(kps[k+1]) + row) * s})
		}
		found = append(found, d)
	}
	return found, nil
}

func unit(v float32) float64 { return math.Min(math.Max(float64(v), 0), 1) }
