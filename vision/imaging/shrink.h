#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Scales a part of a picture down to to_width × to_height pixels, which are no more than the part has, by area. A pixel has three
// bytes; stride is that of the picture, in bytes; available is how many bytes there are from the part's first one on. It gives 0; -1
// if there is no memory.
int kycd_shrink(const unsigned char* part, int width, int height, long stride, long available,
                unsigned char* to, int to_width, int to_height);

#ifdef __cplusplus
}
#endif
