package networks

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kycd/models"
	"kycd/models/torch"
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

// maps are feature maps [channel][row][column], as a plain definition of each layer makes them.
type maps struct {
	values                  []float64
	channels, height, width int
}

func (m maps) at(c, y, x int) float64 {
	if y < 0 || x < 0 || y >= m.height || x >= m.width {
		return 0
	}
	return m.values[(c*m.height+y)*m.width+x]
}

// miniFASNet runs the network layer by layer from the dictionary of its weights, without folding or fusing anything.
type miniFASNet map[string]torch.Tensor

func (n miniFASNet) get(name string) []float32 { return n["module."+name].Values }

func (n miniFASNet) conv(x maps, name string, stride, padding int) maps {
	w := n["module."+name+".weight"]
	out, perGroup, height, width := w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3]
	y := maps{channels: out, height: (x.height+2*padding-height)/stride + 1, width: (x.width+2*padding-width)/stride + 1}
	for o := range out {
		first := 0
		if perGroup == 1 && x.channels == out {
			first = o
		}
		for row := range y.height {
			for column := range y.width {
				var sum float64
				for i := range perGroup {
					for dy := range height {
						for dx := range width {
							sum += float64(w.Values[((o*perGroup+i)*height+dy)*width+dx]) * x.at(first+i, row*stride+dy-padding, column*stride+dx-padding)
						}
					}
				}
				y.values = append(y.values, sum)
			}
		}
	}
	return y
}

// each changes every value, knowing its channel.
func (m maps) each(f func(c int, v float64) float64) maps {
	y := m
	y.values = make([]float64, len(m.values))
	for i, v := range m.values {
		y.values[i] = f(i/(m.height*m.width), v)
	}
	return y
}

func (n miniFASNet) norm(x maps, name string) maps {
	gamma, beta, mean, variance := n.get(name+".weight"), n.get(name+".bias"), n.get(name+".running_mean"), n.get(name+".running_var")
	return x.each(func(c int, v float64) float64 {
		return (v-float64(mean[c]))/math.Sqrt(float64(variance[c])+1e-5)*float64(gamma[c]) + float64(beta[c])
	})
}

func (n miniFASNet) block(x maps, name string, stride, padding int) maps {
	x = n.norm(n.conv(x, name+".conv", stride, padding), name+".bn")
	slopes := n.get(name + ".prelu.weight")
	if slopes == nil {
		return x
	}
	return x.each(func(c int, v float64) float64 {
		if v < 0 {
			return v * float64(slopes[c])
		}
		return v
	})
}

func (n miniFASNet) depthwise(x maps, name string, stride int) maps {
	return n.block(n.block(n.block(x, name+".conv", 1, 0), name+".conv_dw", stride, 1), name+".project", 1, 0)
}

func (n miniFASNet) residual(x maps, name string, blocks int) maps {
	for i := range blocks {
		block := name + ".model." + strconv.Itoa(i)
		y := n.depthwise(x, block, 1)
		if n.get(block+".se_module.fc1.weight") != nil {
			mean := maps{channels: y.channels, height: 1, width: 1, values: make([]float64, y.channels)}
			for k, v := range y.values {
				mean.values[k/(y.height*y.width)] += v / float64(y.height*y.width)
			}
			gate := n.norm(n.conv(mean, block+".se_module.fc1", 1, 0), block+".se_module.bn1")
			gate = gate.each(func(_ int, v float64) float64 { return max(v, 0) })
			gate = n.norm(n.conv(gate, block+".se_module.fc2", 1, 0), block+".se_module.bn2")
			y = y.each(func(c int, v float64) float64 { return v / (1 + math.Exp(-gate.values[c])) })
		}
		for k := range y.values {
			y.values[k] += x.values[k]
		}
		x = y
	}
	return x
}

func (n miniFASNet) linear(x maps, name string) maps {
	w := n["module."+name+".weight"]
	y := maps{channels: w.Shape[0], height: 1, width: 1}
	for o := range w.Shape[0] {
		var sum float64
		for i, v := range x.values {
			sum += v * float64(w.Values[o*w.Shape[1]+i])
		}
		y.values = append(y.values, sum)
	}
	return y
}

func (n miniFASNet) probabilities(planes []float32) []float64 {
	x := maps{channels: 3, height: 80, width: 80}
	for _, v := range planes {
		x.values = append(x.values, float64(v))
	}
	x = n.block(n.block(x, "conv1", 2, 1), "conv2_dw", 1, 1)
	x = n.residual(n.depthwise(x, "conv_23", 2), "conv_3", 4)
	x = n.residual(n.depthwise(x, "conv_34", 2), "conv_4", 6)
	x = n.residual(n.depthwise(x, "conv_45", 2), "conv_5", 2)
	x = n.block(n.block(x, "conv_6_sep", 1, 0), "conv_6_dw", 1, 0)
	x = n.linear(n.norm(n.linear(x, "linear"), "bn"), "prob")
	var sum float64
	for _, v := range x.values {
		sum += math.Exp(v)
	}
	var p []float64
	for _, v := range x.values {
		p = append(p, math.Exp(v)/sum)
	}
	return p
}

// There is no PyTorch to compare with: the layers by their definitions, in double precision, take its place.
func TestMiniFASNetComputesItsLayers(t *testing.T) {
	for _, name := range []models.Net{models.NetMiniFASNetV2, models.NetMiniFASNetV1SE} {
		n := open(t, name)
		file, err := os.ReadFile(filepath.Join(visiontest.Models(t, name.Files()...), name.Files()[0]))
		if err != nil {
			t.Fatal(err)
		}
		state, err := torch.ReadState(file)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(2) {
			planes := pixels(seed, 80, 3)
			got, err := n.Run(planes)
			if err != nil {
				t.Fatal(err)
			}
			want := miniFASNet(state).probabilities(planes)
			for i := range want {
				// Relative to the smallest of them: a network that is sure says little by the largest.
				if !(math.Abs(math.Log(float64(got[0][i])/want[i])) <= tolerance) {
					t.Errorf("%s seed %d: %v, want %v", name, seed, got[0], want)
				}
			}
		}
	}
}

// The authors' own samples: their test says real of the first and fake of the others, by the sum of both networks.
func TestMiniFASNetOnItsAuthorsSamples(t *testing.T) {
	v2, v1 := open(t, models.NetMiniFASNetV2), open(t, models.NetMiniFASNetV1SE)
	for _, c := range []struct {
		file string
		face vision.Box
		live bool
	}{
		{"silent_T1.jpg", vision.Box{X: 116, Y: 109, Width: 181, Height: 251}, true},
		{"silent_F1.jpg", vision.Box{X: 192, Y: 116, Width: 184, Height: 237}, false},
		{"silent_F2.jpg", vision.Box{X: 139, Y: 212, Width: 217, Height: 293}, false},
	} {
		pic, err := imaging.Decode(visiontest.Read(t, "spoof/dev/images/"+c.file), imaging.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var sum [3]float64
		for n, scale := range map[*Network]float64{v2: 2.7, v1: 4} {
			crop, ok := pic.Crop(around(c.face, scale, pic.Width, pic.Height))
			if !ok {
				t.Fatal("no crop")
			}
			if crop, err = crop.Resize(80, 80); err != nil {
				t.Fatal(err)
			}
			p, err := n.Run(Planes(crop, models.OrderBGR))
			if err != nil {
				t.Fatal(err)
			}
			for i := range sum {
				sum[i] += float64(p[0][i])
			}
		}
		if live := sum[1] > sum[0] && sum[1] > sum[2]; live != c.live {
			t.Errorf("%s: %v, live is %v", c.file, sum, c.live)
		}
	}
}

// around enlarges a box about its centre, less where the picture is too small, and moves it inside: the authors' crop.
func around(face vision.Box, scale float64, width, height int) vision.Box {
	scale = min(scale, float64(height-1)/float64(face.Height), float64(width-1)/float64(face.Width))
	w, h := float64(face.Width)*scale, float64(face.Height)*scale
	x := min(max(float64(face.X)+float64(face.Width)/2-w/2, 0), float64(width)-w)
	y := min(max(float64(face.Y)+float64(face.Height)/2-h/2, 0), float64(height)-h)
	return vision.Box{X: int(x), Y: int(y), Width: int(w) + 1, Height: int(h) + 1}
}
