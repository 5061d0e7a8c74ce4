#ifndef KYCD_BARCODE_ZXING_H
#define KYCD_BARCODE_ZXING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One decoded symbol. The bytes are the payload as it was printed, before any change of character set.
typedef struct {
	char format[24];
	uint8_t *bytes;
	size_t size;
	int corners[8]; // x,y of the upper left, upper right, lower right and lower left corner
} kycd_symbol;

typedef struct {
	kycd_symbol *symbols;
	size_t count;
} kycd_symbols;

// Reads the symbols of a picture of one byte a pixel, rows without gaps. Returns 0, or -1 when the library
// threw; no exception leaves this function. What it fills in is released by kycd_symbols_free.
int kycd_symbols_read(const uint8_t *gray, int width, int height, int any_format, int downscale, kycd_symbols *out);

void kycd_symbols_free(kycd_symbols *symbols);

#ifdef __cplusplus
}
#endif

#endif
