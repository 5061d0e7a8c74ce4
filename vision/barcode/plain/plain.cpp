#define ZX_USE_UTF8 1
#include "plain.h"

#include <ReadBarcode.h>

#include <cstdlib>
#include <cstring>

int kycd_plain_read(const uint8_t *gray, int width, int height, uint8_t **payload, size_t *size) {
	*payload = nullptr;
	*size = 0;
	try {
		ZXing::DecodeHints hints; // its defaults look hard, for turned codes, and at smaller copies
		hints.setFormats(ZXing::BarcodeFormat::PDF417);
		ZXing::Result result = ZXing::ReadBarcode(ZXing::ImageView(gray, width, height, ZXing::ImageFormat::Lum), hints);
		if (!result.isValid())
			return 0;
		const ZXing::ByteArray &bytes = result.bytes();
		*payload = static_cast<uint8_t *>(std::malloc(bytes.size() + 1));
		if (!*payload)
			return -1;
		std::memcpy(*payload, bytes.data(), bytes.size());
		*size = bytes.size();
		return 1;
	} catch (...) {
		return -1;
	}
}
