// Scaling down by area as OpenCV does it, to the same bytes: the same numbers are added up in the same order, but in registers and
// for a pixel's colours at once.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "cut.h"

namespace {

typedef float colours __attribute__((vector_size(16)));

// The colours of a pixel, of which four bytes can be read.
inline colours pixel(const unsigned char* from) {
#ifdef __SSE2__
	int four;
	std::memcpy(&four, from, 4);
	const __m128i none = _mm_setzero_si128();
	const __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), none);
	return (colours)_mm_cvtepi32_ps(_mm_unpacklo_epi16(words, none));
#else
	return colours{static_cast<float>(from[0]), static_cast<float>(from[1]), static_cast<float>(from[2]), 0.0f};
#endif
}

// What a pixel takes of a row of pixels: of count of them, from the first one on, by weights[start…].
struct share {
	int first, count, start;
};

struct shares {
	std::vector<share> of;
	std::vector<float> weights;
};

// Numbers below 1e-3 of a pixel are left out, and the arithmetic is in doubles, as OpenCV has it.
shares share_out(int from, int to) {
	const double scale = 1.0 / (static_cast<double>(to) / from);
	shares all;
	for (int i = 0; i < to; i++) {
		const double begin = i * scale, end = begin + scale, size = std::min(scale, from - begin);
		const int last = std::min(static_cast<int>(std::floor(end)), from - 1);
		const int first = std::min(static_cast<int>(std::ceil(begin)), last);
		share s = {first, 0, static_cast<int>(all.weights.size())};
		if (first - begin > 1e-3) {
			s.first--;
			all.weights.push_back(static_cast<float>((first - begin) / size));
		}
		for (int at = first; at < last; at++) all.weights.push_back(static_cast<float>(1.0 / size));
		if (end - last > 1e-3) all.weights.push_back(static_cast<float>(std::min(std::min(end - last, 1.0), size) / size));
		s.count = static_cast<int>(all.weights.size()) - s.start;
		all.of.push_back(s);
	}
	return all;
}

unsigned char rounded(float v) { return static_cast<unsigned char>(std::min(std::max(std::lrintf(v), 0L), 255L)); }

void shrink(const unsigned char* part, int width, int height, long stride, long available, unsigned char* to, int to_width, int to_height) {
	const auto across = share_out(width, to_width), down = share_out(height, to_height);
	std::vector<colours> sums(to_width);
	std::vector<unsigned char> edge;
	for (int y = 0; y < to_height; y++, to += 3L * to_width) {
		const share& rows = down.of[y];
		for (int j = 0; j < rows.count; j++) {
			const long at = (rows.first + j) * stride;
			const unsigned char* row = part + at;
			if (at + 3L * width + 1 > available) {  // the last row of the picture: there is no byte behind its last pixel
				edge.assign(row, row + 3L * width);
				edge.push_back(0);
				row = edge.data();
			}
			const float weight = down.weights[rows.start + j];
			for (int x = 0; x < to_width; x++) {
				const share& s = across.of[x];
				const unsigned char* from = row + 3L * s.first;
				const float* weights = across.weights.data() + s.start;
				colours sum = {};
				for (int i = 0; i < s.count; i++, from += 3) sum += pixel(from) * weights[i];
				sums[x] = j == 0 ? sum * weight : sums[x] + sum * weight;
			}
		}
		for (int x = 0; x < to_width; x++)
			for (int c = 0; c < 3; c++) to[3 * x + c] = rounded(sums[x][c]);
	}
}

}  // namespace

int kycd_shrink(const unsigned char* part, int width, int height, long stride, long available,
                unsigned char* to, int to_width, int to_height) {
	// Nothing that is thrown may cross into Go: it would end the process.
	try {
		shrink(part, width, height, stride, available, to, to_width, to_height);
		return 0;
	} catch (...) {
		return -1;
	}
}
