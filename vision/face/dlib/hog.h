#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// One face in pixels of the image given; right and bottom are inclusive.
typedef struct kycd_hog_face {
	double left, top, right, bottom;
	double confidence; // distance from the decision surface, > 0
} kycd_hog_face;

// A detector of dlib's, or NULL if there is no memory for one.
void* kycd_hog_new(void);
void kycd_hog_free(void* detector);

// Finds faces in 8-bit grey pixels, row-major. It writes the first max_faces of them, best first, and gives
// their number; -1 if dlib threw.
int kycd_hog_detect(void* detector, const unsigned char* gray, int width, int height,
                    kycd_hog_face* faces, int max_faces);

// The same in colour, of each pixel the strongest; in the order B, G, R.
int kycd_hog_detect_colour(void* detector, const unsigned char* bgr, int width, int height,
                           kycd_hog_face* faces, int max_faces);

#ifdef __cplusplus
}
#endif
