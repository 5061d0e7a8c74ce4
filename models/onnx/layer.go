package onnx

import "math"

// Padding is how many cells are added around a feature map.
type Padding struct{ Top, Left, Bottom, Right int }

func (p Padding) attribute() attribute { return integers("pads", p.Top, p.Left, p.Bottom, p.Right) }

func (p Padding) sound() bool {
	return min(p.Top, p.Left, p.Bottom, p.Right) >= 0 && max(p.Top, p.Left, p.Bottom, p.Right) <= maxEdge
}

// Same is the padding with which a window of kernel cells, moved by stride, covers height × width cells as TensorFlow's
// SAME does: ⌈size/stride⌉ positions, and an odd cell goes to the bottom and the right.
func Same(height, width, kernelHeight, kernelWidth, stride int) Padding {
	vertical, horizontal := same(height, kernelHeight, stride), same(width, kernelWidth, stride)
	return Padding{Top: vertical / 2, Bottom: vertical - vertical/2, Left: horizontal / 2, Right: horizontal - horizontal/2}
}

func same(size, kernel, stride int) int {
	if stride < 1 {
		return 0
	}
	return max(((size+stride-1)/stride-1)*stride+kernel-size, 0)
}

// Convolution holds the parameters of one: Weights [Out][In/Groups][Height][Width] and Bias [Out].
type Convolution struct {
	Weights, Bias []float32
	In, Out       int // channels
	Height, Width int // of the kernel
	Groups        int
	Stride        int
	Padding       Padding
}

// Scale multiplies each output channel, as a normalisation after the convolution does.
func (c *Convolution) Scale(factors []float32) bool {
	if len(factors) != c.Out || c.Out == 0 || len(c.Weights)%c.Out != 0 || len(c.Bias) != c.Out {
		return false
	}
	n := len(c.Weights) / c.Out
	for out, f := range factors {
		for i := out * n; i < (out+1)*n; i++ {
			c.Weights[i] *= f
		}
		c.Bias[out] *= f
	}
	return true
}

// Shift adds to each output channel.
func (c *Convolution) Shift(offsets []float32) bool {
	if len(offsets) != c.Out || len(c.Bias) != c.Out {
		return false
	}
	for out, o := range offsets {
		c.Bias[out] += o
	}
	return true
}

// Convolve adds a convolution.
func (g *Graph) Convolve(x Tensor, c Convolution) Tensor {
	const layer = "Conv"
	switch {
	case g.err != nil:
		return x
	case x.Flat || c.In != x.Channels:
		g.fail(layer, "%d channels go into a convolution of %d", x.Channels, c.In)
	case c.Groups < 1 || c.In%c.Groups != 0 || c.Out < 1 || c.Out%c.Groups != 0:
		g.fail(layer, "%d groups of %d and %d channels", c.Groups, c.In, c.Out)
	case c.Out > maxElements || c.Height > maxEdge || c.Width > maxEdge || len(c.Weights) != c.Out*(c.In/c.Groups)*c.Height*c.Width || len(c.Bias) != c.Out:
		g.fail(layer, "%d weights and %d biases for [%d %d %d %d]", len(c.Weights), len(c.Bias), c.Out, c.In/c.Groups, c.Height, c.Width)
	}
	out, ok := g.slide(layer, x, c.Height, c.Width, c.Stride, c.Padding)
	if !ok {
		return x
	}
	out.Channels = c.Out
	if !g.bounded(layer, out) {
		return x
	}
	weights := g.constant([]int{c.Out, c.In / c.Groups, c.Height, c.Width}, c.Weights)
	bias := g.constant([]int{c.Out}, c.Bias)
	return g.layer(layer, out, []string{x.name, weights, bias},
		integers("kernel_shape", c.Height, c.Width), integers("strides", c.Stride, c.Stride), c.Padding.attribute(), integer("group", c.Groups))
}

// MaxPool adds the maximum over a square window.
func (g *Graph) MaxPool(x Tensor, edge, stride int, p Padding) Tensor {
	out, ok := g.slide("MaxPool", x, edge, edge, stride, p)
	if !ok {
		return x
	}
	return g.layer("MaxPool", out, []string{x.name}, integers("kernel_shape", edge, edge), integers("strides", stride, stride), p.attribute())
}

// slide gives the shape that a moved window leaves.
func (g *Graph) slide(layer string, x Tensor, height, width, stride int, p Padding) (Tensor, bool) {
	switch {
	case g.err != nil:
	case x.Flat:
		g.fail(layer, "a vector has no neighbourhood")
	case stride < 1 || stride > maxEdge || !p.sound():
		g.fail(layer, "stride %d, padding %v", stride, p)
	case height < 1 || width < 1 || height > x.Height+p.Top+p.Bottom || width > x.Width+p.Left+p.Right || max(p.Top, p.Bottom) >= height || max(p.Left, p.Right) >= width:
		g.fail(layer, "a window of %d×%d, padding %v, on %d×%d", height, width, p, x.Height, x.Width)
	default:
		x.Height = (x.Height+p.Top+p.Bottom-height)/stride + 1
		x.Width = (x.Width+p.Left+p.Right-width)/stride + 1
	}
	return x, g.err == nil
}

// Average is the mean of each feature map, as a map of 1×1.
func (g *Graph) Average(x Tensor) Tensor {
	if x.Flat {
		g.fail("GlobalAveragePool", "a vector has no feature maps")
	}
	return g.layer("GlobalAveragePool", Tensor{Channels: x.Channels, Height: 1, Width: 1}, []string{x.name})
}

// Flatten makes one vector, channel after channel.
func (g *Graph) Flatten(x Tensor) Tensor {
	return g.layer("Flatten", Tensor{Channels: x.Channels * x.Height * x.Width, Height: 1, Width: 1, Flat: true}, []string{x.name}, integer("axis", 1))
}

// FlattenChannelsLast makes one vector, place after place: the order of networks that keep the channels last.
func (g *Graph) FlattenChannelsLast(x Tensor) Tensor {
	if !x.Flat && x.Height*x.Width > 1 && x.Channels > 1 {
		turned := Tensor{Channels: x.Height, Height: x.Width, Width: x.Channels}
		x = g.layer("Transpose", turned, []string{x.name}, integers("perm", 0, 2, 3, 1))
	}
	return g.Flatten(x)
}

// FullyConnected adds weights·x + bias for weights [out][in].
func (g *Graph) FullyConnected(x Tensor, weights, bias []float32) Tensor {
	const layer = "Gemm"
	if !x.Flat || len(bias) == 0 || len(weights) != x.Channels*len(bias) {
		g.fail(layer, "%d weights and %d biases for %d values", len(weights), len(bias), x.Channels)
	}
	if g.err != nil {
		return x
	}
	w := g.constant([]int{len(bias), x.Channels}, weights)
	b := g.constant([]int{len(bias)}, bias)
	return g.layer(layer, Tensor{Channels: len(bias), Height: 1, Width: 1, Flat: true}, []string{x.name, w, b}, integer("transB", 1))
}

// Affine multiplies each channel by a factor and adds an offset to it.
func (g *Graph) Affine(x Tensor, factors, offsets []float32) Tensor {
	const layer = "BatchNormalization"
	if x.Flat {
		g.fail(layer, "a vector is scaled by the layer that made it")
	}
	if len(factors) != x.Channels || len(offsets) != x.Channels {
		g.fail(layer, "%d factors and %d offsets for %d channels", len(factors), len(offsets), x.Channels)
	}
	if g.err != nil {
		return x
	}
	zeros, ones := make([]float32, x.Channels), make([]float32, x.Channels)
	for i := range ones {
		ones[i] = 1
	}
	shape := []int{x.Channels}
	return g.layer(layer, x, []string{x.name, g.constant(shape, factors), g.constant(shape, offsets), g.constant(shape, zeros), g.constant(shape, ones)},
		real("epsilon", 0))
}

// Relu replaces negative values by 0.
func (g *Graph) Relu(x Tensor) Tensor { return g.layer("Relu", x, []string{x.name}) }

// PRelu multiplies negative values by their channel's slope.
func (g *Graph) PRelu(x Tensor, slopes []float32) Tensor {
	if x.Flat || len(slopes) != x.Channels {
		g.fail("PRelu", "%d slopes for %d channels", len(slopes), x.Channels)
		return x
	}
	return g.layer("PRelu", x, []string{x.name, g.constant([]int{x.Channels, 1, 1}, slopes)})
}

// Clip moves values into [low, high]; low may be -∞ and high +∞.
func (g *Graph) Clip(x Tensor, low, high float32) Tensor {
	switch {
	case !(low < high):
		g.fail("Clip", "[%v, %v] is empty", low, high)
	case low == 0 && math.IsInf(float64(high), 1):
		return g.Relu(x)
	}
	return g.layer("Clip", x, []string{x.name}, real("min", max(low, -math.MaxFloat32)), real("max", min(high, math.MaxFloat32)))
}

// Sigmoid adds 1/(1+e⁻ˣ).
func (g *Graph) Sigmoid(x Tensor) Tensor { return g.layer("Sigmoid", x, []string{x.name}) }

// Softmax turns a vector into probabilities.
func (g *Graph) Softmax(x Tensor) Tensor {
	if !x.Flat {
		g.fail("Softmax", "not a vector")
	}
	return g.layer("Softmax", x, []string{x.name}, integer("axis", 1))
}

// Add adds two tensors of one shape.
func (g *Graph) Add(x, y Tensor) Tensor {
	if !x.sameShape(y) {
		g.fail("Add", "%v and %v", x.shape(), y.shape())
	}
	return g.layer("Add", x, []string{x.name, y.name})
}

// Weigh multiplies each channel of x by its gate, a map of 1×1.
func (g *Graph) Weigh(x, gates Tensor) Tensor {
	if x.Flat || gates.Flat || gates.Channels != x.Channels || gates.Height != 1 || gates.Width != 1 {
		g.fail("Mul", "%v and %v", x.shape(), gates.shape())
	}
	return g.layer("Mul", x, []string{x.name, gates.name})
}

// Concat puts the channels of y behind those of x.
func (g *Graph) Concat(x, y Tensor) Tensor {
	if x.Flat != y.Flat || x.Height != y.Height || x.Width != y.Width {
		g.fail("Concat", "%v and %v", x.shape(), y.shape())
	}
	out := x
	out.Channels += y.Channels
	return g.layer("Concat", out, []string{x.name, y.name}, integer("axis", 1))
}

// PadChannels puts n channels of zeros behind those of x.
func (g *Graph) PadChannels(x Tensor, n int) Tensor {
	if x.Flat || n < 0 || n > maxEdge {
		g.fail("Pad", "%d channels behind %v", n, x.shape())
		return x
	}
	out := x
	out.Channels += n
	return g.layer("Pad", out, []string{x.name}, integers("pads", 0, 0, 0, 0, 0, n, 0, 0))
}

// Kernel turns filters [height][width][in][out], as TensorFlow keeps them, into [out][in][height][width].
func Kernel(values []float32, height, width, in, out int) []float32 {
	turned := make([]float32, len(values))
	for place := range height * width {
		for i := range in {
			for o := range out {
				turned[(o*in+i)*height*width+place] = values[(place*in+i)*out+o]
			}
		}
	}
	return turned
}

// DepthwiseKernel turns filters [height][width][in][multiplier] into [in·multiplier][1][height][width].
func DepthwiseKernel(values []float32, height, width, in, multiplier int) []float32 {
	return Kernel(values, height, width, 1, in*multiplier)
}
