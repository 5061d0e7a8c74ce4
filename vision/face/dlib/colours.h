#pragma once

#include <dlib/matrix.h>
#include <dlib/pixel.h>

// Pixels in the order B, G, R as dlib takes them.
inline dlib::matrix<dlib::rgb_pixel> colours(const unsigned char* bgr, int width, int height) {
	dlib::matrix<dlib::rgb_pixel> picture(height, width);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++, bgr += 3) picture(y, x) = dlib::rgb_pixel(bgr[2], bgr[1], bgr[0]);
	return picture;
}
