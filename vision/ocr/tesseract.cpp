#include "tesseract.h"

#include <allheaders.h>
#include <omp.h>
#include <tesseract/baseapi.h>
#include <tesseract/resultiterator.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

struct kycd_engine {
	tesseract::TessBaseAPI api;
};

namespace {

// While one of these lives, the library's parallel loops run on the calling thread alone. The pool has an engine
// for each core already; four threads for each of them make every reading slower.
class SingleThread {
public:
	SingleThread() : levels_(omp_get_max_active_levels()) { omp_set_max_active_levels(0); }
	~SingleThread() { omp_set_max_active_levels(levels_); }

private:
	int levels_;
};

void collect(tesseract::TessBaseAPI &api, std::vector<kycd_word> &words) {
	std::unique_ptr<tesseract::ResultIterator> results(api.GetIterator());
	if (!results)
		return;
	int line = -1;
	do {
		if (line < 0 || results->IsAtBeginningOf(tesseract::RIL_TEXTLINE))
			line++;
		kycd_word word = {};
		word.confidence = results->Confidence(tesseract::RIL_WORD);
		word.line = line;
		if (!results->BoundingBox(tesseract::RIL_WORD, &word.left, &word.top, &word.right, &word.bottom))
			continue;
		word.text = results->GetUTF8Text(tesseract::RIL_WORD);
		if (!word.text)
			continue;
		words.push_back(word);
	} while (results->Next(tesseract::RIL_WORD));
}

} // namespace

kycd_engine *kycd_engine_open(const char *data_dir, const char *language) {
	try {
		std::unique_ptr<kycd_engine> engine(new kycd_engine);
		// The library writes what it thinks of a picture to stderr; nothing of a document belongs there.
		engine->api.SetVariable("debug_file", "/dev/null");
		setMsgSeverity(L_SEVERITY_NONE);
		if (engine->api.Init(data_dir, language, tesseract::OEM_LSTM_ONLY) != 0)
			return nullptr;
		// A line that reads badly is not read a second time as white on black: most of such lines are no text.
		engine->api.SetVariable("tessedit_do_invert", "0");
		return engine.release();
	} catch (...) {
		return nullptr;
	}
}

void kycd_engine_close(kycd_engine *engine) { delete engine; }

int kycd_engine_read(kycd_engine *engine, const uint8_t *gray, int width, int height, int dpi, int segmentation,
                     const char *whitelist, kycd_words *out) {
	out->words = nullptr;
	out->count = 0;
	std::vector<kycd_word> words;
	bool read = false;
	try {
		SingleThread single;
		tesseract::TessBaseAPI &api = engine->api;
		api.SetVariable("tessedit_char_whitelist", whitelist);
		api.SetPageSegMode(static_cast<tesseract::PageSegMode>(segmentation));
		api.SetImage(gray, width, height, 1, width);
		api.SetSourceResolution(dpi);
		if (api.Recognize(nullptr) == 0) {
			collect(api, words);
			read = true;
		}
		// No picture and no text outlives the call.
		api.Clear();
	} catch (...) {
		read = false;
	}
	if (read && !words.empty()) {
		out->words = static_cast<kycd_word *>(std::calloc(words.size(), sizeof(kycd_word)));
		read = out->words != nullptr;
	}
	for (kycd_word &word : words) {
		if (read)
			out->words[out->count++] = word;
		else
			delete[] word.text;
	}
	return read ? 0 : -1;
}

void kycd_words_free(kycd_words *words) {
	for (size_t i = 0; i < words->count; i++)
		delete[] words->words[i].text;
	std::free(words->words);
	words->words = nullptr;
	words->count = 0;
}
