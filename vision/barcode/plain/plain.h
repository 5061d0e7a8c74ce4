#ifndef KYCD_PLAIN_H
#define KYCD_PLAIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Reads the first PDF417 of a picture of one byte a pixel, with one call of the library and its defaults. Returns 1 and
// the payload, which the caller frees; 0 where there is none; -1 when the library threw.
int kycd_plain_read(const uint8_t *gray, int width, int height, uint8_t **payload, size_t *size);

#ifdef __cplusplus
}
#endif

#endif
