#ifndef KYCD_IMAGING_JPEG_H
#define KYCD_IMAGING_JPEG_H

#include <stddef.h>
#include <stdint.h>

/* What kycd_jpeg_decode answers. */
enum {
  KYCD_JPEG_OK = 0,
  KYCD_JPEG_BROKEN = 1,    /* no picture in the bytes */
  KYCD_JPEG_UNSUITABLE = 2 /* four components, or not of the size expected: another decoder may know better */
};

/* Decodes size bytes at an eighths-th of their size into pix: BGR, height rows of 3·width bytes. width and height must be what
   the library makes of that scale, ceil(side·eighths/8). */
int kycd_jpeg_decode(const uint8_t *data, size_t size, int eighths, uint8_t *pix, int width, int height);

#endif
