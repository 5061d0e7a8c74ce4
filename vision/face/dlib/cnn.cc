#include <cstring>
#include <exception>
#include <memory>

#include <dlib/dnn.h>

#include "cnn.h"
#include "colours.h"

namespace {

template <long filters, typename below> using halving = dlib::con<filters, 5, 5, 2, 2, below>;
template <long filters, typename below> using keeping = dlib::con<filters, 5, 5, 1, 1, below>;

template <typename below>
using shrinking = dlib::relu<dlib::affine<halving<32, dlib::relu<dlib::affine<halving<32, dlib::relu<dlib::affine<halving<16, below>>>>>>>>>;
template <typename below> using looking = dlib::relu<dlib::affine<keeping<45, below>>>;

using detector_type = dlib::loss_mmod<dlib::con<1, 9, 9, 1, 1, looking<looking<looking<shrinking<dlib::input_rgb_image_pyramid<dlib::pyramid_down<6>>>>>>>>;

}  // namespace

void* kycd_cnn_new(const char* path, char** why) {
	// Nothing that dlib throws may cross into Go: it would end the process.
	try {
		auto detector = std::make_unique<detector_type>();
		dlib::deserialize(path) >> *detector;
		return detector.release();
	} catch (const std::exception& e) {
		*why = strdup(e.what());
	}
	return nullptr;
}

void kycd_cnn_free(void* detector) { delete static_cast<detector_type*>(detector); }

int kycd_cnn_detect(void* detector, const unsigned char* bgr, int width, int height, long (*faces)[4], int max_faces) {
	try {
		int n = 0;
		for (const auto& found : (*static_cast<detector_type*>(detector))(colours(bgr, width, height))) {
			if (n == max_faces) break;
			faces[n][0] = found.rect.left();
			faces[n][1] = found.rect.top();
			faces[n][2] = found.rect.right();
			faces[n][3] = found.rect.bottom();
			n++;
		}
		return n;
	} catch (...) {
		return -1;
	}
}
