package tfjs

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestReadTensors(t *testing.T) {
	manifest := `[{"weights":[
		{"name":"a","shape":[2,1],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}},
		{"name":"b","shape":[1],"dtype":"float32"},
		{"name":"c","shape":[],"dtype":"int32"},
		{"name":"d","shape":[6],"dtype":"float32","quantization":{"dtype":"float16","original_dtype":"float32"}}]}]`
	got, err := ReadTensors([]byte(manifest), []byte{
		0, 4, 0, 0, 0x80, 0x3f, 0xfd, 0xff, 0xff, 0xff,
		0x00, 0xbc, 0x01, 0x00, 0xff, 0x7b, 0x00, 0x7c, 0x00, 0x80, 0xff, 0x83,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float32{{-1, 1}, {1}, {-3}, {-1, 1.0 / (1 << 24), 65504, float32(math.Inf(1)), 0, -1023.0 / (1 << 24)}}
	if len(got) != len(want) {
		t.Fatalf("read %v", got)
	}
	for i := range want {
		if !slices.Equal(got[i].Values, want[i]) {
			t.Errorf("%s is %v, want %v", got[i].Name, got[i].Values, want[i])
		}
	}
}

func TestReadTensorsRefuses(t *testing.T) {
	one := func(tensor string) string { return `[{"weights":[` + tensor + `]}]` }
	for name, c := range map[string]struct {
		manifest string
		weights  int
		want     string
	}{
		"no JSON":              {`[`, 4, "weights manifest"},
		"weights cut off":      {one(`{"name":"a","shape":[2],"dtype":"float32"}`), 7, "end too early"},
		"weights left over":    {one(`{"name":"a","shape":[1],"dtype":"float32"}`), 5, "belong to no tensor"},
		"negative dimension":   {one(`{"name":"a","shape":[-1,-4],"dtype":"float32"}`), 16, "does not fit"},
		"zero dimension":       {one(`{"name":"a","shape":[0],"dtype":"float32"}`), 4, "does not fit"},
		"overflowing shape":    {one(`{"name":"a","shape":[4294967296,4294967296],"dtype":"float32"}`), 4, "does not fit"},
		"scalar of no bytes":   {one(`{"name":"a","shape":[],"dtype":"float32"}`), 0, "does not fit"},
		"unknown type":         {one(`{"name":"a","shape":[1],"dtype":"int64"}`), 8, "unknown type"},
		"unknown quantization": {one(`{"name":"a","shape":[1],"dtype":"float32","quantization":{"dtype":"uint16"}}`), 4, "unknown quantization"},
		"quantized integers":   {one(`{"name":"a","shape":[1],"dtype":"int32","quantization":{"dtype":"uint8"}}`), 1, "unknown quantization"},
		"plain float16":        {one(`{"name":"a","shape":[1],"dtype":"float16"}`), 2, "unknown type"},
	} {
		_, err := ReadTensors([]byte(c.manifest), make([]byte, c.weights))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzReadTensors(f *testing.F) {
	f.Add([]byte(`[{"weights":[{"name":"a","shape":[2],"dtype":"float32"}]}]`), []byte("12345678"))
	f.Add([]byte(`[{"weights":[{"name":"a","shape":[3],"dtype":"float32","quantization":{"dtype":"uint8","scale":1,"min":0}}]}]`), []byte("123"))
	f.Fuzz(func(t *testing.T, manifest, weights []byte) {
		tensors, err := ReadTensors(manifest, weights)
		if err != nil {
			return
		}
		for _, tensor := range tensors {
			n := 1
			for _, d := range tensor.Shape {
				n *= d
			}
			if n != len(tensor.Values) {
				t.Errorf("shape %v holds %d values", tensor.Shape, len(tensor.Values))
			}
		}
	})
}
