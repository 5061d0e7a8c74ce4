#include <cstring>
#include <exception>
#include <memory>

#include <dlib/image_processing/shape_predictor.h>
#include <dlib/image_transforms/interpolation.h>

#include "colours.h"
#include "landmarks.h"

void* kycd_landmarks_new(const char* path, char** why) {
	// Nothing that dlib throws may cross into Go: it would end the process.
	try {
		auto predictor = std::make_unique<dlib::shape_predictor>();
		dlib::deserialize(path) >> *predictor;
		return predictor.release();
	} catch (const std::exception& e) {
		*why = strdup(e.what());
	}
	return nullptr;
}

void kycd_landmarks_free(void* predictor) { delete static_cast<dlib::shape_predictor*>(predictor); }

int kycd_landmarks_count(void* predictor) { return static_cast<int>(static_cast<dlib::shape_predictor*>(predictor)->num_parts()); }

int kycd_landmarks_place(void* predictor, const unsigned char* bgr, int width, int height, const long face[4],
                         long (*points)[2], int side, unsigned char* aligned) {
	constexpr double around = 0.25;  // of the face's size, on each side: what the encoder was trained with
	try {
		const auto picture = colours(bgr, width, height);
		const auto shape = (*static_cast<dlib::shape_predictor*>(predictor))(picture, dlib::rectangle(face[0], face[1], face[2], face[3]));
		for (unsigned long i = 0; i < shape.num_parts(); i++) {
			points[i][0] = shape.part(i).x();
			points[i][1] = shape.part(i).y();
		}
		dlib::matrix<dlib::rgb_pixel> upright;
		dlib::extract_image_chip(picture, dlib::get_face_chip_details(shape, side, around), upright);
		std::memcpy(aligned, &upright(0, 0), static_cast<size_t>(3) * side * side);
		return 0;
	} catch (...) {
		return -1;
	}
}
