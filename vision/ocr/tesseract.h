#ifndef KYCD_OCR_TESSERACT_H
#define KYCD_OCR_TESSERACT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kycd_engine kycd_engine;

typedef struct {
	char *text; // UTF-8
	float confidence; // 0..100
	int left, top, right, bottom;
	int line; // words of one line have the same number
} kycd_word;

typedef struct {
	kycd_word *words;
	size_t count;
} kycd_words;

// Loads a language; NULL when it cannot be loaded. data_dir may be NULL for the library's own folder.
kycd_engine *kycd_engine_open(const char *data_dir, const char *language);

void kycd_engine_close(kycd_engine *engine);

// Reads a picture of one byte a pixel, rows without gaps, on the calling thread alone. whitelist may be empty
// for every character. Returns 0; -1 when the library failed or threw. kycd_words_free releases the words.
int kycd_engine_read(kycd_engine *engine, const uint8_t *gray, int width, int height, int dpi, int segmentation,
                     const char *whitelist, kycd_words *out);

void kycd_words_free(kycd_words *words);

#ifdef __cplusplus
}
#endif

#endif
