#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// dlib's CNN face detector. NULL if the file cannot be read or holds something else; why then says what is wrong, to be freed by
// the caller.
void* kycd_cnn_new(const char* path, char** why);
void kycd_cnn_free(void* detector);

// Finds faces in pixels in the order B, G, R, row-major. It writes left, top, right and bottom, inclusive, of the first max_faces of
// them and gives their number; -1 if dlib threw.
int kycd_cnn_detect(void* detector, const unsigned char* bgr, int width, int height, long (*faces)[4], int max_faces);

#ifdef __cplusplus
}
#endif
