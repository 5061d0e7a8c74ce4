package dlib

// network is a chain of layers from the loss down to the input, in the order in which dlib's types nest:
// loss<output layer<…<input layer<input>>>>.
type network struct {
	loss   func(*writer)
	layers []layer // output first; the last one reads the input
	input  func(*writer)
	// setUp says that the layers know their sizes. A network that never ran has empty parameters.
	setUp bool
}

// layer is one element of the chain: a computation, or a marker (dlib's tag and skip) when write is nil.
type layer struct {
	write func(*writer)
	// inPlace computations overwrite the output of the layer below, which then may not be read any more.
	inPlace bool
}

func (l layer) isMarker() bool { return l.write == nil }

// Versions of the wrappers around each element.
const (
	lossVersion       = 1
	markerVersion     = 1
	layerVersion      = 2
	inputLayerVersion = 3
)

// write lays the chain out as dlib does: every wrapper writes its version and then what it wraps before
// its own details, so the versions come first, output to input, and the details after, input to output.
func (n network) write(w *writer) {
	w.integer(lossVersion)
	n.loss(w)
	last := len(n.layers) - 1
	for _, l := range n.layers[:last] {
		if l.isMarker() {
			w.integer(markerVersion)
		} else {
			w.integer(layerVersion)
		}
	}
	w.integer(inputLayerVersion)
	n.input(w)
	for i := last; i >= 0; i-- {
		l := n.layers[i]
		if l.isMarker() {
			continue
		}
		l.write(w)
		w.boolean(n.setUp)
		w.boolean(true) // the gradient is stale: nothing was trained
		w.boolean(i > 0 && n.layers[i-1].inPlace)
		for range 3 { // two gradients and the last output, all cleared
			w.emptyTensor()
		}
		if i == last {
			w.integer(n.sampleExpansion())
		}
	}
}

// sampleExpansion is the number of tensors that the input makes of one image: known once the network ran.
func (n network) sampleExpansion() int64 {
	if n.setUp {
		return 1
	}
	return 0
}

// convolution is dlib's con_, its parameters in the order [out][in][row][column], then one bias per
// output channel. Without weights it is a layer that was never set up.
type convolution struct {
	filters int // output channels
	inputs  int // input channels, 0 without weights
	size    int // rows and columns of a filter
	stride  int
	weights []float32
	biases  []float32
}

// padding is dlib's default: none when the layer shrinks the image, otherwise what keeps its size.
func (c convolution) padding() int {
	if c.stride != 1 {
		return 0
	}
	return c.size / 2
}

func (c convolution) layer() layer {
	return layer{write: func(w *writer) {
		w.text("con_5")
		if len(c.weights) == 0 {
			w.emptyTensor()
		} else {
			w.tensor(shape{len(c.weights) + len(c.biases), 1, 1, 1}, c.weights, c.biases)
		}
		w.integer(int64(c.filters))
		for range 2 {
			w.integer(int64(c.size))
		}
		for range 2 {
			w.integer(int64(c.stride))
		}
		for range 2 {
			w.integer(int64(c.padding()))
		}
		if len(c.weights) == 0 {
			w.alias(shape{})
			w.alias(shape{})
		} else {
			w.alias(shape{c.filters, c.inputs, c.size, c.size})
			w.alias(shape{1, c.filters, 1, 1})
		}
		w.double(1) // learning rate multiplier
		w.double(1) // weight decay multiplier
		w.double(1) // the same for the biases
		w.double(0)
		w.boolean(true) // has biases
	}}
}

// Modes of an affine layer: one scale per value, or one per channel. A layer that was never set up has
// the first, dlib's default.
const (
	affinePerValue   = 1
	affinePerChannel = 0
)

// affine is a scale and an offset per channel, what is left of a batch normalisation after training.
func affine(scales, offsets []float32) layer {
	return layer{inPlace: true, write: func(w *writer) {
		w.text("affine_2")
		mode, view := int64(affinePerValue), shape{}
		if len(scales) == 0 {
			w.emptyTensor()
		} else {
			mode, view = affinePerChannel, shape{1, len(scales), 1, 1}
			w.tensor(shape{len(scales) + len(offsets), 1, 1, 1}, scales, offsets)
		}
		w.alias(view)
		w.alias(view)
		w.integer(mode)
		w.boolean(false) // not disabled
	}}
}

func relu() layer {
	return layer{inPlace: true, write: func(w *writer) { w.text("relu_") }}
}

// addPrevious adds the output of a tagged layer further down.
func addPrevious() layer {
	return layer{write: func(w *writer) { w.text("add_prev_") }}
}

// marker is dlib's tag or skip; which one, and its number, are part of the C++ type, not of the stream.
func marker() layer { return layer{} }

// pooling is dlib's max_pool_ or avg_pool_ without padding; a window of 0 covers everything.
func pooling(version string, window, stride int) layer {
	return layer{write: func(w *writer) {
		w.text(version)
		for range 2 {
			w.integer(int64(window))
		}
		for range 2 {
			w.integer(int64(stride))
		}
		for range 2 {
			w.integer(0)
		}
	}}
}

func maxPooling(window, stride int) layer     { return pooling("max_pool_2", window, stride) }
func averagePooling(window, stride int) layer { return pooling("avg_pool_2", window, stride) }

// fullyConnected is dlib's fc_ without biases; weights are [in][out].
func fullyConnected(inputs, outputs int, weights []float32) layer {
	const withoutBias = 1
	return layer{write: func(w *writer) {
		w.text("fc_3")
		w.integer(int64(outputs))
		w.integer(int64(inputs))
		w.tensor(shape{inputs, outputs, 1, 1}, weights)
		w.alias(shape{inputs, outputs, 1, 1})
		w.alias(shape{})
		w.integer(withoutBias)
		w.double(1)
		w.double(1)
		w.double(1)
		w.double(0)
		w.boolean(true)
	}}
}

// meanColour writes what dlib's colour inputs subtract from red, green and blue (0…255).
func meanColour(w *writer) {
	w.float(122.782)
	w.float(117.001)
	w.float(104.298)
}
