#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// dlib's shape predictor. NULL if the file cannot be read or holds something else; why then says what is wrong, to be freed by
// the caller.
void* kycd_landmarks_new(const char* path, char** why);
void kycd_landmarks_free(void* predictor);

// How many points the predictor places.
int kycd_landmarks_count(void* predictor);

// Places the points of a face whose left, top, right and bottom, inclusive, are given, in pixels in the order B, G, R, row-major, and
// turns and scales the face upright. It writes x and y of each point, and side * side pixels in the order R, G, B. It gives 0; -1 if dlib
// threw.
int kycd_landmarks_place(void* predictor, const unsigned char* bgr, int width, int height, const long face[4],
                         long (*points)[2], int side, unsigned char* aligned);

#ifdef __cplusplus
}
#endif
