#include "CSimdjson.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <simdjson.h>

// GCC defines the one, Clang knows the other.
#if defined(__SANITIZE_ADDRESS__)
#define FLYWHEEL_HAS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLYWHEEL_HAS_ADDRESS_SANITIZER 1
#endif
#endif

struct flywheel_json_parser {
    simdjson::dom::parser parser;
    uint8_t *text = nullptr;
    size_t capacity = 0;

    ~flywheel_json_parser() { free(text); }

    /// Makes room for that many bytes and the padding that simdjson may read beyond them.
    bool reserve(size_t length) {
        if (length <= capacity && text != nullptr) { return true; }
        size_t wanted = length < 4096 ? 4096 : length + length / 2;
        auto *larger = static_cast<uint8_t *>(malloc(wanted + simdjson::SIMDJSON_PADDING));
        if (larger == nullptr) { return false; }
        free(text);
        text = larger;
        capacity = wanted;
        return true;
    }
};

extern "C" flywheel_json_parser *flywheel_json_parser_new(size_t max_depth) {
    auto *parser = new (std::nothrow) flywheel_json_parser;
    if (parser == nullptr) { return nullptr; }
    if (!parser->reserve(4096) || parser->parser.allocate(4096, max_depth) != simdjson::SUCCESS) {
        delete parser;
        return nullptr;
    }
    return parser;
}

extern "C" void flywheel_json_parser_free(flywheel_json_parser *parser) { delete parser; }

extern "C" bool flywheel_json_parse(
    flywheel_json_parser *parser, const uint8_t *text, size_t length, flywheel_json_document *document
) {
    if (length == 0 || !parser->reserve(length)) { return false; }
    memcpy(parser->text, text, length);
    memset(parser->text + length, 0, simdjson::SIMDJSON_PADDING);
    simdjson::dom::element root;
    if (parser->parser.parse(parser->text, length, false).get(root) != simdjson::SUCCESS) { return false; }
    document->tape = parser->parser.doc.tape.get();
    document->strings = parser->parser.doc.string_buf.get();
    return true;
}

/// Whether that many bytes and the padding behind them lie on pages that the text is on: then they can be read, whatever they
/// are.
static bool has_readable_padding(const uint8_t *text, size_t length) {
#if FLYWHEEL_HAS_ADDRESS_SANITIZER
    return false;
#else
    constexpr uintptr_t page = 4096;
    return ((reinterpret_cast<uintptr_t>(text) + length - 1) & (page - 1)) + simdjson::SIMDJSON_PADDING < page;
#endif
}

extern "C" bool flywheel_json_scan(
    flywheel_json_parser *parser, const uint8_t *text, size_t length, flywheel_json_index *index
) {
    auto &dom = parser->parser;
    auto is_space = [](uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; };
    while (length > 0 && is_space(text[length - 1])) { length -= 1; }
    // A number that ends the text would be read beyond it.
    if (length == 0 || (text[length - 1] != '}' && text[length - 1] != ']' && text[length - 1] != '"')) {
        return false;
    }
    if (dom.capacity() < length && dom.allocate(length + length / 2, dom.max_depth()) != simdjson::SUCCESS) {
        return false;
    }
    if (!has_readable_padding(text, length)) {
        if (!parser->reserve(length)) { return false; }
        memcpy(parser->text, text, length);
        memset(parser->text + length, 0, simdjson::SIMDJSON_PADDING);
        text = parser->text;
    }
    auto &implementation = *dom.implementation;
    if (implementation.stage1(text, length, simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
        return false;
    }
    index->text = text;
    index->structure = implementation.structural_indexes.get();
    index->count = implementation.n_structural_indexes;
    return true;
}

extern "C" bool flywheel_json_double(const uint8_t *text, double *value) {
    return simdjson::builtin::numberparsing::parse_double(text).get(*value) == simdjson::SUCCESS;
}
