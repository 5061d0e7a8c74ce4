// dlib's face encoder without dlib's layers. Those spread every input of a convolution out, nine times as large, for a product of
// matrices, and most of the time goes into the spreading and packing. Here pixels lie channel by channel with a border of zeros, so
// that what a filter sees is whole runs of memory, and each run is multiplied where it lies. The affine layers are part of the
// weights. The result differs from dlib's by rounding.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlib/cuda/tensor.h>
#include <dlib/serialize.h>

#include "resnet.h"

namespace {

// Eight floats, computed with at once.
typedef float lanes __attribute__((vector_size(32), aligned(4)));
constexpr int width = 16;  // output channels of one pass over the input: two of lanes
constexpr int batch = 6;   // output pixels of one pass: with two lanes each they fill the registers

constexpr int side = 150;       // px of the aligned face
constexpr int features = 256;   // channels of the last layer
constexpr int values = 128;     // of an encoding

// A picture of floats, channels innermost, with a border of zeros.
struct plane {
	int size = 0, channels = 0, border = 0;
	std::vector<float> data;

	void shape(int new_size, int new_channels, int new_border) {
		size = new_size, channels = new_channels, border = new_border;
		const int row = size + 2 * border;
		data.assign(static_cast<size_t>(row) * row * channels, 0.0f);
	}
	int stride() const { return (size + 2 * border) * channels; }
	float* at(int y, int x) { return data.data() + (y + border) * stride() + (x + border) * channels; }
};

// A convolution and the affine layer behind it. weights[block of 16 outputs][row][column][input][16], bias[output].
struct convolution {
	int outputs = 0, inputs = 0, edge = 0, stride = 0, padding = 0;
	std::vector<float> weights, bias;
};

// Adds up, for some pixels, the products of a block's weights with the rows that the filter sees of each.
template <int pixels>
inline void accumulate(const float* const* seen, int rows, int run, int stride, const float* weights, lanes sums[][2]) {
	lanes low[pixels], high[pixels];
	for (int p = 0; p < pixels; p++) low[p] = sums[p][0], high[p] = sums[p][1];
	for (int row = 0; row < rows; row++) {
		const float* from[pixels];
		for (int p = 0; p < pixels; p++) from[p] = seen[p] + static_cast<size_t>(row) * stride;
		for (int i = 0; i < run; i++, weights += width) {
			const lanes a = *reinterpret_cast<const lanes*>(weights), b = *reinterpret_cast<const lanes*>(weights + 8);
			for (int p = 0; p < pixels; p++) {
				const float v = from[p][i];
				low[p] += a * v;
				high[p] += b * v;
			}
		}
	}
	for (int p = 0; p < pixels; p++) sums[p][0] = low[p], sums[p][1] = high[p];
}

// Runs a convolution on in, whose border is at least its padding, into out, which has been shaped. added, where given, is a
// picture added to the result; negative values become zero.
void convolve(const convolution& c, plane& in, plane& out, plane* added) {
	const int n = out.size * out.size;
	const int run = c.edge * c.inputs;
	const size_t block = static_cast<size_t>(c.edge) * run * width;
	for (int first = 0; first < c.outputs; first += width) {
		const float* weights = c.weights.data() + first / width * block;
		lanes bias[2];
		std::memcpy(bias, c.bias.data() + first, sizeof bias);
		for (int start = 0; start < n; start += batch) {
			const int pixels = std::min(batch, n - start);
			const float* seen[batch];
			lanes sums[batch][2];
			for (int p = 0; p < batch; p++) {
				const int at = start + std::min(p, pixels - 1), y = at / out.size, x = at % out.size;
				seen[p] = in.at(y * c.stride - c.padding, x * c.stride - c.padding);
				sums[p][0] = bias[0], sums[p][1] = bias[1];
			}
			if (pixels > 4) accumulate<6>(seen, c.edge, run, in.stride(), weights, sums);
			else if (pixels > 2) accumulate<4>(seen, c.edge, run, in.stride(), weights, sums);
			else accumulate<2>(seen, c.edge, run, in.stride(), weights, sums);
			for (int p = 0; p < pixels; p++) {
				const int at = start + p, y = at / out.size, x = at % out.size;
				float* to = out.at(y, x) + first;
				// What is added may be smaller and have fewer channels; the rest of it counts as zero.
				const bool adds = added && y < added->size && x < added->size && first < added->channels;
				const float* other = adds ? added->at(y, x) + first : nullptr;
				for (int half = 0; half < 2; half++) {
					lanes sum = sums[p][half];
					if (other) sum += *reinterpret_cast<const lanes*>(other + 8 * half);
					for (int i = 0; i < 8; i++) to[8 * half + i] = std::max(sum[i], 0.0f);
				}
			}
		}
	}
}

// Takes the mean, or the maximum, of squares of edge pixels, two pixels apart, into out, which gets the border.
template <bool maximum>
void pool(plane& in, plane& out, int edge, int border) {
	out.shape((in.size - edge) / 2 + 1, in.channels, border);
	for (int y = 0; y < out.size; y++) {
		for (int x = 0; x < out.size; x++) {
			float* to = out.at(y, x);
			std::memcpy(to, in.at(2 * y, 2 * x), in.channels * sizeof(float));
			for (int i = 1; i < edge * edge; i++) {
				const float* from = in.at(2 * y + i / edge, 2 * x + i % edge);
				for (int c = 0; c < in.channels; c++) to[c] = maximum ? std::max(to[c], from[c]) : to[c] + from[c];
			}
			if (!maximum)
				for (int c = 0; c < in.channels; c++) to[c] /= static_cast<float>(edge * edge);
		}
	}
}

class resnet {
public:
	explicit resnet(const char* path) {
		std::ifstream in(path, std::ios::binary);
		if (!in) throw std::runtime_error("the file cannot be opened");
		read(in);
	}

	void run(const unsigned char* rgb, float* encoding) {
		// dlib's input layer: less the mean colour, in 256ths.
		const float mean[3] = {122.782f, 117.001f, 104.298f};
		input.shape(side, 3, 0);
		for (int i = 0; i < side * side; i++)
			for (int c = 0; c < 3; c++) input.data[3 * i + c] = (static_cast<float>(rgb[3 * i + c]) - mean[c]) / 256.0f;
		auto layer = layers.begin();
		inner.shape((side - layer->edge) / layer->stride + 1, layer->outputs, 0);
		convolve(*layer++, input, inner, nullptr);
		pool<true>(inner, state, 3, 1);
		for (const auto& s : stages()) {
			for (int i = 0; i < s.blocks; i++) {
				const convolution &one = *layer++, &two = *layer++;
				inner.shape((state.size + 2 * one.padding - one.edge) / one.stride + 1, one.outputs, 1);
				convolve(one, state, inner, nullptr);
				plane* added = &state;
				if (one.stride == 2) {
					pool<false>(state, shrunk, 2, 0);
					added = &shrunk;
				}
				result.shape(std::max(inner.size, added->size), two.outputs, 1);
				merge(two, *added);
				std::swap(state, result);
			}
		}
		finish(encoding);
	}

private:
	struct stage { int channels, blocks; bool shrinks; };
	static std::vector<stage> stages() { return {{32, 3, false}, {64, 4, true}, {128, 3, true}, {256, 3, true}, {256, 1, true}}; }

	// The second convolution of a block, and what goes around the block added to it. The shortcut may be larger by a row and a
	// column than what it is added to, which counts as zero there.
	void merge(const convolution& two, plane& added) {
		if (inner.size == result.size) {
			convolve(two, inner, result, &added);
			return;
		}
		plane smaller;
		smaller.shape(inner.size, two.outputs, 0);
		convolve(two, inner, smaller, &added);
		for (int y = 0; y < result.size; y++) {
			for (int x = 0; x < result.size; x++) {
				const bool inside = y < smaller.size && x < smaller.size;
				const float* from = inside ? smaller.at(y, x) : added.at(y, x);
				const int channels = inside ? smaller.channels : added.channels;
				for (int c = 0; c < channels; c++) result.at(y, x)[c] = std::max(from[c], 0.0f);
			}
		}
	}

	// The mean of what is left, projected.
	void finish(float* encoding) {
		std::vector<double> mean(features);
		for (int y = 0; y < state.size; y++)
			for (int x = 0; x < state.size; x++)
				for (int c = 0; c < features; c++) mean[c] += state.at(y, x)[c];
		std::vector<double> sum(values);
		for (int c = 0; c < features; c++)
			for (int v = 0; v < values; v++) sum[v] += mean[c] / (state.size * state.size) * projection[c * values + v];
		for (int v = 0; v < values; v++) encoding[v] = static_cast<float>(sum[v]);
	}

	// The file holds the chain of layers from the input to the output, each behind its name; in front of them stand the versions of
	// all layers.
	void read(std::istream& in) {
		struct size { int outputs, inputs, edge, stride; };
		std::vector<size> sizes = {{32, 3, 7, 2}};
		int channels = 32;
		for (const auto& s : stages()) {
			for (int i = 0; i < s.blocks; i++) {
				sizes.push_back({s.channels, channels, 3, s.shrinks && i == 0 ? 2 : 1});
				sizes.push_back({s.channels, s.channels, 3, 1});
				channels = s.channels;
			}
		}
		seek(in, "con_5");
		for (size_t i = 0; i < sizes.size(); i++) {
			if (i > 0) seek(in, "con_5");
			const auto& s = sizes[i];
			dlib::resizable_tensor filters, scales;
			dlib::deserialize(filters, in);
			seek(in, "affine_2");
			dlib::deserialize(scales, in);
			layers.push_back(fold(s.outputs, s.inputs, s.edge, s.stride, filters, scales));
		}
		seek(in, "fc_3");
		unsigned long outputs = 0, inputs = 0;
		dlib::deserialize(outputs, in);
		dlib::deserialize(inputs, in);
		dlib::resizable_tensor weights;
		dlib::deserialize(weights, in);
		if (outputs != values || inputs != features || weights.size() != features * values) throw std::runtime_error("it holds another network");
		projection.assign(weights.host(), weights.host() + weights.size());
	}

	// Reads up to and including the next serialized name.
	static void seek(std::istream& in, const std::string& name) {
		const std::string wanted = std::string("\x01", 1) + static_cast<char>(name.size()) + name;
		size_t matched = 0;
		// Layers without parameters take less than a thousand bytes between two that have some.
		for (int i = 0; i < 1 << 16; i++) {
			const int c = in.get();
			if (c == std::char_traits<char>::eof()) break;
			const char byte = static_cast<char>(c);
			matched = byte == wanted[matched] ? matched + 1 : byte == wanted[0] ? 1 : 0;
			if (matched == wanted.size()) return;
		}
		throw std::runtime_error("it lacks the layer " + name);
	}

	static convolution fold(int outputs, int inputs, int edge, int stride, const dlib::tensor& filters, const dlib::tensor& scales) {
		const size_t each = static_cast<size_t>(inputs) * edge * edge;
		if (filters.size() != outputs * each + outputs || scales.size() != static_cast<size_t>(2 * outputs))
			throw std::runtime_error("it holds another network");
		convolution c;
		c.outputs = outputs, c.inputs = inputs, c.edge = edge, c.stride = stride, c.padding = stride == 1 ? edge / 2 : 0;
		c.weights.resize(outputs * each), c.bias.resize(outputs);
		const float *w = filters.host(), *scale = scales.host(), *offset = scale + outputs;
		for (int o = 0; o < outputs; o++) {
			c.bias[o] = w[outputs * each + o] * scale[o] + offset[o];
			for (int i = 0; i < inputs; i++)
				for (int at = 0; at < edge * edge; at++)
					c.weights[o / width * width * each + (static_cast<size_t>(at) * inputs + i) * width + o % width] = w[o * each + i * edge * edge + at] * scale[o];
		}
		return c;
	}

	std::vector<convolution> layers;
	std::vector<float> projection;
	plane input, state, inner, shrunk, result;  // kept, so that no memory is asked for again
};

}  // namespace

void* kycd_resnet_new(const char* path, char** why) {
	// Nothing that is thrown may cross into Go: it would end the process.
	try {
		return new resnet(path);
	} catch (const std::exception& e) {
		*why = strdup(e.what());
	}
	return nullptr;
}

void kycd_resnet_free(void* net) { delete static_cast<resnet*>(net); }

int kycd_resnet_run(void* net, const unsigned char* rgb, float* encoding) {
	try {
		static_cast<resnet*>(net)->run(rgb, encoding);
		return 0;
	} catch (...) {
		return -1;
	}
}
