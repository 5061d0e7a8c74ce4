#define ZX_USE_UTF8 1
#include "zxing.h"

#include <ReadBarcode.h>

#include <cstdlib>
#include <cstring>
#include <string>

static bool copy_symbol(const ZXing::Result &result, kycd_symbol *out) {
	const ZXing::ByteArray &bytes = result.bytes();
	out->bytes = static_cast<uint8_t *>(std::malloc(bytes.size() + 1));
	if (!out->bytes)
		return false;
	std::memcpy(out->bytes, bytes.data(), bytes.size());
	out->size = bytes.size();
	std::string name = ZXing::ToString(result.format());
	std::strncpy(out->format, name.c_str(), sizeof(out->format) - 1);
	for (int i = 0; i < 4; i++) {
		out->corners[2 * i] = result.position()[i].x;
		out->corners[2 * i + 1] = result.position()[i].y;
	}
	return true;
}

int kycd_symbols_read(const uint8_t *gray, int width, int height, int any_format, int downscale, kycd_symbols *out) {
	out->symbols = nullptr;
	out->count = 0;
	try {
		ZXing::DecodeHints hints;
		if (!any_format)
			hints.setFormats(ZXing::BarcodeFormat::PDF417);
		hints.setTryHarder(true).setTryRotate(true).setTryDownscale(downscale != 0).setMaxNumberOfSymbols(8);
		ZXing::ImageView view(gray, width, height, ZXing::ImageFormat::Lum);
		ZXing::Results results = ZXing::ReadBarcodes(view, hints);
		if (results.empty())
			return 0;
		out->symbols = static_cast<kycd_symbol *>(std::calloc(results.size(), sizeof(kycd_symbol)));
		if (!out->symbols)
			return -1;
		for (const ZXing::Result &result : results) {
			if (!result.isValid())
				continue;
			if (!copy_symbol(result, &out->symbols[out->count])) {
				kycd_symbols_free(out);
				return -1;
			}
			out->count++;
		}
		return 0;
	} catch (...) {
		kycd_symbols_free(out);
		return -1;
	}
}

void kycd_symbols_free(kycd_symbols *symbols) {
	for (size_t i = 0; i < symbols->count; i++)
		std::free(symbols->symbols[i].bytes);
	std::free(symbols->symbols);
	symbols->symbols = nullptr;
	symbols->count = 0;
}
