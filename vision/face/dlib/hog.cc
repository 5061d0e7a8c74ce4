#include <new>
#include <vector>

#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/matrix.h>

#include "colours.h"
#include "hog.h"

void* kycd_hog_new(void) {
	try {
		// To unpack the filters takes half a second, to copy them nothing.
		static const dlib::frontal_face_detector unpacked = dlib::get_frontal_face_detector();
		return new dlib::frontal_face_detector(unpacked);
	} catch (...) {
		return nullptr;
	}
}

void kycd_hog_free(void* detector) { delete static_cast<dlib::frontal_face_detector*>(detector); }

namespace {

template <typename image>
int detect(void* detector, image (*load)(const unsigned char*, int, int), const unsigned char* pixels, int width, int height,
           kycd_hog_face* faces, int max_faces) {
	// Nothing that dlib throws may cross into Go: it would end the process.
	try {
		std::vector<dlib::rect_detection> found;
		(*static_cast<dlib::frontal_face_detector*>(detector))(load(pixels, width, height), found);
		int n = 0;
		for (const auto& d : found) {
			if (n == max_faces) break;
			faces[n].left = d.rect.left();
			faces[n].top = d.rect.top();
			faces[n].right = d.rect.right();
			faces[n].bottom = d.rect.bottom();
			faces[n].confidence = d.detection_confidence;
			n++;
		}
		return n;
	} catch (...) {
		return -1;
	}
}

dlib::matrix<unsigned char> load_gray(const unsigned char* gray, int width, int height) { return dlib::mat(gray, height, width); }

}  // namespace

int kycd_hog_detect(void* detector, const unsigned char* gray, int width, int height,
                    kycd_hog_face* faces, int max_faces) {
	return detect(detector, load_gray, gray, width, height, faces, max_faces);
}

int kycd_hog_detect_colour(void* detector, const unsigned char* bgr, int width, int height,
                           kycd_hog_face* faces, int max_faces) {
	return detect(detector, colours, bgr, width, height, faces, max_faces);
}
