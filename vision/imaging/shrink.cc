// Scaling down by area as OpenCV does it, to the same bytes: the same numbers are added up in the same order, but in registers and
// for a pixel's colours at once.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "shrink.h"

namespace {

typedef float colours __attribute__((vector_size(16)));

// The colours of a pixel, of which four bytes can be read.
inline colours pixel(const unsigned char* from) {
#ifdef __x86_64__
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

unsigned char rounded(float v) {
#ifdef __x86_64__
	const long whole = _mm_cvtss_si32(_mm_set_ss(v));  // what lrintf gives, without a call
#else
	const long whole = std::lrintf(v);
#endif
	return static_cast<unsigned char>(std::min(std::max(whole, 0L), 255L));
}

// Adds what the pixels of a row take of rows of the picture, which are read one after the other, to sums; the first row of all sets them.
void add_row(const unsigned char* row, float weight, const shares& across, bool first, std::vector<colours>& sums) {
	for (size_t x = 0; x < sums.size(); x++) {
		const share& s = across.of[x];
		const unsigned char* from = row + 3L * s.first;
		const float* weights = across.weights.data() + s.start;
		colours sum = {};
		for (int i = 0; i < s.count; i++, from += 3) sum += pixel(from) * weights[i];
		sums[x] = first ? sum * weight : sums[x] + sum * weight;
	}
}

#ifdef __x86_64__

// The same of two rows, side by side in one register. Instructions that round a product and a sum once are not asked for.
__attribute__((target("avx2"))) void add_two_rows(const unsigned char* row, const unsigned char* next, float weight, float next_weight,
                                                  const shares& across, bool first, std::vector<colours>& sums) {
	for (size_t x = 0; x < sums.size(); x++) {
		const share& s = across.of[x];
		const unsigned char *upper = row + 3L * s.first, *lower = next + 3L * s.first;
		const float* weights = across.weights.data() + s.start;
		__m256 sum = _mm256_setzero_ps();
		for (int i = 0; i < s.count; i++, upper += 3, lower += 3) {
			int of_upper, of_lower;
			std::memcpy(&of_upper, upper, 4);
			std::memcpy(&of_lower, lower, 4);
			const __m128i both = _mm_insert_epi32(_mm_cvtsi32_si128(of_upper), of_lower, 1);
			const __m256 pixels = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(both));
			sum = _mm256_add_ps(sum, _mm256_mul_ps(pixels, _mm256_broadcast_ss(weights + i)));
		}
		const __m128 above = _mm_mul_ps(_mm256_castps256_ps128(sum), _mm_set1_ps(weight));
		const __m128 below = _mm_mul_ps(_mm256_extractf128_ps(sum, 1), _mm_set1_ps(next_weight));
		sums[x] = (colours)_mm_add_ps(first ? above : _mm_add_ps((__m128)sums[x], above), below);
	}
}

bool two_at_once() { return __builtin_cpu_supports("avx2"); }

#else

void add_two_rows(const unsigned char*, const unsigned char*, float, float, const shares&, bool, std::vector<colours>&) {}

bool two_at_once() { return false; }

#endif

void shrink(const unsigned char* part, int width, int height, long stride, long available, unsigned char* to, int to_width, int to_height) {
	const auto across = share_out(width, to_width), down = share_out(height, to_height);
	const bool by_two = two_at_once();
	std::vector<colours> sums(to_width);
	std::vector<unsigned char> edge;
	// A pixel is read with the byte behind it, which the last one of the picture does not have.
	const auto complete = [&](long at) { return at + 3L * width + 1 <= available; };
	for (int y = 0; y < to_height; y++, to += 3L * to_width) {
		const share& rows = down.of[y];
		const float* weights = down.weights.data() + rows.start;
		for (int j = 0; j < rows.count; j++) {
			const long at = (rows.first + j) * stride;
			if (by_two && j + 1 < rows.count && complete(at + stride)) {
				add_two_rows(part + at, part + at + stride, weights[j], weights[j + 1], across, j == 0, sums);
				j++;
				continue;
			}
			const unsigned char* row = part + at;
			if (!complete(at)) {
				edge.assign(row, row + 3L * width);
				edge.push_back(0);
				row = edge.data();
			}
			add_row(row, weights[j], across, j == 0, sums);
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
