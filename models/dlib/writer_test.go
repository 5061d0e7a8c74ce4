package dlib

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"
)

// The expected bytes follow from dlib/serialize.h: a control byte with sign and length, then the magnitude.
func TestInteger(t *testing.T) {
	for _, c := range []struct {
		value int64
		want  string
	}{
		{0, "0100"}, {1, "0101"}, {255, "01ff"}, {256, "020001"}, {150, "0196"}, {-1, "8101"}, {-52, "8134"},
		{-256, "820001"}, {math.MaxInt64, "08ffffffffffffff7f"}, {math.MinInt64, "880000000000000080"},
	} {
		if got := written(t, func(w *writer) { w.integer(c.value) }); got != c.want {
			t.Errorf("%d is written as %s, want %s", c.value, got, c.want)
		}
	}
}

// The expected bytes are what dlib 19.24 wrote for the same values.
func TestReal(t *testing.T) {
	for name, c := range map[string]struct {
		write func(*writer)
		want  string
	}{
		"float 122.782": {func(w *writer) { w.float(122.782) }, "036290f58111"},
		"float 0.04":    {func(w *writer) { w.float(0.04) }, "030ad7a3811c"},
		"double 1":      {func(w *writer) { w.double(1) }, "01108104"},
		"double 0":      {func(w *writer) { w.double(0) }, "0100010b"},
		"double 0.4":    {func(w *writer) { w.double(0.4) }, "079a9999999999198136"},
		"double 100":    {func(w *writer) { w.double(100) }, "01190102"},
	} {
		if got := written(t, c.write); got != c.want {
			t.Errorf("%s is written as %s, want %s", name, got, c.want)
		}
	}
}

func TestTensor(t *testing.T) {
	got := written(t, func(w *writer) { w.tensor(shape{1, 2, 1, 1}, []float32{1}, []float32{-2}) })
	if want := "0102" + "0101" + "0102" + "0101" + "0101" + "0000803f" + "000000c0"; got != want {
		t.Errorf("tensor is written as %s, want %s", got, want)
	}
}

// dlib 19.24 itself, asked to serialize a network of this type that never ran, writes these 1,549 bytes.
func TestEmptyFaceDetectorEqualsDlibs(t *testing.T) {
	var b bytes.Buffer
	if err := WriteEmptyFaceDetector(&b); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	if got, want := hex.EncodeToString(sum[:]), "71f01d6cc8f0a54d793ab31018b395d7eaed3358e7a30ee05ad97ebdf25240f3"; b.Len() != 1549 || got != want {
		t.Errorf("empty detector has %d bytes and sha256 %s", b.Len(), got)
	}
}

func TestFaceResNetRefusesWrongSizes(t *testing.T) {
	for name, spoil := range map[string]func(*FaceResNet){
		"a convolution too few": func(n *FaceResNet) { n.Convolutions = n.Convolutions[:28] },
		"weights cut off":       func(n *FaceResNet) { c := &n.Convolutions[5]; c.Weights = c.Weights[1:] },
		"biases missing":        func(n *FaceResNet) { n.Convolutions[0].Biases = nil },
		"offsets too long":      func(n *FaceResNet) { c := &n.Convolutions[28]; c.Offsets = append(c.Offsets, 0) },
		"projection cut off":    func(n *FaceResNet) { n.Projection = n.Projection[:100] },
	} {
		net := blankFaceResNet()
		spoil(&net)
		var b bytes.Buffer
		if err := WriteFaceResNet(&b, net); err == nil || b.Len() > 0 {
			t.Errorf("%s: error %v and %d bytes written", name, err, b.Len())
		}
	}
}

// The size of the file depends on the network's shape alone; 22,466,154 is the size that dlib writes.
func TestFaceResNetSize(t *testing.T) {
	var b bytes.Buffer
	if err := WriteFaceResNet(&b, blankFaceResNet()); err != nil {
		t.Fatal(err)
	}
	if b.Len() != 22466154 {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestWriteFailureIsReported(t *testing.T) {
	if err := WriteFaceResNet(brokenPipe{}, blankFaceResNet()); err == nil {
		t.Error("a failing writer went unnoticed")
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, bytes.ErrTooLarge }

func blankFaceResNet() FaceResNet {
	net := FaceResNet{Projection: make([]float32, faceFeatures*faceEncoding)}
	for _, s := range FaceResNetSizes() {
		net.Convolutions = append(net.Convolutions, Convolution{
			Weights: make([]float32, s.Out*s.In*s.Edge*s.Edge),
			Biases:  make([]float32, s.Out), Scales: make([]float32, s.Out), Offsets: make([]float32, s.Out),
		})
	}
	return net
}

func written(t *testing.T, write func(*writer)) string {
	t.Helper()
	var b bytes.Buffer
	w := newWriter(&b)
	write(w)
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b.Bytes())
}
